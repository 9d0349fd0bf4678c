"""The CTC loss against the sum over every path, written out; decoding against values of Keras 2.3.1's own decoders."""

import itertools

import numpy as np
import pytest
from checks import check_gradients
from hornbeam import backend as K

BLANK = 2


def collapse(path):
    return [k for k, _ in itertools.groupby(path) if k != BLANK]


def brute_force(labels, probabilities):
    paths = itertools.product(range(BLANK + 1), repeat=len(probabilities))
    total = sum(np.prod(probabilities[range(len(p)), p]) for p in paths if collapse(p) == list(labels))
    return -np.log(total)


P = np.random.RandomState(0).dirichlet(np.ones(3), (4, 5))
LABELS = np.array([[0, 1, 0], [0, 0, 9], [1, 7, 7], [1, 1, 0]])
USED, STEPS = np.array([[3], [2], [1], [2]]), np.array([[5], [5], [2], [4]])


def test_every_path():
    cost = K.eval(
        K.ctc_batch_cost(
            *(K.constant(a, d) for a, d in ((LABELS, "int32"), (P, "float64"), (STEPS, "int32"), (USED, "int32")))
        )
    )
    expected = [brute_force(t[: n[0]], p[: s[0]]) for t, p, s, n in zip(LABELS, P, STEPS, USED)]
    assert cost.shape == (4, 1)
    np.testing.assert_allclose(cost[:, 0], expected, rtol=1e-5)


def test_gradients():
    labels, steps, used = (K.constant(a, "int32") for a in (LABELS, STEPS, USED))
    check_gradients(lambda p: K.ctc_batch_cost(labels, p, steps, used), [P], rtol=1e-4)


def test_placeholders_of_any_batch():
    shapes = [(None, 3), (None, 5, 3), (None, 1), (None, 1)]
    inputs = [K.placeholder(s) for s in shapes]
    cost = K.function(inputs, [K.ctc_batch_cost(*inputs)])([LABELS, P, STEPS, USED])[0]
    np.testing.assert_allclose(cost[1, 0], brute_force([0, 0], P[1]), rtol=1e-4)


def test_placeholders_of_any_length():
    inputs = [K.placeholder(s) for s in [(None, None), (None, None, 3), (None, 1), (None, 1)]]
    cost = K.ctc_batch_cost(*inputs)
    f = K.function(inputs, [cost, *K.gradients(cost, inputs[1])])
    for steps in (4, 5):
        value, gradient = f([LABELS[:2], P[:2, :steps], np.full((2, 1), steps), USED[:2]])
        np.testing.assert_allclose(value[1, 0], brute_force([0, 0], P[1, :steps]), rtol=1e-4)
        assert gradient.shape == (2, steps, 3)
    second = K.function(inputs, K.gradients(K.sum(K.square(K.gradients(cost, inputs[1])[0])), inputs[1]))
    for steps in (1, 4):
        (value,) = second([LABELS[2:3], P[2:3, :steps], np.full((1, 1), steps), USED[2:3]])
        assert value.shape == (1, steps, 3) and np.isfinite(value).all() and value.any()


def test_decode_greedily():
    p = np.array([[[0.1, 0.9, 0], [0.2, 0.8, 0], [0, 0.1, 0.9], [0.3, 0.7, 0]], [[0.6, 0.2, 0.2]] * 4])
    (labels,), score = K.ctc_decode(K.constant(p), K.constant([4, 2], "int32"))
    np.testing.assert_array_equal(K.eval(labels), [[1, 1], [0, -1]])
    assert K.eval(labels).dtype == np.int64
    best = np.log(np.array([[0.9 * 0.8 * 0.9 * 0.7], [0.36]]) + 1e-7)
    np.testing.assert_allclose(K.eval(score), -best, rtol=1e-5)


def test_decode_with_a_beam():
    """One path is likeliest, but another label sequence, over all its paths, is likelier."""
    p = np.array([[[0.4, 0.0, 0.6], [0.4, 0.0, 0.6]]])
    (greedy,), _ = K.ctc_decode(K.constant(p), K.constant([2], "int32"))
    assert K.eval(greedy).shape == (1, 0)
    paths, logs = K.ctc_decode(K.constant(p), K.constant([2], "int32"), greedy=False, beam_width=4, top_paths=2)
    assert [K.eval(path).tolist() for path in paths] == [[[0]], [[]]]
    np.testing.assert_allclose(np.exp(K.eval(logs)), [[0.64, 0.36]], rtol=1e-5)
    with pytest.raises(ValueError, match="top_paths 5 and beam_width 2"):
        K.ctc_decode(K.constant(p), K.constant([2], "int32"), greedy=False, beam_width=2, top_paths=5)


def test_decoded_labels_are_as_wide_as_the_longest_of_each_run():
    p, steps = K.placeholder((None, None, 3)), K.placeholder((None,), dtype="int32")
    decode = K.function([p, steps], [K.ctc_decode(p, steps)[0][0], *K.ctc_decode(p, steps, greedy=False)[0]])
    for used, width in (([5, 3], 4), ([2, 2], 2), ([0, 1], 1), ([0, 0], 0), ([], 0)):
        path = np.array([[0, 1, 0, 2, 0], [1, 0, 1, 0, 1]])[: len(used)]
        greedy, beam = decode([np.eye(3)[path], used])
        assert greedy.shape == beam.shape == (len(used), width)
        np.testing.assert_array_equal(greedy, beam)


def test_labels_one_behind_the_other():
    labels, used = K.placeholder((None, None), dtype="int32"), K.placeholder((None,), dtype="int32")
    sparse = K.ctc_label_dense_to_sparse(labels, used)
    assert K.is_sparse(sparse) and sparse.dtype == "int32"
    f = K.function([labels, used], [sparse.indices, sparse.values, sparse.dense_shape, K.to_dense(sparse)])
    indices, values, shape, dense = f([[[3, 4, 5], [6, 7, 8], [9, 1, 2]], [2, 0, 3]])
    np.testing.assert_array_equal(indices, [[0, 0], [0, 1], [2, 0], [2, 1], [2, 2]])
    np.testing.assert_array_equal(values, [3, 4, 9, 1, 2])
    np.testing.assert_array_equal(shape, [3, 3])
    np.testing.assert_array_equal(dense, [[3, 4, 0], [0, 0, 0], [9, 1, 2]])
    indices, values, shape, dense = f([np.ones((2, 4)), [0, 0]])
    assert indices.shape == (0, 2) and values.shape == (0,) and not dense.any()
    np.testing.assert_array_equal(K.eval(K.ctc_label_dense_to_sparse(K.constant([[1, 2]]), K.constant([1]))), [[1, 0]])
