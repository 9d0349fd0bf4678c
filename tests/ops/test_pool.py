import numpy as np
import pytest
from checks import as_placeholder, check_gradients, run_op
from hornbeam import graph as G
from reference_pool import avg_pool2d_grad, max_pool2d_grad, pool2d

# height, width, size, strides, padding
WINDOWS = [
    (4, 6, (2, 2), (2, 2), "valid"),
    (5, 7, (2, 2), (2, 2), "valid"),  # the last row and column belong to no window
    (5, 7, (2, 2), (2, 2), "same"),
    (9, 8, (3, 3), (2, 2), "same"),  # windows overlap
    (7, 7, (3, 2), (1, 2), "same"),
    (7, 6, (7, 6), (1, 1), "valid"),  # global
    (6, 6, (2, 2), (3, 3), "same"),  # gaps between windows
    (1, 1, (3, 3), (1, 1), "same"),  # a window of padding but for one cell
]
# One channel, fewer than a vector's lanes, exactly one, and tails behind whole vectors.
CHANNELS = [1, 3, 8, 16, 21, 70]


def attrs(size, strides, padding):
    return {"size": list(size), "strides": list(strides), "padding": padding}


def numbers(rng, shape, dtype):
    """Few distinct values, so that maxima tie."""
    return rng.integers(-3, 4, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_values_and_gradients(target, window, channels, dtype):
    rng = np.random.default_rng(0)
    height, width, *window = window
    x = numbers(rng, (2, height, width, channels), dtype)
    a = attrs(*window)
    y = pool2d(x, np.max, *window)
    dy = rng.normal(size=y.shape).astype(dtype)
    np.testing.assert_array_equal(run_op("max_pool2d", [x], **a)[0], y)
    np.testing.assert_allclose(run_op("avg_pool2d", [x], **a)[0], pool2d(x, np.mean, *window), rtol=1e-6, atol=1e-6)
    got = run_op("max_pool2d_grad", [x, y.astype(dtype), dy], **a)[0]
    np.testing.assert_allclose(got, max_pool2d_grad(x, dy, *window), rtol=1e-5, atol=1e-6)
    got = run_op("avg_pool2d_grad", [dy, np.array(x.shape)], **a)[0]
    np.testing.assert_allclose(got, avg_pool2d_grad(x.shape, dy, *window), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_gather_is_the_transpose_of_the_gradient(target, window):
    rng = np.random.default_rng(1)
    height, width, *window = window
    x = numbers(rng, (2, height, width, 5), "float64")
    y = pool2d(x, np.max, *window)
    g, dy = rng.normal(size=x.shape), rng.normal(size=y.shape)
    gathered = run_op("max_pool2d_gather", [x, y, g], **attrs(*window))[0]
    np.testing.assert_allclose((gathered * dy).sum(), (g * max_pool2d_grad(x, dy, *window)).sum(), rtol=1e-12)


@pytest.mark.parametrize("window", [WINDOWS[1][2:], WINDOWS[3][2:]])
def test_derivatives(window):
    rng = np.random.default_rng(2)
    a = attrs(*window)
    x = rng.permutation(2 * 5 * 6 * 3).reshape(2, 5, 6, 3) / 10.0  # no ties, where a maximum has no derivative
    check_gradients(lambda x: G.apply("max_pool2d", [x], **a), [x])
    check_gradients(lambda x: G.apply("avg_pool2d", [x], **a), [x])

    def gradient_of(op):
        def build(dy):
            image = G.constant(x)
            return G.gradients([G.apply(op, [image], **a)], [image], [dy])[0]

        return build

    dy = rng.normal(size=pool2d(x, np.max, *window).shape)
    check_gradients(gradient_of("max_pool2d"), [dy])
    check_gradients(gradient_of("avg_pool2d"), [dy])


def test_nan_wins_and_takes_the_gradient():
    x = np.zeros((1, 2, 2, 1), "float32")
    x[0, 1, 0, 0] = np.nan
    x[0, 1, 1, 0] = np.inf
    a = attrs((2, 2), (2, 2), "valid")
    y = run_op("max_pool2d", [x], **a)[0]
    assert np.isnan(y).all()
    dx = run_op("max_pool2d_grad", [x, y, np.ones_like(y)], **a)[0]
    np.testing.assert_array_equal(dx[0, :, :, 0], [[0, 0], [1, 0]])


def test_empty_batch_and_unknown_sizes():
    a = attrs((2, 2), (2, 2), "same")
    assert run_op("max_pool2d", [np.zeros((0, 4, 4, 3), "float32")], **a)[0].shape == (0, 2, 2, 3)
    x = G.placeholder((None, None, 5, 3))
    y = G.apply("avg_pool2d", [x], **a)
    assert y.shape == (None, None, 3, 3)
    dx = G.gradients([y], [x])[0]
    assert G.Function([x], [dx])([np.zeros((2, 7, 5, 3), "float32")])[0].shape == (2, 7, 5, 3)


def test_same_bits_on_any_number_of_threads(threads):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2, 65, 64, 19)).astype("float32")
    a = attrs((3, 3), (2, 2), "same")
    results = []
    for n in (1, 2, 3):
        threads(n)
        y = run_op("avg_pool2d", [x], **a)[0]
        dx = run_op("avg_pool2d_grad", [y, np.array(x.shape)], **a)[0]
        results.append((y.tobytes(), dx.tobytes()))
    assert results[0] == results[1] == results[2]


def test_bad_input():
    a = attrs((2, 2), (2, 2), "valid")
    x = as_placeholder(np.zeros((1, 4, 4, 1), "float32"))
    with pytest.raises(ValueError, match=r"\[max_pool2d\].*larger than the input"):
        G.apply("max_pool2d", [x], **attrs((5, 2), (1, 1), "valid"))
    with pytest.raises(ValueError, match=r"\[avg_pool2d\].*positive"):
        G.apply("avg_pool2d", [x], **attrs((2, 2), (0, 1), "valid"))
    with pytest.raises(ValueError, match=r"\[max_pool2d\].*two entries"):
        G.apply("max_pool2d", [x], **attrs((2,), (1, 1), "valid"))
    with pytest.raises(ValueError, match=r"\[max_pool2d\]"):
        G.apply("max_pool2d", [G.placeholder((4, 4, 1))], **a)
    with pytest.raises(TypeError, match=r"\[max_pool2d\]"):
        G.apply("max_pool2d", [G.placeholder((1, 4, 4, 1), "int32")], **a)
    with pytest.raises(ValueError, match=r"\[max_pool2d_grad\] dy has shape \(1, 3, 2, 1\), pooling \(1, 4, 4, 1\)"):
        G.apply("max_pool2d_grad", [x, G.placeholder((1, 2, 2, 1)), G.placeholder((1, 3, 2, 1))], **a)
    with pytest.raises(ValueError, match=r"\[avg_pool2d_grad\]"):
        G.apply("avg_pool2d_grad", [G.placeholder((1, 2, 2, 1)), G.constant([1, 4, 4])], **a)


@pytest.mark.parametrize("strides", [[2**63 - 1, 1], [1, 2**40]])
def test_strides_beyond_any_image(strides):
    with pytest.raises(ValueError, match=r"attribute 'strides' holds .* out of range"):
        run_op("max_pool2d", [np.ones((1, 4, 4, 1), "float32")], size=[2, 2], strides=strides, padding="same")


@pytest.mark.parametrize("op", ["max_pool2d", "avg_pool2d"])
def test_windows_beyond_any_image(target, op):
    """These two times 15 numbers a cell are 2**64 - 1: what a row costs was that, and a number was divided by it and 1."""
    sizes = [1722007169, 714156689]
    x = np.random.default_rng(0).uniform(size=(2, 3, 4, 15)).astype("float32")
    made = G.apply(op, [as_placeholder(x)], **attrs(sizes, sizes, "same"))
    (got,) = run_op(op, [x], **attrs(sizes, sizes, "same"))
    want = (x.max if op == "max_pool2d" else x.mean)((1, 2), keepdims=True)
    np.testing.assert_allclose(got, want, rtol=1e-6)
    assert made.shape == want.shape
