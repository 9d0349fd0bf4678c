"""cumsum, cumprod, recurrence, against NumPy along the same axis."""

import numpy as np
import pytest
from checks import check_gradients, run_op
from hornbeam import graph as G

SHAPES = [
    ((0,), 0),
    ((1,), 0),
    ((7,), -1),
    ((5, 3), 0),
    ((5, 3), 1),
    ((2, 0, 3), 1),
    ((4, 9, 17), 1),
    ((2, 3, 1100), 1),
]


def numbers(shape, dtype="float64", seed=0):
    x = np.random.RandomState(seed).uniform(-2, 2, shape)
    # Through integers: what a negative float is as an unsigned number depends on the CPU.
    return x.astype(dtype) if np.dtype(dtype).kind == "f" else x.astype("int64").astype(dtype)


def recurrence(a, b, axis):
    a, b = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
    y = np.zeros_like(b)
    for i in range(len(b)):
        y[i] = b[i] + (a[i] * y[i - 1] if i else 0)
    return np.moveaxis(y, 0, axis)


def reversed_on(axis, *arrays):
    return [np.flip(a, axis) for a in arrays]


@pytest.mark.parametrize("shape, axis", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint16"])
@pytest.mark.parametrize("op, oracle", [("cumsum", np.cumsum), ("cumprod", np.cumprod)])
def test_running_sums_and_products(target, shape, axis, dtype, op, oracle):
    x = numbers(shape, dtype, 1)
    np.testing.assert_array_equal(run_op(op, [x], axis=axis)[0], oracle(x, axis, dtype=dtype))
    backwards = np.flip(oracle(np.flip(x, axis), axis, dtype=dtype), axis)
    np.testing.assert_array_equal(run_op(op, [x], axis=axis, reverse=True)[0], backwards)


@pytest.mark.parametrize("shape, axis", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_recurrence(target, shape, axis, dtype):
    a, b = numbers(shape, dtype, 1), numbers(shape, dtype, 2)
    np.testing.assert_array_equal(run_op("recurrence", [a, b], axis=axis)[0], recurrence(a, b, axis))
    (want,) = reversed_on(axis, recurrence(*reversed_on(axis, a, b), axis))
    np.testing.assert_array_equal(run_op("recurrence", [a, b], axis=axis, reverse=True)[0], want)


@pytest.mark.parametrize("axis, reverse", [(0, False), (1, True), (-1, False)])
def test_gradients(axis, reverse):
    x = numbers((2, 4, 3))
    x[0, 1, 1] = x[1, 0, 2] = x[1, 3, 2] = 0.0  # zeros among the factors, one and two in a row
    attrs = {"axis": axis, "reverse": reverse}
    check_gradients(lambda t: G.apply("cumsum", [t], **attrs), [x])
    check_gradients(lambda t: G.apply("cumprod", [t], **attrs), [x])
    check_gradients(lambda a, b: G.apply("recurrence", [a, b], **attrs), [x, numbers(x.shape, seed=3)])


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("op, arrays", [("cumsum", 1), ("cumprod", 1), ("recurrence", 2)])
def test_second_gradients(reverse, op, arrays):
    weights = G.constant(numbers((4, 3), seed=5))

    def gradient(op):
        def build(*inputs):
            y = G.apply(op, list(inputs), axis=0, reverse=reverse)
            first, *rest = (g for g in G.gradients(G.apply("sin", [y]) * weights, list(inputs)))
            return first + sum(rest) if rest else first

        return build

    check_gradients(gradient(op), [numbers((4, 3), seed=k) for k in range(arrays)])


def test_any_length():
    x = G.placeholder((None, None))
    f = G.Function([x], [G.apply("cumsum", [x], axis=1), *G.gradients(G.apply("cumprod", [x], axis=1), x)])
    for shape in [(2, 3), (1, 5), (3, 0)]:
        a = numbers(shape, "float32")
        total, gradient = f([a])
        np.testing.assert_array_equal(total, np.cumsum(a, 1))
        assert gradient.shape == shape


def test_refuses():
    with pytest.raises(TypeError, match=r"\[cumsum\] x is bool"):
        run_op("cumsum", [np.ones((2, 2), bool)])
    with pytest.raises(ValueError, match="axis"):
        run_op("cumprod", [np.ones((2, 2))], axis=2)
    with pytest.raises(ValueError, match=r"\[recurrence\]"):
        run_op("recurrence", [np.ones((2, 2)), np.ones((2, 3))])
