import numpy as np
import pytest
import reference_softmax as reference
from checks import check_gradients, run_op
from hornbeam import graph as G

# Parts of a vector, whole ones, tails, and more than one block of a sum.
CLASSES = [1, 2, 7, 8, 10, 16, 17, 33, 100, 1000, 5001]
EPS = {"float32": 2.0**-24, "float64": 2.0**-53}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", CLASSES)
@pytest.mark.parametrize("rows", [0, 1, 13])
def test_values_and_gradients(target, n, dtype, rows):
    rng = np.random.default_rng(n)
    eps = EPS[dtype]
    x, dy = (rng.normal(size=(2, rows, n)) * 4).astype(dtype)
    y, log_y = run_op("softmax", [x])[0], run_op("log_softmax", [x])[0]
    np.testing.assert_allclose(y, reference.softmax(x), rtol=64 * eps)
    np.testing.assert_allclose(log_y, reference.log_softmax(x), rtol=4 * eps, atol=32 * eps)
    scale = 1 if not rows else np.abs(dy).sum(-1).max()
    np.testing.assert_allclose(run_op("softmax_grad", [y, dy])[0], reference.softmax_grad(y, dy), atol=16 * eps * scale)
    got = run_op("log_softmax_grad", [log_y, dy])[0]
    np.testing.assert_allclose(got, reference.log_softmax_grad(log_y, dy), atol=16 * eps * scale)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_long_rows_are_cut_into_pieces(target, threads, dtype):
    rng = np.random.default_rng(0)
    eps = EPS[dtype]
    x, dy = (rng.normal(size=(2, 3, 70001)) * 4).astype(dtype)
    results = []
    for n in (1, 2, 5):
        threads(n)
        y, log_y = run_op("softmax", [x])[0], run_op("log_softmax", [x])[0]
        results.append([y, log_y, run_op("softmax_grad", [y, dy])[0], run_op("log_softmax_grad", [log_y, dy])[0]])
    for other in results[1:]:
        assert all(a.tobytes() == b.tobytes() for a, b in zip(results[0], other))
    y, log_y, dx, log_dx = results[0]
    np.testing.assert_allclose(y, reference.softmax(x), rtol=64 * eps)
    np.testing.assert_allclose(log_y, reference.log_softmax(x), rtol=4 * eps, atol=32 * eps)
    scale = np.abs(dy).sum(-1).max()
    np.testing.assert_allclose(dx, reference.softmax_grad(y, dy), atol=16 * eps * scale)
    np.testing.assert_allclose(log_dx, reference.log_softmax_grad(log_y, dy), atol=16 * eps * scale)


@pytest.mark.cpu_kernels(reason="a device has kernels of other names")
def test_the_plan_says_pieces(target):
    x = G.placeholder((3, 70001))
    assert "softmax [pieces]" in str(G.Function([x], [G.apply("softmax", [x])]).program().bind([x.shape]))


@pytest.mark.parametrize("op", ["softmax", "log_softmax"])
def test_long_rows_without_an_answer_are_nan(target, op):
    rows = np.zeros((4, 70001), "float32")
    rows[0, 3], rows[1], rows[2, 70000] = np.nan, -np.inf, np.inf
    rows[3, :20000] = -np.inf  # a whole piece
    y = np.concatenate([run_op(op, [rows[i : i + 2]])[0] for i in (0, 2)])
    assert np.isnan(y[:3]).all() and not np.isnan(y[3]).any()


def test_large_and_infinite_logits(target):
    x = np.array([[1000, 999, -1000], [-np.inf, 0, 0], [-1e30, 1e30, 0]], "float32")
    y = run_op("softmax", [x])[0]
    np.testing.assert_allclose(y, reference.softmax(x), rtol=1e-6, atol=0)
    assert y[0, 2] == 0 and y[1, 0] == 0
    np.testing.assert_allclose(run_op("log_softmax", [x])[0], reference.log_softmax(x), rtol=1e-6)


@pytest.mark.parametrize("op", ["softmax", "log_softmax"])
def test_rows_without_an_answer_are_nan(target, op):
    x = np.zeros((4, 20), "float32")
    x[0, 3], x[1], x[2, 19] = np.nan, -np.inf, np.inf
    y = run_op(op, [x])[0]
    assert np.isnan(y[:3]).all() and not np.isnan(y[3]).any()


def test_shapes():
    assert run_op("softmax", [np.zeros((3, 0), "float32")])[0].shape == (3, 0)
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    np.testing.assert_allclose(run_op("softmax", [x])[0], reference.softmax(x), rtol=1e-6)
    assert G.apply("softmax_grad", [G.placeholder((None, 3)), G.placeholder((2, None))]).shape == (2, 3)


@pytest.mark.parametrize("op", ["softmax", "log_softmax"])
def test_derivatives(op):
    x, dy = np.random.default_rng(0).normal(size=(2, 3, 5))
    check_gradients(lambda x: G.apply(op, [x]), [x])
    check_gradients(lambda x, dy: G.gradients([G.apply(op, [x])], [x], [dy])[0], [x, dy])


def test_bad_input():
    with pytest.raises(TypeError, match=r"\[softmax\]"):
        G.apply("softmax", [G.placeholder((2, 3), "int32")])
    with pytest.raises(ValueError, match=r"\[log_softmax\]"):
        G.apply("log_softmax", [G.placeholder(())])
    with pytest.raises(ValueError, match=r"\[softmax_grad\] y has shape \(2, 3\), dy has \(3,\)"):
        G.apply("softmax_grad", [G.placeholder((2, 3)), G.placeholder((3,))])
