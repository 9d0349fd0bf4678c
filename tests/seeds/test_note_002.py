"""The third note: Conv2D, pooling, Dense, compile, losses, optimizers, train_on_batch, as their signatures stand there."""

import hornbeam as keras
import numpy as np
import pytest
from hornbeam import losses, optimizers
from hornbeam.layers import Dense
from hornbeam.models import Sequential
from hornbeam.optimizers import SGD

OPTIONS = {
    "activation": None, "use_bias": True, "kernel_initializer": "glorot_uniform", "bias_initializer": "zeros",
    "kernel_regularizer": None, "bias_regularizer": None, "activity_regularizer": None, "kernel_constraint": None,
    "bias_constraint": None,
}  # fmt: skip


@pytest.mark.parametrize("padding, size", [("valid", 6), ("same", 8)])
def test_conv2d(padding, size):
    layer = keras.layers.Conv2D(
        4, (3, 3), strides=(1, 1), padding=padding, data_format=None, dilation_rate=(1, 1), **OPTIONS, input_shape=(8, 8, 3)
    )  # fmt: skip
    assert Sequential([layer]).output_shape == (None, size, size, 4)


def test_batch_input_shape_leaves_the_batch_size_open():
    model = Sequential([keras.layers.Conv2D(2, 3, batch_input_shape=(None, 8, 8, 1))])
    assert model.input_shape == (None, 8, 8, 1)


def test_max_pooling2d(rng):
    layer = keras.layers.MaxPooling2D(pool_size=(2, 2), strides=None, padding="valid", data_format=None)
    x = rng.rand(1, 4, 4, 1).astype("float32")
    expected = x.reshape(2, 2, 2, 2).max((1, 3))
    assert np.array_equal(np.asarray(layer(x))[0, :, :, 0], expected)
    assert keras.layers.MaxPool2D is keras.layers.MaxPooling2D


def test_dense(rng):
    layer = keras.layers.core.Dense(3, **OPTIONS)
    x = rng.rand(2, 4).astype("float32")
    y = np.asarray(layer(x))
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(y, x @ kernel + bias, rtol=1e-5)


def test_dense_as_first_layer_and_after():
    model = Sequential()
    model.add(Dense(32, input_shape=(16,)))
    model.add(Dense(32))
    assert model.input_shape == (None, 16) and model.layers[1].get_weights()[0].shape == (32, 32)


def test_dense_on_more_axes():
    assert Sequential([Dense(3, input_shape=(5, 4))]).output_shape == (None, 5, 3)


@pytest.mark.parametrize("metrics", [[], ["accuracy"], {"out": "accuracy"}])
def test_compile(metrics):
    model = Sequential([Dense(2, input_shape=(3,), name="out", activation="softmax")])
    model.compile(optimizer="sgd", loss="mse", metrics=metrics, loss_weights=None, sample_weight_mode=None)
    assert model.metrics_names == ["loss"] + ["accuracy"] * bool(metrics)


def test_weights_for_time_steps():
    model = Sequential([Dense(1, input_shape=(4, 3))])
    model.compile("sgd", "mse", sample_weight_mode="temporal")
    weights = np.tile([1.0, 0.0, 0.0, 0.0], (2, 1))
    assert model.train_on_batch(np.ones((2, 4, 3)), np.ones((2, 4, 1)), sample_weight=weights) >= 0


def test_predict_needs_no_compile():
    assert Sequential([Dense(2, input_shape=(3,))]).predict(np.ones((1, 3))).shape == (1, 2)


@pytest.mark.parametrize(
    "loss",
    [
        losses.mean_squared_error,
        losses.mean_absolute_error,
        losses.mean_squared_logarithmic_error,
        losses.hinge,
        losses.categorical_crossentropy,
        losses.binary_crossentropy,
    ],
)
def test_losses(loss, rng):
    model = Sequential([Dense(3, input_shape=(4,), activation="softmax")])
    model.compile("sgd", loss=loss)
    assert np.isfinite(model.train_on_batch(rng.rand(6, 4), np.eye(3)[rng.randint(0, 3, 6)]))


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: SGD(lr=0.01, decay=1e-6, momentum=0.9, nesterov=True),
        lambda: keras.optimizers.SGD(lr=0.01, momentum=0.0, decay=0.0, nesterov=False),
        lambda: keras.optimizers.RMSprop(lr=0.001, rho=0.9, epsilon=1e-06),
        lambda: keras.optimizers.Adam(lr=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-08),
    ],
)
def test_optimizers(optimizer, rng):
    model = Sequential([Dense(1, input_shape=(4,))])
    model.compile(loss="mean_squared_error", optimizer=optimizer())
    x = rng.rand(16, 4)
    first = model.train_on_batch(x, x.sum(1, keepdims=True))
    for _ in range(20):
        last = model.train_on_batch(x, x.sum(1, keepdims=True))
    assert last < first


def test_train_on_batch(rng):
    model = Sequential([Dense(2, input_shape=(3,), activation="softmax")])
    model.compile(optimizers.sgd(), "sparse_categorical_crossentropy")
    x, y = rng.rand(4, 3), np.array([0, 1, 0, 1])
    plain = model.test_on_batch(x, y)
    assert model.train_on_batch(x, y, sample_weight=None, class_weight=None) == pytest.approx(plain)
    assert model.train_on_batch(x, y, class_weight={0: 0.0, 1: 0.0}) == 0
