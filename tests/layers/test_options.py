"""Activations, initializers, regularizers and constraints are given by name, object, class, config or function."""

import json

import numpy as np
import pytest
from hornbeam import activations, constraints, initializers, regularizers
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam.models import Sequential, model_from_json
from hornbeam.utils import CustomObjectScope

X = np.random.RandomState(0).uniform(-1, 1, (8, 5, 4)).astype("float32")


def trained(layer, **options):
    """Outputs, penalty and weights after a step: what all options together make of a layer."""
    np.random.seed(1)
    model = Sequential([layer(3, input_shape=(5, 4), **options)])
    model.compile("sgd", "mse")
    before, target = model.predict(X), np.ones(model.compute_output_shape((8, 5, 4)), "float32")
    loss = model.train_on_batch(X, target)
    again = model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    return [before, np.float32(loss), *model.get_weights()]


SPELLINGS = {
    "activation": ["tanh", activations.tanh, activations.get("tanh")],
    "kernel_initializer": [
        "ones",
        "Ones",
        initializers.Ones,
        initializers.Ones(),
        {"class_name": "Ones", "config": {}},
        initializers.serialize(initializers.Ones()),
    ],
    "kernel_regularizer": [
        "l1",
        regularizers.l1(0.01),
        regularizers.L1L2(l1=0.01),
        {"class_name": "L1L2", "config": {"l1": 0.01, "l2": 0.0}},
    ],
    "bias_regularizer": ["l2", regularizers.l2(0.01), regularizers.serialize(regularizers.l2(0.01))],
    "activity_regularizer": ["l1", regularizers.l1(0.01)],
    "kernel_constraint": [
        "non_neg",
        "NonNeg",
        constraints.non_neg(),
        constraints.NonNeg,
        {"class_name": "NonNeg", "config": {}},
    ],
    "bias_constraint": ["max_norm", constraints.MaxNorm(2), constraints.serialize(constraints.max_norm(2))],
}


@pytest.mark.parametrize("layer", [L.Dense, L.Conv1D, L.LSTM])
@pytest.mark.parametrize("option", SPELLINGS)
def test_all_spellings_are_the_same(layer, option):
    more = {"kernel_size": 2} if layer is L.Conv1D else {}
    first, *others = (trained(layer, **more, **{option: value}) for value in SPELLINGS[option])
    for other in others:
        for a, b in zip(first, other):
            np.testing.assert_array_equal(a, b)
    plain = trained(layer, **more)
    same = all(np.array_equal(a, b) for a, b in zip(first, plain))
    # tanh is an LSTM's own, and other layers' biases are zero at first
    assert same == ((option, layer is L.LSTM) in (("activation", True), ("bias_regularizer", False)))


def quarter(shape, dtype=None):
    return K.ones(shape, dtype=dtype) / 4.0


def penalty(weights):
    return 0.5 * K.sum(K.square(weights))


def halve(weights):
    return weights * 0.5


def bend(x):
    return K.square(x)


@pytest.mark.parametrize("layer", [L.Dense, L.GRU])
def test_functions_of_ones_own(layer):
    options = {
        "kernel_initializer": quarter,
        "kernel_regularizer": penalty,
        "kernel_constraint": halve,
        "activation": bend,
    }
    model = Sequential([layer(3, input_shape=(5, 4), **options)])
    kernel = model.get_weights()[0]
    np.testing.assert_array_equal(kernel, np.full_like(kernel, 0.25))
    assert K.eval(model.losses[0]) == pytest.approx(0.5 * kernel.size / 16)
    if layer is L.Dense:
        np.testing.assert_allclose(model.predict(X), (X.sum(-1, keepdims=True) / 4).repeat(3, -1) ** 2, rtol=1e-4)
    model.compile("sgd", "mse")
    model.optimizer.lr = 0.0
    model.train_on_batch(X, np.ones(model.compute_output_shape((8, 5, 4))))
    np.testing.assert_allclose(model.get_weights()[0], kernel / 2)

    text = model.to_json()
    assert json.loads(text)["config"]["layers"][0]["config"]["kernel_initializer"] == "quarter"
    with CustomObjectScope({f.__name__: f for f in (quarter, penalty, halve, bend)}):
        again = model_from_json(text)
    np.testing.assert_array_equal(again.get_weights()[0], np.full_like(kernel, 0.25))
    with pytest.raises(ValueError, match="Unknown"):
        model_from_json(text)
