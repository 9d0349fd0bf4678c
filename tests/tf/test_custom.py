"""Functions with gradients of their own, and functions on values."""

import numpy as np
import pytest
from hornbeam import graph as G
from hornbeam.tf import NAMES
from hornbeam.tf.eager import GradientTape, function

pytestmark = pytest.mark.usefixtures("eager")
custom_gradient = NAMES["custom_gradient"]


@custom_gradient
def log1pexp(x):
    e = NAMES["exp"](x)

    def grad(upstream):
        return upstream * (1 - 1 / (1 + e))

    return NAMES["math.log"](1 + e), grad


def slope(f, x, times=1):
    with GradientTape() as tape:
        tape.watch(x)
        y = slope(f, x, times - 1) if times > 1 else f(x)
    return tape.gradient(y, x)


def test_a_custom_gradient_replaces_that_of_the_formula():
    x = G.constant(100.0)  # where the formula's own gradient is NaN
    assert np.isinf(log1pexp(x).numpy()) and float(slope(log1pexp, x)) == 1.0
    np.testing.assert_allclose(slope(log1pexp, G.constant(0.5)), 1 / (1 + np.exp(-0.5)), rtol=1e-6)


def test_it_can_be_differentiated_again_and_traced():
    x = G.constant(0.5)
    s = 1 / (1 + np.exp(-0.5))
    np.testing.assert_allclose(slope(log1pexp, x, 2), s * (1 - s), rtol=1e-5)
    np.testing.assert_allclose(function(lambda x: slope(log1pexp, x))(x), s, rtol=1e-6)


def test_gradients_of_variables_and_several_arguments():
    v = G.Variable(3.0)

    @custom_gradient
    def scaled(x, y):
        def grad(a, b, variables=None):
            assert [id(w) for w in variables] == [id(v)]
            return (a * 10, b * 20), [a * 30]

        return (x * v, y + 1), grad

    x, y = G.constant(1.0), G.constant(2.0)
    with GradientTape(persistent=True) as tape:
        tape.watch([x, y])
        first, second = scaled(x, y)
        total = first + second
    assert [float(g) for g in tape.gradient(total, [x, y, v])] == [10.0, 20.0, 30.0]
    assert tape.gradient(first, y).numpy() == 0.0


def test_a_number_of_gradients_that_does_not_fit_is_refused():
    @custom_gradient
    def wrong(x, y):
        return x * y, lambda g: g

    with GradientTape() as tape:
        x = G.constant(1.0)
        tape.watch(x)
        z = wrong(x, 2.0)
    with pytest.raises(ValueError, match="expected to return 2 gradients, but returned 1"):
        tape.gradient(z, x)


def test_steps_with_one_use_one_program(eager):
    v = G.Variable(1.0)
    sizes = []
    for _ in range(4):
        with GradientTape() as tape:
            y = log1pexp(v)
        v.assign_sub(tape.gradient(y, v))
        v.numpy()
        sizes.append(len(eager._programs._known._values))
    assert sizes[1] == sizes[3]


def test_numpy_functions_see_arrays():
    def double(a, b):
        assert type(a) is np.ndarray
        return 2 * a, a + b

    first, second = NAMES["numpy_function"](double, [G.constant([1.0, 2.0]), 1.0], ["float64", "float32"])
    assert (first.dtype, first.numpy().tolist(), second.numpy().tolist()) == ("float64", [2, 4], [2, 3])


def test_python_functions_see_tensors_and_are_differentiated():
    def call(x):
        return NAMES["py_function"](lambda t: t * float(t.numpy()), [x], "float32")

    assert float(slope(call, G.constant(3.0))) == 3.0


def test_what_looks_at_values_runs_step_by_step():
    @function
    def f(x):
        return NAMES["numpy_function"](np.sort, [x], "float32") + 1

    assert f(G.constant([2.0, 1.0])).numpy().tolist() == [2.0, 3.0]
