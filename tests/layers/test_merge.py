"""Layers of several inputs: values, shapes, masks, errors."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam.models import Model

A, B, C = (np.random.RandomState(seed).randn(3, 4, 5).astype("float32") for seed in range(3))


def call(layer, *arrays):
    inputs = [L.Input(a.shape[1:]) for a in arrays]
    y = layer(inputs)
    model = Model(inputs, y)
    out = model.predict(list(arrays))
    stated = model.layers[-1].compute_output_shape([(None, *a.shape[1:]) for a in arrays])
    assert stated == (None, *out.shape[1:]) == K.int_shape(y)
    return out


@pytest.mark.parametrize(
    "name, expected",
    [
        ("Add", A + B + C),
        ("Multiply", A * B * C),
        ("Average", (A + B + C) / 3),
        ("Maximum", np.maximum(np.maximum(A, B), C)),
        ("Minimum", np.minimum(np.minimum(A, B), C)),
        ("Concatenate", np.concatenate([A, B, C], -1)),
    ],
)
def test_three_inputs(name, expected):
    np.testing.assert_allclose(call(getattr(L, name)(), A, B, C), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(call(getattr(L, name.lower()), A, B, C), expected, rtol=1e-5, atol=1e-6)


def test_subtract():
    np.testing.assert_allclose(call(L.Subtract(), A, B), A - B)
    np.testing.assert_allclose(call(L.subtract, A, B), A - B)
    layer = L.Subtract()
    for count in (3, 2, 3):  # before and after it was built
        if count == 3:
            with pytest.raises(ValueError, match="exactly 2"):
                layer([L.Input((2,))] * 3)
        else:
            layer([L.Input((2,))] * 2)


def test_ranks_are_made_equal_after_the_batch(rng):
    row = rng.randn(3, 5).astype("float32")
    np.testing.assert_allclose(call(L.Add(), A, row), A + row[:, None], rtol=1e-6)
    np.testing.assert_allclose(call(L.Multiply(), rng.randn(3, 1, 5).astype("float32") * 0 + 2, A), 2 * A)


def test_concatenate_along_another_axis(rng):
    other = rng.randn(3, 2, 5).astype("float32")
    np.testing.assert_array_equal(call(L.Concatenate(axis=1), A, other), np.concatenate([A, other], 1))
    with pytest.raises(ValueError, match="matching shapes except"):
        L.Concatenate()([L.Input((4, 5)), L.Input((2, 5))])


@pytest.mark.parametrize(
    "a, b, axes, formula",
    [
        ((6,), (6,), 1, "bi,bi->b"),
        ((4, 6), (5, 6), 2, "bij,bkj->bik"),
        ((4, 6), (5, 6), -1, "bij,bkj->bik"),
        ((4, 6), (6, 5), (2, 1), "bij,bjk->bik"),
        ((4, 6), (6,), (2, 1), "bij,bj->bi"),
    ],
)
def test_dot(a, b, axes, formula, rng):
    x, y = rng.randn(3, *a).astype("float32"), rng.randn(3, *b).astype("float32")
    expected = np.einsum(formula, x, y)
    expected = expected[:, None] if expected.ndim == 1 else expected
    np.testing.assert_allclose(call(L.Dot(axes), x, y), expected, rtol=1e-4, atol=1e-5)


def test_normalized_dot_is_the_cosine(rng):
    x, y = rng.randn(3, 6).astype("float32"), rng.randn(3, 6).astype("float32")
    cosine = (x * y).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)
    np.testing.assert_allclose(call(L.Dot(1, normalize=True), x, y)[:, 0], cosine, rtol=1e-4)


def test_errors():
    x = L.Input((4,))
    for call_it, error, message in (
        (lambda: L.Add()(x), ValueError, "list of at least 2"),
        (lambda: L.Add()([x]), ValueError, "at least 2"),
        (lambda: L.Add()([x, L.Input((5,))]), ValueError, "broadcast"),
        (lambda: L.Add()([L.Input(batch_shape=(2, 4)), L.Input(batch_shape=(3, 4))]), ValueError, "batch sizes"),
        (lambda: L.Dot("1"), TypeError, "axes"),
        (lambda: L.Dot((1, 2, 3)), ValueError, "two elements"),
        (lambda: L.Dot(("a", 1)), ValueError, "list elements"),
        (lambda: L.Dot(1)([x, L.Input((5,))]), ValueError, "Dimension incompatibility"),
        (lambda: L.Add().compute_mask([x, x], [None]), ValueError, "same length"),
        (lambda: L.Add().compute_mask([x, x], x), ValueError, "`mask` should be a list"),
    ):
        with pytest.raises(error, match=message):
            call_it()


def test_masks():
    x, y = L.Input((3, 2)), L.Input((3, 2))
    a, b = L.Masking()(x), L.Masking()(y)
    u = np.array([[[1, 1], [0, 0], [1, 1]]], "float32")
    v = np.array([[[1, 1], [1, 1], [0, 0]]], "float32")

    def mask(t):
        return K.function([x, y], [t._keras_mask])([u, v])[0].tolist()

    assert mask(L.Add()([a, b])) == [[True, False, False]]
    assert mask(L.Add()([a, y])) == [[True, False, True]]
    assert mask(L.Concatenate(axis=1)([a, b])) == [[True, False, True, True, True, False]]
    assert mask(L.Concatenate(axis=-1)([a, y])) == [[True, False, True]]
    assert L.Add()([x, y])._keras_mask is None
