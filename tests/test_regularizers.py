"""Penalties and constraints on weights."""

import json

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import constraints, regularizers

W = np.random.RandomState(0).randn(4, 5)


@pytest.mark.parametrize(
    "make, l1, l2",
    [
        (lambda: regularizers.l1(0.1), 0.1, 0),
        (lambda: regularizers.l2(0.2), 0, 0.2),
        (lambda: regularizers.l1_l2(0.1, 0.3), 0.1, 0.3),
        (lambda: regularizers.L1L2(), 0, 0),
        (lambda: regularizers.get("l2"), 0, 0.01),
        (lambda: regularizers.l1(l1=0.1), 0.1, 0),
        (lambda: regularizers.L2(l2=0.2), 0, 0.2),
        (lambda: regularizers.L1(0.2), 0.2, 0),
    ],
)
def test_penalties(make, l1, l2):
    expected = l1 * np.abs(W).sum() + l2 * (W**2).sum()
    np.testing.assert_allclose(K.eval(make()(K.constant(W))), expected, rtol=1e-5)


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_the_orthogonal_regularizer(mode):
    regularizer = regularizers.get({"class_name": "OrthogonalRegularizer", "config": {"factor": 0.3, "mode": mode}})
    rows = W if mode == "rows" else W.T
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = np.abs((rows @ rows.T)[np.triu_indices(len(rows), 1)])
    np.testing.assert_allclose(K.eval(regularizer(K.constant(W))), 0.3 * cosines.mean(), rtol=1e-5)
    with pytest.raises(ValueError, match="is for matrices"):
        regularizer(K.ones((2, 2, 2)))
    with pytest.raises(ValueError, match="'rows' or 'columns', got 'both'"):
        regularizers.OrthogonalRegularizer(mode="both")


def test_regularizer_configs():
    regularizer = regularizers.l1_l2(0.1, 0.3)
    config = json.loads(json.dumps(regularizers.serialize(regularizer)))
    assert regularizers.deserialize(config).get_config() == regularizer.get_config()
    assert regularizers.get(None) is None and regularizers.get(regularizer) is regularizer
    assert regularizers.get({"class_name": "L2", "config": {"l2": 0.5}}).l2 == 0.5, "as tf.keras writes it"
    with pytest.raises(ValueError, match="Unknown regularizer"):
        regularizers.get("l3")
    with pytest.raises(ValueError, match="Could not interpret"):
        regularizers.get(3)


def test_the_factors_of_a_regularizer_have_a_dtype():
    regularizer = regularizers.l1_l2(0.1, 0.01)
    assert regularizer.l1.dtype == regularizer.l2.dtype == "float32"
    assert all(type(value) is float for value in regularizer.get_config().values())


def norms(w, axis=0):
    return np.sqrt((w**2).sum(axis, keepdims=True))


@pytest.mark.parametrize(
    "constraint, expected",
    [
        (constraints.NonNeg(), np.maximum(W, 0)),
        (constraints.MaxNorm(1.5), W * np.minimum(norms(W), 1.5) / norms(W)),
        (constraints.MaxNorm(1.5, axis=1), W * np.minimum(norms(W, 1), 1.5) / norms(W, 1)),
        (constraints.UnitNorm(), W / norms(W)),
        (constraints.UnitNorm(axis=[0, 1]), W / norms(W, (0, 1))),
        (constraints.MinMaxNorm(1.8, 2.0), W * np.clip(norms(W), 1.8, 2.0) / norms(W)),
        (
            constraints.MinMaxNorm(1.8, 2.0, rate=0.5),
            W * (0.5 * np.clip(norms(W), 1.8, 2.0) + 0.5 * norms(W)) / norms(W),
        ),
    ],
)
def test_constraints(constraint, expected):
    np.testing.assert_allclose(K.eval(constraint(K.constant(W))), expected, rtol=1e-5, atol=1e-6)
    config = json.loads(json.dumps(constraints.serialize(constraint)))
    assert constraints.deserialize(config).get_config() == constraint.get_config()


@pytest.mark.parametrize("name", ["l1", "l2", "L2", "L1L2", "l1_l2"])
def test_one_that_was_not_called(name):
    made = regularizers.get(getattr(regularizers, name))
    assert made.get_config() == regularizers.get(name).get_config()


def test_constraint_names():
    assert isinstance(constraints.get("max_norm"), constraints.MaxNorm)
    assert constraints.maxnorm is constraints.max_norm is constraints.MaxNorm
    assert constraints.get(None) is None
    with pytest.raises(ValueError, match="Unknown constraint"):
        constraints.get("min_norm")
    with pytest.raises(ValueError, match="Could not interpret"):
        constraints.get(3)
