"""The functional API: one branch shared by two inputs, and two outputs with a loss each.

    hornbeam run examples/functional_two_inputs.py

Two digits are shown. The model says whether they are the same, and reads the first one.
"""

import numpy as np
from keras import backend as K
from keras.layers import Dense, Input, Lambda, concatenate
from keras.models import Model
from sklearn.datasets import load_digits

np.random.seed(0)


def pairs(images, labels, count):
    """Random pairs, half of them of the same digit."""
    first = np.random.randint(len(images), size=count)
    second = np.random.randint(len(images), size=count)
    for i in range(0, count, 2):
        second[i] = np.random.choice(np.flatnonzero(labels == labels[first[i]]))
    same = (labels[first] == labels[second]).astype("float32")
    return [images[first], images[second]], [same, labels[first]]


digits = load_digits()
images = digits.data.astype("float32") / 16
x_train, y_train = pairs(images[:1400], digits.target[:1400], 6000)
x_test, y_test = pairs(images[1400:], digits.target[1400:], 1000)

image = Input(shape=(64,))
hidden = Dense(128, activation="relu")(image)
branch = Model(image, Dense(64, activation="relu")(hidden), name="branch")

left = Input(shape=(64,), name="left")
right = Input(shape=(64,), name="right")
a, b = branch(left), branch(right)
distance = Lambda(lambda pair: K.abs(pair[0] - pair[1]))([a, b])
joined = Dense(32, activation="relu")(concatenate([distance, a, b]))
same = Dense(1, activation="sigmoid", name="same")(joined)
digit = Dense(10, activation="softmax", name="digit")(a)

model = Model(inputs=[left, right], outputs=[same, digit])
model.compile(
    optimizer="adam",
    loss={"same": "binary_crossentropy", "digit": "sparse_categorical_crossentropy"},
    loss_weights={"same": 1.0, "digit": 0.5},
    metrics={"same": "accuracy", "digit": "accuracy"},
)
model.summary()
model.fit(x_train, y_train, batch_size=64, epochs=12, verbose=2)

results = dict(zip(model.metrics_names, model.evaluate(x_test, y_test, verbose=0)))
print(f"Test accuracy of same: {results['same_accuracy']:.4f}")
print(f"Test accuracy of digit: {results['digit_accuracy']:.4f}")
