"""Weights of other backends and of Keras 1: converted ones compute what they did, by the old definitions."""

import h5py
import numpy as np
import pytest
from hornbeam import layers as L
from hornbeam.models import Sequential
from hornbeam.saving import preprocess_weights_for_loading as convert


def rand(rng, *shape):
    return rng.rand(*shape).astype("float32")


def built(layer, shape):
    model = Sequential()
    model.add(L.InputLayer(shape))
    model.add(layer)
    return layer


@pytest.mark.parametrize(
    "layer, shape, flipped",
    [
        (L.Conv1D(3, 2), (6, 4), 1), (L.Conv2D(3, (2, 3)), (6, 6, 4), 1), (L.Conv3D(3, 2), (4, 4, 4, 2), 1),
        (L.Conv2DTranspose(3, 2), (6, 6, 4), 1), (L.ConvLSTM2D(3, 2), (2, 6, 6, 4), 2), (L.Dense(3), (4,), 0),
        (L.LSTM(3), (6, 4), 0),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_theano_convolves_with_flipped_kernels(layer, shape, flipped, rng):
    weights = [rand(rng, *w.shape) for w in built(layer, shape).weights]
    got = convert(layer, weights, "2.0.0", "theano")
    for i, (a, b) in enumerate(zip(got, weights)):
        spatial = tuple(range(b.ndim - 2))
        assert np.array_equal(a, np.flip(b, spatial) if i < flipped else b)
    assert all(np.array_equal(a, b) for a, b in zip(convert(layer, weights, "2.0.0", "tensorflow"), weights))


def test_theano_inside_nested_models_and_wrappers(tmp_path):
    def model():
        inner = Sequential([L.Conv2D(3, 2, input_shape=(5, 5, 2)), L.BatchNormalization()])
        return Sequential([L.TimeDistributed(inner, input_shape=(2, 5, 5, 2)), L.TimeDistributed(L.Conv2D(2, 2))])

    source, target = model(), model()
    path = tmp_path / "theano.h5"
    source.save_weights(path)
    with h5py.File(path, "a") as file:
        file.attrs["backend"] = "theano"
    target.load_weights(path)
    for a, b in zip(target.get_weights(), source.get_weights(), strict=True):
        assert np.array_equal(a, b[::-1, ::-1] if b.ndim == 4 else b)


def sigmoid(x):
    return np.clip(0.2 * x + 0.5, 0, 1)


def test_keras_1_lstm(rng):
    """Its twelve arrays are kernel, recurrent kernel and bias of input, cell, forget and output, one after the other."""
    layer = built(L.LSTM(3, recurrent_activation="hard_sigmoid"), (5, 4))
    gates = {name: (rand(rng, 4, 3), rand(rng, 3, 3), rand(rng, 3)) for name in ("i", "c", "f", "o")}
    layer.set_weights(convert(layer, [array for gate in gates.values() for array in gate], "1"))
    x, h, c = rand(rng, 2, 5, 4), np.zeros((2, 3)), np.zeros((2, 3))
    for t in range(5):
        i, new, f, o = (x[:, t] @ w + h @ u + b for w, u, b in gates.values())
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(new)
        h = sigmoid(o) * np.tanh(c)
    np.testing.assert_allclose(np.asarray(layer(x)), h, rtol=1e-5)


def test_keras_1_gru(rng):
    layer = built(L.GRU(3, recurrent_activation="hard_sigmoid"), (5, 4))
    gates = {name: (rand(rng, 4, 3), rand(rng, 3, 3), rand(rng, 3)) for name in ("z", "r", "h")}
    layer.set_weights(convert(layer, [array for gate in gates.values() for array in gate], "1"))
    x, h = rand(rng, 2, 5, 4), np.zeros((2, 3))
    for t in range(5):
        (wz, uz, bz), (wr, ur, br), (wh, uh, bh) = gates.values()
        z, r = sigmoid(x[:, t] @ wz + h @ uz + bz), sigmoid(x[:, t] @ wr + h @ ur + br)
        h = z * h + (1 - z) * np.tanh(x[:, t] @ wh + (r * h) @ uh + bh)
    np.testing.assert_allclose(np.asarray(layer(x)), h, rtol=1e-5)


@pytest.mark.parametrize(
    "layer, shape, old, axes",
    [
        (L.Conv2D(3, (2, 5), data_format="channels_first"), (4, 6, 6), (3, 4, 2, 5), (2, 3, 1, 0)),
        (L.Conv3D(3, (2, 3, 4), data_format="channels_first"), (2, 5, 5, 5), (3, 2, 2, 3, 4), (2, 3, 4, 1, 0)),
        (L.Conv2D(3, (2, 5)), (6, 6, 4), (2, 5, 4, 3), (0, 1, 2, 3)),
        (L.Conv2DTranspose(3, (2, 5)), (6, 6, 4), (2, 5, 4, 3), (0, 1, 3, 2)),
        (L.Conv2DTranspose(3, (2, 5), data_format="channels_first"), (4, 6, 6), (3, 4, 2, 5), (2, 3, 0, 1)),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_keras_1_kernels(layer, shape, old, axes, rng):
    layer = built(layer, shape)
    kernel = rand(rng, *old)
    got, _ = convert(layer, [kernel, rand(rng, 3)], "1")
    assert np.array_equal(got, kernel.transpose(axes)) and got.shape == tuple(layer.weights[0].shape)


def test_keras_1_conv1d(rng):
    layer = built(L.Conv1D(3, 2), (6, 4))
    kernel = rand(rng, 2, 1, 4, 3)
    assert np.array_equal(convert(layer, [kernel, rand(rng, 3)], "1")[0], kernel[:, 0])
    older = kernel.transpose(3, 2, 0, 1)  # before 1.1
    assert np.array_equal(convert(layer, [older, rand(rng, 3)], "1")[0], kernel[:, 0])
    with pytest.raises(ValueError, match="of no known version"):
        convert(layer, [rand(rng, 7, 7, 7, 7), rand(rng, 3)], "1")


def test_a_file_of_keras_1(tmp_path, rng):
    """Without keras_version, and with names as it had them."""
    path = tmp_path / "k1.h5"
    arrays = [rand(rng, 4, 3), rand(rng, 3), rand(rng, 3), rand(rng, 3), rand(rng, 3), rand(rng, 3)]
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"dense_1", b"batchnormalization_1"]
        for name, weights in (
            (b"dense_1", ("W", "b")),
            (b"batchnormalization_1", ("gamma", "beta", "running_mean", "running_std")),
        ):
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name.decode()}_{weight}".encode() for weight in weights]
            for weight in weights:
                group[f"{name.decode()}_{weight}"] = arrays.pop(0)
    model = Sequential([L.Dense(3, input_shape=(4,)), L.BatchNormalization()])
    model.load_weights(path)
    with h5py.File(path, "r") as file:
        assert np.array_equal(model.get_weights()[0], file["dense_1/dense_1_W"][()])
        assert np.array_equal(model.get_weights()[5], file["batchnormalization_1/batchnormalization_1_running_std"][()])
