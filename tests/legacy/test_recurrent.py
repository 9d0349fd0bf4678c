"""Recurrent layers of users that define their own step, as before Keras 2.1."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.engine import InputSpec
from hornbeam.layers import ConvLSTM2D, Input, Masking, SimpleRNN
from hornbeam.layers.recurrent import Recurrent
from hornbeam.legacy.layers import ConvRecurrent2D
from hornbeam.models import Model, Sequential


class Elman(Recurrent):
    """SimpleRNN without a bias: the input's projection is made for all steps at once."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        shape = input_shape[0] if isinstance(input_shape, list) else input_shape
        self.input_spec[0] = InputSpec(shape=(shape[0] if self.stateful else None, None, shape[2]))
        self.states = [None]
        if self.stateful:
            self.reset_states()
        self.kernel = self.add_weight(name="kernel", shape=(shape[2], self.units), initializer="glorot_uniform")
        self.recurrent = self.add_weight(name="recurrent", shape=(self.units, self.units), initializer="orthogonal")
        self.built = True

    def preprocess_input(self, inputs, training=None):
        return K.dot(inputs, self.kernel)

    def get_constants(self, inputs, training=None):
        return [K.ones_like(inputs[:, 0, :1])]

    def step(self, inputs, states):
        h, one = states
        output = K.tanh(inputs + K.dot(h * one, self.recurrent))
        return output, [output]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@pytest.mark.parametrize("options", [{}, {"return_sequences": True}, {"go_backwards": True, "return_state": True}])
def test_a_step_of_ones_own(options, rng):
    x = rng.randn(3, 5, 4).astype("float32")
    x[1, 3:] = 0
    inputs = Input((None, 4))
    masked = Masking()(inputs)
    mine, theirs = Elman(6, **options), SimpleRNN(6, use_bias=False, **options)
    a, b = Model(inputs, mine(masked)), Model(inputs, theirs(masked))
    theirs.set_weights(mine.get_weights())
    got, wanted = a.predict(x), b.predict(x)
    if "return_state" in options:
        (got, state), (wanted, last) = got, wanted
        np.testing.assert_allclose(state, last, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
    assert K.int_shape(a.outputs[0])[1:] == got.shape[1:] or options.get("return_sequences")
    copy = Elman.from_config(mine.get_config())
    assert copy.get_config() == mine.get_config()


def test_states_are_given_or_kept(rng):
    x, h = rng.randn(2, 3, 4).astype("float32"), rng.randn(2, 6).astype("float32")
    inputs, start = Input((3, 4)), Input((6,))
    layer = Elman(6)
    model = Model([inputs, start], layer(inputs, initial_state=start))
    whole = model.predict([x, h])

    kept = Sequential([Elman(6, stateful=True, batch_input_shape=(2, None, 4))])
    kept.set_weights(model.get_weights())
    kept.layers[0].reset_states(h)
    kept.predict(x[:, :1])
    np.testing.assert_allclose(kept.predict(x[:, 1:]), whole, rtol=1e-5, atol=1e-6)
    kept.reset_states()
    assert not K.get_value(kept.layers[0].states[0]).any()


def test_it_trains(rng):
    x = rng.randn(64, 5, 4).astype("float32")
    y = x.sum(axis=(1, 2))[:, None]
    model = Sequential([Elman(1, input_shape=(5, 4))])
    model.compile("adam", "mse")
    losses = model.fit(x, y, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_over_images(rng):
    class Blur(ConvRecurrent2D):
        def build(self, input_shape):
            self.states = [None]
            self.kernel = self.add_weight(
                name="kernel", shape=(*self.kernel_size, input_shape[-1], self.filters), initializer="ones"
            )
            self.built = True

        def get_initial_state(self, inputs):
            return [K.zeros_like(K.conv2d(inputs[:, 0], self.kernel, padding=self.padding))]

        def step(self, inputs, states):
            output = states[0] + K.conv2d(inputs, self.kernel, padding=self.padding)
            return output, [output]

    x = rng.randn(2, 3, 4, 5, 1).astype("float32")
    layer = Blur(2, 3, padding="same", return_sequences=True)
    inputs = Input((3, 4, 5, 1))
    model = Model(inputs, layer(inputs))
    got = model.predict(x)
    assert got.shape == (2, 3, 4, 5, 2) == (2, *model.output_shape[1:])
    shape = ConvLSTM2D(2, 3, strides=2, data_format="channels_first", return_sequences=True)
    mine = Blur(2, 3, strides=2, data_format="channels_first", return_sequences=True)
    assert mine.compute_output_shape((2, 3, 1, 8, 9)) == shape.compute_output_shape((2, 3, 1, 8, 9))
    np.testing.assert_allclose(got[:, 2, 1, 1, 0], x[:, :, :3, :3].sum(axis=(1, 2, 3, 4)), rtol=1e-4, atol=1e-5)
    assert Blur.from_config(layer.get_config()).get_config() == layer.get_config()


def test_a_layer_without_a_step_says_so():
    class Empty(Recurrent):
        units = 3

    with pytest.raises(NotImplementedError, match="has to define `step`"):
        Empty()(Input((2, 3)))


def test_a_layer_may_have_no_states():
    layer = Elman(3)
    layer.states = []
    assert layer.states == []
