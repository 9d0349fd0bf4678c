"""cond: only the branch that is taken runs, forwards and backwards."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import graph as G


@pytest.fixture
def float64():
    K.set_floatx("float64")
    yield
    K.set_floatx("float32")


def test_values_and_derivatives_of_the_branch_taken(float64, target):
    choice, x = K.placeholder((), dtype="bool"), K.placeholder((None, 3))
    w = K.variable(np.arange(9.0).reshape(3, 3))
    then, other = (lambda: K.sum(K.square(K.dot(x, w)))), (lambda: K.sum(K.sin(x)))
    y = K.switch(choice, then, other)
    assert str(G.Function([choice, x], [y]).program()).count("cond(") == 1

    def derivatives(y):
        first = K.gradients(y, [x, w])
        square = sum(K.sum(g * g) for g in first if g is not None)
        return [y, *first, *K.gradients(square, [x, w])]

    run = K.function([choice, x], derivatives(y))
    data = np.random.RandomState(0).randn(4, 3)
    for got, want in zip(run([True, data]), K.function([x], derivatives(then()))([data])):
        np.testing.assert_allclose(got, want)
    cos = np.cos(data)
    for got, want in zip(run([False, data]), [np.sin(data).sum(), cos, 0 * w.numpy(), -2 * cos * np.sin(data), 0]):
        np.testing.assert_allclose(got, np.broadcast_to(want, got.shape), atol=1e-15)


def test_the_other_branch_leaves_no_trace():
    # Neither its cost nor its infinities: 0 * inf would be nan.
    x = K.placeholder((3,))
    y = K.switch(K.max(x) > 1, lambda: K.sum(K.log(x)), lambda: K.sum(x * 2))
    value, slope = K.function([x], [y, *K.gradients(y, [x])])([np.zeros(3)])
    assert value == 0 and (slope == 2).all()
    program = str(G.Function([x], [y]).program()).split("cond(")
    assert "log" not in program[0] and "log" in program[1]


def test_only_what_the_function_makes_is_lazy_and_random_numbers_are_drawn_inside():
    x, choice = K.placeholder((100,)), K.placeholder((), dtype="bool")
    y = K.switch(choice, lambda: K.dropout(x, 0.5), lambda: x)
    run = K.function([choice, x], [y, *K.gradients(K.sum(y), [x])])
    first, slope = run([True, np.ones(100)])
    second, _ = run([True, np.ones(100)])
    assert (first == slope).all() and (first != second).any() and set(np.unique(first)) == {0, 2}
    assert (run([False, np.ones(100)])[0] == 1).all()


def test_numbers_tensors_and_conditions_of_other_types():
    x = K.placeholder((2,))
    for condition in (K.sum(x), K.cast(K.sum(x), "int32"), K.sum(x) > 0):
        run = K.function([x], [K.switch(condition, x, lambda: x * 3), K.switch(condition, lambda: K.sum(x), 7)])
        np.testing.assert_array_equal(run([[1, 2]])[0], [1, 2])
        np.testing.assert_array_equal(run([[1, -1]])[0], [3, -3])
        assert [run([v])[1] for v in ([1, 2], [1, -1])] == [3, 7]
    for five in (5.0, lambda: 5.0):
        np.testing.assert_array_equal(K.eval(K.switch(K.constant(0), K.ones((2, 2)), five)), np.full((2, 2), 5))


def test_inside_a_scan_and_with_a_scan_inside():
    x = K.placeholder((None, 2))
    y = K.map_fn(lambda r: K.switch(K.sum(r) > 0, lambda: K.foldl(lambda a, b: a * b, r), lambda: K.sum(r)), x)
    slope = K.gradients(K.sum(y), [x])[0]
    got, grad = K.function([x], [y, slope])([[[2, 3], [-2, -3], [4, 5]]])
    np.testing.assert_array_equal(got, [6, -5, 20])
    np.testing.assert_array_equal(grad, [[3, 2], [1, 1], [5, 4]])


def test_tensor_training_flags_choose_while_running():
    x, training = K.placeholder((3,)), K.placeholder((), dtype="bool")
    run = K.function([x, training], [K.in_train_phase(lambda: x * 2, lambda: x, training=training)])
    assert run([np.ones(3), True])[0][0] == 2 and run([np.ones(3), False])[0][0] == 1


def test_errors():
    choice, x, counter = K.placeholder((), dtype="bool"), K.placeholder((2, 3)), K.variable(0.0)
    with pytest.raises(ValueError, match="different shapes"):
        G.cond(choice, lambda: x, lambda: K.sum(x, axis=0))
    with pytest.raises(ValueError, match="select"):
        K.switch(choice, lambda: x, lambda: K.concatenate([x, x]))
    with pytest.raises(TypeError, match="different dtypes"):
        K.switch(choice, lambda: x, lambda: K.cast(x, "float64"))
    with pytest.raises(RuntimeError, match="inside the body of a cond"):
        K.switch(choice, lambda: K.update(counter, 1.0), lambda: counter)
