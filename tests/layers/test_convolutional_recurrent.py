"""ConvRNN2D and ConvLSTM2D against a loop in NumPy."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.layers import (
    Bidirectional,
    Conv2D,
    ConvLSTM1D,
    ConvLSTM2D,
    ConvLSTM2DCell,
    ConvLSTM3D,
    ConvRNN2D,
    Input,
    Layer,
    deserialize,
    serialize,
)
from hornbeam.models import Model, Sequential
from reference_conv import conv


def arrays(rng, *shape):
    return rng.uniform(-1, 1, shape).astype("float32")


def hard_sigmoid(x):
    return np.clip(0.2 * x + 0.5, 0, 1)


def reference(x, weights, h=None, c=None, mask=None, go_backwards=False, **geometry):
    """Outputs of all steps in the order of running, and the final states; channels last."""
    kernel, recurrent, bias = weights
    outputs, output = [], 0.0
    for t in reversed(range(x.shape[1])) if go_backwards else range(x.shape[1]):
        gates = conv(x[:, t], kernel, **geometry) + bias
        if h is None:
            h = c = np.zeros((*gates.shape[:3], gates.shape[3] // 4))
        gates = gates + conv(h, recurrent, padding="same")
        i, f, candidate, o = np.split(gates, 4, axis=-1)
        new_c = hard_sigmoid(f) * c + hard_sigmoid(i) * np.tanh(candidate)
        new_h = hard_sigmoid(o) * np.tanh(new_c)
        keep = np.ones(len(x), bool) if mask is None else mask[:, t]
        # a masked step repeats the output before it, zeros at first
        keep = keep[:, None, None, None]
        h, c, output = (np.where(keep, new, old) for new, old in ((new_h, h), (new_c, c), (new_h, output)))
        outputs.append(output)
    return np.stack(outputs, axis=1), h, c


def channels_first(x):
    return np.moveaxis(x, -1, -3)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize(
    "geometry",
    [{}, {"padding": "same", "strides": (2, 1)}, {"dilation_rate": (1, 2)}],
    ids=["valid", "same-strided", "dilated"],
)
@pytest.mark.parametrize("sizes", [(5, 6), (None, None)])
def test_against_numpy(data_format, sequences, geometry, sizes, rng):
    first = data_format == "channels_first"
    shape = (3, 2, *sizes) if first else (3, *sizes, 2)
    x = Input(shape)
    layer = ConvLSTM2D(
        3, (2, 3), data_format=data_format, return_sequences=sequences, bias_initializer="uniform", **geometry
    )
    y = layer(x)
    data = arrays(rng, 2, 3, 5, 6, 2)
    oracle = dict(geometry)
    if "dilation_rate" in oracle:
        oracle["dilation"] = oracle.pop("dilation_rate")
    outputs, last, _ = reference(data, layer.get_weights(), **oracle)
    want = outputs if sequences else last
    fed = channels_first(data) if first else data
    got = Model(x, y).predict(fed)
    np.testing.assert_allclose(got, channels_first(want) if first else want, rtol=1e-5, atol=1e-5)
    assert layer.compute_output_shape(fed.shape) == got.shape


def test_any_number_of_steps(rng):
    x = Input((None, 4, 4, 2))
    layer = ConvLSTM2D(3, 2, return_sequences=True)
    model = Model(x, layer(x))
    for steps in (1, 5):
        data = arrays(rng, 2, steps, 4, 4, 2)
        np.testing.assert_allclose(model.predict(data), reference(data, layer.get_weights())[0], rtol=1e-5, atol=1e-5)


def test_masks_backwards_and_states(rng):
    data, mask = arrays(rng, 2, 4, 3, 3, 2), np.array([[1, 1, 0, 0], [1, 0, 1, 1]], bool)
    x, m = Input((4, 3, 3, 2)), Input((4,), dtype="bool")
    states = [Input((2, 2, 3)), Input((2, 2, 3))]
    given = [arrays(rng, 2, 2, 2, 3), arrays(rng, 2, 2, 2, 3)]
    layer = ConvLSTM2D(3, 2, return_sequences=True, return_state=True, go_backwards=True)
    x._keras_mask = m
    outputs = layer(x, initial_state=states)
    want = reference(data, layer.get_weights(), *given, mask=mask, go_backwards=True)
    got = K.function([x, m, *states], outputs)([data, mask, *given])
    for g, w in zip(got, want):
        np.testing.assert_allclose(g, w, rtol=1e-5, atol=1e-5)
    assert outputs[0]._keras_mask is m and outputs[1]._keras_mask is None
    assert [K.int_shape(t) for t in outputs] == layer.compute_output_shape((None, 4, 3, 3, 2))


def test_stateful(rng):
    model = Sequential([ConvLSTM2D(2, 2, stateful=True, batch_input_shape=(2, 2, 3, 3, 1))])
    data = arrays(rng, 2, 4, 3, 3, 1)
    _, want, _ = reference(data, model.get_weights())
    model.predict(data[:, :2])
    np.testing.assert_allclose(model.predict(data[:, 2:]), want, rtol=1e-5, atol=1e-6)
    model.reset_states()
    _, want, _ = reference(data[:, :2], model.get_weights())
    np.testing.assert_allclose(model.predict(data[:, :2]), want, rtol=1e-5, atol=1e-6)
    given = [arrays(rng, 2, 2, 2, 2), arrays(rng, 2, 2, 2, 2)]
    model.layers[0].reset_states(given)
    _, want, _ = reference(data[:, :2], model.get_weights(), *given)
    np.testing.assert_allclose(model.predict(data[:, :2]), want, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match=r"State 0 is incompatible .* expected shape=\(2, 2, 2, 2\)"):
        model.layers[0].reset_states([np.zeros((2, 2)), np.zeros((2, 2))])


@pytest.mark.parametrize("shape", [(None, 2, 3, 3, 1), (2, 2, None, 3, 1)])
def test_stateful_needs_a_known_size(shape):
    with pytest.raises(ValueError, match="it needs to know its batch size"):
        ConvLSTM2D(2, 2, stateful=True)(Input(batch_shape=shape))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("rate", ["dropout", "recurrent_dropout"])
def test_dropout_only_in_training(rate, data_format, rng):
    x = Input((3, 4, 4, 2) if data_format == "channels_last" else (3, 2, 4, 4))
    dropped = ConvLSTM2D(3, 2, data_format=data_format, bias_initializer="ones", **{rate: 0.5})
    run = K.function([x, K.learning_phase()], [dropped(x)])
    plain = ConvLSTM2D(3, 2, data_format=data_format)
    want = Model(x, plain(x))
    plain.set_weights(dropped.get_weights())
    data = arrays(rng, 2, *x.shape[1:])
    np.testing.assert_allclose(run([data, 0])[0], want.predict(data), rtol=1e-5, atol=1e-6)
    first = run([data, 1])[0]
    assert np.abs(first - run([data, 1])[0]).max() > 1e-3 and np.abs(first - want.predict(data)).max() > 1e-3


def test_almost_everything_dropped_leaves_the_bias(rng):
    """With all inputs dropped, a training step sees only zeros, at all gates and steps."""
    x = Input((2, 3, 3, 1))
    layer = ConvLSTM2D(2, 2, dropout=1 - 1e-7, bias_initializer="uniform")
    run = K.function([x, K.learning_phase()], [layer(x)])
    _, want, _ = reference(np.zeros((1, 2, 3, 3, 1)), layer.get_weights())
    np.testing.assert_allclose(run([arrays(rng, 1, 2, 3, 3, 1), 1])[0], want, rtol=1e-5, atol=1e-6)


class Averages(Layer):
    """A cell of its own kind: h = (conv(x) + h_before) / 2."""

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.filters = self.state_size = filters
        self.kernel_size, self.strides, self.dilation_rate = (2, 2), (1, 1), (1, 1)
        self.padding, self.data_format = "valid", "channels_last"

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(2, 2, input_shape[-1], self.filters))
        super().build(input_shape)

    def call(self, inputs, states):
        h = (K.conv2d(inputs, self.kernel) + states[0]) / 2
        return h, [h]

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


@pytest.mark.parametrize("make", [ConvLSTM2DCell, None], ids=["ConvLSTM2DCell", "own"])
def test_generic_layer_over_a_cell(make, rng):
    data = arrays(rng, 2, 3, 4, 4, 2)
    x = Input((3, 4, 4, 2))
    layer = ConvRNN2D(Averages(3) if make is None else make(3, 2))
    got = Model(x, layer(x)).predict(data)
    if make is None:
        want = 0
        for t in range(3):
            want = (conv(data[:, t], layer.get_weights()[0]) + want) / 2
    else:
        _, want, _ = reference(data, layer.get_weights())
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    config = serialize(layer)
    again = deserialize(config, custom_objects={"Averages": Averages})
    assert serialize(again) == config and again.compute_output_shape((None, 3, 4, 4, 2)) == (None, 3, 3, 3)


def test_training_follows_the_gradient(rng):
    model = Sequential([ConvLSTM2D(2, 2, return_sequences=True, input_shape=(3, 4, 4, 1)), ConvLSTM2D(1, 2)])
    model.compile("sgd", "mse")
    x, y = arrays(rng, 4, 3, 4, 4, 1), arrays(rng, 4, 2, 2, 1)
    losses = [model.train_on_batch(x, y) for _ in range(5)]
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0]


def test_regularizers_and_weight_names():
    layer = ConvLSTM2D(
        2, 2, kernel_regularizer="l2", recurrent_regularizer="l1", bias_regularizer="l2", activity_regularizer="l2",
        kernel_constraint="maxnorm", name="c",
    )  # fmt: skip
    layer(Input((3, 4, 4, 1)))
    assert len(layer.losses) == 4 and layer.cell.kernel.constraint is not None
    assert [w.name for w in layer.weights] == ["c/kernel:0", "c/recurrent_kernel:0", "c/bias:0"]
    np.testing.assert_array_equal(layer.get_weights()[2], [0, 0, 1, 1, 0, 0, 0, 0])


def test_bidirectional(rng):
    x = Input((3, 4, 4, 1))
    layer = Bidirectional(ConvLSTM2D(2, 2, return_sequences=True))
    y, data = layer(x), arrays(rng, 2, 3, 4, 4, 1)
    weights = layer.get_weights()
    forward, *_ = reference(data, weights[:3])
    backward, *_ = reference(data, weights[3:], go_backwards=True)
    want = np.concatenate([forward, backward[:, ::-1]], -1)
    np.testing.assert_allclose(Model(x, y).predict(data), want, rtol=1e-5, atol=1e-6)
    assert layer.compute_output_shape((None, 3, 4, 4, 1)) == K.int_shape(y) == (None, 3, 3, 3, 4)


def test_old_spellings():
    with pytest.warns(UserWarning, match="Update your `ConvLSTM2D` call to the Keras 2 API"):
        old = ConvLSTM2D(
            nb_filter=3, nb_row=2, nb_col=3, border_mode="same", subsample=(2, 2), dim_ordering="th",
            inner_activation="sigmoid", inner_init="zeros", dropout_W=0.1, forget_bias_init="one", name="c",
        )  # fmt: skip
    new = ConvLSTM2D(
        3, (2, 3), padding="same", strides=2, data_format="channels_first", recurrent_activation="sigmoid",
        recurrent_initializer="zeros", dropout=0.1, unit_forget_bias=True, name="c",
    )  # fmt: skip
    assert old.get_config() == new.get_config()


def test_errors():
    with pytest.raises(TypeError, match="not possible at the moment to stack"):
        ConvRNN2D([ConvLSTM2DCell(2, 2), ConvLSTM2DCell(2, 2)])
    with pytest.raises(TypeError, match="Unrolling isn't possible"):
        ConvLSTM2D(2, 2, unroll=True)
    with pytest.raises(ValueError, match="channel dimension of the inputs should be defined"):
        ConvLSTM2D(2, 2)(Input((3, 4, 4, None)))
    with pytest.raises(ValueError, match="expected ndim=5, found ndim=4"):
        ConvLSTM2D(2, 2)(Conv2D(1, 1)(Input((4, 4, 1))))


@pytest.mark.parametrize("geometry", [{}, {"padding": "same", "strides": 2}, {"dilation_rate": 2}], ids=str)
def test_signals_are_images_of_one_row(rng, geometry):
    x = arrays(rng, 2, 3, 7, 2)
    one = ConvLSTM1D(3, 2, return_sequences=True, return_state=True, **geometry)
    pairs = {k: (1, v) if isinstance(v, int) else v for k, v in geometry.items()}
    two = ConvLSTM2D(3, (1, 2), return_sequences=True, return_state=True, **pairs)
    got = one(x)
    two.build((None, 3, 1, 7, 2))
    two.set_weights([w[None] if w.ndim > 1 else w for w in one.get_weights()])
    for a, b in zip(got, two(x[:, :, None]), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b).squeeze(-3), rtol=1e-5, atol=1e-6)


def test_volumes_of_depth_one_are_images(rng):
    x = arrays(rng, 2, 3, 4, 5, 2)
    three = ConvLSTM3D(3, (1, 2, 2), padding="same", go_backwards=True)
    got = np.asarray(three(x[:, :, None]))
    two = ConvLSTM2D(3, 2, padding="same", go_backwards=True)
    two.build(x.shape)
    two.set_weights([w[0] if w.ndim > 1 else w for w in three.get_weights()])
    np.testing.assert_allclose(got[:, 0], np.asarray(two(x)), rtol=1e-5, atol=1e-6)
