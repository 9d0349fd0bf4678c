"""Convolutions over any number of axes in plain NumPy float64: one tap of the kernel at a time, on a padded copy."""

import numpy as np

PADDINGS = ["valid", "same", "causal"]
#: strides and dilation
WINDOWS = [((1, 1), (1, 1)), ((2, 2), (1, 1)), ((1, 1), (2, 2)), ((3, 2), (1, 1)), ((1, 2), (3, 1)), ((2, 2), (2, 3))]


def draw(shape, dtype="float32", seed=0):
    return np.random.RandomState(seed).uniform(-1, 1, shape).astype(dtype)


def operands(shape, window, padding, dtype, depthwise=False):
    """Image, kernel and cotangent of a shape (batch, spatial sizes..., channels, outputs or multiplier, kernel)."""
    n, *space, channels, outputs, kernel = shape
    strides, dilation = window
    attrs = {"strides": strides, "dilation": dilation, "padding": padding}
    x, w = draw((n, *space, channels), dtype, 1), draw((*kernel, channels, outputs), dtype, 2)
    y_shape = (n, *Windows(x.shape, kernel, **attrs).out, channels * outputs if depthwise else outputs)
    return x, w, draw(y_shape, dtype, 3), attrs


#: the same for volumes
WINDOWS_3D = [
    ((1, 1, 1), (1, 1, 1)), ((2, 2, 2), (1, 1, 1)), ((1, 1, 1), (2, 1, 2)), ((3, 1, 2), (1, 1, 1)),
    ((2, 1, 1), (3, 2, 1)),
]  # fmt: skip


def fits(shape, window):
    """Whether the image holds the dilated kernel."""
    return all((k - 1) * d + 1 <= size for size, k, d in zip(shape[1:-3], shape[-1], window[1]))


def output_length(length, size, stride, dilation, padding):
    reach = (size - 1) * dilation + 1
    return (length - reach) // stride + 1 if padding == "valid" else -(-length // stride)


def pad_amounts(length, size, stride, dilation, padding):
    """Cells before and after: 'same' puts the odd one after, as TensorFlow does; 'causal' puts all before."""
    reach = (size - 1) * dilation + 1
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return reach - 1, 0
    total = max((output_length(length, size, stride, dilation, padding) - 1) * stride + reach - length, 0)
    return total // 2, total - total // 2


class Windows:
    """The geometry of one convolution, and what each tap reads: a strided slice of the padded image."""

    def __init__(self, x_shape, kernel, strides=(1, 1), dilation=(1, 1), padding="valid"):
        axes = list(zip(x_shape[1:-1], kernel, strides, dilation))
        self.out = tuple(output_length(*axis, padding) for axis in axes)
        self.pads = [pad_amounts(*axis, padding) for axis in axes]
        self.x_shape, self.kernel, self.strides, self.dilation = x_shape, kernel, strides, dilation

    def padded(self, x):
        return np.pad(np.asarray(x, "float64"), [(0, 0), *self.pads, (0, 0)])

    def taps(self):
        """(tap, what it reads) for each tap of the kernel."""
        for tap in np.ndindex(*self.kernel):
            axes = zip(tap, self.dilation, self.out, self.strides)
            yield tap, (slice(None), *(slice(t * d, t * d + (o - 1) * s + 1, s) for t, d, o, s in axes))

    def cropped(self, padded):
        return padded[(slice(None), *(slice(p, p + n) for (p, _), n in zip(self.pads, self.x_shape[1:-1])))]


def conv(x, w, **attrs):
    windows = Windows(x.shape, w.shape[:-2], **attrs)
    padded = windows.padded(x)
    y = np.zeros((x.shape[0], *windows.out, w.shape[-1]))
    for tap, cells in windows.taps():
        y += padded[cells] @ w[tap].astype("float64")
    return y


def conv_input_grad(dy, w, x_shape, **attrs):
    windows = Windows(x_shape, w.shape[:-2], **attrs)
    dx = windows.padded(np.zeros(x_shape))
    for tap, cells in windows.taps():
        dx[cells] += dy.astype("float64") @ w[tap].astype("float64").T
    return windows.cropped(dx)


def conv_filter_grad(x, dy, kernel, **attrs):
    windows = Windows(x.shape, kernel, **attrs)
    padded = windows.padded(x)
    dw = np.zeros((*kernel, x.shape[-1], dy.shape[-1]))
    for tap, cells in windows.taps():
        dw[tap] = np.tensordot(padded[cells], dy.astype("float64"), axes=[range(dy.ndim - 1)] * 2)
    return dw


def depthwise_conv2d(x, w, **attrs):
    windows = Windows(x.shape, w.shape[:-2], **attrs)
    padded = windows.padded(x)
    y = np.zeros((x.shape[0], *windows.out, *w.shape[2:]))
    for tap, cells in windows.taps():
        y += padded[cells][..., None] * w[tap].astype("float64")
    return y.reshape(*y.shape[:3], w.shape[2] * w.shape[3])


def depthwise_conv2d_input_grad(dy, w, x_shape, **attrs):
    windows = Windows(x_shape, w.shape[:-2], **attrs)
    dx = windows.padded(np.zeros(x_shape))
    by_channel = dy.astype("float64").reshape(*dy.shape[:3], *w.shape[2:])
    for tap, cells in windows.taps():
        dx[cells] += (by_channel * w[tap].astype("float64")).sum(axis=-1)
    return windows.cropped(dx)


def depthwise_conv2d_filter_grad(x, dy, kernel, multiplier, **attrs):
    windows = Windows(x.shape, kernel, **attrs)
    padded = windows.padded(x)
    dw = np.zeros((*kernel, x.shape[3], multiplier))
    by_channel = dy.astype("float64").reshape(*dy.shape[:3], x.shape[3], multiplier)
    for tap, cells in windows.taps():
        dw[tap] = np.einsum("npqc,npqcm->cm", padded[cells], by_channel)
    return dw
