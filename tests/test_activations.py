"""Activation functions by name, and their values."""

import numpy as np
import pytest
from hornbeam import activations
from hornbeam import backend as K

X = np.linspace(-3, 3, 20).reshape(4, 5)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("linear", X),
        ("relu", np.maximum(X, 0)),
        ("elu", np.where(X > 0, X, np.expm1(X))),
        ("selu", 1.0507009873554805 * np.where(X > 0, X, 1.6732632423543772 * np.expm1(X))),
        ("softplus", np.log1p(np.exp(X))),
        ("softsign", X / (1 + np.abs(X))),
        ("tanh", np.tanh(X)),
        ("sigmoid", 1 / (1 + np.exp(-X))),
        ("hard_sigmoid", np.clip(0.2 * X + 0.5, 0, 1)),
        ("exponential", np.exp(X)),
        ("softmax", np.exp(X) / np.exp(X).sum(-1, keepdims=True)),
    ],
)
def test_values(name, expected):
    function = activations.get(name)
    assert activations.serialize(function) == name and activations.deserialize(name) is function
    np.testing.assert_allclose(K.eval(function(K.constant(X, "float64"))), expected, rtol=1e-7, atol=1e-12)


def test_get():
    assert activations.get(None) is activations.linear
    assert activations.get(np.tanh) is np.tanh
    with pytest.raises(ValueError, match="Could not interpret"):
        activations.get(6)


@pytest.mark.parametrize("wrong", ["unknown", "K", "get", "deserialize"])
def test_unknown_names(wrong):
    with pytest.raises(ValueError, match="Unknown activation function"):
        activations.get(wrong)


def test_softmax_wants_two_axes():
    with pytest.raises(ValueError, match="1D"):
        activations.softmax(K.constant([1.0, 2.0]))
