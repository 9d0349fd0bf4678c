"""Losses against NumPy, reductions, weights, configs."""

import json

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import losses
from hornbeam.utils import losses_utils

T, P = np.random.RandomState(0).uniform(0.1, 1, (4, 5)), np.random.RandomState(1).uniform(0.1, 1, (4, 5))
SIGNS = np.where(np.random.RandomState(2).rand(4, 5) > 0.5, 1.0, -1.0)
ONE_HOT = np.eye(5)[[0, 3, 1, 1]]


def unit(y):
    return y / np.linalg.norm(y, axis=-1, keepdims=True)


def huber(e, delta):
    return np.where(np.abs(e) <= delta, 0.5 * e**2, delta * np.abs(e) - 0.5 * delta**2)


CASES = [
    ("mean_squared_error", T, ((P - T) ** 2).mean(-1)),
    ("mean_absolute_error", T, np.abs(P - T).mean(-1)),
    ("mean_absolute_percentage_error", T, 100 * np.abs((T - P) / T).mean(-1)),
    ("mean_squared_logarithmic_error", T, ((np.log1p(P) - np.log1p(T)) ** 2).mean(-1)),
    ("hinge", SIGNS, np.maximum(1 - SIGNS * P, 0).mean(-1)),
    ("squared_hinge", SIGNS, (np.maximum(1 - SIGNS * P, 0) ** 2).mean(-1)),
    ("categorical_hinge", ONE_HOT, np.maximum(((1 - ONE_HOT) * P).max(-1) - (ONE_HOT * P).sum(-1) + 1, 0)),
    ("logcosh", 3 * T, np.log(np.cosh(P - 3 * T)).mean(-1)),
    ("huber_loss", 3 * T, huber(P - 3 * T, 1.0)),
    ("kullback_leibler_divergence", T, (T * np.log(T / P)).sum(-1)),
    ("poisson", T, (P - T * np.log(P + 1e-7)).mean(-1)),
    ("cosine_proximity", T, -(unit(T) * unit(P)).sum(-1)),
    ("categorical_crossentropy", ONE_HOT, -(ONE_HOT * np.log(P / P.sum(-1, keepdims=True))).sum(-1)),
    ("binary_crossentropy", ONE_HOT, -(ONE_HOT * np.log(P) + (1 - ONE_HOT) * np.log(1 - P)).mean(-1)),
]


@pytest.mark.parametrize("name, target, expected", CASES)
def test_functions(name, target, expected):
    function = losses.get(name)
    assert losses.serialize(function) == name
    got = K.eval(function(K.constant(target), K.constant(P)))
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(K.eval(function(target, P)), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["hinge", "squared_hinge"])
def test_hinges_convert_zeros_and_ones(name):
    function = losses.get(name)
    np.testing.assert_allclose(K.eval(function((SIGNS + 1) / 2, P)), K.eval(function(SIGNS, P)), rtol=1e-6)


def test_logcosh_does_not_overflow():
    np.testing.assert_allclose(
        K.eval(losses.logcosh(np.zeros((1, 1)), np.full((1, 1), 500.0))), [500 - np.log(2)], rtol=1e-6
    )


def test_label_smoothing():
    smooth = ONE_HOT * 0.9 + 0.1 / 5
    expected = K.eval(losses.categorical_crossentropy(smooth, P))
    np.testing.assert_allclose(
        K.eval(losses.categorical_crossentropy(ONE_HOT, P, label_smoothing=0.1)), expected, rtol=1e-6
    )
    smooth = ONE_HOT * 0.9 + 0.05
    expected = K.eval(losses.binary_crossentropy(smooth, P))
    np.testing.assert_allclose(K.eval(losses.binary_crossentropy(ONE_HOT, P, label_smoothing=0.1)), expected, rtol=1e-6)


def test_sparse_crossentropy():
    expected = K.eval(losses.categorical_crossentropy(ONE_HOT, P / P.sum(-1, keepdims=True)))
    got = K.eval(losses.sparse_categorical_crossentropy(ONE_HOT.argmax(-1), P / P.sum(-1, keepdims=True)))
    np.testing.assert_allclose(got, expected, rtol=1e-5)


CLASSES = {
    "MeanSquaredError": "mean_squared_error", "MeanAbsoluteError": "mean_absolute_error",
    "MeanAbsolutePercentageError": "mean_absolute_percentage_error",
    "MeanSquaredLogarithmicError": "mean_squared_logarithmic_error", "Hinge": "hinge", "SquaredHinge": "squared_hinge",
    "CategoricalHinge": "categorical_hinge", "Poisson": "poisson", "LogCosh": "logcosh",
    "KLDivergence": "kullback_leibler_divergence", "Huber": "huber_loss",
    "CategoricalCrossentropy": "categorical_crossentropy", "BinaryCrossentropy": "binary_crossentropy",
}  # fmt: skip


@pytest.mark.parametrize("class_name, function_name", CLASSES.items())
def test_classes_reduce_their_function(class_name, function_name):
    per_sample = K.eval(getattr(losses, function_name)(ONE_HOT, P))
    cls = getattr(losses, class_name)
    y, p = K.constant(ONE_HOT), K.constant(P)
    np.testing.assert_allclose(K.eval(cls()(y, p)), per_sample.mean(), rtol=1e-5)
    np.testing.assert_allclose(K.eval(cls(reduction="sum")(y, p)), per_sample.sum(), rtol=1e-5)
    np.testing.assert_allclose(K.eval(cls(reduction="none")(y, p)), per_sample, rtol=1e-5)
    w = np.array([0.5, 2.0, 0.0, 1.0], "float32")
    weighted = per_sample * w.reshape((4,) + (1,) * (per_sample.ndim - 1))
    np.testing.assert_allclose(K.eval(cls()(y, p, sample_weight=K.constant(w))), weighted.mean(), rtol=1e-5)
    np.testing.assert_allclose(K.eval(cls()(y, p, sample_weight=2.0)), 2 * per_sample.mean(), rtol=1e-5)
    config = json.loads(json.dumps(losses.serialize(cls(reduction="sum", name="mine"))))
    again = losses.deserialize(config)
    assert type(again) is cls and (again.reduction, again.name) == ("sum", "mine")


def test_reductions_and_shapes():
    with pytest.raises(ValueError, match="Invalid Reduction Key"):
        losses.MeanSquaredError(reduction="median")(K.constant(T), K.constant(P))
    with pytest.raises(ValueError, match="Incompatible shapes"):
        losses.MeanSquaredError()(K.constant(T), K.constant(P), sample_weight=K.constant([1.0, 2.0, 3.0]))
    y_pred, y_true, w = losses_utils.squeeze_or_expand_dimensions(
        K.placeholder((None, 1)), K.placeholder((None,)), K.placeholder((None, 1))
    )
    assert [K.ndim(x) for x in (y_pred, y_true, w)] == [1, 1, 1]


def test_a_loss_class_of_a_user():
    class Largest(losses.Loss):
        def call(self, y_true, y_pred):
            return K.max(K.abs(y_pred - y_true), axis=-1)

    got = K.eval(Largest()(K.constant(T), K.constant(P)))
    np.testing.assert_allclose(got, np.abs(T - P).max(-1).mean(), rtol=1e-6)
    with pytest.raises(NotImplementedError):
        losses.Loss()(K.constant(T), K.constant(P))


def test_get():
    assert losses.get("mse") is losses.get("MSE") is losses.mean_squared_error
    assert losses.get(None) is None
    assert losses.get(len) is len
    with pytest.raises(ValueError, match="Could not interpret"):
        losses.get(3)
    assert losses.is_categorical_crossentropy("categorical_crossentropy")
    assert losses.is_categorical_crossentropy(losses.CategoricalCrossentropy())
    assert not losses.is_categorical_crossentropy(losses.mse)
    from hornbeam import objectives

    assert objectives.mse is losses.mse


@pytest.mark.parametrize("wrong", ["K", "graph", "get", "unknown"])
def test_unknown_names(wrong):
    with pytest.raises(ValueError, match="Unknown loss function"):
        losses.get(wrong)
