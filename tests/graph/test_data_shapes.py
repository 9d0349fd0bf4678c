"""Shapes that depend on data: the first part of the program runs, the rest is bound with the integers it gave."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import graph as G


def test_shapes_made_of_fed_integers(target):
    n = K.placeholder((), dtype="int32")
    run = K.function(
        [n],
        [
            K.arange(n),
            K.ones((n, 2)),
            K.tile(K.constant([[1.0, 2.0]]), (n, 1)),
            K.reshape(K.arange(n * 2), (n, 2)),
            K.constant(np.arange(9))[:n],
        ],
    )
    for count in (3, 0, 5, 3):
        got = run([count])
        want = [np.arange(count), np.ones((count, 2)), np.tile([[1, 2]], (count, 1))]
        want += [np.arange(2 * count).reshape(count, 2), np.arange(count)]
        for g, w in zip(got, want):
            np.testing.assert_array_equal(g, w)
            assert g.shape == w.shape


def masked_loss():
    """A mask up to the longest length of the batch, and what is left of a product under it."""
    lengths, x = K.placeholder((None,), dtype="int32"), K.placeholder((None, None, 3))
    w = K.variable(np.eye(3) * 2)
    longest = K.max(lengths)
    mask = K.cast(K.expand_dims(K.arange(longest), 0) < K.expand_dims(lengths, 1), "float32")
    y = K.dot(x, w)[:, :longest] * K.expand_dims(mask)
    return lengths, x, w, y


def test_values_gradients_and_updates():
    lengths, x, w, y = masked_loss()
    grads = K.gradients(K.sum(y * y), [x, w])
    run = K.function([lengths, x], [y, *grads], updates=[(w, w + 1)])
    rng = np.random.RandomState(0)
    weights = np.eye(3) * 2
    for given in ([1, 3, 2], [4, 1, 1], [1, 3, 2]):
        data = rng.randn(3, 5, 3).astype("float32")
        keep = (np.arange(5) < np.array(given)[:, None])[..., None]
        value, dx, dw = run([given, data])
        want = data @ weights * keep
        np.testing.assert_allclose(value, want[:, : max(given)], rtol=1e-5)
        np.testing.assert_allclose(dx, 2 * want @ weights.T, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(dw, np.einsum("bti,btj->ij", data, 2 * want), rtol=1e-4, atol=1e-5)
        weights = weights + 1
    np.testing.assert_array_equal(K.get_value(w), weights)


def test_what_is_before_the_cut_is_not_computed_twice():
    x = K.placeholder((100,))
    noise = K.random_uniform((100,), seed=1)
    count = K.sum(K.cast(x + noise > 0.5, "int32"))
    run = K.function([x], [K.arange(count), noise])
    (a, first), (b, second) = run([np.zeros(100)]), run([np.zeros(100)])
    assert len(a) == (first > 0.5).sum() and len(b) == (second > 0.5).sum() and (first != second).any()


def test_shapes_that_depend_on_such_shapes():
    n = K.placeholder((None,), dtype="int32")
    run = K.function([n], [K.arange(K.sum(K.arange(K.max(n))))])
    for longest in (2, 4):
        np.testing.assert_array_equal(run([[1, longest]])[0], np.arange(np.arange(longest).sum()))


def test_values_of_variables():
    v = K.variable(4, dtype="int32")
    assert len(K.eval(K.arange(v * 2))) == 8
    K.set_value(v, 6)
    assert len(K.eval(K.arange(v * 2))) == 12


def test_inside_a_scan():
    n, x = K.placeholder((None,), dtype="int32"), K.placeholder((None, 6))
    longest = K.max(n)
    run = K.function([n, x], [K.map_fn(lambda row: row[:longest], x)])
    for count in (2, 5):
        np.testing.assert_array_equal(run([[1, count], np.ones((3, 6))])[0], np.ones((3, count)))
    each = K.function([x], [K.map_fn(lambda row: K.arange(K.cast(K.sum(row), "int32")), x)])
    np.testing.assert_array_equal(each([np.ones((2, 6))])[0], [range(6)] * 2)
    with pytest.raises(ValueError, match="concat"):  # what the steps give has to fit together
        each([[[1] * 6, [2] * 6]])


def test_from_many_threads():
    lengths, x, w, y = masked_loss()
    run = G.Function([lengths, x], [y], [w.assign(w * 1.0)])
    data = np.ones((2, 8, 3), "float32")
    with ThreadPoolExecutor(4) as pool:
        shapes = list(pool.map(lambda n: run([[1, n], data])[0].shape, [1, 5, 8, 3] * 6))
    assert shapes == [(2, n, 3) for n in [1, 5, 8, 3] * 6]
