"""Gradient tapes, over values that are computed and variables that change in between."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import graph as G
from hornbeam.tf.eager import GradientTape, function
from hornbeam.tf.specs import TensorSpec

pytestmark = pytest.mark.usefixtures("eager")


def test_the_gradient_of_a_variable():
    x = G.Variable(3.0)
    with GradientTape() as tape:
        y = x * x
    assert float(tape.gradient(y, x)) == 6


def test_a_constant_has_to_be_watched():
    x = G.constant(3.0)
    with GradientTape() as tape:
        y = x * x
    assert tape.gradient(y, x) is None
    with GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert float(tape.gradient(y, x)) == 6


def test_what_was_computed_before_is_not_on_the_tape():
    x = G.Variable(3.0)
    y = x * x
    with GradientTape() as tape:
        z = y * 2
    assert tape.gradient(z, x) is None


def test_a_variable_that_is_not_trainable_is_not_watched():
    x = G.Variable(3.0)
    x.trainable = False
    with GradientTape() as tape:
        y = x * x
    assert tape.gradient(y, x) is None
    with GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = x * x
    assert float(tape.gradient(y, x)) == 6


def test_structures_and_unconnected_sources():
    x, y = G.Variable(2.0), G.Variable(5.0)
    with GradientTape(persistent=True) as tape:
        z = x * x
    found = tape.gradient(z, {"a": x, "b": [y]})
    assert float(found["a"]) == 4 and found["b"] == [None]
    found = tape.gradient(z, [x, y], unconnected_gradients="zero")
    assert [float(g) for g in found] == [4, 0]


def test_a_tape_is_asked_once_unless_it_is_persistent():
    x = G.Variable(2.0)
    with GradientTape() as tape:
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(RuntimeError, match="non-persistent"):
        tape.gradient(y, x)


def test_nested_tapes_give_second_derivatives():
    x = G.Variable(2.0)
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = x * x * x
        slope = inner.gradient(y, x)
    assert float(slope) == 12
    assert float(outer.gradient(slope, x)) == 12


def test_looking_at_values_does_not_break_the_tape():
    x = G.Variable(3.0)
    with GradientTape() as tape:
        y = x * x
        assert float(y) == 9
        z = y * y if y > 5 else y
    assert float(tape.gradient(z, x)) == 4 * 27


def test_random_numbers_of_a_tape_are_the_same_in_the_gradient():
    x = G.Variable(np.ones(8, "float32"))
    with GradientTape() as tape:
        mask = K.random_binomial((8,), 0.5)
        y = K.sum(x * mask)
        y.numpy()
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), mask.numpy())


@pytest.mark.parametrize("looks", [False, True])
def test_a_variable_that_changes_in_between(looks):
    x = G.Variable(5.0)
    with GradientTape() as tape:
        y = x * x
        if looks:
            y.numpy()
        x.assign(7.0)
        z = y * x
    assert float(z) == 175
    assert float(tape.gradient(z, x)) == 2 * 5 * 7 + 25


def test_two_networks_that_are_changed_one_after_the_other():
    g, d = G.Variable(2.0), G.Variable(3.0)
    with GradientTape(persistent=True) as tape:
        score = g * d * d
    slope_g = tape.gradient(score, g)
    g.assign_sub(slope_g)
    assert g.numpy() == -7
    slope_d = tape.gradient(score, d)
    d.assign_sub(slope_d)
    assert d.numpy() == 3 - 2 * 2 * 3


def test_stop_recording_and_reset():
    x = G.Variable(3.0)
    with GradientTape() as tape:
        y = x * x
        with tape.stop_recording():
            other = x * 5
        z = y + other
    assert float(tape.gradient(z, x)) == 6
    with GradientTape() as tape:
        y = x * x
        tape.reset()
        z = y + x
    assert float(tape.gradient(z, x)) == 1


def test_the_jacobian():
    x = G.Variable([1.0, 2.0, 3.0])
    with GradientTape() as tape:
        y = K.stack([x[0] * x[1], x[2] * x[2]])
    np.testing.assert_array_equal(tape.jacobian(y, x).numpy(), [[2, 1, 0], [0, 0, 6]])


def test_the_jacobian_of_a_size_not_known_while_tracing():
    @function(input_signature=[TensorSpec([None])])
    def squares(x):
        with GradientTape() as tape:
            tape.watch(x)
            y = x * x
        return tape.jacobian(y, x)

    np.testing.assert_array_equal(squares(G.constant([1.0, 2.0])).numpy(), [[2, 0], [0, 4]])


@pytest.mark.parametrize("signature", [None, [TensorSpec([2, 3])], [TensorSpec([None, 3])]])
def test_the_jacobian_of_each_row(signature):
    weights = G.constant(np.arange(6.0).reshape(3, 2), "float32")

    @function(input_signature=signature)
    def of_rows(x):
        with GradientTape() as tape:
            tape.watch(x)
            y = K.dot(x * x, weights)
        return tape.batch_jacobian(y, x)

    x = np.arange(1.0, 7.0).reshape(2, 3).astype("float32")
    expected = np.einsum("bi,io->boi", 2 * x, weights.numpy())
    np.testing.assert_array_equal(of_rows(G.constant(x)).numpy(), expected)
    np.testing.assert_array_equal(of_rows.python_function(G.constant(x)).numpy(), expected)


def test_the_jacobian_of_rows_that_nothing_connects_is_zero():
    x = G.constant([[1.0, 2.0]])
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = K.ones((1, 3))
    assert tape.batch_jacobian(y, x).numpy().tolist() == [[[0, 0]] * 3]
    with pytest.raises(ValueError, match="Need first dimension of target shape"):
        tape.batch_jacobian(K.ones((2, 3)), x)


def test_cotangents():
    x = G.Variable([1.0, 2.0])
    with GradientTape() as tape:
        y = x * x
    found = tape.gradient(y, x, output_gradients=G.constant([10.0, 1.0]))
    np.testing.assert_array_equal(found.numpy(), [20, 4])


def test_watched_variables():
    x, y = G.Variable(2.0), G.Variable(3.0)
    with GradientTape() as tape:
        z = x * x
    assert tape.watched_variables() == (x,)
    del y, z
