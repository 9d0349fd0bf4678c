"""3x3 convolutions that go by Winograd's transforms: their own errors, their edges, and where they are used."""

import numpy as np
import pytest
import reference_conv as ref
from checks import as_placeholder, run_op
from hornbeam import graph as G
from reference_conv import PADDINGS, draw, operands

#: Errors are relative to the largest values around, not to each output: 1e-5 of the largest output is what the kernels
#: promise for the sizes here, and the bound of the direct sum does not hold.
TOLERANCE = 1e-5

# Batch, height, width, channels in, channels out, kernel: outputs that are not multiples of a tile's four, channels that
# fill neither a vector nor a panel of any instruction set, one image and many.
SHAPES = [
    (9, 8, 8, 16, 16, (3, 3)), (3, 21, 15, 33, 70, (3, 3)), (1, 27, 30, 17, 37, (3, 3)), (12, 9, 13, 64, 19, (3, 3)),
    (40, 6, 7, 20, 48, (3, 3)), (2, 16, 41, 130, 16, (3, 3)),
]  # fmt: skip
#: Backward-filter takes many tiles to pay.
FILTER_SHAPES = [(7, 63, 59, 33, 32, (3, 3)), (50, 23, 26, 37, 60, (3, 3))]
WINDOW = ((1, 1), (1, 1))

pytestmark = pytest.mark.cpu_kernels(reason="other devices leave Winograd's transforms to their libraries")


def plan_of(op, arrays, **attrs):
    placeholders = [as_placeholder(a) for a in arrays if a.dtype.kind == "f"]
    inputs = placeholders + [G.constant(a) for a in arrays if a.dtype.kind != "f"]
    function = G.Function(placeholders, [G.apply(op, inputs, **attrs)])
    return str(function.program().bind([p.shape for p in placeholders]))


def run_winograd(op, arrays, **attrs):
    """The op's output, from the Winograd kernel."""
    assert "winograd4x4" in plan_of(op, [a for a in arrays if a is not None], **attrs)
    return run_op(op, arrays, **attrs)[0]


def assert_near(got, want):
    assert got.dtype == np.float32
    assert got.shape == want.shape
    assert np.max(np.abs(got - want)) <= TOLERANCE * np.max(np.abs(want))


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("shape", SHAPES)
def test_values(target, shape, padding):
    x, w, dy, attrs = operands(shape, WINDOW, padding, "float32")
    assert_near(run_winograd("conv2d", [x, w], **attrs), ref.conv(x, w, **attrs))
    dx = run_winograd("conv2d_input_grad", [dy, w, np.array(x.shape)], **attrs)
    assert_near(dx, ref.conv_input_grad(dy, w, x.shape, **attrs))


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("shape", FILTER_SHAPES)
def test_filter_gradient(target, shape, padding):
    x, _, dy, attrs = operands(shape, WINDOW, padding, "float32")
    dw = run_winograd("conv2d_filter_grad", [x, dy], kernel=(3, 3), **attrs)
    assert_near(dw, ref.conv_filter_grad(x, dy, (3, 3), **attrs))


def test_every_edge(target):
    """Heights and widths of all remainders by four; an image's edge cells are summed as exactly as the others."""
    for height in range(12, 16):
        for width in range(12, 16):
            x, w, dy, attrs = operands((5, height, width, 16, 16, (3, 3)), WINDOW, "same", "float32")
            assert_near(run_winograd("conv2d", [x, w], **attrs), ref.conv(x, w, **attrs))
            dx = run_winograd("conv2d_input_grad", [dy, w, np.array(x.shape)], **attrs)
            assert_near(dx, ref.conv_input_grad(dy, w, x.shape, **attrs))


@pytest.mark.parametrize("activation", ["linear", "relu", "sigmoid", "tanh", "elu"])
@pytest.mark.parametrize("shape", SHAPES[:3], ids=str)
def test_bias_and_activation(target, activation, shape):
    functions = {
        "linear": lambda v: v,
        "relu": lambda v: np.maximum(v, 0),
        "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
        "tanh": np.tanh,
        "elu": lambda v: np.where(v > 0, v, np.expm1(v)),
    }
    x, w, _, attrs = operands(shape, WINDOW, "same", "float32")
    w /= np.sqrt(np.float32(w[..., 0].size))
    bias = draw(w.shape[3:], seed=4)
    got = run_winograd("conv2d", [x, w, bias], activation=activation, **attrs)
    want = functions[activation](ref.conv(x, w, **attrs) + bias)
    np.testing.assert_allclose(got, want, rtol=TOLERANCE, atol=TOLERANCE)


def test_agrees_with_the_direct_kernels(target):
    """The same sums in float64 are the direct kernels'."""
    x, w, dy, attrs = operands(FILTER_SHAPES[1], WINDOW, "same", "float32")
    for op, arrays, more in [
        ("conv2d", [x, w], {}),
        ("conv2d_input_grad", [dy, w, np.array(x.shape)], {}),
        ("conv2d_filter_grad", [x, dy], {"kernel": (3, 3)}),
    ]:
        double = [a.astype("float64") if a.dtype.kind == "f" else a for a in arrays]
        assert "winograd" not in plan_of(op, double, **attrs, **more)
        assert_near(run_winograd(op, arrays, **attrs, **more), run_op(op, double, **attrs, **more)[0])


def test_kept_packings_give_the_same_bits(target):
    x, w, dy, attrs = operands(SHAPES[1], WINDOW, "valid", "float32")
    for op, data, more in (("conv2d", x, []), ("conv2d_input_grad", dy, [G.constant(np.array(x.shape))])):
        p = as_placeholder(data)
        f = G.Function([p], [G.apply(op, [p, G.constant(w), *more], **attrs)])
        first = f([data])[0]  # packed for this run
        for _ in range(2):  # and kept
            np.testing.assert_array_equal(first, f([data])[0])


def test_batches_of_any_size_share_a_function(target):
    """One image goes by the direct kernels and many by Winograd, each with its own packing of the weights."""
    x, w, _, attrs = operands((40, 8, 8, 16, 24, (3, 3)), WINDOW, "same", "float32")
    p = G.placeholder((None, *x.shape[1:]), "float32")
    f = G.Function([p], [G.apply("conv2d", [p, G.constant(w)], **attrs)])
    want = ref.conv(x, w, **attrs)
    for _ in range(3):
        for n in (1, 40, 7):
            assert_near(f([x[:n]])[0], want[:n])


def test_bits_do_not_depend_on_threads(target, threads):
    x, w, dy, attrs = operands(FILTER_SHAPES[1], WINDOW, "same", "float32")
    results = []
    for n in (1, 2, 5):
        threads(n)
        results.append([
            run_winograd("conv2d", [x, w], **attrs),
            run_winograd("conv2d_input_grad", [dy, w, np.array(x.shape)], **attrs),
            run_winograd("conv2d_filter_grad", [x, dy], kernel=(3, 3), **attrs),
        ])  # fmt: skip
    for other in results[1:]:
        for a, b in zip(results[0], other):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "shape, more",
    [
        ((9, 9, 9, 32, 32, (3, 2)), {}),
        ((9, 9, 9, 32, 32, (5, 5)), {}),
        ((9, 19, 19, 32, 32, (3, 3)), {"strides": (2, 2)}),
        ((9, 19, 19, 32, 32, (3, 3)), {"dilation": (1, 2)}),
        ((9, 19, 19, 3, 32, (3, 3)), {}),  # too few channels
        ((1, 8, 8, 32, 32, (3, 3)), {}),  # too few tiles
        ((99, 5, 5, 32, 32, (3, 3)), {}),  # tiles that are mostly cut off
    ],
)
def test_what_is_left_to_the_direct_kernels(target, shape, more):
    x, w, _, attrs = operands(shape, (more.get("strides", (1, 1)), more.get("dilation", (1, 1))), "same", "float32")
    assert "winograd" not in plan_of("conv2d", [x, w], **attrs)
