"""gather, scatter_add, sum_rows, one_hot."""

import numpy as np
import pytest
from checks import check_gradients, run_op
from hornbeam import graph as G


def numbers(shape, dtype="float32", seed=0):
    return np.random.RandomState(seed).randint(0, 100, shape).astype(dtype)


def matrix(indices, dtype="int32"):
    """Indices as a matrix, which run_op feeds; a short vector would become a constant."""
    return np.array([indices], dtype)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "float16", "int32", "float32", "int64", "float64"])
@pytest.mark.parametrize("row", [(), (1,), (3,), (2, 17), (64,)])
def test_gather_rows(target, dtype, row):
    x = numbers((9, *row), dtype)
    for kind in ("int32", "int64"):
        for shape in [(4, 3), (1, 0), (2, 5, 1)]:
            at = np.random.RandomState(1).randint(0, 9, shape).astype(kind)
            np.testing.assert_array_equal(run_op("gather", [x, at])[0], x[at])


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_gather_on_any_axis(axis):
    x = numbers((4, 5, 6))
    at = matrix([3, 0, 3, 2])
    np.testing.assert_array_equal(run_op("gather", [x, at], axis=axis)[0], np.take(x, at, axis))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "uint8"])
def test_gather_outside_is_nan_and_reads_nothing(dtype):
    x = numbers((3, 2), dtype) + np.array(1, dtype)
    got = run_op("gather", [x, matrix([1, -1, 3, 2**31 - 1, -(2**31), 0])])[0][0]
    missing = np.nan if np.dtype(dtype).kind == "f" else 0
    np.testing.assert_array_equal(got, [x[1], *[[missing] * 2] * 4, x[0]])
    far = run_op("gather", [x, matrix([2**62, -(2**62), 2], "int64")])[0][0]
    np.testing.assert_array_equal(far, [[missing] * 2, [missing] * 2, x[2]])


def test_gather_refuses():
    with pytest.raises(TypeError, match=r"\[gather\] indices must be int32 or int64, got float32"):
        run_op("gather", [numbers((3, 2)), numbers((2, 2))])
    with pytest.raises(ValueError, match="at least 1 dimensions"):
        run_op("gather", [np.float32(1), matrix([0])])


def test_gather_of_integers_known_while_building():
    shape = G.apply("shape", [G.placeholder((None, 4, 5))])
    assert G.apply("gather", [shape, G.constant(np.array([2, 0, 1]))]).ints[::2] == (5, 4)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "int8"])
@pytest.mark.parametrize(
    "rows, row", [(1, ()), (7, ()), (5, (3,)), (0, (2,)), (4, (2, 17)), (3, (3000,)), (900, (130,))]
)
def test_scatter_add(target, dtype, rows, row):
    """Repeated and missing rows; indices outside are left out."""
    at = np.random.RandomState(0).randint(-1, rows + 1, (6, 7)).astype("int64")
    updates = np.random.RandomState(1).randint(0, 3, (6, 7, *row)).astype(dtype)
    want = np.zeros((rows, *row), dtype)
    inside = (at >= 0) & (at < rows)
    np.add.at(want, at[inside], updates[inside])
    got = run_op("scatter_add", [at, updates, np.array([rows, *row])])[0]
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


def test_scatter_add_sums_in_order_for_any_number_of_threads(threads):
    """Sums of floats of very different sizes show their order in their bits."""
    rng = np.random.RandomState(0)
    at = rng.randint(0, 50, (3, 400)).astype("int32")
    updates = (rng.randn(3, 400, 200) * 10.0 ** rng.randint(-6, 6, (3, 400, 200))).astype("float32")
    want = np.zeros((50, 200), "float32")
    np.add.at(want, at.ravel(), updates.reshape(-1, 200))
    for n in (1, 2, 5):
        threads(n)
        assert run_op("scatter_add", [at, updates, np.array([50, 200])])[0].tobytes() == want.tobytes()


@pytest.mark.parametrize("count, rows", [(600_000, 70_000), (5000, 15), (5000, 16), (5000, 17)])
def test_scatter_add_of_many_sums_in_order(target, count, rows):
    rng = np.random.default_rng(0)
    at, updates = rng.integers(-2, rows + 2, (1, count)), rng.normal(size=(1, count)).astype("float32")
    want, inside = np.zeros(rows, "float32"), (at >= 0) & (at < rows)
    np.add.at(want, at[inside], updates[inside])  # one after another
    assert run_op("scatter_add", [at, updates, np.array([rows])])[0].tobytes() == want.tobytes()


def test_scatter_add_refuses():
    at = matrix([0, 1])
    with pytest.raises(ValueError, match=r"\[scatter_add\] updates of shape \(1, 2, 3\) do not go with"):
        run_op("scatter_add", [at, numbers((1, 2, 3)), np.array([5, 4])])
    with pytest.raises(TypeError, match="cannot add bool"):
        run_op("scatter_add", [at, numbers((1, 2, 3), "bool"), np.array([5, 3])])


def spread(sums, places):
    """What sum_rows stands for."""
    dense = np.zeros((len(places), *sums.shape[1:]), sums.dtype)
    dense[places >= 0] = sums[places[places >= 0]]
    return dense


@pytest.mark.parametrize("dtype", ["int32", "float32", "float64"])
@pytest.mark.parametrize(
    "rows, row, picks",
    [(1, (), 6), (7, (), 42), (5, (3,), 42), (4, (0,), 6), (0, (2,), 4), (4, (2, 17), 0), (900, (130,), 999)],
)
def test_sum_rows(target, dtype, rows, row, picks):
    """Repeated and missing rows; indices outside are left out, and nothing is left of what does not count."""
    at = np.random.RandomState(0).randint(-1, rows + 1, (1, picks)).astype("int64")
    updates = np.random.RandomState(1).randint(1, 3, (1, picks, *row)).astype(dtype)
    sums, places = run_op("sum_rows", [at, updates, np.array([rows, *row])])
    assert sums.dtype == updates.dtype and sums.shape == (picks, *row) and places.dtype == np.int32
    np.testing.assert_array_equal(spread(sums, places), run_op("scatter_add", [at, updates, np.array([rows, *row])])[0])
    assert not np.delete(sums, places[places >= 0], axis=0).any()


def test_sum_rows_sums_in_order_for_any_number_of_threads(threads):
    rng = np.random.RandomState(0)
    at = rng.randint(0, 50, (3, 4000)).astype("int32")
    updates = (rng.randn(3, 4000, 40) * 10.0 ** rng.randint(-6, 6, (3, 4000, 40))).astype("float32")
    want = np.zeros((50, 40), "float32")
    np.add.at(want, at.ravel(), updates.reshape(-1, 40))
    for n in (1, 2, 5):
        threads(n)
        got = spread(*run_op("sum_rows", [at, updates, np.array([50, 40])]))
        assert got.tobytes() == want.tobytes()


@pytest.mark.parametrize("dtype", ["bool", "int32", "float16", "float32", "float64"])
@pytest.mark.parametrize("kind", ["uint8", "int16", "int32", "int64"])
def test_one_hot(target, dtype, kind):
    for depth in (0, 1, 5, 33):
        at = np.random.RandomState(0).randint(0, depth + 2, (3, 4)).astype(kind)
        got = run_op("one_hot", [at], depth=depth, dtype=dtype)[0]
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, (at[..., None] == np.arange(depth)).astype(dtype))
    np.testing.assert_array_equal(run_op("one_hot", [matrix([-1, 0])], depth=2)[0][0], [[0, 0], [1, 0]])


def test_one_hot_refuses():
    with pytest.raises(TypeError, match="indices must be integers, got float32"):
        run_op("one_hot", [numbers((2, 2))], depth=3)
    with pytest.raises(ValueError, match="depth cannot be negative"):
        run_op("one_hot", [matrix([1])], depth=-1)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_gather_gradient(axis):
    at = G.constant(np.array([[1, 0, 1], [2, 2, 1]]))
    check_gradients(lambda x: G.apply("gather", [x, at], axis=axis), [np.random.RandomState(0).randn(3, 4, 3)])


def test_scatter_add_gradient():
    at = G.constant(np.array([[1, 0], [1, 3]]))
    build = lambda u: G.apply("scatter_add", [at, u, G.constant(np.array([4, 3]))])  # noqa: E731
    check_gradients(build, [np.random.RandomState(0).randn(2, 2, 3)])
