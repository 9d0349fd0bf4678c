import numpy as np
import pytest
from checks import check_gradients, run_op
from hornbeam import graph as G
from reference_norm import batch_norm, batch_norm_grad

# Widths that are whole vectors, parts of one, and neither; rows around a chunk and cut into parts.
CHANNELS = [1, 3, 8, 16, 24, 33, 100]
ROWS = [1, 2, 15, 16, 33, 700, 5000]
TOLERANCE = {"float32": 2e-6, "float64": 1e-13}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("rows", ROWS)
def test_values_and_gradient(target, channels, dtype, rows):
    rng = np.random.default_rng(channels)
    tol = TOLERANCE[dtype]
    x, dy = rng.normal(size=(2, rows, channels)).astype(dtype)
    gamma, beta = rng.normal(size=(2, channels)).astype(dtype)
    want = batch_norm(x, gamma, beta, 1e-3)
    got = run_op("batch_norm", [x, gamma, beta], epsilon=1e-3)
    for g, w in zip(got, want):
        np.testing.assert_allclose(g, w, rtol=5 * tol, atol=5 * tol)
    mean, inv_std = (a.astype(dtype) for a in (want[1], want[3]))
    want = batch_norm_grad(dy, x, mean, inv_std, gamma)
    got = run_op("batch_norm_grad", [dy, x, mean, inv_std, gamma])
    for g, w, scale in zip(got, want, (20 * np.abs(inv_std).max(), rows**0.5 * 2, rows**0.5)):
        np.testing.assert_allclose(g, w, rtol=5 * tol, atol=tol * scale)


@pytest.mark.parametrize("offset", [1e2, 1e4])
@pytest.mark.parametrize("channels", [1, 5, 32])
def test_statistics_of_a_small_deviation_around_a_large_mean(target, offset, channels):
    # Sums of squares would leave nothing of a variance of 1 beside a mean of 10^4 in float32.
    x = (np.random.default_rng(0).normal(size=(20000, channels)) + offset).astype("float32")
    _, mean, variance, _ = run_op("batch_norm", [x], epsilon=1e-3)
    wide = x.astype("float64")
    np.testing.assert_allclose(mean, wide.mean(0), rtol=1e-7)
    np.testing.assert_allclose(variance, wide.var(0), rtol=5e-6)


def test_leading_axes_and_absent_inputs():
    x = np.random.default_rng(0).normal(size=(2, 3, 5, 4)).astype("float32")
    ones, zeros = np.ones(4), np.zeros(4)
    want = batch_norm(x, ones, zeros, 1e-3)
    y, mean, _, inv_std = run_op("batch_norm", [x, None, None], epsilon=1e-3)
    np.testing.assert_allclose(y, want[0].reshape(x.shape), atol=1e-5)
    np.testing.assert_allclose(run_op("batch_norm", [x, None, zeros.astype("float32") + 1])[0], y + 1, atol=1e-5)
    dx = run_op("batch_norm_grad", [y, x, mean, inv_std, None])[0]
    np.testing.assert_allclose(dx.reshape(-1, 4), batch_norm_grad(y, x, mean, inv_std, ones)[0], atol=1e-5)


@pytest.mark.parametrize("activation, function", [("relu", lambda x: np.maximum(x, 0)), ("tanh", np.tanh)])
def test_activation_is_applied_to_y_only(target, activation, function):
    x = np.random.default_rng(0).normal(size=(31, 5)).astype("float32")
    plain, got = run_op("batch_norm", [x]), run_op("batch_norm", [x], activation=activation)
    np.testing.assert_allclose(got[0], function(plain[0].astype("float64")), atol=1e-6)
    for a, b in zip(plain[1:], got[1:]):
        np.testing.assert_array_equal(a, b)


def test_no_rows_and_no_channels():
    y, mean, variance, _ = run_op("batch_norm", [np.zeros((0, 3), "float32")])
    assert y.shape == (0, 3) and np.isnan(mean).all() and np.isnan(variance).all()
    assert [a.shape for a in run_op("batch_norm", [np.zeros((4, 0), "float32")])] == [(4, 0), (0,), (0,), (0,)]


def test_derivatives():
    rng = np.random.default_rng(1)
    x, gamma, beta = rng.normal(size=(7, 3)), rng.normal(size=3), rng.normal(size=3)

    def output(i):
        return lambda x, gamma, beta: G.apply("batch_norm", [x, gamma, beta], epsilon=0.1)[i]

    check_gradients(output(0), [x, gamma, beta])

    def statistic(i):
        return lambda x: G.apply("batch_norm", [x], epsilon=0.1)[i]

    for i in (1, 2, 3):
        check_gradients(statistic(i), [x])

    def gradient(i):
        def build(x, gamma, dy):
            y = G.apply("batch_norm", [x, gamma, None], epsilon=0.1)[0]
            return G.gradients([y], [x, gamma], [dy])[i]

        return build

    dy = rng.normal(size=x.shape)
    check_gradients(gradient(0), [x, gamma, dy])
    check_gradients(lambda x, dy: gradient(1)(x, G.constant(gamma), dy), [x, dy])


def test_same_bits_on_any_number_of_threads(threads):
    x, dy = np.random.default_rng(2).normal(size=(2, 30000, 24)).astype("float32")
    results = []
    for n in (1, 2, 3):
        threads(n)
        y, mean, variance, inv_std = run_op("batch_norm", [x])
        grads = run_op("batch_norm_grad", [dy, x, mean, inv_std, None])
        results.append([a.tobytes() for a in (y, mean, variance, *grads)])
    assert results[0] == results[1] == results[2]


def test_bad_input():
    x = G.placeholder((None, 4))
    with pytest.raises(ValueError, match=r"\[batch_norm\].*gamma"):
        G.apply("batch_norm", [x, G.placeholder((5,))])
    with pytest.raises(ValueError, match=r"\[batch_norm\] beta must have one entry per channel"):
        G.apply("batch_norm", [x, None, G.placeholder((1, 4))])
    with pytest.raises(TypeError, match=r"\[batch_norm\]"):
        G.apply("batch_norm", [G.placeholder((2, 4), "int32")])
    with pytest.raises(ValueError, match=r"\[batch_norm_grad\] dy has shape"):
        G.apply("batch_norm_grad", [G.placeholder((4,)), x, G.placeholder((4,)), G.placeholder((4,))])
