"""top_k, against a stable sort."""

import numpy as np
import pytest
from checks import check_gradients, run_op
from hornbeam import graph as G


def largest(x, k):
    """Values and indices; of equals the first comes first."""
    order = np.argsort(-x.astype("float64"), axis=-1, kind="stable")[..., :k]  # NaN last
    return np.take_along_axis(x, order, -1), order


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8"])
@pytest.mark.parametrize(
    "shape, k",
    [
        ((1,), 1),
        ((7,), 3),
        ((5, 4), 4),
        ((0, 4), 2),
        ((3, 2, 300), 17),
        ((2, 5), 0),
        ((2, 4096), 5),
        ((2, 4097), 3),
        ((1, 1000), 1000),
    ],
)
def test_values_and_indices(target, dtype, shape, k):
    x = np.random.RandomState(0).randint(0, 50, shape).astype(dtype)  # with ties
    values, indices = run_op("top_k", [x[None]], k=k)
    want_values, want_indices = largest(x[None], k)
    np.testing.assert_array_equal(values, want_values)
    np.testing.assert_array_equal(indices, want_indices)
    assert indices.dtype == np.int32


def test_nan_is_smallest():
    x = np.array([[np.nan, -np.inf, 3.0, np.nan, 5.0]])
    values, indices = run_op("top_k", [x], k=4)
    np.testing.assert_array_equal(indices, [[4, 2, 1, 0]])
    np.testing.assert_array_equal(values, [[5, 3, -np.inf, np.nan]])


def test_whole_rows_whose_length_is_known_only_when_run():
    x = G.placeholder((None, None))
    values, indices = G.apply("top_k", [x], k=-1)
    (gradient,) = G.gradients([values], [x], [G.constant([[1.0, 2.0, 3.0]] * 2)])
    got = G.Function([x], [values, indices, gradient])([np.array([[1, 5, 3], [0, 0, 1]], "float32")])
    for g, e in zip(got, ([[5, 3, 1], [1, 0, 0]], [[1, 2, 0], [2, 0, 1]], [[3, 1, 2], [2, 3, 1]])):
        np.testing.assert_array_equal(g, e)


def test_one_of_the_results_alone():
    x = G.placeholder((None, None))
    values, indices = G.apply("top_k", [x], k=2)
    a = np.array([[1, 5, 3]], "float32")
    np.testing.assert_array_equal(G.Function([x], [values])([a])[0], [[5, 3]])
    np.testing.assert_array_equal(G.Function([x], [indices])([a])[0], [[1, 2]])
    with pytest.raises(ValueError, match=r"\[top_k\] k = 2 of rows of length 1"):
        G.Function([x], [values])([a[:, :1]])


@pytest.mark.parametrize("shape", [(6,), (3, 6), (2, 3, 6)])
def test_gradient(shape):
    x = np.random.RandomState(1).permutation(int(np.prod(shape))).reshape(shape) / 10
    check_gradients(lambda t: G.apply("top_k", [t], k=3)[0], [x])


def test_refuses():
    with pytest.raises(ValueError, match=r"\[top_k\] k = 4 of rows of length 3"):
        run_op("top_k", [np.ones((2, 3))], k=4)
    with pytest.raises(TypeError, match="bool"):
        run_op("top_k", [np.ones((2, 3), bool)], k=1)
