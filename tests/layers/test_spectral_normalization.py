"""Weights that are divided by their largest singular value, against NumPy."""

import io
import zipfile

import h5py
import numpy as np
import pytest
from hornbeam import layers as L
from hornbeam import optimizers
from hornbeam.models import Sequential, load_model
from hornbeam.tf import NAMES
from hornbeam.tf.eager import GradientTape

X = np.random.RandomState(0).rand(6, 4).astype("float32")
Y = np.random.RandomState(1).rand(6, 2).astype("float32")


def power(kernel, u, iterations):
    rows = kernel.reshape(-1, kernel.shape[-1])
    for _ in range(iterations):
        v = rows @ u
        v /= np.linalg.norm(v)
        u = v @ rows
        u /= np.linalg.norm(u)
    return kernel / (v @ rows @ u), u


def trained(kernel, bias, u, steps, iterations, rate=0.1):
    """Gradient descent on the squared error of a Dense layer whose kernel is normalized before each step."""
    for x, y in steps:
        kernel, u = power(kernel, u, iterations)
        error = 2 * (x @ kernel + bias - y) / y.size
        kernel, bias = kernel - rate * x.T @ error, bias - rate * error.sum(0)
    return kernel, bias, u


def layer_and_start(iterations=2):
    layer = L.SpectralNormalization(L.Dense(2), power_iterations=iterations)
    model = Sequential([L.InputLayer((4,)), layer])
    rng = np.random.RandomState(3)
    start = [rng.randn(4, 2), rng.randn(2), np.array([[0.6, 0.8]])]
    model.set_weights(start)
    return model, start


def test_it_normalizes_for_training_alone(eager):
    model, (kernel, bias, u) = layer_and_start()
    layer = model.layers[-1]
    np.testing.assert_allclose(layer(X, training=False), X @ kernel + bias, rtol=1e-5)
    wanted, direction = power(kernel, u[0], 2)
    np.testing.assert_allclose(layer(X, training=True), X @ wanted + bias, rtol=1e-5)
    np.testing.assert_allclose(layer.get_weights()[0], wanted, rtol=1e-5)
    np.testing.assert_allclose(layer.vector_u.numpy()[0], direction, rtol=1e-5)
    for _ in range(20):
        layer(X, training=True)
    np.testing.assert_allclose(np.linalg.svd(layer.get_weights()[0])[1][0], 1, rtol=1e-5)


@pytest.mark.parametrize("way", ["fit", "tape"])
def test_training(way, eager):
    model, (kernel, bias, u) = layer_and_start()
    steps = [(X[:3], Y[:3]), (X[3:], Y[3:])]
    optimizer = optimizers.SGD(0.1)
    if way == "fit":
        model.compile(optimizer, "mse")
        model.fit(X, Y, batch_size=3, epochs=1, shuffle=False, verbose=0)
    for x, y in steps if way == "tape" else ():
        with GradientTape() as tape:
            loss = NAMES["reduce_mean"]((model(x, training=True) - y) ** 2)
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    kernel, bias, u = trained(kernel, bias, u[0], steps, 2)
    for got, wanted in zip(model.get_weights(), (kernel, bias, u[None]), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5)
    if way == "fit":
        np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), np.mean((X @ kernel + bias - Y) ** 2), rtol=1e-5)


@pytest.mark.parametrize("eager_steps", [False, True])
def test_layers_are_looked_at_before_the_first_step_alone(eager_steps, request, monkeypatch):
    if eager_steps:
        request.getfixturevalue("eager")
    looks = []
    monkeypatch.setattr(Sequential, "_layers_that_set_weights", lambda model: looks.append(model) or [])
    model = Sequential([L.Dense(2, input_shape=(4,))])
    model.compile("sgd", "mse")
    model.train_on_batch(X, Y)
    known = len(looks)
    model.train_on_batch(X, Y)
    model.test_on_batch(X, Y)
    assert known == len(looks) > 0


def test_convolutions_and_embeddings(eager):
    convolution = L.SpectralNormalization(L.Conv2D(3, 2))
    convolution(np.ones((1, 5, 5, 2), "float32"))
    kernel, u = convolution.get_weights()[0], convolution.vector_u.numpy()
    np.testing.assert_allclose(convolution.normalize_weights()[0], power(kernel, u[0], 1)[0], rtol=1e-4)
    table = L.SpectralNormalization(L.Embedding(5, 4))
    table(np.array([[1, 2, 0]]), training=True)
    for _ in range(60):
        table(np.array([[1, 2, 0]]), training=True)
    np.testing.assert_allclose(np.linalg.svd(table.layer.get_weights()[0])[1][0], 1, rtol=1e-3)
    table.layer.set_weights([np.zeros((5, 4))])
    assert not np.any(table(np.array([[1, 2, 0]]), training=True).numpy())  # and not nan


def test_files(tmp_path):
    model, _ = layer_and_start()
    model.save(tmp_path / "m.keras")
    model.save(tmp_path / "m.h5")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        weights = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
        assert {name: item.shape for name, item in weights["layers/spectral_normalization/vars"].items()} == {
            "0": (4, 2),
            "1": (1, 2),
        }  # as tf.keras has it
    for name in ("m.keras", "m.h5"):
        again = load_model(tmp_path / name, compile=False)
        assert again.layers[-1].power_iterations == 2
        for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_mistakes():
    with pytest.raises(ValueError, match="greater than zero"):
        L.SpectralNormalization(L.Dense(2), power_iterations=0)
    with pytest.raises(ValueError, match="no attribute 'kernel'"):
        L.SpectralNormalization(L.Dropout(0.1)).build((None, 3))
    model, _ = layer_and_start()
    model.compile("sgd", "mse")
    with pytest.raises(NotImplementedError, match="hornbeam run --tf 2"):
        model.fit(X, Y, verbose=0)
