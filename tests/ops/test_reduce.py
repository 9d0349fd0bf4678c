import itertools

import numpy as np
import pytest
from checks import check_gradients, run_op
from hornbeam import graph as G

NUMPY = {"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "prod": np.prod, "any": np.any, "all": np.all}
# Every pattern of kept and reduced axes, empty axes, axes of one, narrow and long columns.
SHAPES = [(), (1,), (5,), (0,), (3, 0), (0, 3), (7, 5), (33, 17), (4, 70, 3), (3, 1, 5), (2, 3, 2, 5), (1, 2, 1, 3, 1)]
# Cut into parts, several tiles of columns, several blocks of a row.
LARGE = [(70000,), (3, 5000), (5000, 3), (300, 300), (4, 50, 1500), (20000, 1, 24)]
INTEGERS = ["uint8", "int8", "uint16", "int16", "int32", "int64"]


def axis_sets(rank):
    return [list(axes) for k in range(rank + 1) for axes in itertools.combinations(range(rank), k)]


def oracle(name, x, axes):
    if name in ("max", "min"):
        info = np.iinfo if x.dtype.kind in "iu" else np.finfo
        empty = getattr(info(x.dtype), "min" if name == "max" else "max")
        if x.dtype.kind == "f":
            empty = -np.inf if name == "max" else np.inf
        return NUMPY[name](x, axis=tuple(axes), initial=empty)
    if x.dtype.kind in "iu":
        return NUMPY[name](x, axis=tuple(axes), dtype=x.dtype)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = NUMPY["sum" if name == "mean" else name](
            x if x.dtype == bool else x.astype("float64"), axis=tuple(axes)
        )
        return total / (np.prod([x.shape[a] for a in axes]) if axes else 1) if name == "mean" else total


def reduce(name, x, axes, keepdims=False):
    return run_op("reduce_" + name, [x], axes=axes, keepdims=keepdims)[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES + LARGE, ids=str)
def test_floats(target, dtype, shape):
    rng = np.random.default_rng(0)
    eps = np.finfo(dtype).eps / 2
    x = rng.normal(size=shape).astype(dtype)
    for axes in axis_sets(len(shape)):
        for name in ("max", "min"):
            np.testing.assert_array_equal(reduce(name, x, axes), oracle(name, x, axes))
        for name in ("sum", "mean"):
            got, want = reduce(name, x, axes), oracle(name, x, axes)
            bound = 64 * eps * oracle(name, np.abs(x), axes)  # 32 roundings in each of at most two passes here
            assert got.shape == want.shape
            assert ((np.abs(got - want) <= bound) | (np.isnan(got) & np.isnan(want))).all(), (shape, axes, name)
        if x.size < 1000:
            np.testing.assert_allclose(reduce("prod", x, axes), oracle("prod", x, axes), rtol=1e3 * eps, atol=1e-30)


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (200,), (33, 17), (4, 70, 3), (2, 3, 2, 5), (3000, 3)], ids=str)
def test_integers_wrap_around(target, dtype, shape):
    rng = np.random.default_rng(0)
    x = rng.integers(0 if dtype[0] == "u" else -100, 100, shape).astype(dtype)
    for axes in axis_sets(len(shape)):
        for name in ("sum", "max", "min", "prod"):
            np.testing.assert_array_equal(reduce(name, x, axes), oracle(name, x, axes))


@pytest.mark.parametrize(
    "shape, p", [((), 0.5), ((0,), 0.5), ((3, 5), 0.5), ((300, 130), 0.99), ((5000, 3), 0.9998)], ids=str
)
def test_booleans(target, shape, p):
    rng = np.random.default_rng(0)
    x = rng.random(shape) < p
    for axes in axis_sets(len(shape)):
        np.testing.assert_array_equal(reduce("all", x, axes), np.all(x, axis=tuple(axes)))
        np.testing.assert_array_equal(reduce("any", ~x, axes), np.any(~x, axis=tuple(axes)))


def test_a_long_sum_is_accurate():
    # One lane adding 10^7 numbers in float32 would be off by more than 10^-4 of the sum.
    x = np.random.default_rng(0).random(10_000_000, dtype="float32")
    np.testing.assert_allclose(reduce("sum", x, [0]), x.sum(dtype="float64"), rtol=1e-7)
    np.testing.assert_allclose(
        reduce("mean", x.reshape(-1, 5), [0]), x.reshape(-1, 5).mean(0, dtype="float64"), rtol=1e-6
    )


def test_keepdims_and_negative_axes():
    x = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(reduce("sum", x, [-1, 0], True), x.sum((0, 2), keepdims=True))
    assert G.apply("reduce_sum", [G.placeholder((None, 3, None))], axes=[1], keepdims=True).shape == (None, 1, None)
    assert G.apply("reduce_sum", [G.placeholder((None, 3, None))], axes=[-1]).shape == (None, 3)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("name", ["sum", "mean", "max", "min"])
def test_nan_and_infinity_go_through(target, axis, name):
    x = np.random.default_rng(0).normal(size=(150, 150)).astype("float32")
    x[3, 7], x[40, 50], x[60, 70] = np.nan, np.inf, -np.inf
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(reduce(name, x, [axis]), NUMPY[name](x, axis=axis), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "int32", "int64"])
@pytest.mark.parametrize("shape", [(1,), (5,), (33, 17), (4, 70, 3), (3, 1, 5), (0, 4), (2, 2000)], ids=str)
def test_positions(target, dtype, shape):
    rng = np.random.default_rng(0)
    x = rng.integers(-9, 9, shape).astype(dtype)  # ties
    with_nan = x.copy()
    if dtype[0] == "f" and x.size:
        with_nan.reshape(-1)[rng.integers(0, x.size, 1 + x.size // 20)] = np.nan
    for values in (x, with_nan):
        for axis in range(-1, len(shape)):
            if shape[axis]:
                for name in ("argmax", "argmin"):
                    got = run_op(name, [values], axis=axis)[0]
                    assert got.dtype == np.int64
                    np.testing.assert_array_equal(got, getattr(np, name)(values, axis=axis))


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axes", [[0], [-1], [0, 2], [0, 1, 2], []])
@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod"])
def test_derivatives(name, axes, keepdims):
    x = np.random.default_rng(0).permutation(24).reshape(2, 3, 4) / 7.0 - 1.5  # no ties
    check_gradients(lambda x: G.apply("reduce_" + name, [x], axes=axes, keepdims=keepdims), [x], rtol=1e-4)


def test_derivative_of_a_product_with_zeros():
    x = np.array([[2.0, 3.0, 4.0], [2.0, 0.0, 4.0], [0.0, 3.0, 0.0]])
    check_gradients(lambda x: G.apply("reduce_prod", [x], axes=[1], keepdims=False), [x])


def test_ties_share_the_gradient():
    x = G.placeholder((2, 3))
    dx = G.gradients([G.apply("reduce_max", [x], axes=[1], keepdims=False)], [x])[0]
    got = G.Function([x], [dx])([[[1, 5, 5], [2, 0, 1]]])[0]
    np.testing.assert_array_equal(got, [[0, 0.5, 0.5], [1, 0, 0]])


def test_gradient_with_sizes_known_only_when_run():
    x = G.placeholder((None, 3))
    dx = G.gradients([G.apply("reduce_mean", [x], axes=[0, 1], keepdims=False)], [x])[0]
    np.testing.assert_allclose(G.Function([x], [dx])([np.zeros((4, 3))])[0], np.full((4, 3), 1 / 12), rtol=1e-6)


def test_same_bits_on_any_number_of_threads(threads):
    rng = np.random.default_rng(2)
    shapes = [((300000,), [0]), ((200000, 3), [0]), ((3, 100000), [1]), ((40, 50, 100), [0, 2])]
    cases = [(rng.normal(size=shape).astype("float32"), axes) for shape, axes in shapes]
    results = []
    for n in (1, 2, 3):
        threads(n)
        results.append([reduce("sum", x, axes).tobytes() for x, axes in cases])
    assert results[0] == results[1] == results[2]


def test_bad_input():
    x = G.placeholder((2, 3))
    with pytest.raises(ValueError, match=r"\[reduce_sum\]"):
        G.apply("reduce_sum", [x], axes=[2], keepdims=False)
    with pytest.raises(ValueError, match=r"\[reduce_max\] axis -1 is given twice"):
        G.apply("reduce_max", [x], axes=[1, -1], keepdims=False)
    with pytest.raises(TypeError, match=r"\[reduce_any\] x must be bool, got float32"):
        G.apply("reduce_any", [x], axes=[0], keepdims=False)
    with pytest.raises(TypeError, match=r"\[reduce_sum\] x is bool, cast it"):
        G.apply("reduce_sum", [G.placeholder((2,), "bool")], axes=[0], keepdims=False)
    with pytest.raises(TypeError, match=r"\[reduce_mean\]"):
        G.apply("reduce_mean", [G.placeholder((2,), "int32")], axes=[0], keepdims=False)
    with pytest.raises(ValueError, match=r"\[argmax\] axis 1 of \(2, 0\) is empty"):
        G.apply("argmax", [G.placeholder((2, 0))], axis=-1)
