"""Layers whose ``call`` has an argument ``training`` without a default, as tutorials of tf.keras write them."""

import numpy as np
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam.models import Model, Sequential

X = np.ones((64, 5), "float32")


class Block(L.Layer):
    def __init__(self):
        super().__init__()
        self.attention = L.MultiHeadAttention(2, 3)
        self.inner = Sequential([L.Dense(4, activation="relu"), L.Dense(3)])
        self.norm = L.LayerNormalization()
        self.drop = L.Dropout(0.5)

    def call(self, inputs, training):
        x = self.norm(inputs + self.drop(self.attention(inputs, inputs), training=training))
        return x + self.inner(x)


class Own(Model):
    def __init__(self):
        super().__init__()
        self.drop = L.Dropout(0.5)

    def call(self, inputs, training):
        return self.drop(inputs, training=training)


def test_a_block_of_layers():
    inputs = L.Input((4, 3))
    model = Model(inputs, Block()(inputs))
    x = np.random.RandomState(0).rand(8, 4, 3)
    model.compile("adam", "mse")
    losses = model.fit(x, 0 * x, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    np.testing.assert_array_equal(model.predict(x), model.predict(x))
    assert len(model.trainable_weights) == 8 + 4 + 2


def test_the_learning_phase_decides():
    x = L.Input((5,))
    for layer in (Own(), L.Dropout(0.5)):
        run = K.function([x, K.learning_phase()], [layer(x)])
        assert (run([X, 1])[0] == 0).any() and (run([X, 0])[0] == 1).all()
    assert (K.function([x], [Own()(x, training=True)])([X])[0] == 0).any()
