"""Products by Keras's rules, against einsum."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.tf import NAMES as tf


def arrays(rng, *shapes):
    return [rng.uniform(-1, 1, s) for s in shapes]


def evaluate(f, a, b, unknown_batch):
    if not unknown_batch:
        return K.eval(f(K.constant(a, "float64"), K.constant(b, "float64")))
    inputs = [K.placeholder((None, *x.shape[1:]), dtype="float64") for x in (a, b)]
    return K.function(inputs, [f(*inputs)])([a, b])[0]


@pytest.mark.parametrize(
    "x, y", [((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (4, 3, 5)), ((2, 3, 4), (5, 4, 6)), ((0, 3), (3, 2))]
)
def test_dot(x, y, rng):
    a, b = arrays(rng, x, y)
    expected = np.tensordot(a, b, axes=(a.ndim - 1, b.ndim - 2))
    got = K.eval(K.dot(K.constant(a, "float64"), K.constant(b, "float64")))
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_dot_of_vectors(rng):
    a, b = arrays(rng, (3, 4), (4,))
    np.testing.assert_allclose(K.eval(K.dot(K.constant(a, "float64"), K.constant(b, "float64"))), a @ b, rtol=1e-12)
    np.testing.assert_allclose(K.eval(K.dot(K.constant(b, "float64"), K.constant(b, "float64"))), b @ b, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize(
    "x, y", [((2, 3), (3, 4)), ((2, 2, 3), (3, 2)), ((2, 3), (4, 3, 5)), ((3,), (3, 2)), ((3,), (3,))]
)
def test_products_of_integers_are_exact(x, y, dtype, rng):
    a, b = (rng.randint(-(2**14), 2**14, shape).astype(dtype) * (1 if dtype == "int32" else 2**14) for shape in (x, y))
    got = K.eval(K.dot(K.constant(a, dtype), K.constant(b, dtype)))
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, np.tensordot(a, b, axes=(a.ndim - 1, max(b.ndim - 2, 0))))


def test_batches_of_products_of_integers():
    a, b = np.arange(12).reshape(2, 2, 3), np.arange(24).reshape(2, 3, 4)
    got = K.eval(K.batch_dot(K.constant(a, "int32"), K.constant(b, "int32")))
    np.testing.assert_array_equal(got, a @ b)
    turned = tf["matmul"](K.constant(a, "int32"), K.constant(a, "int32"), transpose_b=True)
    np.testing.assert_array_equal(K.eval(turned), a @ a.transpose(0, 2, 1))
    np.testing.assert_array_equal(
        K.eval(tf["matmul"](K.constant(b, "int32"), K.constant(a, "int32"), transpose_a=True, transpose_b=True)),
        b.transpose(0, 2, 1) @ a.transpose(0, 2, 1),
    )


def batch_dot_reference(a, b, axes):
    rows = [np.tensordot(p, q, axes=(axes[0] - 1, axes[1] - 1)) for p, q in zip(a, b)]
    out = np.array(rows)
    return out[:, None] if out.ndim == 1 else out


CASES = [
    ((3, 4), (3, 4), (1, 1)),
    ((3, 4, 5), (3, 5, 6), (2, 1)),
    ((3, 4, 5), (3, 4, 6), (1, 1)),
    ((3, 4, 5), (3, 5), (2, 1)),
    ((3, 4), (3, 5, 4), (1, 2)),
    ((3, 4, 5, 2), (3, 6, 5), (2, 2)),
    ((3, 4, 5, 2), (3, 7, 4, 6), (1, 2)),
]


@pytest.mark.parametrize("x, y, axes", CASES)
@pytest.mark.parametrize("unknown_batch", [False, True])
def test_batch_dot(x, y, axes, unknown_batch, rng):
    a, b = arrays(rng, x, y)
    expected = batch_dot_reference(a, b, axes)
    got = evaluate(lambda s, t: K.batch_dot(s, t, axes), a, b, unknown_batch)
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_batch_dot_of_one_axis(rng):
    (a,) = arrays(rng, (3, 4, 5))
    s = K.constant(a, "float64")
    np.testing.assert_allclose(K.eval(K.batch_dot(s, s, 1)), np.einsum("bij,bik->bjk", a, a), rtol=1e-12)


@pytest.mark.parametrize("axes", [None, (-1, -2), (2, 1)], ids=str)
def test_batch_dot_axes_may_be_left_out_or_negative(rng, axes):
    a, b = arrays(rng, (3, 4, 5), (3, 5, 6))
    s, t = K.constant(a, "float64"), K.constant(b, "float64")
    np.testing.assert_allclose(K.eval(K.batch_dot(s, t, axes)), a @ b, rtol=1e-12)


@pytest.mark.parametrize(
    "x, y, axes, message",
    [
        ((3,), (3, 4), None, "rank < 2"),
        ((3, 4), (3, 5), None, r"x\.shape\[1\] != y\.shape\[1\]"),
        ((3, 4), (3, 4), 0, "axis 0"),
        ((3, 4, 5), (3, 4, 5), ((1, 2), 1), "Multiple target dimensions"),
    ],
)
def test_batch_dot_refuses(x, y, axes, message, rng):
    a, b = arrays(rng, x, y)
    with pytest.raises(ValueError, match=message):
        K.batch_dot(K.constant(a), K.constant(b), axes)


def test_transpose_and_gather(rng):
    (a,) = arrays(rng, (3, 4, 2))
    x = K.constant(a, "float64")
    np.testing.assert_array_equal(K.eval(K.transpose(x)), a.T)
    index = np.array([[2, 0], [1, 1]])
    np.testing.assert_array_equal(K.eval(K.gather(x, index)), a[index])
