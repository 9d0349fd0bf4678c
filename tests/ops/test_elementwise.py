"""Elementwise ops, casts, fused programs and many groups of tensors."""

import numpy as np
import pytest
import reference_elementwise as reference
from checks import check_gradients, run_op
from hornbeam import _core
from hornbeam import graph as G
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_elementwise import BINARY, UNARY

BOOLEAN = {
    "logical_not", "is_nan", "is_inf", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
    "logical_and", "logical_or",
}  # fmt: skip
# Correctly rounded, or a choice between values: equal to NumPy in every bit.
EXACT = BOOLEAN | {
    "neg", "abs", "sign", "square", "sqrt", "reciprocal", "relu", "floor", "ceil", "round", "add", "sub", "mul", "div",
    "floor_div", "mod", "maximum", "minimum", "relu_grad", "hard_sigmoid",
}  # fmt: skip
FLOATS = ["float32", "float64"]
SHAPES = [(), (1,), (0,), (3, 0, 2), (7,), (16,), (33,), (2, 3), (17, 31), (513,), (16385,)]
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 0.1, 7.0, np.inf, -np.inf, np.nan]


def values(shape, dtype, seed=0):
    return np.random.RandomState(seed).uniform(-4, 4, shape).astype(dtype)


def assert_like_numpy(op, got, want, dtype):
    assert got.dtype == ("bool" if op in BOOLEAN else dtype) and got.shape == want.shape
    if op in EXACT:
        np.testing.assert_array_equal(got, want)
    else:
        np.testing.assert_allclose(got, want, rtol=8 * np.finfo(dtype).eps, atol=0)


# ---- values --------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("op", UNARY)
def test_unary(target, op, dtype):
    x = np.concatenate([values(1003, dtype), np.array(SPECIAL, dtype)])
    with np.errstate(all="ignore"):
        wide = x if op in EXACT else x.astype("float64" if dtype == "float32" else "longdouble")
        want = UNARY[op](x if op == "erf" else wide).astype("bool" if op in BOOLEAN else dtype)
    assert_like_numpy(op, run_op(op, [x])[0], want, dtype)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("op", BINARY)
def test_binary(target, op, dtype):
    special = np.array(SPECIAL, dtype)
    a = np.concatenate([values(1003, dtype), np.repeat(special, len(special))])
    b = np.concatenate([values(1003, dtype, seed=1), np.tile(special, len(special))])
    with np.errstate(all="ignore"):
        want = BINARY[op](a, b) if op in EXACT else BINARY[op](a.astype("float64"), b.astype("float64"))
    assert_like_numpy(op, run_op(op, [a, b])[0], want.astype("bool" if op in BOOLEAN else dtype), dtype)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("op", ["add", "exp", "less"])
def test_shapes(target, shape, op):
    a, b = values(shape, "float32"), values(shape, "float32", seed=1)
    arrays = [a, b][: 1 if op in UNARY else 2]
    want = (UNARY | BINARY)[op](*arrays)
    got = run_op(op, arrays)[0]
    assert got.shape == shape
    np.testing.assert_allclose(got, want, rtol=1e-6)


@pytest.mark.parametrize("alpha", [1.0, 0.3])
def test_elu_alpha(target, alpha):
    x = values(100, "float64")
    np.testing.assert_allclose(run_op("elu", [x], alpha=alpha)[0], reference.elu(x, alpha), rtol=1e-15)


@pytest.mark.parametrize("dtype", ["int32", "int64", "int8", "uint8", "int16", "uint16"])
@pytest.mark.parametrize("op", [op for op in BINARY if op not in ("div", "pow")])
def test_integers(target, op, dtype):
    info = np.iinfo(dtype)
    edge = np.array([info.min, info.max, 0, 1, 2, 3, 7] + ([-1, -2, -7] if info.min else []), dtype)
    rng = np.random.RandomState(0)
    a = np.concatenate([np.repeat(edge, len(edge)), rng.randint(info.min, info.max, 200, dtype=dtype)])
    b = np.concatenate([np.tile(edge, len(edge)), rng.randint(max(info.min, -9), 9, 200).astype(dtype)])
    with np.errstate(all="ignore"):
        want = BINARY[op](a, b)
    got = run_op(op, [a, b])[0]
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)  # division by zero gives 0 in both


@pytest.mark.parametrize("dtype", ["int32", "int64", "int8"])
@pytest.mark.parametrize("op", ["neg", "abs", "sign", "square", "relu", "floor", "round", "logical_not", "is_nan"])
def test_unary_integers(target, op, dtype):
    info = np.iinfo(dtype)
    x = np.concatenate([[info.min, info.max], np.arange(-50, 50)]).astype(dtype)
    want = UNARY[op](x)
    got = run_op(op, [x])[0]
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_integer_power_and_true_division(target, dtype):
    a = np.repeat(np.arange(-5, 6), 7).astype(dtype)
    b = np.tile(np.arange(7), 11).astype(dtype)
    np.testing.assert_array_equal(run_op("pow", [a, b])[0], a**b)
    got = run_op("pow", [np.array([1, -1, -1, 2, 0] * 20, dtype), np.array([-3, -3, -2, -1, -1] * 20, dtype)])[0]
    assert got[:5].tolist() == [1, -1, 1, 0, 0]
    quotient = run_op("div", [a, b])[0]
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(quotient, a / b)
    assert quotient.dtype == "float64"


def test_logical_not(target):
    a = np.array([False, False, True, True] * 20)
    np.testing.assert_array_equal(run_op("logical_not", [a])[0], ~a)


@pytest.mark.parametrize("op", ["logical_and", "logical_or", "equal", "not_equal", "maximum"])
def test_two_bools(op):
    a, b = np.array([False, False, True, True] * 20), np.array([False, True] * 40)
    np.testing.assert_array_equal(run_op(op, [a, b])[0], BINARY[op](a, b))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int32", "int64", "uint8", "bool"])
def test_select(target, dtype):
    rng = np.random.RandomState(0)
    condition = rng.rand(40, 50) < 0.5
    a, b = rng.randint(0, 2, (40, 50)).astype(dtype), rng.randint(0, 2, (50,)).astype(dtype)
    got = run_op("select", [condition, a, b])[0]
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, np.where(condition, a, b))


def test_select_never_computes_with_the_other_branch(target):
    got = run_op("select", [np.array([True, False]), np.array([1.0, np.nan]), np.array([np.inf, 2.0])])[0]
    assert got.tolist() == [1.0, 2.0]


# ---- float16 is a storage type: computed in float32, rounded once ----------------------------------
@pytest.mark.parametrize("op", ["add", "mul", "div", "exp", "tanh"])
def test_float16(target, op):
    a, b = values(777, "float16"), values(777, "float16", seed=1)
    arrays = [a, b] if op in BINARY else [a]
    want = (UNARY | BINARY)[op](*[x.astype("float32") for x in arrays]).astype("float16")
    got = run_op(op, arrays)[0]
    assert got.dtype == "float16"
    if op in EXACT:
        np.testing.assert_array_equal(got, want)
    else:  # float32's last bit may decide a tie
        np.testing.assert_allclose(got.astype("float32"), want.astype("float32"), rtol=2**-10)


def test_every_float16_comes_back(target):
    x = np.arange(65536, dtype=np.uint16).view("float16")
    wide = run_op("cast", [x], dtype="float32")[0]
    with np.errstate(invalid="ignore"):  # NumPy on AArch64 warns of signaling NaNs
        np.testing.assert_array_equal(wide, x.astype("float32"))
    np.testing.assert_array_equal(run_op("cast", [wide], dtype="float16")[0], x)


def test_float16_rounds_to_nearest_even(target):
    halves = np.arange(0x7C00, dtype=np.uint16).view("float16").astype("float32")
    middle = (halves[:-1] + halves[1:]) / 2
    x = np.concatenate(
        [middle, np.nextafter(middle, 0), np.nextafter(middle, np.float32(1e9)), [65519.9, 65520, 1e9, -1e9]]
    )
    x = x.astype("float32")
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(run_op("cast", [x], dtype="float16")[0], x.astype("float16"))


# ---- cast ----------------------------------------------------------------------------------------
DTYPES = ["bool", "uint8", "int8", "uint16", "int16", "int32", "int64", "float16", "float32", "float64"]


@pytest.mark.parametrize("to", DTYPES)
@pytest.mark.parametrize("source", DTYPES)
def test_cast(target, source, to):
    if source in ("bool",):
        x = np.arange(600) % 3 == 0
    elif source.startswith("float"):
        x = np.linspace(0 if to.startswith("u") else -120, 120, 601).astype(source)
    else:
        info = np.iinfo(source)
        x = np.concatenate([[info.min, info.max, 0], np.arange(-300, 300)]).astype(source)
    got = run_op("cast", [x], dtype=to)[0]
    assert got.dtype == to
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(got, x.astype(to))


def test_cast_truncates(target):
    x = np.array([1.9, -1.9, 0.5, -0.5, 2.0**40, -(2.0**40)] * 20)
    np.testing.assert_array_equal(run_op("cast", [x], dtype="int64")[0], np.trunc(x).astype("int64"))
    np.testing.assert_array_equal(
        run_op("cast", [np.array([np.nan, 0.0, -0.0, 0.1])], dtype="bool")[0], [True, False, False, True]
    )


# ---- broadcasting --------------------------------------------------------------------------------
@st.composite
def broadcast_shapes(draw, count):
    shape = draw(st.lists(st.sampled_from([0, 1, 2, 3, 5, 17, 40]), max_size=4))
    shapes = []
    for _ in range(count):
        rank = draw(st.integers(0, len(shape)))
        shapes.append(tuple(draw(st.sampled_from([n, 1])) for n in shape[len(shape) - rank :]))
    return shapes


@settings(max_examples=60, deadline=None)
@given(
    broadcast_shapes(3),
    st.sampled_from(_core.available_isas()),
    st.sampled_from(["float32", "float64", "int32", "uint8"]),
)
def test_broadcasting(shapes, isa, dtype):
    before = _core.isa()
    _core.set_isa(isa)
    try:
        rng = np.random.RandomState(0)
        a, b, c = (rng.randint(0, 90, s).astype(dtype) for s in shapes)
        got = run_op("add", [a, b])[0]
        want = a + b
        assert got.shape == want.shape and got.dtype == dtype
        np.testing.assert_array_equal(got, want)
        np.testing.assert_array_equal(run_op("less", [a, b])[0], a < b)
        np.testing.assert_array_equal(run_op("select", [a > 40, b, c])[0], np.where(a > 40, b, c))
    finally:
        _core.set_isa(before)


@pytest.mark.parametrize(
    "shape, other",
    [((700, 3), (3,)), ((700, 3), (700, 1)), ((40, 513), (513,)), ((5, 7000), (7000,)), ((300, 300), (300, 1)),
     ((9, 1, 300), (40, 1)), ((4, 50, 1, 90), (50, 3, 1)), ((20000,), (1, 1))],
)  # fmt: skip
def test_large_broadcasts(target, shape, other):
    a, b = values(shape, "float32"), values(other, "float32", seed=1)
    np.testing.assert_array_equal(run_op("sub", [a, b])[0], a - b)
    np.testing.assert_array_equal(run_op("sub", [b, a])[0], b - a)


# ---- programs ------------------------------------------------------------------------------------
INSTRUCTIONS = _core.elementwise_instructions()
OPCODE = {name: i for i, (name, _) in enumerate(INSTRUCTIONS)}
NUMBER = {name: i for i, name in enumerate(_core.dtype_names())}


def run_program(arrays, steps, outputs, dtype="float32", constants=(), out_dtypes=None):
    """``steps`` are (name, value numbers...); inputs come first, then constants, then results."""
    code = [n for name, *operands in steps for n in (OPCODE[name], *operands)]
    out_dtypes = [NUMBER[t] for t in out_dtypes or [dtype] * len(outputs)]
    return run_op(
        "fused", arrays, code=code, constants=list(constants), outputs=outputs, out_dtypes=out_dtypes, dtype=dtype
    )


@st.composite
def programs(draw):
    shapes = draw(broadcast_shapes(3))
    constants = draw(st.lists(st.sampled_from([0.0, 1.5, -2.0]), min_size=1, max_size=2))
    steps = []
    for i in range(draw(st.integers(1, 12))):
        name, arity = draw(st.sampled_from([s for s in INSTRUCTIONS if s[0] != "elu"]))
        steps.append((name, *(draw(st.integers(0, 3 + len(constants) + i - 1)) for _ in range(arity))))
    values = st.integers(0, 3 + len(constants) + len(steps) - 1)
    return shapes, constants, steps, draw(st.lists(values, min_size=1, max_size=4))


@settings(max_examples=80, deadline=None)
@given(programs(), st.sampled_from(_core.available_isas()))
def test_fusing_changes_no_bit(program, isa):
    shapes, constants, steps, outputs = program
    before = _core.isa()
    _core.set_isa(isa)
    try:
        rng = np.random.RandomState(0)
        arrays = [rng.uniform(-3, 3, s).astype("float32") for s in shapes]
        known = arrays + [np.float32(c) for c in constants]
        for name, *operands in steps:
            x = [known[k] for k in operands]
            if name == "select":
                x[0] = x[0] != 0
            known.append(run_op(name, x)[0].astype("float32"))  # truth is 1 or 0 inside a program
        for got, k in zip(run_program(arrays, steps, outputs, constants=constants), outputs):
            assert got.shape == np.shape(known[k])
            np.testing.assert_array_equal(got, known[k])
    finally:
        _core.set_isa(before)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("second", ["add", "sub", "mul", "div"])
@pytest.mark.parametrize("first", ["add", "sub", "mul", "div"])
def test_joined_steps_round_each_by_itself(target, first, second, dtype):
    a, b, c, d = (values(300, dtype, seed) for seed in range(4))
    f, g = BINARY[first], BINARY[second]
    left = run_program([a, b, c], [(first, 0, 1), (second, 3, 2)], [4], dtype)[0]
    np.testing.assert_array_equal(left, g(f(a, b), c))
    right = run_program([a, b, c], [(first, 0, 1), (second, 2, 3)], [4], dtype)[0]
    np.testing.assert_array_equal(right, g(c, f(a, b)))
    both = run_program([a, b, c, d], [(first, 0, 1), (first, 2, 3), (second, 4, 5)], [6], dtype)[0]
    np.testing.assert_array_equal(both, g(f(a, b), f(c, d)))
    twice = run_program([a, b], [(first, 0, 1), (second, 2, 2)], [3, 2], dtype)
    np.testing.assert_array_equal(twice[0], g(f(a, b), f(a, b)))
    np.testing.assert_array_equal(twice[1], f(a, b))


def test_program_of_other_dtypes(target):
    rng = np.random.RandomState(0)
    flags, counts, wide = rng.rand(90, 7) < 0.5, rng.randint(-9, 9, (7,)), rng.rand(90, 1)
    arrays = [flags, counts.astype("int64").reshape(1, 7), wide]
    steps = [("mul", 0, 1), ("add", 4, 2), ("greater", 5, 3), ("select", 6, 5, 1)]
    got = run_program(arrays, steps, [6, 7, 4], "float64", [0.5], ["bool", "float32", "int32"])
    total = flags * counts + wide
    np.testing.assert_array_equal(got[0], total > 0.5)
    np.testing.assert_array_equal(got[1], np.where(total > 0.5, total, counts).astype("float32"))
    np.testing.assert_array_equal(got[2], flags * counts)


def test_long_program(target):
    x = values(5000, "float64")
    steps = [("add", 0, 1)] + [
        ("add", 2 + i, 1) for i in range(99)
    ]  # nothing can be shared: each result is an output of the next
    got = run_program([x], steps, [101, 60, 2], "float64", [0.25])
    for g, n in zip(got, (100, 59, 1)):
        want = x.copy()
        for _ in range(n):
            want = want + 0.25
        np.testing.assert_array_equal(g, want)


def test_many_live_values(target):
    x = values(3001, "float64")
    steps = [("add", i, 1) for i in [0] + list(range(2, 61))]  # 60 results, all of them read at the end
    total = [("add", 2, 3)] + [("add", 62 + i, 4 + i) for i in range(58)]
    results = [x + 0.25]
    for _ in range(59):
        results.append(results[-1] + 0.25)
    want = results[0] + results[1]
    for r in results[2:]:
        want = want + r
    np.testing.assert_array_equal(
        run_program([x], steps + total, [2 + len(steps + total) - 1], "float64", [0.25])[0], want
    )


def test_same_bits_on_any_number_of_threads(threads):
    a, b = values((300, 300), "float32"), values((300, 1), "float32")
    results = []
    for n in (1, 2, 3):
        threads(n)
        results.append(run_program([a, b], [("tanh", 0), ("mul", 2, 1), ("exp", 3)], [4, 2]))
    for other in results[1:]:
        for first, second in zip(results[0], other):
            np.testing.assert_array_equal(first, second)


# ---- many groups ---------------------------------------------------------------------------------
def test_fused_multi_is_a_step_of_momentum(target):
    sizes = [(1,), (3,), (17, 31), (), (40000,), (2, 0), (64,), (5,)]
    rng = np.random.RandomState(0)
    p, m, g = ([rng.uniform(-1, 1, s).astype("float32") for s in sizes] for _ in range(3))
    rate, decay = np.float32(0.1), np.float32(0.9)
    steps = [("sub", 5, 1), ("mul", 1, 3), ("mul", 6, 4), ("add", 7, 8), ("mul", 0, 9), ("sub", 2, 10)]
    arrays = [rate, decay] + [x for group in zip(p, m, g) for x in group]
    got = run_op(
        "fused_multi", arrays, code=[n for name, *k in steps for n in (OPCODE[name], *k)], constants=[1.0],
        outputs=[11, 9], out_dtypes=[NUMBER["float32"]] * 2, dtype="float32", n_shared=2, n_groups=len(sizes),
    )  # fmt: skip
    for i in range(len(sizes)):
        moment = decay * m[i] + (np.float32(1) - decay) * g[i]
        np.testing.assert_array_equal(got[2 * i + 1], moment)
        np.testing.assert_array_equal(got[2 * i], p[i] - rate * moment)


@pytest.mark.parametrize("rows, row", [(5, (4,)), (3, ()), (2000, (33,)), (700, (2, 300)), (4, (0,)), (0, (3,))])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fused_rows(target, dtype, rows, row):
    """Two outputs of an input of which some rows are there; places outside the sums are zero rows, too."""
    rng = np.random.RandomState(0)
    sums = rng.uniform(-1, 1, (rows // 3 + 1, *row)).astype(dtype)
    places = rng.randint(-2, len(sums) + 1, rows).astype("int32")
    m = rng.uniform(-1, 1, (rows, *row)).astype(dtype)
    inside = (places >= 0) & (places < len(sums))
    g = np.zeros_like(m)
    g[inside] = sums[places[inside]]
    steps = [("mul", 0, 0), ("add", 1, 3), ("sub", 4, 2)]
    got = run_op(
        "fused_rows", [sums, places, m, np.asarray(0.5, dtype)], code=[n for name, *k in steps for n in (OPCODE[name], *k)],
        outputs=[4, 5], out_dtypes=[NUMBER[dtype]] * 2, dtype=dtype,
    )  # fmt: skip
    np.testing.assert_array_equal(got[0], m + g * g)
    np.testing.assert_array_equal(got[1], m + g * g - np.asarray(0.5, dtype))


def test_updates_in_place(target):
    """An optimizer's formula over variables: every new value is written over the old one."""
    rng = np.random.RandomState(0)
    start = [rng.uniform(-1, 1, s).astype("float32") for s in [(33, 65), (65,), (5000,), (1,)]]
    weights, moments = [G.Variable(v) for v in start], [G.Variable(np.zeros_like(v)) for v in start]
    x = G.placeholder((), "float32")
    updates = []
    for w, m in zip(weights, moments):
        new = m * 0.9 + (w * x) * 0.1
        updates += [(m, new), (w, w - new / (apply_sqrt(new) + 1e-3))]
    step = G.Function([x], [], updates)
    w, m = [v.copy() for v in start], [np.zeros_like(v) for v in start]
    for value in (0.5, -0.25):
        step([np.float32(value)])
        for i in range(len(start)):
            m[i] = m[i] * np.float32(0.9) + (w[i] * np.float32(value)) * np.float32(0.1)
            w[i] = w[i] - m[i] / (np.sqrt(np.square(m[i])) + np.float32(1e-3))
    for variable, want in zip(weights + moments, w + m):
        np.testing.assert_array_equal(variable.get_value(), want)


def apply_sqrt(x):
    return G.apply("sqrt", [G.apply("square", [x])])


# ---- shape rules ---------------------------------------------------------------------------------
def test_unknown_dims():
    a, b = G.placeholder((None, 1, 3)), G.placeholder((4, None))
    assert (a + b).shape == (None, 4, 3)
    assert (a < b).dtype == "bool"


@pytest.mark.parametrize(
    "formula, want",
    [
        (lambda n: n + 2, 9), (lambda n: 2 - n, -5), (lambda n: n * n, 49), (lambda n: n // 2, 3),
        (lambda n: -n // 2, -4), (lambda n: -n % 4, 1), (lambda n: n // 0, 0), (lambda n: G.apply("maximum", [n, 9]), 9),
        (lambda n: G.apply("minimum", [n, 2]), 2), (lambda n: G.cast(n, "int64"), 7), (lambda n: G.cast(n * 100, "int8"), -68),
    ],
)  # fmt: skip
def test_known_integers_are_computed_early(formula, want):
    result = formula(G.constant(7, "int32"))
    assert result.ints == (want,)
    np.testing.assert_array_equal(G.Function([], [result])([])[0], want)


def test_partly_known_integers():
    x = G.placeholder((None, 5))
    doubled = G.shape_of(x) * 2
    assert doubled.ints is not None
    assert doubled.ints[1] == 10 and (doubled.ints[0] is None or doubled.ints[0] < 0)


def test_errors():
    with pytest.raises(ValueError, match=r"add.*\(2, 3\).*\(2, 4\)"):
        run_op("add", [np.zeros((2, 3)), np.zeros((2, 4))])
    with pytest.raises(TypeError, match="add"):
        run_op("add", [np.zeros((2, 3), "float32"), np.zeros((2, 3), "float64")])
    with pytest.raises(TypeError, match="exp"):
        run_op("exp", [np.zeros((2, 3), "int32")])
    with pytest.raises(TypeError, match=r"select.*bool"):
        run_op("select", [np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((2, 3))])
    with pytest.raises(ValueError, match=r"fused.*value 7"):
        run_program([np.zeros(100, "float32")], [("add", 0, 7)], [1])
    with pytest.raises(ValueError, match=r"fused.*inside an instruction"):
        run_op(
            "fused", [np.zeros(100, "float32")], code=[OPCODE["add"], 0], outputs=[0], out_dtypes=[NUMBER["float32"]]
        )
    with pytest.raises(ValueError, match=r"fused_multi.*group 1"):
        run_op("fused_multi", [np.zeros(s, "float32") for s in (3, 3, 4, 5)], code=[OPCODE["add"], 0, 1], outputs=[2],
               out_dtypes=[NUMBER["float32"]], n_groups=2)  # fmt: skip


# ---- gradients -----------------------------------------------------------------------------------
SMOOTH = [op for op in UNARY if op not in BOOLEAN | {"sign", "floor", "ceil", "round"}]


def away_from_kinks(shape, seed=0, positive=False):
    """Numbers that keep a distance from 0 and from hard_sigmoid's ends."""
    x = np.random.RandomState(seed).uniform(0.2, 2.2, shape)
    return x if positive else x * np.where(np.arange(x.size).reshape(shape) % 2, 1, -1)


@pytest.mark.parametrize("op", SMOOTH)
def test_unary_gradient(op):
    positive = op in ("sqrt", "rsqrt", "log", "log1p", "reciprocal")
    check_gradients(lambda x: G.apply(op, [x]), [away_from_kinks((3, 4), positive=positive)])
    if op == "elu":
        check_gradients(lambda x: G.apply(op, [x], alpha=0.4), [away_from_kinks((3, 4))])


@pytest.mark.parametrize("op", ["add", "sub", "mul", "div", "pow", "mod", "maximum", "minimum"])
@pytest.mark.parametrize("shapes", [((3, 4), (3, 4)), ((3, 4), (4,)), ((2, 1), (5, 1, 3)), ((), (3,))])
def test_binary_gradient(op, shapes):
    a, b = away_from_kinks(shapes[0], 1, positive=True), away_from_kinks(shapes[1], 2, positive=True)
    check_gradients(lambda x, y: G.apply(op, [x, y]), [a, b])


@pytest.mark.parametrize(
    "op", ["exp", "tanh", "sigmoid", "relu", "elu", "square", "sqrt", "softplus", "softsign", "erf"]
)
def test_second_derivative(op):
    def first(x):
        return G.gradients(G.apply("square", [G.apply(op, [x])]), x)[0]

    check_gradients(first, [away_from_kinks((7,), positive=op == "sqrt")], rtol=1e-4)


def test_select_and_relu_grad_gradients():
    condition = G.constant(np.arange(12).reshape(3, 4) % 3 == 0)
    check_gradients(
        lambda a, b: G.apply("select", [condition, a, b]), [away_from_kinks((3, 4)), away_from_kinks((4,), 1)]
    )
    y = G.constant(away_from_kinks((3, 4), 3))
    check_gradients(lambda dy: G.apply("relu_grad", [dy, y]), [away_from_kinks((3, 4))])


def gradient_at(build, *arrays):
    inputs = [G.placeholder(a.shape, a.dtype.name) for a in arrays]
    return G.Function(inputs, G.gradients(build(*inputs), inputs))(list(arrays))


def test_first_argument_takes_the_gradient_of_a_tie():
    a, b = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0])
    da, db = gradient_at(lambda x, y: G.apply("maximum", [x, y]), a, b)
    assert da.tolist() == [0, 1, 1] and db.tolist() == [1, 0, 0]
    da, db = gradient_at(lambda x, y: G.apply("minimum", [x, y]), a, b)
    assert da.tolist() == [1, 1, 0] and db.tolist() == [0, 0, 1]


def test_gradient_of_pow_at_zero():
    da, db = gradient_at(lambda x, y: G.apply("pow", [x, y]), np.zeros(4), np.array([0.0, 1.0, 2.0, 0.5]))
    assert da.tolist() == [0, 1, 0, np.inf] and db.tolist() == [0, 0, 0, 0]


def test_gradient_is_masked_by_selection():
    build = lambda x: G.apply("select", [x > 0.0, G.apply("log", [x]), x])  # noqa: E731
    assert gradient_at(build, np.array([-1.0, 0.5]))[0].tolist() == [1, 2]
    assert gradient_at(lambda x: G.apply("relu", [x]), np.array([-1.0, 0.0, 2.0]))[0].tolist() == [0, 0, 1]


def test_not_differentiable():
    x = G.placeholder((3,))
    assert G.gradients(G.cast(x, "int32"), x) == [None]
    doubled = G.gradients(G.cast(x, "float64"), x)[0]
    assert doubled.dtype == "float32"


@pytest.mark.parametrize("op", ["sign", "floor", "ceil", "round"])
def test_steps_have_no_gradient(op):
    x = G.placeholder((3,))
    assert G.gradients(G.apply(op, [x]), x) == [None]
