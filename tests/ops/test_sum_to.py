"""sum_to: the gradient of broadcasting."""

import numpy as np
import pytest
from checks import check_gradients, run_op
from hornbeam import graph as G


def reference(x, shape):
    lead = x.ndim - len(shape)
    axes = tuple(range(lead)) + tuple(i + lead for i, n in enumerate(shape) if n == 1)
    return x.sum(axes, dtype=x.dtype if x.dtype.kind in "iu" else "float64").reshape(shape)


CASES = [
    ((), ()),
    ((0,), ()),
    ((0, 3), (3,)),
    ((0, 3), (0, 1)),
    ((1, 1), (1,)),
    ((7, 1), (1,)),
    ((5, 3), (3,)),
    ((130, 3), (1, 3)),  # few columns: rows folded into whole vectors
    ((70, 10), (10,)),
    ((33, 65), (65,)),
    ((33, 65), (33, 1)),
    ((2, 130, 5), (1, 130, 1)),
    ((2, 130, 5), (2, 1, 5)),
    ((2, 3, 4, 5, 6), (3, 1, 5, 1)),
    ((2, 3, 4, 5, 6), (1, 3, 1, 5, 1)),
]


@pytest.mark.parametrize("shape, to", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "uint8", "int8", "int16", "uint16"])
def test_small_whole_numbers_are_summed_exactly(target, shape, to, dtype):
    x = np.random.RandomState(0).randint(0, 9, shape).astype(dtype)
    got = run_op("sum_to", [x.reshape(shape), np.array(to, "int64")])[0]
    assert got.dtype == x.dtype
    np.testing.assert_array_equal(got, reference(x, to))


# Large enough for several tasks, for parts along the sum, and for both at once.
LARGE = [((200000,), ()), ((3, 70001), (3, 1)), ((70001, 7), (7,)), ((3000, 130), (130,)), ((40, 9, 1000), (1, 9, 1))]


@pytest.mark.parametrize("shape, to", LARGE)
def test_long_sums_keep_their_digits_and_their_bits(target, threads, shape, to):
    """Blocks of 64: the error stays within some (64 + n/64) roundings, and does not depend on threads."""
    x = np.random.RandomState(0).rand(*shape).astype("float32")
    want = reference(x, to)
    results = []
    for n in (1, 2, 5):
        threads(n)
        results.append(run_op("sum_to", [x, np.array(to, "int64")])[0])
    np.testing.assert_allclose(results[0], want, rtol=3e-6)
    assert all(r.tobytes() == results[0].tobytes() for r in results)


def test_shapes():
    x = G.placeholder((None, 3, 4))
    assert G.apply("sum_to", [x, G.constant(np.array([3, 1]))]).shape == (3, 1)
    assert G.apply("sum_to", [x, G.apply("shape", [G.placeholder((None, 1, 4))])]).shape == (None, 1, 4)
    with pytest.raises(ValueError, match=r"\[sum_to\] \(2, 4\) does not broadcast to \(None, 3, 4\)"):
        G.apply("sum_to", [x, G.constant(np.array([2, 4]))])
    with pytest.raises(TypeError, match="cannot sum bool"):
        run_op("sum_to", [np.zeros((2, 2), bool), np.array([2])])


def test_gradient():
    check_gradients(
        lambda x: G.apply("sum_to", [x, G.constant(np.array([3, 1]))]), [np.random.RandomState(0).randn(2, 3, 4)]
    )


def test_nothing_runs_where_the_shapes_are_equal():
    """Which is known only when they are bound."""
    x, b = G.placeholder((None, 3)), G.placeholder((None, 3))
    (grad,) = G.gradients([x + b], [b])
    function = G.Function([x, b], [G.apply("exp", [grad])])
    assert "sum_to" in str(function.program().bind([(4, 3), (1, 3)]))
    assert "sum_to" not in str(function.program().bind([(4, 3), (4, 3)]))
    for rows in (1, 4):
        got = function([np.zeros((4, 3), "float32"), np.zeros((rows, 3), "float32")])[0]
        np.testing.assert_allclose(got, np.exp(np.full((rows, 3), 4.0 / rows)), rtol=1e-6)
