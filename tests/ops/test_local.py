import numpy as np
import pytest
from checks import check_gradients, run_op
from hornbeam import graph as G

# Image, window, strides, filters: tiles of every instruction set, more images than a tile, windows that leave
# cells between them or at the end.
CASES = [
    ((2, 5, 6, 3), (2, 3), (1, 1), 4), ((1, 7, 4, 1), (3, 2), (2, 1), 1), ((33, 4, 4, 5), (2, 2), (2, 2), 16),
    ((3, 1, 9, 8), (1, 4), (1, 2), 33), ((15, 5, 5, 17), (1, 1), (3, 2), 40), ((4, 6, 3, 2), (6, 3), (1, 1), 70),
    ((1, 3, 3, 120), (2, 3), (1, 1), 32),
]  # fmt: skip


def operands(case, dtype="float32"):
    x_shape, kernel, strides, filters = case
    rng = np.random.RandomState(0)
    places = [(n - k) // s + 1 for n, k, s in zip(x_shape[1:3], kernel, strides)]
    shapes = [
        x_shape,
        (places[0] * places[1], kernel[0] * kernel[1] * x_shape[3], filters),
        (x_shape[0], *places, filters),
    ]
    arrays = [rng.uniform(-1, 1, shape).astype(dtype) for shape in shapes]
    return *arrays, {"kernel": list(kernel), "strides": list(strides), "places": places}


def windows(attrs):
    """(place, cells of the image) for each place."""
    for place, (p, q) in enumerate(np.ndindex(*attrs["places"])):
        (down, right), (height, width) = attrs["strides"], attrs["kernel"]
        yield (p, q), place, np.s_[:, p * down : p * down + height, q * right : q * right + width]


def forward(x, w, attrs):
    y = np.zeros((len(x), *attrs["places"], w.shape[2]))
    for at, place, cells in windows(attrs):
        y[(slice(None), *at)] = x[cells].reshape(len(x), w.shape[1]).astype("float64") @ w[place]
    return y


def input_grad(dy, w, x_shape, attrs):
    dx = np.zeros(x_shape)
    for at, place, cells in windows(attrs):
        dx[cells] += (dy[(slice(None), *at)].astype("float64") @ w[place].T).reshape(dx[cells].shape)
    return dx


def filter_grad(x, dy, attrs):
    kernels = [
        x[cells].reshape(len(x), -1).T.astype("float64") @ dy[(slice(None), *at)] for at, _, cells in windows(attrs)
    ]
    return np.stack(kernels)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_values(target, dtype, case):
    x, w, dy, attrs = operands(case, dtype)
    terms = max(w.shape[1], len(x), w.shape[1] * w.shape[2] // x.shape[3])
    bound = np.finfo(dtype).eps * (terms + 2) * 2  # of sums of so many products that are at most 1

    def check(got, want):
        assert got.dtype == dtype and got.shape == want.shape
        assert not np.any(~(np.abs(got - want) <= bound * np.sqrt(terms)))

    check(run_op("local_conv2d", [x, w], **attrs)[0], forward(x, w, attrs))
    shape = np.array(x.shape)
    check(run_op("local_conv2d_input_grad", [dy, w, shape], **attrs)[0], input_grad(dy, w, x.shape, attrs))
    check(run_op("local_conv2d_filter_grad", [x, dy], **attrs)[0], filter_grad(x, dy, attrs))


@pytest.mark.parametrize("case", [((2, 4, 5, 2), (2, 3), (1, 2), 3), ((3, 1, 5, 2), (1, 2), (1, 1), 2)])
def test_gradients(case):
    x, w, dy, attrs = operands(case, "float64")
    check_gradients(lambda x, w: G.apply("local_conv2d", [x, w], **attrs), [x, w])
    shape = np.array(x.shape)
    check_gradients(lambda dy, w: G.apply("local_conv2d_input_grad", [dy, w, G.constant(shape)], **attrs), [dy, w])
    check_gradients(lambda x, dy: G.apply("local_conv2d_filter_grad", [x, dy], **attrs), [x, dy])


def test_same_bits_on_any_number_of_threads(threads):
    x, w, dy, attrs = operands(((20, 17, 18, 5), (3, 3), (1, 1), 20))
    results = []
    for n in (1, 2, 3):
        threads(n)
        results.append([
            run_op("local_conv2d", [x, w], **attrs)[0].tobytes(),
            run_op("local_conv2d_input_grad", [dy, w, np.array(x.shape)], **attrs)[0].tobytes(),
            run_op("local_conv2d_filter_grad", [x, dy], **attrs)[0].tobytes(),
        ])  # fmt: skip
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("empty", [0, 3, 2])
def test_empty(empty):
    """No images, no channels, no filters."""
    shape, filters = [2, 4, 4, 3], 5
    if empty == 2:
        filters = 0
    else:
        shape[empty] = 0
    x, w, dy, attrs = operands((tuple(shape), (2, 2), (1, 1), filters))
    np.testing.assert_array_equal(run_op("local_conv2d", [x, w], **attrs)[0], forward(x, w, attrs))
    dx = run_op("local_conv2d_input_grad", [dy, w, np.array(x.shape)], **attrs)[0]
    np.testing.assert_array_equal(dx, np.zeros(x.shape))
    dw = run_op("local_conv2d_filter_grad", [x, dy], **attrs)[0]
    np.testing.assert_array_equal(dw, np.zeros(w.shape))


def test_errors():
    x, w = G.placeholder((None, 5, 6, 3)), G.placeholder((20, 18, 4))
    good = {"kernel": [2, 3], "strides": [1, 1], "places": [4, 4]}
    with pytest.raises(ValueError, match=r"\[local_conv2d\] of w's kernels and the places|kernels and the places"):
        G.apply("local_conv2d", [x, w], **good)
    with pytest.raises(ValueError, match="do not fit images of shape"):
        G.apply("local_conv2d", [x, w], **{**good, "places": [4, 5]})
    with pytest.raises(ValueError, match="two positive integers"):
        G.apply("local_conv2d", [x, w], **{**good, "strides": [1, 0]})
    with pytest.raises(TypeError, match=r"\[local_conv2d\]"):
        G.apply("local_conv2d", [x, G.placeholder((16, 18, 4), "float64")], **good)
    with pytest.raises(ValueError, match=r"\[local_conv2d_input_grad\]"):
        G.apply("local_conv2d_input_grad", [G.placeholder((2, 4, 3, 4)), w, G.constant([2, 5, 6, 3])], **good)
