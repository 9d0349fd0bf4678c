"""Normalization within each sample, against NumPy."""

import numpy as np
import pytest
from hornbeam import layers as L
from hornbeam.models import Sequential

X = np.random.RandomState(0).normal(3, 2, (5, 4, 3, 6)).astype("float32")


def normalized(x, axes, epsilon=1e-3):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


def output(layer, x=X, seed=1):
    """The layer's output with random weights, and these."""
    model = Sequential([layer])
    model.build(x.shape)
    rng = np.random.RandomState(seed)
    model.set_weights([rng.rand(*w.shape) for w in model.weights])
    return model.predict(x), model.get_weights()


@pytest.mark.parametrize("axis, axes, shape", [
    (-1, (3,), (6,)), ([2, 3], (2, 3), (3, 6)), ([-1], (3,), (6,)), (1, (1,), (4, 1, 1)), ([1, 3], (1, 3), (4, 1, 6)),
])  # fmt: skip
def test_layer_normalization(axis, axes, shape):
    got, (gamma, beta) = output(L.LayerNormalization(axis=axis))
    assert gamma.shape == tuple(X.shape[a] for a in axes)
    np.testing.assert_allclose(
        got, normalized(X, axes) * gamma.reshape(shape) + beta.reshape(shape), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("axis, groups", [(-1, 2), (-1, 6), (3, 1), (1, 2), (2, -1)])
def test_group_normalization(axis, groups):
    got, (gamma, beta) = output(L.GroupNormalization(groups, axis=axis, epsilon=0.1))
    x = np.moveaxis(X, axis, 1)
    count = x.shape[1] if groups == -1 else groups
    parts = [normalized(part, (1, 2, 3), 0.1) for part in np.split(x, count, 1)]
    expected = np.concatenate(parts, 1) * gamma[:, None, None] + beta[:, None, None]
    np.testing.assert_allclose(got, np.moveaxis(expected, 1, axis), rtol=1e-4, atol=1e-5)


def test_unit_normalization():
    assert not output(L.UnitNormalization(), np.zeros((2, 3), "float32"))[0].any()


@pytest.mark.parametrize("axis, axes", [(-1, 3), ([1, 2], (1, 2))], ids=str)
def test_unit_normalization_over_axes(axis, axes):
    expected = X / np.sqrt((X**2).sum(axes, keepdims=True))
    np.testing.assert_allclose(output(L.UnitNormalization(axis))[0], expected, rtol=1e-5)


def test_without_weights():
    for layer, count in ((L.LayerNormalization(scale=False), 1), (L.LayerNormalization(center=False, scale=False), 0)):
        layer.build((None, 5))
        assert len(layer.weights) == count


@pytest.mark.parametrize("layer, shape, message", [
    (L.LayerNormalization(axis=4), (None, 3), "is none of an input of rank 2"),
    (L.LayerNormalization(axis=1), (None, None, 3), "must have a defined length"),
    (L.GroupNormalization(4), (None, 6), "cannot be cut into 4 groups"),
])  # fmt: skip
def test_mistakes(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer(L.Input(shape[1:]))
