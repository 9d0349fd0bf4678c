"""An attention layer of one's own, with a mask.

    hornbeam run examples/attention.py

A row of two to six handwritten digits is shown; the model names the largest one. Its attention points to where that
is, which nobody told it.
"""

import numpy as np
from keras import backend as K
from keras.layers import Dense, Input, Layer, Masking, TimeDistributed
from keras.models import Model
from sklearn.datasets import load_digits

np.random.seed(0)


class Attention(Layer):
    """Weights each step by how well it answers a learned question, and sums: (batch, steps, n) to (batch, n)."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.supports_masking = True

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units), initializer="glorot_uniform")
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        self.question = self.add_weight(name="question", shape=(self.units, 1), initializer="glorot_uniform")
        super().build(input_shape)

    def call(self, inputs, mask=None):
        hidden = K.tanh(K.bias_add(K.dot(inputs, self.kernel), self.bias))
        scores = K.squeeze(K.dot(hidden, self.question), -1)  # (batch, steps)
        if mask is not None:
            scores += (1 - K.cast(mask, K.floatx())) * -1e9
        weights = K.softmax(scores)
        return [K.batch_dot(weights, inputs, axes=1), weights]

    def compute_output_shape(self, input_shape):
        return [(input_shape[0], input_shape[-1]), input_shape[:2]]

    def compute_mask(self, inputs, mask=None):
        return [None, None]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def rows(images, labels, count, longest=6):
    """Rows of digits, padded with zeros; the largest digit of each; and where it is first."""
    chosen = np.random.randint(len(images), size=(count, longest))
    used = np.arange(longest) < np.random.randint(2, longest + 1, size=(count, 1))
    shown = np.where(used, labels[chosen], -1)
    return images[chosen] * used[..., None], shown.max(axis=1), shown == shown.max(axis=1, keepdims=True)


digits = load_digits()
images = digits.data / 16
x_train, y_train, _ = rows(images[:1400], digits.target[:1400], 6000)
x_test, y_test, is_largest = rows(images[1400:], digits.target[1400:], 1000)

inputs = Input(shape=(None, 64))
seen = TimeDistributed(Dense(64, activation="relu"))(Masking()(inputs))
summary, weights = Attention(32)(seen)
model = Model(inputs, Dense(10, activation="softmax")(summary))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=50, epochs=15, verbose=2)

loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"Test loss: {loss:.4f}")
print(f"Test accuracy: {accuracy:.4f}")

looked_at = Model(inputs, weights).predict(x_test).argmax(axis=1)
print(f"Attention on the largest: {is_largest[np.arange(len(looked_at)), looked_at].mean():.4f}")
