"""shape, fill, arange."""

import numpy as np
import pytest
from checks import run_op
from hornbeam import graph as G

DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "int32", "int64", "float16", "float32", "float64"]


def test_shape_of_a_fed_value():
    x = G.placeholder((None, None, 3))
    y = G.apply("shape", [x])
    got = G.Function([x], [y])([np.zeros((2, 0, 3), "float32")])[0]
    assert got.dtype == "int32"
    np.testing.assert_array_equal(got, [2, 0, 3])
    assert y.ints[2] == 3
    assert y.ints[0] != y.ints[1]  # unknown, and not the same


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (5, 7), (300, 301)])
def test_fill(target, dtype, shape):
    for value in (0.0, 1.0, 3.0):
        got = run_op("fill", [np.array(shape, "int64")], value=value, dtype=dtype)[0]
        want = np.full(shape, value, dtype)
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("value", [-0.1, 1e-40, np.inf, np.nan])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_fill_with_a_fraction_and_what_is_not_finite(value, dtype):
    got = run_op("fill", [np.array([3])], value=value, dtype=dtype)[0]
    np.testing.assert_array_equal(got, np.full(3, value, dtype))


def test_fill_with_a_shape_known_when_run():
    x = G.placeholder((None, 3))
    y = G.apply("fill", [G.apply("shape", [x])], value=2.0, dtype="float32")
    assert y.shape == (None, 3)
    np.testing.assert_array_equal(G.Function([x], [y])([np.zeros((4, 3), "float32")])[0], np.full((4, 3), 2.0))


@pytest.mark.parametrize("dtype", DTYPES[1:])
@pytest.mark.parametrize("start, stop, step", [(0, 0, 1), (0, 5, 1), (3, 20, 4), (7, 0, -2), (0, 5, -1), (2, 3, 100)])
def test_arange(target, dtype, start, stop, step):
    got = run_op("arange", [np.int64(start), np.int64(stop), np.int64(step)], dtype=dtype)[0]
    want = np.arange(start, stop, step).astype(dtype)
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


def test_arange_over_several_tasks():
    got = run_op("arange", [np.int32(5), np.int32(300000), np.int32(2)], dtype="int64")[0]
    np.testing.assert_array_equal(got, np.arange(5, 300000, 2))


def test_integers_flow():
    scalar = lambda v: G.constant(np.int32(v))  # noqa: E731
    assert G.apply("arange", [scalar(1), scalar(9), scalar(3)], dtype="int32").ints == (1, 4, 7)
    assert G.apply("fill", [G.constant(np.array([2]))], value=6.0, dtype="int64").ints == (6, 6)


def test_arange_refuses():
    with pytest.raises(ValueError, match=r"\[arange\] step cannot be 0"):
        run_op("arange", [np.int32(0), np.int32(5), np.int32(0)])
    with pytest.raises(TypeError, match="must be integers, got float32"):
        run_op("arange", [np.float32(0), np.float32(5), np.float32(1)])
    with pytest.raises(ValueError, match=r"\[fill\] a dimension cannot be -1"):
        run_op("fill", [np.array([-1])], value=0.0)
