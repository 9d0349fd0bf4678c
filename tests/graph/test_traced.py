"""Functions that are traced into programs."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import graph as G
from hornbeam.tf.eager import GradientTape, function
from hornbeam.tf.table import NAMES as TF

pytestmark = pytest.mark.usefixtures("eager")


def test_a_function_is_traced_once_for_each_shape_and_dtype():
    calls = []

    @function
    def double(x):
        calls.append(x)
        return x * 2

    for x in ([1.0, 2.0], [3.0, 4.0], [1.0, 2.0, 3.0], [5.0, 6.0]):
        np.testing.assert_array_equal(double(G.constant(x)).numpy(), 2 * np.array(x))
    double(G.constant([1, 2]))
    assert len(calls) == double.experimental_get_tracing_count() == 3


def test_a_signature_serves_all_shapes():
    @function(input_signature=[type("Spec", (), {"shape": (None,), "dtype": "float32"})()])
    def total(x):
        return K.sum(x)

    assert [float(total(G.constant(np.ones(n, "float32")))) for n in (1, 5, 9)] == [1, 5, 9]
    assert total.experimental_get_tracing_count() == 1


def test_python_values_belong_to_the_trace():
    @function
    def scale(x, by, how="times"):
        return x * by if how == "times" else x + by

    x = G.constant([1.0])
    assert float(scale(x, 3)[0]) == 3 and float(scale(x, 4)[0]) == 4
    assert float(scale(x, 4, how="plus")[0]) == 5


def test_a_choice_of_assignments():
    a, b, c = (G.Variable(float(i)) for i in range(3))

    @function
    def step(x):
        def then():
            a.assign(b + x)
            b.assign_add(a)
            return b * 10.0

        def other():
            c.assign(a)
            return c

        seen = TF["cond"](x > 0, then, other)
        c.assign_add(1.0)
        return seen

    assert float(step(G.constant(2.0))) == 40 and [float(v) for v in (a, b, c)] == [3, 4, 3]
    assert float(step(G.constant(-2.0))) == 3 and [float(v) for v in (a, b, c)] == [3, 4, 4]
    assert step.experimental_get_tracing_count() == 1


def test_what_is_assigned_may_be_another_variable():
    a, b = G.Variable(1.0), G.Variable(2.0)

    @function
    def step(x):
        a.assign(x)
        b.assign(a)
        with TF["control_dependencies"]([a.assign_add(1.0)]):
            b.assign_add(a)
            return TF["identity"](b)

    assert float(step(G.constant(5.0))) == 11 and float(a) == 6 and float(b) == 11


def test_assignments_take_effect_in_their_order():
    v = G.Variable(1.0)

    @function
    def step(x):
        v.assign_add(x)
        seen = v * 10
        v.assign_add(x)
        v.assign(v * 2)
        return seen, v + 0

    for _ in range(2):
        before = v.numpy()
        seen, after = step(G.constant(1.0))
        assert float(seen) == (before + 1) * 10
        assert float(after) == v.numpy() == (before + 2) * 2


def test_a_training_step():
    w = G.Variable(np.ones((2, 1), "float32"))

    @function
    def step(x, y):
        with GradientTape() as tape:
            loss = K.mean(K.square(K.dot(x, w) - y))
        w.assign_sub(tape.gradient(loss, w) * 0.1)
        return loss

    x, y = np.ones((4, 2), "float32"), np.zeros((4, 1), "float32")
    losses = [float(step(x, y)) for _ in range(3)]
    assert losses[0] == 4 and losses[0] > losses[1] > losses[2]


def test_structures_come_back_as_they_are():
    @function
    def split(pair):
        return {"sum": pair["a"] + pair["b"], "rest": [pair["a"], None, "text"]}

    found = split({"a": G.constant(1.0), "b": G.constant(2.0)})
    assert float(found["sum"]) == 3 and float(found["rest"][0]) == 1 and found["rest"][1:] == [None, "text"]


def test_what_looks_at_values_runs_step_by_step():
    @function
    def sign(x):
        return x if x > 0 else -x

    assert float(sign(G.constant(-3.0))) == 3 and float(sign(G.constant(4.0))) == 4


def test_a_function_on_a_tape_is_differentiated():
    x = G.Variable(3.0)
    square = function(lambda v: v * v)
    assert float(square(x)) == 9
    with GradientTape() as tape:
        y = square(x * 2)
    assert float(tape.gradient(y, x)) == 24


def test_methods_have_traces_of_their_own():
    class Scale:
        def __init__(self, by):
            self.by = by

        @function
        def apply(self, x):
            return x * self.by

    a, b = Scale(2.0), Scale(3.0)
    assert float(a.apply(G.constant(1.0))) == 2 and float(b.apply(G.constant(1.0))) == 3


def test_what_waits_outside_is_seen_inside():
    v = G.Variable(1.0)
    read = function(lambda: v * 1)
    v.assign(4.0)
    assert float(read()) == 4
    v.assign(5.0)
    assert float(read()) == 5


def test_gradients_after_an_assignment_of_the_same_function():
    v = G.Variable(3.0)

    @function
    def steps():
        found = []
        for _ in range(3):
            with GradientTape() as tape:
                loss = v * v
            slope = tape.gradient(loss, v)
            v.assign_sub(0.25 * slope)
            found.append(slope)
        return found

    assert [float(g) for g in steps()] == [6.0, 3.0, 1.5]
    assert v.numpy() == 0.375


def test_what_was_assigned_is_not_differentiated():
    v, x = G.Variable(3.0), G.constant(2.0)

    def slopes():
        with GradientTape() as tape:
            tape.watch(x)
            v.assign(x * x)
            y = v * x
        return tape.gradient(y, [v, x])

    for run in (slopes, function(slopes)):
        assert [float(g) for g in run()] == [2.0, 4.0]


def test_a_tape_knows_the_variables_that_are_read_after_an_assignment():
    v = G.Variable(3.0)
    found = []

    @function
    def step():
        v.assign_add(1.0)
        with GradientTape() as tape:
            v * 2
        found.append(tape.watched_variables())

    step()
    assert found == [(v,)] and found[0][0] is v
