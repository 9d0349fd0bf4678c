"""Convolution and pooling, by sums written out over windows in NumPy."""

import numpy as np
import pytest
from hornbeam import backend as K


def windows(x, size, strides, dilation=None, padding="valid", fill=0.0):
    """Channels-last windows: (batch, *places, *size, channels), by slices."""
    n = len(size)
    dilation = dilation or (1,) * n
    reach = [(s - 1) * d + 1 for s, d in zip(size, dilation)]
    if padding == "same":
        missing = [max((-(-dim // st) - 1) * st + r - dim, 0) for dim, st, r in zip(x.shape[1:], strides, reach)]
        pads = [(0, 0), *((m // 2, m - m // 2) for m in missing), (0, 0)]
        x = np.pad(x, pads, constant_values=fill)
    out = [(dim - r) // st + 1 for dim, st, r in zip(x.shape[1:], strides, reach)]
    result = np.zeros((x.shape[0], *out, *size, x.shape[-1]))
    for place in np.ndindex(*out):
        index = tuple(slice(p * st, p * st + r, d) for p, st, r, d in zip(place, strides, reach, dilation))
        result[(slice(None), *place)] = x[(slice(None), *index)]
    return result


def convolve(x, w, strides, dilation=None, padding="valid"):
    n = w.ndim - 2
    patches = windows(x, w.shape[:n], strides, dilation, padding)
    return np.tensordot(patches, w, axes=(list(range(-n - 1, 0)), list(range(n + 1))))


def pool(x, size, strides, padding, mode):
    n = len(size)
    patches = windows(x, size, strides, None, padding, np.nan)
    reduce = np.nanmax if mode == "max" else np.nanmean
    return reduce(patches, axis=tuple(range(n + 1, 2 * n + 1)))


def evaluate(f, x, *weights, data_format="channels_last"):
    """f of an x whose batch is unknown, in the given layout; the result with the channels last."""
    if data_format == "channels_first":
        x = np.moveaxis(x, -1, 1)
    t = K.placeholder((None, *x.shape[1:]), dtype="float64")
    y = f(t, *(K.constant(w, "float64") for w in weights))
    got = K.function([t], [y])([x])[0]
    assert all(m in (None, n) for m, n in zip(K.int_shape(y), got.shape))
    return np.moveaxis(got, 1, -1) if data_format == "channels_first" else got


FORMATS = ["channels_last", "channels_first"]


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize(
    "padding, strides, dilation", [("valid", 1, 1), ("same", 2, 1), ("same", 1, 2), ("causal", 1, 2)]
)
def test_conv1d(data_format, padding, strides, dilation, rng):
    x, w = rng.randn(2, 9, 3), rng.randn(3, 3, 4)
    padded = np.pad(x, ((0, 0), (dilation * 2, 0), (0, 0))) if padding == "causal" else x
    expected = convolve(padded, w, (strides,), (dilation,), "valid" if padding == "causal" else padding)
    got = evaluate(lambda t, k: K.conv1d(t, k, strides, padding, data_format, dilation), x, w, data_format=data_format)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize(
    "padding, strides, dilation", [("valid", (1, 1), (1, 1)), ("same", (2, 1), (1, 1)), ("same", (1, 1), (2, 2))]
)
def test_conv2d(data_format, padding, strides, dilation, rng):
    x, w = rng.randn(2, 7, 8, 3), rng.randn(3, 2, 3, 4)
    expected = convolve(x, w, strides, dilation, padding)
    got = evaluate(lambda t, k: K.conv2d(t, k, strides, padding, data_format, dilation), x, w, data_format=data_format)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize(
    "padding, strides, dilation",
    [("valid", (1, 1, 1), (1, 1, 1)), ("same", (2, 1, 3), (1, 1, 1)), ("same", (1, 1, 1), (2, 1, 2))],
)
def test_conv3d(data_format, padding, strides, dilation, rng):
    x, w = rng.randn(2, 5, 4, 6, 2), rng.randn(2, 3, 2, 2, 3)
    expected = convolve(x, w, strides, dilation, padding)
    got = evaluate(lambda t, k: K.conv3d(t, k, strides, padding, data_format, dilation), x, w, data_format=data_format)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("rank, strides", [(2, (1, 1)), (2, (2, 3)), (3, (1, 1, 1)), (3, (2, 1, 3))])
def test_transposed_convolution_is_the_adjoint(data_format, padding, rank, strides, rng):
    """sum(conv(x) * y) == sum(x * transposed(y)) for every x and y."""
    x = rng.randn(2, *range(5, 5 + rank), 2)
    w = rng.randn(*(3, 2, 3)[:rank], 2, 4)
    forward = convolve(x, w, strides, None, padding)
    y = rng.randn(*forward.shape)
    shape = x.shape if data_format == "channels_last" else (2, 2, *x.shape[1:-1])
    transposed = K.conv2d_transpose if rank == 2 else K.conv3d_transpose
    back = evaluate(
        lambda t, k: transposed(t, k, (K.shape(t)[0], *shape[1:]), strides, padding, data_format),
        y,
        w,
        data_format=data_format,
    )
    assert back.shape == x.shape
    np.testing.assert_allclose((forward * y).sum(), (x * back).sum(), rtol=1e-9)


@pytest.mark.parametrize("data_format", FORMATS)
def test_depthwise_and_separable(data_format, rng):
    x, d, p = rng.randn(2, 6, 7, 3), rng.randn(3, 2, 3, 2), rng.randn(1, 1, 6, 4)
    patches = windows(x, (3, 2), (2, 2), None, "same")
    depthwise = np.einsum("bijhwc,hwcm->bijcm", patches, d)
    depthwise = depthwise.reshape(*depthwise.shape[:3], 6)
    got = evaluate(lambda t, k: K.depthwise_conv2d(t, k, (2, 2), "same", data_format), x, d, data_format=data_format)
    np.testing.assert_allclose(got, depthwise, rtol=1e-10, atol=1e-12)
    got = evaluate(
        lambda t, a, b: K.separable_conv2d(t, a, b, (2, 2), "same", data_format), x, d, p, data_format=data_format
    )
    np.testing.assert_allclose(got, depthwise @ p[0, 0], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("padding", ["valid", "causal"])
def test_separable_conv1d(padding, rng):
    x, d, p = rng.randn(2, 6, 3), rng.randn(2, 3, 2), rng.randn(1, 6, 4)
    padded = np.pad(x, ((0, 0), (1, 0), (0, 0))) if padding == "causal" else x
    depthwise = np.einsum("bihc,hcm->bicm", windows(padded, (2,), (1,)), d)
    expected = depthwise.reshape(*depthwise.shape[:2], 6) @ p[0]
    got = evaluate(lambda t, a, b: K.separable_conv1d(t, a, b, 1, padding), x, d, p)
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("mode", ["max", "avg"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("size, strides", [((2, 2), (2, 2)), ((3, 2), (1, 2)), ((2, 3, 2), (2, 2, 1))])
def test_pooling(data_format, mode, padding, size, strides, rng):
    x = rng.randn(2, *range(5, 5 + len(size)), 3)
    pooling = K.pool2d if len(size) == 2 else K.pool3d
    got = evaluate(lambda t: pooling(t, size, strides, padding, data_format, mode), x, data_format=data_format)
    np.testing.assert_allclose(got, pool(x, size, strides, padding, mode), rtol=1e-10)


def test_pooling_refuses_unknown_modes_and_paddings():
    x = K.placeholder((None, 4, 4, 1))
    with pytest.raises(ValueError, match="pooling mode"):
        K.pool2d(x, (2, 2), pool_mode="median")
    with pytest.raises(ValueError, match="Invalid padding"):
        K.pool2d(x, (2, 2), padding="full")


@pytest.mark.parametrize("data_format", FORMATS)
def test_local_convolutions(data_format, rng):
    x, w = rng.randn(2, 7, 3), rng.randn(3, 6, 4)
    patches = windows(x, (2,), (2,)).reshape(2, 3, 6)
    got = evaluate(lambda t, k: K.local_conv1d(t, k, (2,), (2,), data_format), x, w, data_format=data_format)
    if data_format == "channels_last":
        np.testing.assert_allclose(got, np.einsum("bpi,pio->bpo", patches, w), rtol=1e-10)

    x, w = rng.randn(2, 5, 4, 3), rng.randn(6, 12, 2)
    patches = windows(x, (2, 2), (2, 1))
    # The kernel's rows are in the inputs' own order of axes.
    order = (0, 1, 2, 5, 3, 4) if data_format == "channels_first" else (0, 1, 2, 3, 4, 5)
    flat = patches.transpose(order).reshape(2, 6, 12)
    expected = np.einsum("bpi,pio->bpo", flat, w).reshape(2, 2, 3, 2)
    got = evaluate(
        lambda t, k: K.local_conv2d(t, k, (2, 2), (2, 1), (2, 3), data_format), x, w, data_format=data_format
    )
    np.testing.assert_allclose(got, expected, rtol=1e-10)


def test_bias_add(rng):
    x = rng.randn(2, 3, 4, 5)
    b = rng.randn(5)
    np.testing.assert_allclose(evaluate(K.bias_add, x, b), x + b)
    got = evaluate(lambda t, k: K.bias_add(t, k, data_format="channels_first"), x, b, data_format="channels_first")
    np.testing.assert_allclose(got, x + b)
    full = rng.randn(3, 4, 5)
    np.testing.assert_allclose(evaluate(K.bias_add, x, full), x + full)
    first = K.bias_add(K.constant(x.reshape(2, 5, 3, 4), "float64"), K.constant(full, "float64"), "channels_first")
    np.testing.assert_allclose(K.eval(first), x.reshape(2, 5, 3, 4) + full.reshape(5, 3, 4))  # the values stay in line
    with pytest.raises(ValueError, match="Unexpected bias dimensions"):
        K.bias_add(K.constant(x), K.constant(rng.randn(4, 5)))


def test_3d_convolutions_of_unknown_sizes(rng):
    x, w = rng.randn(2, 5, 4, 6, 2), rng.randn(2, 3, 2, 2, 3)
    t = K.placeholder((None, None, None, None, 2), dtype="float64")
    y = K.conv3d(t, K.constant(w, "float64"), (2, 1, 1), "same")
    assert K.int_shape(y) == (None, None, None, None, 3)
    np.testing.assert_allclose(K.function([t], [y])([x])[0], convolve(x, w, (2, 1, 1), None, "same"), rtol=1e-10)
