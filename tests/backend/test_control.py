"""Learning phase, switch, updates, gradients and functions."""

import numpy as np
import pytest
from hornbeam import backend as K


def test_learning_phase_picks_a_branch():
    x = K.placeholder((2,))
    y = K.in_train_phase(lambda: x * 2, lambda: x * 3)
    z = K.in_test_phase(x * 2, x * 3)
    f = K.function([x, K.learning_phase()], [y, z])
    assert [a.tolist() for a in f([np.ones(2), 1])] == [[2, 2], [3, 3]]
    assert [a.tolist() for a in f([np.ones(2), 0])] == [[3, 3], [2, 2]]
    assert y._uses_learning_phase
    assert K.in_train_phase(1, 2, training=True) == 1 and K.in_train_phase(1, 2, training=0) == 2
    with pytest.raises(ValueError, match="0 or 1"):
        K.set_learning_phase(2)


def test_a_fixed_learning_phase_is_a_number():
    try:
        K.set_learning_phase(1)
        assert K.in_train_phase("train", "test") == "train"
    finally:
        K.clear_session()


def test_switch():
    c, x = K.placeholder(()), K.placeholder((None, 3))
    f = K.function([c, x], [K.switch(c, lambda: x * 2, lambda: -x)])
    a = np.ones((2, 3))
    np.testing.assert_array_equal(f([1, a])[0], 2 * a)
    np.testing.assert_array_equal(f([0, a])[0], -a)
    assert K.switch(True, 1, 2) == 1


def test_switch_by_element_and_by_row():
    x = K.placeholder((None, 3))
    a = np.random.RandomState(0).randn(4, 3).astype("float32")
    f = K.function([x], [K.switch(K.greater(x, 0), x, 0.0), K.switch(K.greater(x[:, 0], 0), x, -x)])
    by_element, by_row = f([a])
    np.testing.assert_array_equal(by_element, np.where(a > 0, a, 0))
    np.testing.assert_array_equal(by_row, np.where(a[:, :1] > 0, a, -a))
    with pytest.raises(ValueError, match="Rank of `condition`"):
        K.switch(K.greater(x, 0), x[:, 0], x[:, 0])


def test_switch_masks_gradients_by_selection():
    """Where x is not chosen, the gradient that comes is infinite, and must not become nan by way of 0 * inf."""
    x = K.placeholder((2,), dtype="float64")
    y = K.log(K.switch(K.greater(x, 0), x, K.zeros_like(x)))
    grad = K.function([x], K.gradients(y, [x]))([np.array([-1.0, 4.0])])[0]
    np.testing.assert_allclose(grad, [0, 0.25])


def test_gradients_of_unconnected_tensors_are_none():
    x, y = K.variable(2.0), K.variable(3.0)
    gx, gy = K.gradients(x * x, [x, y])
    assert K.eval(gx) == 4 and gy is None
    assert K.gradients(K.stop_gradient(x) * y, [x, y])[0] is None
    assert len(K.stop_gradient([x, y])) == 2


def test_updates_read_the_state_from_before():
    v, w = K.variable(1.0), K.variable(10.0)
    f = K.function([], [v + w], updates=[K.update(v, w), K.update(w, v)])
    assert f([])[0] == 11
    assert (K.get_value(v), K.get_value(w)) == (10, 1)
    K.function([], [], updates=[K.update_add(v, 1), K.update_add(v, 2), K.update_sub(w, 5)])([])
    assert (K.get_value(v), K.get_value(w)) == (13, -4)
    K.function([], [], updates=[(v, w * 2)])([])
    assert K.get_value(v) == -8


def test_moving_average():
    v = K.variable([1.0, 2.0])
    K.function([], [], updates=[K.moving_average_update(v, K.constant([3.0, 0.0]), 0.9)])([])
    np.testing.assert_allclose(K.get_value(v), [1.2, 1.8], rtol=1e-6)


def test_control_dependencies_read_the_state_after():
    v = K.variable(1.0)
    update = K.update_add(v, 5.0)
    with K.control_dependencies([update]):
        after = v * 2
    assert K.function([], [after])([])[0] == 12
    assert K.get_value(v) == 6, "what is read carries the update along"


def test_functions():
    x = K.placeholder((None,))
    y = x * 2
    f = K.function([x], [y, y + 1])
    a, b = f([[1.0, 2.0]])
    assert a.tolist() == [2, 4] and b.tolist() == [3, 5]
    assert K.function([x], y)([[1.0]]).tolist() == [2], "one tensor, one array"
    assert K.function([y], [y + 1])([[7.0]])[0].tolist() == [8], "any tensor may be fed"
    with pytest.raises(TypeError, match="list or tuple"):
        K.function(x, [y])
    with pytest.raises(TypeError, match="updates"):
        K.function([x], [y], updates=K.update(K.variable(0.0), 1.0))
    with pytest.raises(ValueError, match="givens"):
        K.function([x], [y], givens=[])
    assert K.function([x], [y], options=object(), run_metadata=object())([[1.0]])[0].tolist() == [2]


def test_random_tensors():
    np.random.seed(5)
    a = K.eval(K.random_uniform((1000,), 2, 4))
    np.random.seed(5)
    np.testing.assert_array_equal(a, K.eval(K.random_uniform((1000,), 2, 4)))
    assert a.min() >= 2 and a.max() < 4 and abs(a.mean() - 3) < 0.1
    n = K.eval(K.random_normal((2000,), mean=1, stddev=2, seed=1))
    assert abs(n.mean() - 1) < 0.2 and abs(n.std() - 2) < 0.2
    t = K.eval(K.truncated_normal((2000,), seed=1))
    assert np.abs(t).max() <= 2
    b = K.eval(K.random_binomial((1000,), p=0.3, seed=1))
    assert set(np.unique(b)) == {0, 1} and abs(b.mean() - 0.3) < 0.06
    assert K.get_value(K.random_uniform_variable((3,), 0, 1, seed=1)).shape == (3,)
    assert K.get_value(K.random_normal_variable((3,), 0, 1, seed=1)).shape == (3,)


def test_fetches_are_computed_and_the_feed_dict_is_read_at_each_call():
    x, y = K.variable(0.0), K.variable(0.0)
    a, b = K.placeholder(()), K.placeholder(())
    feed_dict = {b: 3.0}
    f = K.function([a], [a + 1], updates=[(x, a + 10)], fetches=[K.update(y, b * 10)], feed_dict=feed_dict)
    assert f([10.0]) == [11.0]
    assert K.batch_get_value([x, y]) == [20.0, 30.0]
    feed_dict[b] = 4.0
    assert f([20.0]) == [21.0]
    assert K.batch_get_value([x, y]) == [30.0, 40.0]


def test_printing_when_the_value_is_used(capsys):
    x = K.placeholder((None,))
    printed = K.print_tensor(x * 2, message="twice:")
    unused = K.print_tensor(x, message="never")
    f = K.function([x], [printed + 1, x])
    assert [a.tolist() for a in f([[1.0, 2.0]])] == [[3, 5], [1, 2]]
    assert capsys.readouterr().out == "twice: [2. 4.]\n"
    f([[3.0]])
    assert capsys.readouterr().out == "twice: [6.]\n"
    assert K.eval(K.print_tensor(K.constant(5.0))) == 5
    assert capsys.readouterr().out == " 5.0\n"
    assert K.function([x], K.gradients(printed, [x]))([[1.0]])[0] == [2]
    assert unused.shape == (None,)


def test_printing_in_a_loop_shows_all_steps_once(capsys):
    x = K.placeholder((None, 2))
    y = K.map_fn(lambda row: K.print_tensor(K.sum(row), "sums:") * 2, x)
    run = K.function([x], [y, *K.gradients(K.sum(y * y), [x])])
    np.testing.assert_array_equal(run([[[1, 2], [3, 4]]])[0], [6, 14])
    assert capsys.readouterr().out == "sums: [3. 7.]\n"


def test_printing_in_the_learning_phase_that_computes_it(capsys):
    x = K.placeholder(())
    f = K.function([x, K.learning_phase()], [K.in_train_phase(K.print_tensor(x, "train"), x)])
    assert f([1.0, 0]) == [1] and capsys.readouterr().out == ""
    assert f([1.0, 1]) == [1] and capsys.readouterr().out == "train 1.0\n"
