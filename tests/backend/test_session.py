"""``K.get_session().run``: what scripts fetch and feed."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.layers import Dense, Dropout
from hornbeam.models import Sequential


def test_fetches_keep_their_structure():
    x = K.placeholder((None, 2))
    got = K.get_session().run([x * 2.0, {"sum": K.sum(x), "none": None}, (x, x)], feed_dict={x: [[1, 2]]})
    np.testing.assert_array_equal(got[0], [[2, 4]])
    assert got[1] == {"sum": 3.0, "none": None}
    assert isinstance(got[2], tuple)
    np.testing.assert_array_equal(got[2][1], [[1, 2]])


def test_any_tensor_may_be_fed_and_variables_fetched():
    v = K.variable([1.0, 2.0])
    middle = v + 1.0
    assert K.get_session().run(K.sum(middle * v), {middle: [10.0, 10.0]}) == 30.0
    np.testing.assert_array_equal(K.get_session().run(v), [1, 2])


def test_a_fetched_update_is_carried_out():
    v = K.variable(1.0)
    add = K.update_add(v, 2.0)
    assert [K.get_session().run(add) for _ in range(3)] == [3, 5, 7]
    assert K.get_value(v) == 7


def test_the_learning_phase_is_fed_like_a_tensor():
    model = Sequential([Dense(8, input_shape=(4,), bias_initializer="ones"), Dropout(0.5)])
    x, session = np.zeros((50, 4)), K.get_session()
    assert np.all(session.run(model.output, {model.input: x}) == 1)
    assert set(np.unique(session.run(model.output, {model.input: x, K.learning_phase(): 1}))) == {0, 2}


def test_initializers_are_nothing_to_run():
    assert K.get_session().run(None) is None


def test_what_is_no_tensor_is_refused():
    with pytest.raises(TypeError, match=r"Session\.run computes tensors"):
        K.get_session().run(["dense_1/kernel:0"])


def test_scripts_enter_sessions_and_graphs():
    session = K.get_session()
    with session.as_default(), session.graph.as_default(), K.get_graph().as_default():
        assert session.run(K.constant(1.0)) == 1
    K.set_session(object())
