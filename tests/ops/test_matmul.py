import numpy as np
import pytest
from checks import check_gradients, run_op
from hornbeam import graph as G
from reference_matmul import ACTIVATIONS, matmul

TRANSPOSES = [(False, False), (True, False), (False, True), (True, True)]


def draw(shape, dtype="float32", seed=0):
    return np.random.RandomState(seed).uniform(-1, 1, shape).astype(dtype)


def operands(m, n, k, transposes=(False, False), dtype="float32", batch_a=(), batch_b=()):
    turn_a, turn_b = transposes
    a = draw((*batch_a, *((k, m) if turn_a else (m, k))), dtype, 1)
    b = draw((*batch_b, *((n, k) if turn_b else (k, n))), dtype, 2)
    return a, b, {"transpose_a": turn_a, "transpose_b": turn_b}


def assert_product(got, a, b, bias=None, **attrs):
    """Every element within k roundings of the sum of absolute products: the bound of any order of summation."""
    want = matmul(a, b, bias, **attrs)
    turned = {name: attrs[name] for name in ("transpose_a", "transpose_b") if name in attrs}
    size = matmul(np.abs(a), np.abs(b), None if bias is None else np.abs(bias), **turned)
    k = a.shape[-2 if attrs.get("transpose_a") else -1]
    # selu's slope, below 1.8, is the steepest of the activations used here; the rest is their own rounding.
    bound = np.finfo(a.dtype).eps * (2 * (k + 2) * size + 8 * (1 + np.abs(want)))
    assert got.dtype == a.dtype
    assert got.shape == want.shape
    error = np.abs(got.astype("float64") - want)
    assert not np.any(~(error <= bound)), f"worst {np.max(error / bound):.3g} of the bound"


def run_with_weights(a, b, bias=None, **attrs):
    """The product with b, and the bias, as constants: what a prediction runs."""
    x = G.placeholder(a.shape, a.dtype.name)
    inputs = [x, G.constant(b)] + ([] if bias is None else [G.constant(bias)])
    f = G.Function([x], [G.apply("matmul", inputs, **attrs)])
    first = f([a])[0]
    np.testing.assert_array_equal(first, f([a])[0])  # once packed and once kept
    return first, f


# Below, at and above register tiles, packing depth and blocks, of every instruction set.
SIZES = [
    (1, 1, 1), (4, 3, 8), (1, 17, 300), (2, 100, 31), (3, 64, 129), (5, 5, 5), (6, 16, 16), (7, 33, 65), (13, 32, 256),
    (14, 31, 257), (15, 48, 512), (29, 65, 100), (32, 512, 70), (33, 40, 513), (64, 200, 130), (169, 97, 40),
    (170, 130, 260), (337, 70, 9), (9, 9, 5000), (40, 33, 3000), (100, 600, 33),
    (1, 3001, 130), (4, 1500, 301), (2, 33, 4000), (700, 20, 64),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("transposes", TRANSPOSES)
def test_values(target, transposes, dtype):
    for m, n, k in SIZES:
        a, b, attrs = operands(m, n, k, transposes, dtype)
        assert_product(run_op("matmul", [a, b], **attrs)[0], a, b, **attrs)
        assert_product(run_with_weights(a, b, **attrs)[0], a, b, **attrs)


@pytest.mark.parametrize("transposes", TRANSPOSES, ids=str)
def test_rows_a_power_of_two_apart(target, transposes):
    for m, n, k in [(48, 96, 512), (512, 96, 48), (16, 512, 512), (200, 512, 64)]:
        a, b, attrs = operands(m, n, k, transposes)
        assert_product(run_op("matmul", [a, b], **attrs)[0], a, b, **attrs)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_bias_and_activation(target, activation):
    for m, n, k in [(3, 5, 4), (32, 70, 40), (20, 40, 3000), (300, 40, 30), (8, 200, 100)]:
        for transposes in TRANSPOSES:
            a, b, attrs = operands(m, n, k, transposes)
            a /= np.sqrt(np.float32(k))
            bias = draw((n,), seed=3)
            attrs["activation"] = activation
            assert_product(run_op("matmul", [a, b, bias], **attrs)[0], a, b, bias, **attrs)
            assert_product(run_with_weights(a, b, bias, **attrs)[0], a, b, bias, **attrs)
    a, b, _ = operands(6, 7, 8)
    assert_product(run_op("matmul", [a, b, None], activation=activation)[0], a, b, activation=activation)


@pytest.mark.parametrize("transposes", TRANSPOSES)
@pytest.mark.parametrize(
    "batch_a, batch_b",
    [
        ((3,), (3,)),
        ((3,), ()),
        ((), (3,)),
        ((2, 1), (3,)),
        ((4, 3), (1, 3)),
        ((2, 3), ()),
        ((1,), (1,)),
        ((1, 1), (5,)),
    ],
)
@pytest.mark.parametrize("m, n, k", [(5, 7, 9), (33, 40, 50), (180, 70, 33)])
def test_batch_dims_broadcast(target, batch_a, batch_b, transposes, m, n, k):
    a, b, attrs = operands(m, n, k, transposes, batch_a=batch_a, batch_b=batch_b)
    bias = draw((n,), seed=3)
    assert_product(run_op("matmul", [a, b, bias], **attrs)[0], a, b, bias, **attrs)
    assert_product(run_with_weights(a, b, bias, **attrs)[0], a, b, bias, **attrs)


@pytest.mark.parametrize("m, n", [(1, 1), (5, 7), (300, 200)])
def test_empty_inner_dimension_gives_the_bias(target, m, n):
    a, b, bias = draw((m, 0)), draw((0, n)), draw((n,), seed=3)
    np.testing.assert_array_equal(run_op("matmul", [a, b])[0], np.zeros((m, n)))
    np.testing.assert_array_equal(run_op("matmul", [a, b, bias])[0], np.broadcast_to(bias, (m, n)))
    np.testing.assert_array_equal(
        run_op("matmul", [a, b, bias], activation="relu")[0], np.broadcast_to(np.maximum(bias, 0), (m, n))
    )


@pytest.mark.parametrize(
    "shape_a, shape_b", [((0, 4), (4, 3)), ((3, 4), (4, 0)), ((0, 3, 4), (4, 5)), ((2, 3, 4), (0, 4, 5))]
)
def test_empty_results(target, shape_a, shape_b):
    if shape_b[0] == 0 and len(shape_b) == 3:
        shape_a = (1, *shape_a[1:])
    got = run_op("matmul", [np.ones(shape_a, "float32"), np.ones(shape_b, "float32")])[0]
    assert got.shape == np.matmul(np.ones(shape_a), np.ones(shape_b)).shape


@pytest.mark.parametrize("m, n, k", [(3, 5, 7), (40, 50, 300), (300, 200, 100)])
def test_not_a_number_stays_in_its_row_and_column(target, m, n, k):
    a, b, _ = operands(m, n, k)
    a[1, k // 2] = np.nan
    b[k - 1, 2] = np.inf
    got = run_op("matmul", [a, b])[0]
    assert np.isnan(got[1]).all()
    keep = np.arange(m) != 1
    assert np.isinf(got[keep, 2]).all()
    rest = np.delete(got[keep], 2, axis=1)
    assert np.isfinite(rest).all()


@pytest.mark.parametrize(
    "m, n, k", [(32, 512, 784), (9, 9, 5000), (300, 300, 300), (1, 700, 3000), (3, 2000, 500), (33, 700, 256)]
)
@pytest.mark.parametrize("transposes", TRANSPOSES, ids=str)
def test_same_bits_for_any_number_of_threads(target, threads, m, n, k, transposes):
    a, b, attrs = operands(m, n, k, transposes)
    results = []
    for count in (1, 2, 5):
        threads(count)
        results.append(run_op("matmul", [a, b], **attrs)[0])
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


@pytest.mark.cpu_kernels(reason="kernels of other devices read weights as they are")
def test_weights_are_packed_once_for_all_batch_sizes():
    b = draw((256, 50), seed=2)
    x = G.placeholder((None, 256))
    f = G.Function([x], [G.apply("matmul", [x, G.constant(b)])])
    for m in (1, 7, 100):
        a = draw((m, 256), seed=m)
        assert_product(f([a])[0], a, b)
        plan = str(f.program().bind([(m, 256)]))
        assert "matmul" in plan and "packed once" in plan


def test_weights_that_change_are_packed_again():
    w = G.Variable(draw((64, 50), seed=2))
    x = G.placeholder((3, 64))
    f = G.Function([x], [G.apply("matmul", [x, w])])
    a = draw((3, 64))
    for seed in range(3):
        b = draw((64, 50), seed=seed)
        w.set_value(b)
        assert_product(f([a])[0], a, b)


@pytest.mark.parametrize("transposes", TRANSPOSES)
@pytest.mark.parametrize("batch_a, batch_b", [((), ()), ((2,), (2,)), ((2, 3), ()), ((), (3,)), ((2, 1), (3,))])
def test_gradients(transposes, batch_a, batch_b):
    a, b, attrs = operands(3, 4, 5, transposes, "float64", batch_a, batch_b)
    bias = draw((4,), "float64", 3)
    check_gradients(lambda a, b, bias: G.apply("matmul", [a, b, bias], **attrs), [a, b, bias])


@pytest.mark.parametrize("transposes", TRANSPOSES)
def test_second_derivatives(transposes):
    a, b, attrs = operands(2, 3, 4, transposes, "float64")
    dy = draw((2, 3), "float64", 3)

    def first(index, a, b, dy):
        return G.gradients([G.apply("matmul", [a, b], **attrs)], [a, b], [dy])[index]

    check_gradients(lambda b, dy: first(0, G.constant(a), b, dy), [b, dy])
    check_gradients(lambda a, dy: first(1, a, G.constant(b), dy), [a, dy])


@pytest.mark.parametrize("inner, columns", [(0, 4), (4, 0), (0, 0)])
def test_gradients_of_rows_without_numbers(inner, columns):
    a, b = G.placeholder((None, None, inner)), G.placeholder((inner, columns))
    feeds = [np.ones((2, 3, inner)), np.ones((inner, columns))]
    da, db = G.Function([a, b], G.gradients([G.apply("matmul", [a, b])], [a, b]))(feeds)
    np.testing.assert_array_equal(da, np.full((2, 3, inner), columns))
    np.testing.assert_array_equal(db, np.full((inner, columns), 6))


def test_unknown_dims():
    y = G.apply("matmul", [G.placeholder((None, None, 4)), G.placeholder((4, None))])
    assert y.shape == (None, None, None)
    y = G.apply("matmul", [G.placeholder((None, 3, 4)), G.placeholder((4, None)), G.placeholder((7,))])
    assert y.shape == (None, 3, 7)
    y = G.apply("matmul", [G.placeholder((5, 3)), G.placeholder((8, None))], transpose_a=True, transpose_b=True)
    assert y.shape == (3, 8)


@pytest.mark.parametrize(
    "shapes, error",
    [
        ([(3, 4), (5, 6)], r"\[matmul\] inner dimensions differ: a is \(3, 4\), b is \(5, 6\)"),
        ([(4,), (4, 6)], r"\[matmul\] a must have at least 2 dimensions"),
        ([(3, 4), (4,)], r"\[matmul\] b must have at least 2 dimensions"),
        ([(2, 3, 4), (3, 4, 6)], r"\[matmul\] .*broadcast"),
        ([(3, 4), (4, 6), (5,)], r"\[matmul\] .*bias"),
        ([(3, 4), (4, 6), (1, 6)], r"\[matmul\] bias must have 1 dimension"),
    ],
)
def test_shapes_that_do_not_fit(shapes, error):
    with pytest.raises(ValueError, match=error):
        G.apply("matmul", [G.placeholder(s) for s in shapes])


def test_transposed_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"a is \(3, 4\) transposed, b is \(4, 6\)"):
        G.apply("matmul", [G.placeholder((3, 4)), G.placeholder((4, 6))], transpose_a=True)


def test_types_that_do_not_fit():
    with pytest.raises(TypeError, match=r"\[matmul\]"):
        G.apply("matmul", [G.placeholder((3, 4)), G.placeholder((4, 5), "float64")])
    with pytest.raises(TypeError, match=r"\[matmul\]"):
        G.apply("matmul", [G.placeholder((3, 4), "int32"), G.placeholder((4, 5), "int32")])
