"""Steps along the gradients at the worst point nearby, against NumPy."""

import numpy as np
import pytest
from hornbeam import layers as L
from hornbeam import models, optimizers

SAM = models.experimental.SharpnessAwareMinimization
X = np.random.RandomState(0).rand(12, 3)
Y = np.random.RandomState(1).rand(12, 1)


def gradient(kernel, x, y):
    return 2 * x.T @ (x @ kernel - y) / len(x)


def step(kernel, x, y, rho, splits, rate):
    total = 0
    for part, target in zip(np.split(x, splits), np.split(y, splits)):
        here = gradient(kernel, part, target)
        total = total + gradient(kernel + rho * here / np.linalg.norm(here), part, target)
    return kernel - rate * total


def linear():
    return models.Sequential([L.Dense(1, use_bias=False, input_shape=(3,), kernel_initializer="ones")])


@pytest.mark.parametrize("splits", [None, 1, 3])
def test_steps(splits, eager):
    inner = linear()
    model = SAM(inner, rho=0.3, num_batch_splits=splits)
    model.compile(optimizers.SGD(0.1), "mse", metrics=["mae"])
    history = model.fit(X, Y, batch_size=6, epochs=2, shuffle=False, verbose=0).history
    kernel = np.ones((3, 1))
    for _ in range(2):
        for part, target in zip(np.split(X, 2), np.split(Y, 2)):
            kernel = step(kernel, part, target, 0.3, splits or 1, 0.1)
    np.testing.assert_allclose(inner.get_weights()[0], kernel, rtol=1e-5)
    assert set(history) == {"loss", "mae"} and history["loss"][1] < history["loss"][0]
    np.testing.assert_allclose(model.predict(X), X @ kernel, rtol=1e-5)


def test_files(eager, tmp_path):
    model = SAM(linear(), rho=0.2, num_batch_splits=2)
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=6, verbose=0)
    model.save(tmp_path / "m.keras")
    again = models.load_model(tmp_path / "m.keras")
    assert type(again) is SAM and (again.rho, again.num_batch_splits) == (0.2, 2)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_mistakes(eager):
    model = SAM(linear(), num_batch_splits=5)
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="6 samples cannot be split into 5 parts"):
        model.train_step((X[:6], Y[:6]))


def test_where_steps_are_not_eager():
    model = SAM(linear())
    model.compile("sgd", "mse")
    with pytest.raises(NotImplementedError, match="hornbeam run --tf 2"):
        model.fit(X, Y, verbose=0)
