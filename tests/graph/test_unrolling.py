"""Loops over a batch in which sizes depend on data: masks, the boxes left over, as many of the largest as there are."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import graph as G
from hornbeam.graph.flat import flatten
from hornbeam.layers import Input, Lambda
from hornbeam.models import Model
from hornbeam.tf import NAMES as tf

X = np.array([[1, -2, 3, 4], [-1, -1, -1, -1], [5, 6, -7, 8]], "float32")
SUMS = X.clip(0).sum(1)


def kept(row):
    return tf["boolean_mask"](row, row > 0.0)


def test_each_number_of_steps_has_its_program():
    x = K.placeholder((None, 4))
    sums = K.map_fn(lambda row: K.sum(kept(row)), x)
    function = K.function([x], [sums, K.gradients(sums, x)[0]])
    for rows in (3, 1, 3):
        got = function([X[:rows]])
        np.testing.assert_array_equal(got[0], SUMS[:rows])
        np.testing.assert_array_equal(got[1], X[:rows] > 0)
    assert len(function._programs) == 2
    sums, gradient = function([X[:0]])
    assert (sums.shape, gradient.shape) == ((0,), (0, 4))


def test_states_arrays_and_both_directions():
    x = K.placeholder((None, 4))

    def body(b, total, written):
        return b + 1, total * 2.0 + K.sum(kept(x[b])), written.write(b, K.sum(kept(x[b])) + total)

    start = [0, K.constant(1.0), tf["TensorArray"]("float32", 1)]
    b, total, written = tf["while_loop"](lambda b, *_: b < K.shape(x)[0], body, start)
    back = K.foldr(lambda total, row: total * 2.0 + K.sum(kept(row)), x, K.constant(1.0))
    got = K.function([x], [b, total, written.stack(), back])([X])
    totals = [1.0, 10.0, 20.0, 59.0]
    assert (got[0], got[1]) == (3, totals[3]) and got[2].tolist() == list(SUMS + totals[:3])
    assert got[3] == ((1 * 2 + SUMS[2]) * 2 + SUMS[1]) * 2 + SUMS[0]


def test_a_loop_in_a_loop():
    """As a detector suppresses boxes class by class, image by image."""
    x = K.placeholder((None, 2, 4))
    counts = K.map_fn(lambda image: K.map_fn(lambda row: K.cast(K.shape(kept(row))[0], "float32"), image), x)
    images = np.stack([X[:2], X[1:]])
    np.testing.assert_array_equal(K.function([x], [counts])([images])[0], (images > 0).sum(2))


def test_on_demand():
    np.testing.assert_array_equal(K.eval(K.map_fn(lambda row: K.sum(kept(row)), K.constant(X))), SUMS)


def test_in_a_model_that_trains():
    x = Input((4,))
    model = Model(x, Lambda(lambda t: K.map_fn(lambda row: K.sum(kept(row), keepdims=True), t))(x))
    np.testing.assert_array_equal(model.predict(X, batch_size=2)[:, 0], SUMS)
    model.compile("sgd", "mse")
    assert model.evaluate(X, SUMS, batch_size=2, verbose=0) == 0


def test_other_loops_stay_loops():
    x = K.placeholder((None, 5, 4))
    outputs = [
        K.map_fn(lambda image: K.sum(image[1:, ::2]) + K.cast(K.shape(image)[0], "float32"), x),
        K.foldl(lambda total, image: total + K.reshape(image, [-1])[0], x, K.constant(0.0)),
        K.map_fn(lambda n: K.gather(x, n)[0, 0], K.arange(K.shape(x)[0])),
    ]
    assert not flatten([x], outputs).loops


def test_random_numbers_are_not_written_out():
    """Each step has to draw its own: that is the scan's doing."""
    x = K.placeholder((None, 4))
    drawn = K.map_fn(lambda row: K.sum(kept(row + K.random_uniform((4,)))), x)
    with pytest.raises(ValueError, match="depends on data"):
        K.function([x], [drawn])([X])


def test_what_is_printed_in_a_step(capsys):
    x = K.placeholder((None, 4))
    sums = K.map_fn(lambda row: K.print_tensor(K.sum(kept(row)), "sum"), x)
    G.Function([x], [sums])([X])
    assert capsys.readouterr().out == f"sum {SUMS}\n"
