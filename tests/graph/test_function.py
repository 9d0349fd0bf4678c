"""Functions: feeds, updates, phases, random runs, errors."""

import array

import numpy as np
import pytest
from hornbeam import graph as G


def test_feeds_are_cast_and_gathered():
    x = G.placeholder((None, 3), name="x")
    f = G.Function([x], [x * 2.0])
    a = np.arange(12).reshape(4, 3)
    np.testing.assert_array_equal(f([a])[0], a * 2.0)
    np.testing.assert_array_equal(f([a.astype("float64")[::-1]])[0], a[::-1] * 2.0)
    np.testing.assert_array_equal(f([np.asfortranarray(a.astype("float32"))])[0], a * 2.0)
    np.testing.assert_array_equal(f([(a, np.array([2, 0, 2]))])[0], a[[2, 0, 2]] * 2.0)
    np.testing.assert_array_equal(f([[[1, 2, 3]]])[0], [[2.0, 4.0, 6.0]])
    assert f([a])[0].dtype == np.float32


def test_big_endian_and_bool_feeds():
    x = G.placeholder((None,), name="x")
    f = G.Function([x], [x + 1.0])
    np.testing.assert_array_equal(f([np.array([1, 2], ">f4")])[0], [2, 3])
    np.testing.assert_array_equal(f([np.array([True, False])])[0], [2, 1])


@pytest.mark.parametrize(
    "feed, error, text",
    [
        (np.zeros((2, 4)), ValueError, r"input 'x' expects shape \(None, 3\), got \(2, 4\)"),
        (np.zeros(3), ValueError, r"input 'x' expects shape \(None, 3\), got \(3,\)"),
        (np.array([["a", "b", "c"]]), TypeError, "input 'x'"),
        (np.array([[1, 2, 3], [1, 2]], dtype=object), TypeError, "rows of different lengths"),
        ((np.zeros((2, 3)), np.array([0, 2])), ValueError, "row index 2 is out of range for an array of 2 rows"),
    ],
)
def test_bad_feeds(feed, error, text):
    x = G.placeholder((None, 3), name="x")
    with pytest.raises(error, match=text):
        G.Function([x], [x * 2.0])([feed])


def test_wrong_number_of_feeds():
    x = G.placeholder((None,))
    with pytest.raises(ValueError, match="expected 1 inputs, got 2"):
        G.Function([x], [x + 1.0])([np.zeros(2), np.zeros(2)])


def test_missing_placeholder_is_named():
    x, y = G.placeholder((2,), name="x"), G.placeholder((2,), name="forgotten")
    with pytest.raises(ValueError, match="forgotten"):
        G.Function([x], [x + y])([np.zeros(2)])


def test_any_tensor_can_be_an_input():
    x = G.placeholder((2,))
    y = x * 3.0
    f = G.Function([y], [y + 1.0])
    np.testing.assert_array_equal(f([np.array([1.0, 2.0])])[0], [2, 3])


def test_inputs_that_depend_on_each_other_have_one_length():
    x = G.placeholder((None, 3), name="x")
    doubled = x * 2.0
    f = G.Function([x, doubled], [G.shape_of(doubled + 1.0)])
    np.testing.assert_array_equal(f([np.ones((5, 3)), np.ones((5, 3))])[0], [5, 3])
    with pytest.raises(ValueError, match=r"same length on axis 0 of 'mul.*', got 2 and 5"):
        f([np.ones((2, 3)), np.ones((5, 3))])


def test_outputs_may_repeat_and_pass_through():
    x = G.placeholder((2,))
    v = G.Variable(np.ones(2, "float32"))
    y = x + v
    a, b, c, d = G.Function([x], [y, y, x, v])([np.array([1.0, 2.0])])
    np.testing.assert_array_equal(a, [2, 3])
    np.testing.assert_array_equal(b, a)
    np.testing.assert_array_equal(c, [1, 2])
    np.testing.assert_array_equal(d, [1, 1])
    a[0] = 9  # outputs are the caller's own
    assert b[0] == 2 and v.get_value()[0] == 1


def test_reads_see_the_state_before_the_run():
    v = G.Variable(np.array([1.0, 2.0], "float32"))
    new = v.assign_add([10.0, 10.0])
    old, got = G.Function([], [v * 1.0, new])([])
    np.testing.assert_array_equal(old, [1, 2])
    np.testing.assert_array_equal(got, [11, 12])
    np.testing.assert_array_equal(v.get_value(), [11, 12])


def test_output_of_a_variable_that_the_run_writes_is_its_old_value():
    v = G.Variable(np.array([1.0], "float32"))
    out = G.Function([], [v], [v.assign(v + 1.0)])([])
    assert out[0][0] == 1 and v.get_value()[0] == 2


def test_swap():
    a, b = G.Variable(np.float32(1)), G.Variable(np.float32(2))
    G.Function([], [], [(a, b), (b, a)])([])
    assert (a.get_value(), b.get_value()) == (2, 1)


def test_two_adds_to_one_variable_both_count():
    v = G.Variable(np.float32(1))
    G.Function([], [], [v.assign_add(2.0), v.assign_add(3.0), v.assign_sub(0.5)])([])
    assert v.get_value() == 5.5


def test_writes_come_in_list_order():
    v = G.Variable(np.float32(1))
    G.Function([], [], [v.assign_add(2.0), v.assign(10.0), v.assign_add(1.0)])([])
    assert v.get_value() == 11


def test_control_dependencies_read_the_update():
    v = G.Variable(np.float32(1))
    with G.control_dependencies([v.assign_add(2.0)]):
        seen = v * 10.0
    outside = v * 10.0
    assert G.Function([], [seen, outside])([]) == [30, 10]
    assert v.get_value() == 3  # fetching what depends on the update runs it


def test_one_variable_feeds_an_update_of_another_read_later():
    w, m = G.Variable(np.ones(4, "float32")), G.Variable(np.zeros(4, "float32"))
    new_m = 0.5 * m + w
    G.Function([], [], [m.assign(new_m), w.assign(w - new_m)])([])
    np.testing.assert_array_equal(m.get_value(), np.ones(4))
    np.testing.assert_array_equal(w.get_value(), np.zeros(4))


def test_learning_phase_picks_the_program():
    x = G.placeholder((2,))
    y = G.phase_switch(x * 2.0, x)
    f = G.Function([x, G.learning_phase()], [y])
    np.testing.assert_array_equal(f([np.ones(2), 1])[0], [2, 2])
    np.testing.assert_array_equal(f([np.ones(2), 0])[0], [1, 1])
    assert "mul" not in str(f.program(0))  # nothing of the training branch is left
    phase = G.cast(G.learning_phase(), "float32")
    assert G.Function([G.learning_phase()], [phase * 3.0])([1])[0] == 3


def test_random_ops_give_new_numbers_each_run_and_the_same_from_the_same_start():
    def draw():
        r = G.apply("random_uniform", [G.constant([4])], low=0.0, high=1.0, seed=7, dtype="float32")
        f = G.Function([], [r])
        return [f([])[0] for _ in range(3)]

    first, second = draw(), draw()
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first[0], first[1])


def test_shape_of_is_folded_at_bind():
    x = G.placeholder((None, 4))
    y = G.reshape(x, (G.shape_of(x)[0] * 2, -1))
    assert y.shape == (None, 2) or y.shape == (None, None)
    f = G.Function([x], [y])
    assert f([np.zeros((3, 4))])[0].shape == (6, 2)


def test_empty_batch():
    x = G.placeholder((None, 4))
    y = G.apply("softmax", [x * 2.0])
    assert G.Function([x], [y])([np.zeros((0, 4))])[0].shape == (0, 4)


def test_ten_thousand_ops_deep():
    x = G.placeholder((2,))
    y = x
    for _ in range(10_000):
        y = y + 1.0
    (g,) = G.gradients([y], [x])
    value, slope = G.Function([x], [y, g])([np.zeros(2)])
    np.testing.assert_array_equal(value, [10_000] * 2)
    np.testing.assert_array_equal(slope, [1, 1])


@pytest.mark.host_only(reason="kernels of other devices may allocate")
def test_warm_runs_allocate_nothing_in_the_core():
    x = G.placeholder((None, 8))
    w = G.Variable(np.ones((8, 8), "float32"))
    y = G.apply("matmul", [x, w], activation="relu")
    f = G.Function([x], [y], [w.assign(w * 0.5)])
    for _ in range(3):
        f([np.ones((4, 8), "float64")])
    assert f.program().bind([(4, 8)]).last_allocations == 0


def test_plan_tells_its_memory():
    x = G.placeholder((None, 1000))
    f = G.Function([x], [G.apply("reduce_sum", [G.apply("softmax", [x])], axes=[1], keepdims=False)])
    plan = f.program().bind([(10, 1000)])
    assert 40_000 <= plan.peak_bytes < 200_000
    with pytest.raises(ValueError, match="expects shape"):
        f.program().bind([(10, 7)])


class DLPack:
    """An array that speaks nothing but DLPack."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


@pytest.mark.parametrize("kind", [DLPack, memoryview, lambda a: array.array("f", a), list, np.asfortranarray])
def test_feeds_of_other_kinds(kind):
    x = G.placeholder((None,))
    assert G.Function([x], [x * 2.0])([kind(np.array([1, 2], "float32"))])[0].tolist() == [2, 4]


@pytest.mark.parametrize("count", [1, 100_000])
def test_updates_take_denormals_for_zero(count):
    """Moments of rows that are never seen again decay to them; every step would then be many times slower."""
    small = G.Variable(np.full(count, 2e-38, "float32"))
    x = G.placeholder((None,))
    assert (G.Function([x], [x * 0.5])([small.get_value()])[0] == np.float32(1e-38)).all()
    G.Function([], [], [small.assign(small * 0.5)])([])
    assert not small.get_value().any()
    assert (np.full(count, 2e-38, "float32") * np.float32(0.5)).all()  # nothing stays switched on
