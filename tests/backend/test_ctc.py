"""The CTC loss against the sum over every path, written out."""

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
    with pytest.raises(ValueError, match="known numbers"):
        K.ctc_batch_cost(inputs[0], K.placeholder((None, None, 3)), *inputs[2:])
