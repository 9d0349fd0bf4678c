"""A model as a class: layers made in __init__, used in call, with a loss and a metric of its own.

    hornbeam run examples/subclassed_model.py

A residual network reads digits and also draws what it has read; the drawing's error is part of what it learns from.
"""

import os
import tempfile

import numpy as np
from keras import backend as K
from keras.layers import Add, BatchNormalization, Dense, Dropout
from keras.models import Model
from sklearn.datasets import load_digits

np.random.seed(0)


class ResidualReader(Model):
    def __init__(self, classes, blocks=3, units=64, redraw=1.0):
        super().__init__(name="residual_reader")
        self.redraw = redraw
        self.enter = Dense(units, activation="relu")
        self.blocks = [(BatchNormalization(), Dense(units, activation="relu"), Add()) for _ in range(blocks)]
        self.dropout = Dropout(0.3)
        self.draw = Dense(64, activation="sigmoid")
        self.out = Dense(classes, activation="softmax")

    def call(self, inputs):
        hidden = self.enter(inputs)
        for normalize, dense, add in self.blocks:
            hidden = add([hidden, dense(normalize(hidden))])
        error = K.mean(K.square(self.draw(hidden) - inputs))
        self.add_loss(self.redraw * error)
        self.add_metric(error, name="drawing_error")
        return self.out(self.dropout(hidden))


digits = load_digits()
images = digits.data.astype("float32") / 16
x_train, y_train, x_test, y_test = images[:1400], digits.target[:1400], images[1400:], digits.target[1400:]

model = ResidualReader(10)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=32, epochs=15, validation_split=0.1, verbose=2)
model.summary()
results = dict(zip(model.metrics_names, model.evaluate(x_test, y_test, verbose=0)))

# A class is code and is not saved; its weights are, and another instance takes them.
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "weights.h5")
    model.save_weights(path)
    twin = ResidualReader(10)
    twin.compile("adam", "sparse_categorical_crossentropy")
    twin.train_on_batch(x_train[:1], y_train[:1])  # builds it
    twin.load_weights(path)
same = np.array_equal(model.predict(x_test), twin.predict(x_test))

print(f"Test accuracy: {results['accuracy']:.4f}")
print(f"Drawing improves on grey: {results['drawing_error'] < 0.5 * np.var(x_test)}")
print(f"A twin with the weights predicts the same: {same}")
