"""Eager tensors: values that stay, assignments that wait, and one program for all that is held."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import graph as G
from hornbeam.graph import programs

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture
def runs(monkeypatch):
    """The calls into the core, each by the numbers of its outputs and updates."""
    made = []
    run = programs.Programs.run

    def counted(self, outputs, updates, counter):
        made.append((len(outputs), len(updates)))
        return run(self, outputs, updates, counter)

    monkeypatch.setattr(programs.Programs, "run", counted)
    return made


def test_a_value_is_that_of_the_moment_it_was_written(runs):
    x = G.Variable(3.0)
    y = x * x
    x.assign(5.0)
    z = x * x
    assert float(z) == 25 and float(y) == 9
    assert len(runs) == 2  # the first assignment settles y


def test_an_assignment_waits_until_its_variable_is_read(runs):
    x = G.Variable(1.0)
    x.assign_add(2.0)
    assert runs == []
    assert x.numpy() == 3
    assert runs == [(0, 1)]


def test_assignments_of_one_variable_follow_each_other():
    x = G.Variable(1.0)
    for _ in range(3):
        x.assign_add(x)
    assert x.numpy() == 8


def test_a_random_tensor_has_one_value():
    noise = K.random_normal((4,))
    doubled = noise * 2
    np.testing.assert_array_equal(doubled.numpy(), noise.numpy() * 2)
    np.testing.assert_array_equal((noise + 1).numpy(), noise.numpy() + 1)


def test_random_tensors_of_one_line_differ_from_round_to_round(runs):
    drawn = [K.random_uniform((3,)).numpy() for _ in range(4)]
    assert len({tuple(d) for d in drawn}) == 4


def test_reseeding_repeats_the_numbers(eager):
    eager.reseed(7)
    first = [K.random_uniform((3,)).numpy() for _ in range(2)]
    eager.reseed(7)
    again = [K.random_uniform((3,)).numpy() for _ in range(2)]
    np.testing.assert_array_equal(first, again)


def test_only_what_is_held_is_computed(runs):
    x = G.Variable(np.ones(3, "float32"))
    y = K.exp(x * 2 + 1) - 1
    held = K.sum(y)
    del y
    x.assign(held * x)
    x.numpy()
    assert runs == [(1, 1)]  # of exp and its like nothing leaves the program
    assert float(held) == pytest.approx(3 * (np.exp(3) - 1), rel=1e-5)


def test_a_loop_that_nobody_looks_into_is_one_call_a_step(runs):
    x, total = G.Variable(2.0), G.Variable(0.0)
    for _ in range(5):
        loss = x * x
        x.assign_sub(loss * 0.1)
        total.assign_add(loss)
    total.numpy()
    assert len(runs) == 5


def test_a_number_that_changes_is_fed_from_then_on(runs, monkeypatch):
    compiled = []
    compile_ = programs._compile
    monkeypatch.setattr(programs, "_compile", lambda *args: compiled.append(1) or compile_(*args))
    x = G.Variable(1.0)
    assert [float(x * rate) for rate in (0.5, 0.25, 0.125, 0.75)] == [0.5, 0.25, 0.125, 0.75]
    assert len(compiled) == 2


def test_what_was_computed_lets_go_of_its_formula():
    x = G.Variable(np.ones(1000, "float32"))
    inner = x * 2
    node = weakref.ref(inner.op)
    y = K.sum(inner)
    del inner
    y.numpy()
    gc.collect()
    assert node() is None


def test_sizes_that_depend_on_data_are_known_at_once():
    x = G.constant(np.arange(6, dtype="float32"))
    n = K.arange(0, K.cast(K.max(x), "int32"))
    assert n.shape == (5,) and len(n) == 5


def test_python_takes_an_eager_tensor_for_its_value():
    x = G.constant([1.0, 2.0]) * 2
    assert [float(v) for v in x] == [2, 4] and len(x) == 2
    assert bool(x[0] > 1) and not bool(x[0] > 3)
    assert [f"{x[1]:.2f}", f"{x[1]}", f"{x}"] == ["4.00", "4.0", "[2. 4.]"]
    assert f"{G.Variable(1.0, name='v')}".startswith("<tf.Variable 'v'")
    assert list(range(3))[G.constant(1) + 1] == 2
    assert "numpy=" in repr(x) and "tf.Tensor" in str(x)


def test_equality_compares_elements():
    x = G.constant([1.0, 2.0])
    assert (x == [1.0, 3.0]).numpy().tolist() == [True, False]
    assert (x != x).numpy().tolist() == [False, False]


def test_formulas_of_models_are_not_recorded(eager):
    w = G.Variable(2.0)
    with G.symbolic():
        formula = w * 3
    w.assign(5.0)
    assert float(formula) == 15


def test_an_eager_tensor_in_a_model_is_a_constant():
    w = G.Variable(2.0)
    x = G.placeholder((None,))
    y = x * (w * 3)
    w.assign(5.0)
    np.testing.assert_array_equal(G.Function([x], [y])([np.ones(1)])[0], [6.0])


def test_a_run_that_fails_leaves_what_waits(monkeypatch):
    x = G.Variable(1.0)
    x.assign(2.0)
    with monkeypatch.context() as patched:
        patched.setattr(programs.Programs, "run", lambda *args: (_ for _ in ()).throw(MemoryError("no room")))
        with pytest.raises(MemoryError, match="no room"):
            x.numpy()
    assert x.numpy() == 2


def test_scans_with_one_body_are_one_program(monkeypatch):
    compiled = []
    compile_ = programs._compile
    monkeypatch.setattr(programs, "_compile", lambda *args: compiled.append(1) or compile_(*args))
    w = G.Variable(2.0)
    for i in range(3):
        rows = K.map_fn(lambda row: row * w + 1, G.constant(np.full((4, 2), float(i)), "float32"))
        np.testing.assert_array_equal(rows.numpy(), np.full((4, 2), i * 2 + 1.0))
    assert len(compiled) == 1


@pytest.mark.parametrize("value", [2.5, [[1, 2], [3, 4]], "text", ["a", "bc"]])
def test_an_eager_tensor_is_copied_and_pickled_by_its_value(value):
    tensor = G.constant(value)
    for copied in (copy.deepcopy(tensor), pickle.loads(pickle.dumps(tensor))):
        assert copied.dtype == tensor.dtype and copied.shape == tensor.shape
        assert np.array_equal(copied.numpy(), tensor.numpy())
