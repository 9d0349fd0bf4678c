import functools
import itertools

import numpy as np
import pytest
import reference_conv as ref
from checks import check_gradients, run_op
from hornbeam import graph as G
from reference_conv import PADDINGS, WINDOWS, draw, fits

# Batch, height, width, channels, multiplier, kernel: channels around one and four vectors, rows around a tile.
SHAPES = [
    (1, 5, 5, 1, 1, (1, 1)), (2, 9, 13, 3, 2, (3, 3)), (3, 7, 15, 16, 1, (3, 3)), (2, 8, 19, 17, 1, (2, 3)),
    (5, 4, 4, 65, 1, (3, 3)), (1, 14, 8, 33, 3, (3, 1)), (2, 12, 9, 130, 1, (5, 2)), (1, 9, 31, 5, 1, (4, 5)),
]  # fmt: skip


operands = functools.partial(ref.operands, depthwise=True)


def assert_sum(got, want, terms, dtype):
    """Factors are at most 1: a sum of `terms` products is within terms * (terms + 2) roundings."""
    assert got.dtype == dtype
    assert got.shape == want.shape
    error = np.abs(got.astype("float64") - want)
    assert not np.any(~(error <= np.finfo(dtype).eps * terms * (terms + 2)))


def check_all(x, w, dy, attrs):
    kernel, multiplier, dtype = w.shape[:2], w.shape[3], x.dtype.name
    taps = kernel[0] * kernel[1]
    y = run_op("depthwise_conv2d", [x, w], **attrs)[0]
    assert_sum(y, ref.depthwise_conv2d(x, w, **attrs), taps, dtype)
    dx = run_op("depthwise_conv2d_input_grad", [dy, w, np.array(x.shape)], **attrs)[0]
    assert_sum(dx, ref.depthwise_conv2d_input_grad(dy, w, x.shape, **attrs), taps * multiplier, dtype)
    dw = run_op("depthwise_conv2d_filter_grad", [x, dy], kernel=kernel, multiplier=multiplier, **attrs)[0]
    want = ref.depthwise_conv2d_filter_grad(x, dy, kernel, multiplier, **attrs)
    assert dw.dtype == dtype
    rounding = np.finfo(dtype).eps * np.sqrt(np.prod(dy.shape[:3]))  # of random signs; a wrong term is of order 1
    np.testing.assert_allclose(dw, want, rtol=0, atol=8 * rounding * max(1.0, np.abs(want).max(initial=0)))


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values(target, dtype, padding):
    for shape, window in itertools.product(SHAPES, WINDOWS):
        if padding != "valid" or fits(shape, window):
            check_all(*operands(shape, window, padding, dtype))


def test_rows_cut_into_tiles_of_every_height(target):
    for width in range(1, 20):
        for multiplier in (1, 2):
            check_all(*operands((1, 3, width, 9, multiplier, (3, 3)), ((1, 1), (1, 1)), "same", "float32"))


def test_many_rows(target):
    """Enough work for many tasks and all partial sums of backward-filter."""
    check_all(*operands((8, 28, 28, 70, 1, (3, 3)), ((1, 1), (1, 1)), "same", "float32"))
    check_all(*operands((8, 28, 28, 20, 2, (3, 3)), ((2, 2), (1, 1)), "same", "float32"))


@pytest.mark.parametrize("activation", ["linear", "relu", "sigmoid", "tanh"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_bias_and_activation(target, activation, shape):
    functions = {
        "linear": lambda v: v,
        "relu": lambda v: np.maximum(v, 0),
        "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
        "tanh": np.tanh,
    }
    x, w, _, attrs = operands(shape, ((1, 1), (1, 1)), "same", "float32")
    bias = draw((shape[3] * shape[4],), seed=4)
    got = run_op("depthwise_conv2d", [x, w, bias], activation=activation, **attrs)[0]
    want = functions[activation](ref.depthwise_conv2d(x, w, **attrs) + bias)
    np.testing.assert_allclose(got, want, rtol=2e-6, atol=2e-6)


def test_bits_do_not_depend_on_threads(target, threads):
    x, w, dy, attrs = operands((4, 33, 30, 40, 1, (3, 3)), ((1, 1), (1, 1)), "same", "float32")
    results = []
    for n in (1, 2, 5):
        threads(n)
        results.append([
            run_op("depthwise_conv2d", [x, w], **attrs)[0],
            run_op("depthwise_conv2d_input_grad", [dy, w, np.array(x.shape)], **attrs)[0],
            run_op("depthwise_conv2d_filter_grad", [x, dy], kernel=(3, 3), multiplier=1, **attrs)[0],
        ])  # fmt: skip
    for other in results[1:]:
        for a, b in zip(results[0], other):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("n, channels", [(0, 3), (2, 0)])
def test_empty(target, n, channels):
    check_all(*operands((n, 6, 5, channels, 2, (3, 2)), ((1, 2), (1, 1)), "same", "float32"))


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("strides, multiplier", [((1, 1), 1), ((2, 1), 2)])
def test_gradients(padding, strides, multiplier):
    attrs = {"strides": strides, "padding": padding}
    x, w = draw((2, 5, 6, 2), "float64", 1), draw((2, 3, 2, multiplier), "float64", 2)
    dy = draw(ref.depthwise_conv2d(x, w, **attrs).shape, "float64", 3)
    bias = draw((2 * multiplier,), "float64", 4)
    x_shape = G.constant(np.array(x.shape))
    kernel = {"kernel": (2, 3), "multiplier": multiplier}
    check_gradients(lambda x, w, b: G.apply("depthwise_conv2d", [x, w, b], **attrs), [x, w, bias])
    check_gradients(lambda dy, w: G.apply("depthwise_conv2d_input_grad", [dy, w, x_shape], **attrs), [dy, w])
    check_gradients(lambda x, dy: G.apply("depthwise_conv2d_filter_grad", [x, dy], **kernel, **attrs), [x, dy])


@pytest.mark.parametrize(
    "op, shapes, attrs, message",
    [
        ("depthwise_conv2d", [(2, 5, 5, 4), (3, 3, 3, 1)], {}, "channels of x and w"),
        ("depthwise_conv2d", [(2, 5, 5, 3), (3, 3, 3, 2), (3,)], {}, "bias"),
        ("depthwise_conv2d", [(2, 2, 5, 3), (3, 3, 3, 1)], {}, "reaches over 3 cells does not fit"),
        (
            "depthwise_conv2d",
            [(2, 5, 5, 3), (3, 3, 3, 1)],
            {"dilation": [2**31] * 2, "padding": "same"},
            "reaches over more",
        ),
        ("depthwise_conv2d", [(2, 5, 5, 3), (3, 3, 3, 1)], {"strides": [1, 0]}, "strides must be two positive"),
        (
            "depthwise_conv2d_filter_grad",
            [(2, 5, 5, 3), (2, 3, 3, 3)],
            {"kernel": [3, 3], "multiplier": 2},
            "multiplier",
        ),
        (
            "depthwise_conv2d_filter_grad",
            [(2, 5, 5, 3), (2, 3, 3, 3)],
            {"kernel": [3, 3], "multiplier": 0},
            "multiplier",
        ),
    ],
)
def test_errors(op, shapes, attrs, message):
    with pytest.raises(ValueError, match=message):
        G.apply(op, [G.placeholder(s, "float32") for s in shapes], **attrs)
