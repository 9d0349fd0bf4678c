"""Whole models in the other float types: they build, train, predict, save and load in them."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam import models, optimizers


@pytest.fixture(params=["float16", "float64"])
def floatx(request):
    K.set_floatx(request.param)
    K.set_epsilon(1e-4 if request.param == "float16" else 1e-7)  # 1 - 1e-7 is 1 in float16
    yield request.param
    K.set_floatx("float32")
    K.set_epsilon(1e-7)


def image_model():
    return models.Sequential(
        [
            L.Conv2D(8, 3, activation="relu", padding="same", input_shape=(8, 8, 1)),
            L.BatchNormalization(),
            L.MaxPooling2D(),
            L.DepthwiseConv2D(3, activation="relu"),
            L.Dropout(0.1),
            L.GlobalAveragePooling2D(),
            L.Dense(2, activation="softmax"),
        ]
    )


def sequence_model(recurrent):
    return models.Sequential(
        [L.Embedding(10, 6, input_length=7, mask_zero=True), recurrent(8), L.Dense(2, activation="softmax")]
    )


def images():
    """Whether the upper half is brighter than the lower one."""
    rng = np.random.RandomState(0)
    y = rng.randint(0, 2, 64)
    x = rng.uniform(0, 0.3, (64, 8, 8, 1))
    x[y == 1, :4] += 0.7
    x[y == 0, 4:] += 0.7
    return x, y


def sentences():
    """Whether the word 1 is there."""
    rng = np.random.RandomState(0)
    y = rng.randint(0, 2, 64)
    x = rng.randint(2, 10, (64, 7))
    x[:, 6] = 0
    x[np.arange(64)[y == 1], rng.randint(0, 6, (y == 1).sum())] = 1
    return x, y


CASES = {
    "cnn": (image_model, images, "rmsprop"),
    "lstm": (lambda: sequence_model(L.LSTM), sentences, "adam"),
    "gru": (lambda: sequence_model(L.GRU), sentences, "sgd"),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_models_learn(name, floatx, tmp_path):
    build, data, optimizer = CASES[name]
    np.random.seed(3)
    model, (x, y) = build(), data()
    # Adam's and RMSprop's squares of gradients are 0 in float16 where gradients are below 2e-4, so their epsilon is large.
    optimizer = {
        "rmsprop": lambda: optimizers.RMSprop(0.01, epsilon=1e-3),
        "adam": lambda: optimizers.Adam(0.02, epsilon=1e-3),
        "sgd": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    }[optimizer]()
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    before = model.evaluate(x, y, verbose=0)[0]
    history = model.fit(x, y, batch_size=24, epochs=15, verbose=0, validation_split=0.25).history
    assert np.isfinite(history["loss"]).all() and np.isfinite(history["val_loss"]).all()
    assert model.evaluate(x, y, verbose=0)[0] < before
    assert all(w.dtype == floatx for w in model.get_weights())
    predicted = model.predict(x)
    assert predicted.dtype == floatx
    model.save(tmp_path / "model.h5")
    again = models.load_model(tmp_path / "model.h5")
    np.testing.assert_array_equal(again.predict(x), predicted)


def test_float16_agrees_with_float64():
    rng = np.random.RandomState(1)
    x = rng.normal(size=(5, 8, 8, 1))
    results, weights = [], None
    for dtype in ("float64", "float16"):
        K.set_floatx(dtype)
        try:
            np.random.seed(0)
            model = image_model()
            if weights is not None:
                model.set_weights(weights)
            weights = model.get_weights()
            results.append(model.predict(x))
        finally:
            K.set_floatx("float32")
    np.testing.assert_allclose(results[1], results[0], atol=2e-3)
