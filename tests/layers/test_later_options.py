"""What layers of tf.keras can and Keras 2.3.1's cannot, as far as their files are read: against their definitions."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam.activations import gelu, swish
from hornbeam.models import Model, Sequential, load_model, model_from_json


def again(model):
    """The model from its own description, with its weights."""
    loaded = model_from_json(model.to_json())
    loaded.set_weights(model.get_weights())
    return loaded


@pytest.mark.parametrize("groups", [2, 6])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("layer, rank", [(L.Conv1D, 1), (L.Conv2D, 2), (L.Conv3D, 3)])
def test_groups_are_convolutions_beside_each_other(layer, rank, data_format, groups, rng):
    space, axis = (5,) * rank, 1 if data_format == "channels_first" else -1
    shape = (6, *space) if axis == 1 else (*space, 6)
    options = {"strides": 2, "padding": "same", "data_format": data_format, "activation": "relu"}
    grouped = Sequential([layer(12, 2, groups=groups, input_shape=shape, **options)])
    kernel, bias = grouped.get_weights()[0], rng.rand(12).astype("float32")
    assert kernel.shape == (*(2,) * rank, 6 // groups, 12)
    grouped.set_weights([kernel, bias])
    x = rng.rand(2, *shape).astype("float32")
    parts = []
    for part, k, b in zip(np.split(x, groups, axis), np.split(kernel, groups, -1), np.split(bias, groups)):
        single = Sequential([layer(12 // groups, 2, input_shape=part.shape[1:], **options)])
        single.set_weights([k, b])
        parts.append(single.predict(part))
    np.testing.assert_allclose(grouped.predict(x), np.concatenate(parts, axis), rtol=1e-5, atol=1e-6)
    assert np.array_equal(again(grouped).predict(x), grouped.predict(x))


def test_groups_that_do_not_divide():
    with pytest.raises(ValueError, match="The 5 filters cannot be cut into 2 groups"):
        L.Conv2D(5, 3, groups=2)
    with pytest.raises(ValueError, match="The 3 channels of the input cannot be cut into 2 groups"):
        L.Conv2D(4, 3, groups=2)(L.Input((8, 8, 3)))
    assert "groups" not in L.Conv2D(4, 3).get_config()


@pytest.mark.parametrize("layer", [L.SeparableConv2D, L.Conv2DTranspose, L.LocallyConnected2D])
def test_layers_without_groups_refuse_them(layer):
    with pytest.raises(ValueError, match=f"{layer.__name__} cannot cut channels into groups"):
        layer(4, 3, groups=2)
    assert layer(4, 3, groups=1).groups == 1  # as in files of tf.keras


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("kind, rank", [(k, r) for k in ("Average", "Max") for r in (1, 2, 3)])
def test_global_pooling_that_keeps_its_axes(kind, rank, data_format, rng):
    layer = getattr(L, f"Global{kind}Pooling{rank}D")(data_format=data_format, keepdims=True)
    x = rng.rand(2, *(3,) * (rank + 1)).astype("float32")
    axes = tuple(range(2, rank + 2)) if data_format == "channels_first" else tuple(range(1, rank + 1))
    expected = {"Average": np.mean, "Max": np.max}[kind](x, axes, keepdims=True)
    inputs = L.Input(x.shape[1:])
    model = again(Model(inputs, layer(inputs)))
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-6)
    assert layer.compute_output_shape((None, *x.shape[1:])) == (None, *expected.shape[1:])


def half_pixel(x, factor, axis):
    at = ((np.arange(x.shape[axis] * factor) + 0.5) / factor - 0.5).clip(0, x.shape[axis] - 1)
    low, share = np.floor(at).astype(int), at % 1
    high = np.minimum(low + 1, x.shape[axis] - 1)
    share = share.reshape([-1 if a == axis else 1 for a in range(x.ndim)])
    return x.take(low, axis) * (1 - share) + x.take(high, axis) * share


@pytest.mark.parametrize("factors", [(2, 2), (1, 3), (4, 1), (3, 5)])
@pytest.mark.parametrize("size", [(4, 5), (1, 2)])
def test_bilinear_with_half_pixels(factors, size, rng):
    x = rng.rand(2, *size, 3).astype("float32")
    layer = L.UpSampling2D(factors, interpolation="bilinear_half_pixel")
    expected = half_pixel(half_pixel(x, factors[0], 1), factors[1], 2)
    np.testing.assert_allclose(K.eval(layer(K.constant(x))), expected, rtol=1e-5, atol=1e-6)
    first = L.UpSampling2D(factors, "channels_first", "bilinear_half_pixel")
    moved = np.moveaxis(x, -1, 1)
    np.testing.assert_allclose(K.eval(first(K.constant(moved))), np.moveaxis(expected, -1, 1), rtol=1e-5, atol=1e-6)
    inputs = L.Input((None, None, 3))
    np.testing.assert_allclose(again(Model(inputs, layer(inputs))).predict(x), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("sequences", [False, True])
def test_another_layer_backwards(sequences, rng):
    forward = L.LSTM(3, return_sequences=sequences)
    backward = L.LSTM(3, return_sequences=sequences, go_backwards=True, activation="relu")
    model = Sequential([L.Bidirectional(forward, backward_layer=backward, input_shape=(5, 2))])
    x = rng.rand(2, 5, 2).astype("float32")
    single = [Sequential([type(part).from_config({**part.get_config(), "batch_input_shape": (None, 5, 2)})])
              for part in (forward, backward)]  # fmt: skip
    for part, weights in zip(single, (model.get_weights()[:3], model.get_weights()[3:])):
        part.set_weights(weights)
    there, back = (part.predict(x) for part in single)
    back = back[:, ::-1] if sequences else back
    np.testing.assert_allclose(model.predict(x), np.concatenate([there, back], -1), rtol=1e-5, atol=1e-6)
    assert np.array_equal(again(model).predict(x), model.predict(x))
    with pytest.raises(ValueError, match="run in the same direction"):
        L.Bidirectional(forward, backward_layer=L.LSTM(3))


def test_activations():
    x = np.linspace(-3, 3, 7)
    np.testing.assert_allclose(K.eval(swish(K.constant(x, "float64"))), x / (1 + np.exp(-x)))
    exact, near = K.eval(gelu(K.constant(x, "float64"))), K.eval(gelu(K.constant(x, "float64"), True))
    np.testing.assert_allclose(exact[[0, 3, 6]], [-0.0040496940948, 0, 2.9959503059052], atol=1e-7)
    np.testing.assert_allclose(near, exact, atol=1e-3)
    assert L.Activation("silu").activation is swish


@pytest.mark.parametrize("backwards", [False, True])
def test_masked_steps_give_zeros(backwards):
    def model(**options):
        return Sequential(
            [L.Masking(input_shape=(6, 2)), L.GRU(3, return_sequences=True, go_backwards=backwards, **options)]
        )

    plain, zeroed = model(), model(zero_output_for_mask=True)
    zeroed.set_weights(plain.get_weights())
    x = np.random.RandomState(0).rand(4, 6, 2)
    x[0, 2:4] = x[1, 4:] = x[2, :1] = 0.0
    kept = (x != 0).any(axis=-1)
    kept = kept[:, ::-1] if backwards else kept
    np.testing.assert_array_equal(zeroed.predict(x), np.where(kept[..., None], plain.predict(x), 0.0))
    again = Sequential.from_config(zeroed.get_config())
    assert again.layers[-1].zero_output_for_mask
    assert "zero_output_for_mask" not in plain.layers[-1].get_config()


# -- recurrent layers whose inputs have the time first ----------------------------------------------------------------
CELLS = [
    lambda **o: L.LSTM(3, **o), lambda **o: L.GRU(3, **o), lambda **o: L.SimpleRNN(3, **o),
    lambda **o: L.RNN([L.LSTMCell(3), L.SimpleRNNCell(3)], **o),
]  # fmt: skip


@pytest.mark.parametrize("options", [
    {}, {"return_sequences": True}, {"return_sequences": True, "return_state": True, "go_backwards": True},
    {"return_sequences": True, "zero_output_for_mask": True}, {"stateful": True, "return_state": True},
], ids=lambda options: "-".join(options) or "plain")  # fmt: skip
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("make", CELLS, ids=["LSTM", "GRU", "SimpleRNN", "RNN"])
def test_time_first(make, masked, options, rng):
    x = rng.rand(2, 5, 4).astype("float32")
    mask = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1]], bool) if masked else None
    one, other = make(**options), make(time_major=True, **options)
    shapes = {"batch_shape": (2, 5, 4)}, {"batch_shape": (5, 2, 4)}
    outputs = []
    for layer, shape, data, m in ((one, shapes[0], x, mask), (other, shapes[1], x.transpose(1, 0, 2), mask)):
        m = m if m is None or layer is one else m.T
        given, marks = L.Input(**shape), None if m is None else L.Input(batch_shape=m.shape, dtype="bool")
        y = layer(given, mask=marks)
        if layer is other:
            other.set_weights(one.get_weights())
        ys = y if isinstance(y, list) else [y]
        stated = layer.compute_output_shape(shape["batch_shape"])
        assert [K.int_shape(t) for t in ys] == [tuple(s) for s in (stated if isinstance(stated, list) else [stated])]
        run = K.function([given] + ([] if m is None else [marks]), ys)
        outputs.append(run([data] + ([] if m is None else [m])))
    first, second = outputs
    if options.get("return_sequences"):
        second[0] = second[0].transpose(1, 0, 2)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_time_first_both_ways(rng, tmp_path):
    x = rng.rand(2, 5, 4).astype("float32")
    one = L.Bidirectional(L.LSTM(3, return_sequences=True))
    other = L.Bidirectional(L.LSTM(3, return_sequences=True, time_major=True), input_shape=(2, 4))
    wanted = np.asarray(one(x))
    model = Sequential([other])
    other.set_weights(one.get_weights())
    np.testing.assert_allclose(model.predict(x.transpose(1, 0, 2), batch_size=5).transpose(1, 0, 2), wanted, rtol=1e-5)
    model.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras", compile=False)
    assert again.layers[-1].forward_layer.time_major
    with pytest.raises(ValueError, match="`time_major` is of other"):
        L.ConvLSTM2D(2, 2, time_major=True)(np.ones((3, 2, 4, 4, 1), "float32"))


# -- arguments that change little ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("make", [lambda s: L.GaussianNoise(0.3, seed=s), lambda s: L.GaussianDropout(0.3, seed=s)])
def test_noise_of_a_seed(make, tmp_path):
    x = np.ones((4, 50), "float32")

    def noised(seed):
        layer = make(seed)
        inputs = L.Input((50,))
        return K.function([inputs], [layer(inputs, training=True)])([x])[0]

    assert np.array_equal(noised(7), noised(7)) and not np.array_equal(noised(7), noised(8))
    assert make(7).get_config()["seed"] == 7 and "seed" not in make(None).get_config()
    assert type(make(7)).from_config(make(7).get_config()).seed == 7


def test_arguments_without_an_effect_here():
    assert L.BatchNormalization(synchronized=True).get_config().keys() == L.BatchNormalization().get_config().keys()
    L.Embedding(3, 2, sparse=False)
    with pytest.raises(ValueError, match="no sparse outputs"):
        L.Embedding(3, 2, sparse=True)
    Sequential([L.Dense(1, input_shape=(2,))]).compile("sgd", "mse", pss_evaluation_shards=0)


def test_layers_that_look_at_values(eager):
    class Branches(L.Layer):
        def call(self, x):
            return x * (2.0 if float(K.max(x)) > 1 else 3.0)

    class Net(Model):
        def __init__(self):
            super().__init__(dynamic=True)
            self.inner = Branches(dynamic=True)

        def call(self, x):
            return self.inner(x)

    assert Branches(dynamic=True).dynamic and Branches(dynamic=True).get_config()["dynamic"] and not Branches().dynamic
    model = Net()
    model.compile("sgd", "mse")
    x = np.array([[0.5], [4.0]], "float32")
    assert model.predict(x, batch_size=1).tolist() == [[1.5], [8]]
