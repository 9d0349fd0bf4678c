"""Pooling over NHWC in NumPy, one window after the other."""

import numpy as np


def _axis(n, size, stride, padding):
    """Output length, and cells that the first window reaches over before the axis."""
    if padding == "valid":
        return (n - size) // stride + 1, 0
    out = -(-n // stride)
    return out, max((out - 1) * stride + size - n, 0) // 2


def _windows(shape, size, strides, padding):
    """(image, row, column, window slices) of every window, clipped to the image."""
    (height, top), (width, left) = (_axis(shape[1 + i], size[i], strides[i], padding) for i in range(2))
    for n in range(shape[0]):
        for i in range(height):
            for j in range(width):
                y, x = i * strides[0] - top, j * strides[1] - left
                yield n, i, j, (n, slice(max(y, 0), y + size[0]), slice(max(x, 0), x + size[1]))


def _output(shape, size, strides, padding):
    return np.zeros((shape[0], *(_axis(shape[1 + i], size[i], strides[i], padding)[0] for i in range(2)), shape[3]))


def pool2d(x, reduce, size, strides, padding):
    """``reduce`` is np.max or np.mean."""
    y = _output(x.shape, size, strides, padding)
    for n, i, j, window in _windows(x.shape, size, strides, padding):
        y[n, i, j] = reduce(x[window], axis=(0, 1))
    return y


def max_pool2d_grad(x, dy, size, strides, padding):
    """The first maximum of each window, in row-major order, takes its gradient."""
    dx = np.zeros(x.shape)
    for n, i, j, window in _windows(x.shape, size, strides, padding):
        view = dx[window]
        for c in range(x.shape[3]):
            at = np.unravel_index(np.argmax(x[window][..., c]), view.shape[:2])
            view[(*at, c)] += dy[n, i, j, c]
    return dx


def avg_pool2d_grad(shape, dy, size, strides, padding):
    dx = np.zeros(shape)
    for n, i, j, window in _windows(shape, size, strides, padding):
        view = dx[window]
        view += dy[n, i, j] / (view.shape[0] * view.shape[1])
    return dx
