"""Choices, loops, arrays and assertions where tensors are eager, and in functions that are traced."""

import numpy as np
import pytest
from hornbeam import graph as G
from hornbeam.layers import Dense
from hornbeam.tf import NAMES
from hornbeam.tf.eager import GradientTape, function

pytestmark = pytest.mark.usefixtures("eager")


def both(f, *args):
    """What a function gives, step by step and traced."""
    return [f(*map(G.constant, args)), function(f)(*map(G.constant, args))]


def test_only_the_chosen_branch_is_called():
    called = []

    def branch(name, value):
        return lambda: called.append(name) or G.constant(value)

    x = G.constant(2.0)
    assert float(NAMES["cond"](x > 1, branch("a", 1.0), branch("b", 2.0))) == 1.0
    assert float(NAMES["switch_case"](G.constant(1), [branch("c", 1.0), branch("d", 2.0)])) == 2.0
    assert float(NAMES["switch_case"](G.constant(7), {0: branch("e", 1.0)}, default=branch("f", 3.0))) == 3.0
    assert called == ["a", "d", "f"]


@pytest.mark.parametrize("index, expected", [(0, 10.0), (1, 20.0), (5, 20.0), (-1, 20.0)])
def test_switch_case(index, expected):
    def f(i, x):
        return NAMES["switch_case"](i, [lambda: x * 10, lambda: x * 20])

    assert [float(y) for y in both(f, index, 1.0)] == [expected, expected]


def test_a_loop_may_end_by_what_it_computes():
    def collatz(n):
        return NAMES["while_loop"](
            lambda n, steps: n > 1,
            lambda n, steps: (NAMES["where"](n % 2 == 0, n // 2, 3 * n + 1), steps + 1),
            [n, G.constant(0)],
        )

    assert int(collatz(G.constant(27))[1]) == 111
    doubled = NAMES["while_loop"](lambda x: x < 100, lambda x: 2 * x, [G.constant(3)], maximum_iterations=2)
    assert int(doubled) == 12


def test_a_loop_is_differentiated():
    x = G.constant(2.0)
    with GradientTape() as tape:
        tape.watch(x)
        _, y = NAMES["while_loop"](lambda i, y: i < 3, lambda i, y: (i + 1, y * x), [G.constant(0), G.constant(1.0)])
    assert float(tape.gradient(y, x)) == 12.0


def test_maps_folds_and_scans():
    rows = np.arange(6, dtype="float32").reshape(3, 2)
    for y in both(lambda x: NAMES["map_fn"](lambda r: r * 2, x), rows):
        np.testing.assert_array_equal(y, 2 * rows)
    for y in both(
        lambda x: NAMES["vectorized_map"](lambda r: G.apply("reduce_sum", [r], axes=[0], keepdims=False), x), rows
    ):
        np.testing.assert_array_equal(y, rows.sum(1))
    for y in both(lambda x: NAMES["scan"](lambda a, r: a + r, x), rows):
        np.testing.assert_array_equal(y, rows.cumsum(0))
    for y in both(lambda x: NAMES["scan"](lambda a, r: a + r, x, reverse=True), rows):
        np.testing.assert_array_equal(y, rows[::-1].cumsum(0)[::-1])
    for y in both(lambda x: NAMES["foldl"](lambda a, r: a - r, x), rows):
        np.testing.assert_array_equal(y, rows[0] - rows[1] - rows[2])
    for y in both(lambda x: NAMES["foldr"](lambda a, r: a - r, x, initializer=G.constant([1.0, 1.0])), rows):
        np.testing.assert_array_equal(y, 1 - rows.sum(0))


def test_a_map_may_call_layers():
    layer = Dense(2)
    y = NAMES["map_fn"](lambda r: layer(r), G.constant(np.ones((3, 1, 4), "float32")))
    assert y.shape == (3, 1, 2) and len(layer.weights) == 2


def test_arrays_are_written_in_any_order_and_in_place():
    def f(x):
        array = NAMES["TensorArray"]("float32", size=3)
        for i in (2, 0, 1):
            array.write(i, x * i)
        return array.stack(), array.size()

    for stacked, size in both(f, 2.0):
        assert stacked.numpy().tolist() == [0, 2, 4] and int(size) == 3


def test_arrays_grow_and_are_rewritten():
    array = NAMES["TensorArray"]("float32", size=0, dynamic_size=True)
    for i in range(3):
        array = array.write(G.constant(i), G.constant(float(i)))
    array = array.unstack(array.stack() * 2).write(1, 7.0)
    assert array.stack().numpy().tolist() == [0, 7, 4] and float(array.read(2)) == 4
    with pytest.raises(ValueError, match="nothing was written at 5"):
        array.read(5)


@pytest.mark.parametrize(
    "name, good, bad",
    [
        ("equal", [[1, 2], [1, 2]], [[1, 2], [1, 3]]), ("none_equal", [1, 2], [[1, 2], [2, 2]]), ("less", [1, 2], [2, 2]),
        ("less_equal", [2, 2], [3, 2]), ("greater", [3, 2], [2, 2]), ("greater_equal", [2, 2], [1, 2]),
        ("positive", [1.0], [0.0]), ("negative", [-1.0], [0.0]), ("non_negative", [0.0], [-1.0]), ("non_positive", [0.0], [1.0]),
        ("near", [1.0, 1.0 + 1e-7], [1.0, 1.01]), ("all_finite", [1.0, "x"], [np.inf, "x"]),
    ],
)  # fmt: skip
def test_assertions_about_values(name, good, bad):
    error = NAMES["errors.InvalidArgumentError"]
    check = NAMES[f"debugging.assert_{name}"]

    def f(*values):
        check(*values, *strings)
        return values[0] + 0

    values, strings = [v for v in good if v != "x"], [v for v in good if v == "x"]
    both(f, *values)
    values = [v for v in bad if v != "x"]
    with pytest.raises(error, match="did not hold"):
        f(*map(G.constant, values))
    with pytest.raises(error, match="did not hold"):
        function(f)(*map(G.constant, values))


def test_messages_of_assertions():
    with pytest.raises(ValueError, match=r"^sizes x == y|^sizes Condition x == y did not hold"):
        NAMES["assert_equal"](G.constant(1), 2, message="sizes")
    with pytest.raises(ValueError, match="too large"):
        NAMES["Assert"](G.constant(1) > 2, ["too large", G.constant(1)])
    with pytest.raises(ValueError, match="bad weights"):
        NAMES["debugging.check_numerics"](G.constant([1.0, np.nan]), "bad weights")


def test_assertions_about_shapes_and_dtypes():
    x = G.constant(np.ones((2, 3), "float32"))
    (
        NAMES["assert_rank"](x, 2),
        NAMES["debugging.assert_rank_at_least"](x, 1),
        NAMES["debugging.assert_rank_in"](x, (1, 2)),
    )
    NAMES["debugging.assert_type"](x, "float32"), NAMES["debugging.assert_integer"](G.constant(1))
    NAMES["debugging.assert_scalar"](1.0), NAMES["debugging.assert_shapes"]([(x, ("N", 3)), (x[:, 0], ("N",))])
    for error, name, args in (
        (ValueError, "assert_rank", (x, 1)), (ValueError, "debugging.assert_rank_at_least", (x, 3)),
        (ValueError, "debugging.assert_rank_in", (x, (0, 1))), (TypeError, "debugging.assert_type", (x, "int32")),
        (TypeError, "debugging.assert_integer", (x,)), (ValueError, "debugging.assert_scalar", (x,)),
        (ValueError, "debugging.assert_shapes", ([(x, ("N", "N"))],)),
    ):  # fmt: skip
        with pytest.raises(error):
            NAMES[name](*args)


def test_a_formula_for_a_model_is_not_checked():
    x = G.placeholder((None,), "float32")
    NAMES["assert_equal"](x, 1.0)
    NAMES["debugging.check_numerics"](x, "never")
