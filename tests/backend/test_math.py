"""Reductions and elementwise functions against NumPy."""

import numpy as np
import pytest
from hornbeam import backend as K

X = np.random.RandomState(0).uniform(-3, 3, (3, 4, 5))


def run(f, *arrays):
    return K.eval(f(*(K.constant(a, dtype="float64") for a in arrays)))


@pytest.mark.parametrize("name", ["max", "min", "sum", "prod", "mean", "var", "std"])
@pytest.mark.parametrize("axis", [None, 0, -1, [0, 2], (1,), [-1, 1], []])
@pytest.mark.parametrize("keepdims", [False, True])
def test_reductions(name, axis, keepdims):
    numpy_axis = tuple(axis) if isinstance(axis, list) else axis
    expected = getattr(np, name)(X, axis=numpy_axis, keepdims=keepdims)
    got = run(lambda x: getattr(K, name)(x, axis=axis, keepdims=keepdims), X)
    assert got.shape == np.shape(expected)
    np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize("axis", [np.arange(1, 3), range(1, 3), np.array(1)], ids=["array", "range", "scalar array"])
def test_reductions_take_axes_as_numpy_makes_them(axis):
    expected = X.sum(axis=tuple(np.ravel(axis)))
    np.testing.assert_allclose(run(lambda x: K.sum(x, axis=axis), X), expected, rtol=1e-12)


def test_reductions_take_a_tensor_of_axes():
    np.testing.assert_allclose(run(lambda x: K.sum(x, axis=K.arange(1, K.ndim(x))), X), X.sum(axis=(1, 2)), rtol=1e-12)


@pytest.mark.parametrize("axis", ["1", 1.0, np.array([1.0])], ids=["text", "number", "array"])
def test_reductions_refuse_an_axis_that_is_no_integer(axis):
    with pytest.raises(TypeError, match="an axis is an integer"):
        run(lambda x: K.sum(x, axis=axis), X)


def test_reductions_name_a_wrong_axis():
    with pytest.raises(ValueError, match=r"Invalid axis 3 for a tensor of shape \(3, 4, 5\): axes go from 0 to 2"):
        run(lambda x: K.sum(x, axis=3), X)


def test_mean_of_booleans():
    got = K.eval(K.mean(K.greater(K.constant(X), 0.0), axis=1))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, (X > 0).mean(axis=1), rtol=1e-6)


def test_mean_of_integers_is_rounded_towards_zero():
    got = K.eval(K.mean(K.constant([[1, 2], [4, 6], [-7, -16]], dtype="int32"), axis=0))
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got, [0, -2])


@pytest.mark.parametrize("axis", [None, 1])
def test_any_and_all(axis):
    b = X > -1
    np.testing.assert_array_equal(K.eval(K.any(K.constant(b, "bool"), axis=axis)), b.any(axis=axis))
    np.testing.assert_array_equal(K.eval(K.all(K.constant(b, "bool"), axis=axis)), b.all(axis=axis))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_positions_of_extremes(axis):
    np.testing.assert_array_equal(run(lambda x: K.argmax(x, axis=axis), X), X.argmax(axis))
    np.testing.assert_array_equal(run(lambda x: K.argmin(x, axis=axis), X), X.argmin(axis))


@pytest.mark.parametrize("axis", [None, 0, [1, 2]])
def test_logsumexp(axis):
    numpy_axis = tuple(axis) if isinstance(axis, list) else axis
    expected = np.log(np.exp(X).sum(axis=numpy_axis))
    np.testing.assert_allclose(run(lambda x: K.logsumexp(x, axis=axis), X), expected, rtol=1e-12)
    np.testing.assert_allclose(run(lambda x: K.logsumexp(x, axis=axis), X + 800), expected + 800, rtol=1e-12)
    assert run(lambda x: K.logsumexp(x), np.full(3, -np.inf)) == -np.inf


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_running_sums_and_products(axis):
    np.testing.assert_allclose(run(lambda x: K.cumsum(x, axis), X), X.cumsum(axis), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(run(lambda x: K.cumprod(x, axis), X), X.cumprod(axis), rtol=1e-12)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("square", X**2), ("abs", np.abs(X)), ("exp", np.exp(X)), ("sign", np.sign(X)), ("sin", np.sin(X)),
        ("cos", np.cos(X)), ("round", np.round(X)), ("sqrt", np.sqrt(np.maximum(X, 0))),
    ],
)  # fmt: skip
def test_elementwise(name, expected):
    np.testing.assert_allclose(run(getattr(K, name), X), expected, rtol=1e-12)


def test_log_and_pow():
    np.testing.assert_allclose(run(K.log, np.abs(X)), np.log(np.abs(X)), rtol=1e-12)
    np.testing.assert_allclose(run(lambda x: K.pow(x, 2.5), np.abs(X)), np.abs(X) ** 2.5, rtol=1e-12)


@pytest.mark.parametrize("low, high", [(-1, 1), (None, 0.5), (0, None), (2, 1), (-np.inf, 1)])
def test_clip(low, high):
    top = max(high, low) if None not in (low, high) else high
    expected = np.clip(X, -np.inf if low is None else low, np.inf if top is None else top)
    np.testing.assert_allclose(run(lambda x: K.clip(x, low, high), X), expected)


@pytest.mark.parametrize(
    "name, ufunc",
    [
        ("equal", np.equal), ("not_equal", np.not_equal), ("greater", np.greater), ("less", np.less),
        ("greater_equal", np.greater_equal), ("less_equal", np.less_equal), ("maximum", np.maximum),
        ("minimum", np.minimum),
    ],
)  # fmt: skip
def test_two_arguments(name, ufunc):
    a, b = np.round(X), np.round(X[::-1])
    np.testing.assert_array_equal(run(getattr(K, name), a, b), ufunc(a, b))
    np.testing.assert_array_equal(run(lambda x: getattr(K, name)(x, 1), a), ufunc(a, 1))
