import itertools

import numpy as np
import pytest
import reference_conv as ref
from checks import check_gradients, run_op
from hornbeam import graph as G
from reference_conv import PADDINGS, WINDOWS, WINDOWS_3D, draw, fits, operands

# Batch, height, width, channels in, channels out, kernel: around the tiles of every instruction set, with
# rows shorter and longer than a tile, channels that do not fill a vector, and pixels a page apart.
SHAPES = [
    (1, 5, 5, 1, 1, (1, 1)), (2, 9, 13, 3, 10, (3, 3)), (3, 7, 15, 1, 33, (3, 3)), (2, 8, 29, 16, 17, (2, 3)),
    (5, 4, 4, 20, 40, (3, 3)), (1, 14, 16, 33, 64, (3, 1)), (2, 28, 9, 4, 65, (5, 2)), (9, 7, 7, 8, 32, (1, 1)),
    (2, 6, 31, 5, 3, (1, 4)), (1, 9, 9, 1024, 48, (1, 1)), (1, 7, 15, 1024, 5, (2, 2)),
]  # fmt: skip
# The same with a depth first.
VOLUMES = [
    (1, 5, 5, 5, 1, 1, (1, 1, 1)), (2, 4, 6, 13, 3, 10, (3, 3, 3)), (3, 5, 3, 15, 1, 33, (2, 3, 3)),
    (5, 4, 4, 4, 20, 40, (3, 3, 3)), (2, 3, 8, 29, 16, 17, (1, 2, 3)), (9, 3, 5, 5, 8, 32, (1, 1, 1)),
    (1, 9, 1, 6, 4, 65, (4, 1, 2)), (1, 3, 4, 4, 1024, 5, (2, 2, 1)),
]  # fmt: skip


def assert_sum(got, want, size, terms, dtype):
    """Every element within `terms` roundings of the sum of absolute products: the bound of any order of summation."""
    assert got.dtype == dtype
    assert got.shape == want.shape
    error, bound = np.abs(got.astype("float64") - want), np.finfo(dtype).eps * (terms + 2) * size
    assert not np.any(~(error <= bound)), f"worst {np.max(error / np.maximum(bound, 1e-300)):.3g} of the bound"


def check_all(x, w, dy, attrs):
    op, kernel, dtype = f"conv{x.ndim - 2}d", w.shape[:-2], x.dtype.name
    ax, aw, ady = np.abs(x), np.abs(w), np.abs(dy)
    taps, outputs = int(np.prod(kernel)), int(np.prod(dy.shape[:-1]))
    y = run_op(op, [x, w], **attrs)[0]
    assert_sum(y, ref.conv(x, w, **attrs), ref.conv(ax, aw, **attrs), taps * x.shape[-1], dtype)
    dx = run_op(f"{op}_input_grad", [dy, w, np.array(x.shape)], **attrs)[0]
    want, size = (ref.conv_input_grad(d, k, x.shape, **attrs) for d, k in ((dy, w), (ady, aw)))
    assert_sum(dx, want, size, taps * w.shape[-1], dtype)
    dw = run_op(f"{op}_filter_grad", [x, dy], kernel=kernel, **attrs)[0]
    want, size = (ref.conv_filter_grad(i, d, kernel, **attrs) for i, d in ((x, dy), (ax, ady)))
    assert_sum(dw, want, size, outputs, dtype)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values(target, dtype, padding):
    for shape, window in [*itertools.product(SHAPES, WINDOWS), *itertools.product(VOLUMES, WINDOWS_3D)]:
        if padding != "valid" or fits(shape, window):
            check_all(*operands(shape, window, padding, dtype))


def test_rows_cut_into_tiles_of_every_height(target):
    for width in range(1, 45):
        check_all(*operands((1, 2, width, 3, 17, (2, 3)), ((1, 1), (1, 1)), "same", "float32"))


@pytest.mark.parametrize("shape", [
    (16, 28, 28, 8, 40, (3, 3)), (64, 5, 6, 24, 33, (3, 3)), (40, 14, 14, 64, 130, (1, 1)),
    # Few outputs of large weights: tasks take panels of channels first.
    (1, 14, 14, 96, 256, (3, 3)), (1, 7, 7, 64, 300, (3, 3)),
    (4, 8, 14, 14, 8, 40, (3, 3, 3)), (16, 5, 4, 6, 12, 33, (3, 2, 3)), (1, 30, 6, 7, 40, 33, (3, 1, 1)),
], ids=str)  # fmt: skip
def test_many_images_and_rows(target, shape):
    """Enough work for many tasks, several partial sums of backward-filter, and strips of several images."""
    ones = (1,) * (len(shape) - 4)
    check_all(*operands(shape, (ones, ones), "same", "float32"))


@pytest.mark.parametrize("activation", ["linear", "relu", "sigmoid", "tanh", "elu"])
@pytest.mark.parametrize("shape", SHAPES[:8], ids=str)
def test_bias_and_activation(target, activation, shape):
    functions = {
        "linear": lambda v: v,
        "relu": lambda v: np.maximum(v, 0),
        "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
        "tanh": np.tanh,
        "elu": lambda v: np.where(v > 0, v, np.expm1(v)),
    }
    x, w, _, attrs = operands(shape, ((1, 1), (1, 1)), "same", "float32")
    w /= np.sqrt(np.float32(w[..., 0].size))
    bias = draw(w.shape[3:], seed=4)
    got = run_op("conv2d", [x, w, bias], activation=activation, **attrs)[0]
    want = functions[activation](ref.conv(x, w, **attrs) + bias)
    np.testing.assert_allclose(got, want, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize(
    "shape, strides",
    [
        ((2, 9, 13, 3, 10, (2, 3)), 3),
        ((2, 4, 6, 5, 3, 10, (3, 1, 2)), 2),
        ((2, 24, 24, 32, 32, (3, 3)), 1),
    ],
    ids=str,
)
def test_bias_and_activation_of_transposed_convolutions(target, shape, strides):
    """Of strides that leave some outputs without a tap, and, last, by Winograd's tiles."""
    n = len(shape) - 4
    _, w, dy, attrs = operands(shape, ((strides,) * n, (1,) * n), "same", "float32")
    w /= np.sqrt(np.float32(w[..., 0, :].size))
    bias, x_shape = draw(w.shape[-2:-1], seed=4), (*shape[: n + 1], shape[n + 1])
    got = run_op(f"conv{n}d_input_grad", [dy, w, np.array(x_shape), bias], activation="relu", **attrs)[0]
    want = np.maximum(ref.conv_input_grad(dy, w, x_shape, **attrs) + bias, 0)
    np.testing.assert_allclose(got, want, rtol=3e-6, atol=3e-6)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_kept_packings_give_the_same_bits(target, shape):
    x, w, dy, attrs = operands(shape, ((2, 1), (1, 1)), "same", "float32")
    for op, data in (("conv2d", x), ("conv2d_input_grad", dy)):
        p = G.placeholder(data.shape, "float32")
        shape_input = [G.constant(np.array(x.shape))] if op == "conv2d_input_grad" else []
        f = G.Function([p], [G.apply(op, [p, G.constant(w), *shape_input], **attrs)])
        first = f([data])[0]  # packed for this run
        for _ in range(2):  # and kept
            np.testing.assert_array_equal(first, f([data])[0])


@pytest.mark.parametrize("shape", [(6, 23, 30, 16, 70, (3, 3)), (1, 14, 14, 96, 256, (3, 3))])
def test_bits_do_not_depend_on_threads(target, threads, shape):
    x, w, dy, attrs = operands(shape, ((1, 1), (1, 1)), "same", "float32")
    results = []
    for n in (1, 2, 5):
        threads(n)
        results.append([
            run_op("conv2d", [x, w], **attrs)[0],
            run_op("conv2d_input_grad", [dy, w, np.array(x.shape)], **attrs)[0],
            run_op("conv2d_filter_grad", [x, dy], kernel=(3, 3), **attrs)[0],
        ])  # fmt: skip
    for other in results[1:]:
        for a, b in zip(results[0], other):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("n, channels, outputs", [(0, 3, 4), (2, 0, 4), (2, 3, 0)])
def test_empty(target, n, channels, outputs):
    check_all(*operands((n, 6, 5, channels, outputs, (3, 2)), ((1, 2), (1, 1)), "same", "float32"))


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("strides, dilation", [((1, 1), (1, 1)), ((2, 1), (1, 1)), ((1, 1), (1, 2))])
def test_gradients(padding, strides, dilation):
    attrs = {"strides": strides, "dilation": dilation, "padding": padding}
    x, w = draw((2, 5, 6, 2), "float64", 1), draw((2, 3, 2, 3), "float64", 2)
    dy = draw(ref.conv(x, w, **attrs).shape, "float64", 3)
    bias = draw((3,), "float64", 4)
    check_gradients(lambda x, w, b: G.apply("conv2d", [x, w, b], **attrs), [x, w, bias])
    check_gradients(lambda x, w: G.apply("conv2d", [x, w], **attrs), [x, w])
    check_gradients(
        lambda dy, w: G.apply("conv2d_input_grad", [dy, w, G.constant(np.array(x.shape))], **attrs), [dy, w]
    )
    check_gradients(lambda x, dy: G.apply("conv2d_filter_grad", [x, dy], kernel=(2, 3), **attrs), [x, dy])


@pytest.mark.parametrize("strides, dilation", [((1, 1, 1), (1, 1, 1)), ((2, 1, 2), (1, 1, 1)), ((1, 1, 1), (2, 1, 1))])
def test_gradients_of_volumes(strides, dilation):
    attrs = {"strides": strides, "dilation": dilation, "padding": "same"}
    x, w, bias = draw((1, 3, 4, 3, 2), "float64", 1), draw((2, 2, 1, 2, 2), "float64", 2), draw((2,), "float64", 4)
    dy = draw(ref.conv(x, w, **attrs).shape, "float64", 3)
    target = np.array(x.shape)
    check_gradients(lambda x, w, b: G.apply("conv3d", [x, w, b], **attrs), [x, w, bias])
    check_gradients(
        lambda dy, w, b: G.apply("conv3d_input_grad", [dy, w, G.constant(target), b], **attrs), [dy, w, bias]
    )
    check_gradients(lambda x, dy: G.apply("conv3d_filter_grad", [x, dy], kernel=w.shape[:3], **attrs), [x, dy])


def test_second_derivatives():
    """The gradient of a sum of squares of a gradient."""

    def penalty(x, w):
        (dx,) = G.gradients([G.apply("conv2d", [x, w], padding="same")], [x])
        return dx * dx * x

    check_gradients(penalty, [draw((1, 4, 4, 2), "float64", 1), draw((3, 3, 2, 2), "float64", 2)])


def test_unknown_sizes():
    x = G.placeholder((None, None, 6, 3), "float32")
    w = G.placeholder((3, 3, 3, 5), "float32")
    assert G.apply("conv2d", [x, w], strides=[2, 2], padding="same").shape == (None, None, 3, 5)
    assert G.apply("conv2d", [x, w]).shape == (None, None, 4, 5)
    x, w = G.placeholder((None, None, 6, None, 3)), G.placeholder((2, 3, 3, 3, 5))
    ones = {"strides": [1, 1, 1], "dilation": [1, 1, 1]}
    assert G.apply("conv3d", [x, w], **ones).shape == (None, None, 4, None, 5)


@pytest.mark.parametrize(
    "op, shapes, attrs, error, message",
    [
        ("conv2d", [(2, 5, 5, 4), (3, 3, 3, 8)], {}, ValueError, "kernel has 3 input channels, input has 4"),
        ("conv2d", [(2, 5, 5), (3, 3, 3, 8)], {}, ValueError, "conv2d"),
        ("conv2d", [(2, 2, 5, 3), (3, 3, 3, 8)], {}, ValueError, "reaches over 3 cells does not fit an input of 2"),
        ("conv2d", [(2, 5, 5, 3), (3, 3, 3, 8), (7,)], {}, ValueError, "bias"),
        ("conv2d", [(2, 5, 5, 3), (3, 3, 3, 8)], {"strides": [0, 1]}, ValueError, "strides must be two positive"),
        (
            "conv2d",
            [(2, 5, 5, 3), (3, 3, 3, 8)],
            {"dilation": [2**31] * 2, "padding": "same"},
            ValueError,
            "more than there is memory for",
        ),
        (
            "conv2d_filter_grad",
            [(2, 5, 5, 3), (2, 5, 5, 8)],
            {"kernel": [3, 3], "dilation": [2**31] * 2, "padding": "same"},
            ValueError,
            r"dilation \(2147483648, 2147483648\) reaches over more",
        ),
        ("conv2d", [(2, 5, 5, 3), (3, 3, 3, 8)], {"dilation": [1]}, ValueError, "dilation must be two positive"),
        ("conv2d", [(2, 5, 5, 3), (3, 3, 3, 8)], {"padding": "full"}, ValueError, "cannot be 'full'"),
        ("conv3d", [(2, 5, 5, 5, 3), (3, 3, 3, 3, 8)], {}, ValueError, r"\[conv3d\] strides must be three positive"),
        ("conv3d", [(2, 5, 5, 3), (3, 3, 3, 3, 8)], {}, ValueError, r"\[conv3d\]"),
        ("conv2d_filter_grad", [(2, 5, 5, 3), (2, 4, 3, 8)], {"kernel": [3, 3]}, ValueError, "dy"),
        ("conv2d_filter_grad", [(2, 5, 5, 3), (2, 3, 3, 8)], {}, ValueError, "kernel must be two positive"),
    ],
)
def test_errors(op, shapes, attrs, error, message):
    with pytest.raises(error, match=message):
        G.apply(op, [G.placeholder(s, "float32") for s in shapes], **attrs)


def test_gradients_of_kernels_of_unknown_size():
    x = G.placeholder((2, 5, 5, 3))
    for op, dims in (("conv2d", (None, 3, 3, 8)), ("depthwise_conv2d", (3, None, 3, 2))):
        w = G.placeholder(dims)
        y = G.apply(op, [x, w], strides=[1, 1], dilation=[1, 1], padding="same")
        with pytest.raises(ValueError, match="needs sizes that are known"):
            G.gradients([y], [w])
    with pytest.raises(TypeError, match=r"attribute 'kernel' must be an integer, got None"):
        G.apply("conv2d_filter_grad", [x, x], kernel=(None, 3), strides=[1, 1], dilation=[1, 1], padding="same")


def test_dtypes_that_differ():
    with pytest.raises(TypeError, match="conv2d"):
        G.apply("conv2d", [G.placeholder((2, 5, 5, 3), "float32"), G.placeholder((3, 3, 3, 8), "float64")])
    with pytest.raises(TypeError, match="conv2d"):
        G.apply("conv2d", [G.placeholder((2, 5, 5, 3), "int32"), G.placeholder((3, 3, 3, 8), "int32")])


@pytest.mark.parametrize("shape", [(2, 6, 5, 3), (2, 5, 5, 4), (3, 5, 5, 3), (2, 5, 5)], ids=str)
def test_input_grad_errors(shape):
    dy, w = G.placeholder((2, 3, 3, 8), "float32"), G.placeholder((3, 3, 3, 8), "float32")
    with pytest.raises(ValueError, match="conv2d_input_grad"):
        G.apply("conv2d_input_grad", [dy, w, G.constant(np.array(shape))])
