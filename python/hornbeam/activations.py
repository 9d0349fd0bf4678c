"""Activation functions, by name or as functions: each maps a tensor to a tensor of the same shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import backend as K
from . import graph
from .utils.generic_utils import get_registered_name
from .utils.messages import warn_user
from .utils.registry import ACTIVATIONS, public_objects


def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x), scaled to sum 1 along ``axis``.

    Raises:
        ValueError: x has fewer than two axes.
    """
    if K.ndim(x) < 2:
        raise ValueError(f"Cannot apply softmax to a tensor that is 1D. Received input: {x}")
    return K.softmax(x, axis)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x above zero, ``alpha * (exp(x) - 1)`` below."""
    return K.elu(x, alpha)


def selu(x: Any) -> Any:
    """``scale * elu(x, alpha)`` with the constants that keep mean 0 and variance 1 from layer to layer."""
    return graph.apply("selu", [x])


def softplus(x: Any) -> Any:
    """``log(exp(x) + 1)``."""
    return K.softplus(x)


def softsign(x: Any) -> Any:
    """``x / (abs(x) + 1)``."""
    return K.softsign(x)


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """x between ``threshold`` and ``max_value``; ``alpha * (x - threshold)`` below the threshold."""
    return K.relu(x, alpha=alpha, max_value=max_value, threshold=threshold)


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return K.tanh(x)


def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``."""
    return K.sigmoid(x)


def hard_sigmoid(x: Any) -> Any:
    """``0.2 * x + 0.5``, limited to [0, 1]."""
    return K.hard_sigmoid(x)


def exponential(x: Any) -> Any:
    """``exp(x)``."""
    return K.exp(x)


def linear(x: Any) -> Any:
    """x itself."""
    return x


def swish(x: Any) -> Any:
    """``x * sigmoid(x)``; not in Keras 2.3.1, but in many files of tf.keras."""
    return x * K.sigmoid(x)


def hard_swish(x: Any) -> Any:
    """``x * relu6(x + 3) / 6``, which is near :func:`swish` and cheaper (Howard et al., "Searching for MobileNetV3", 2019,
    section 5.2).

    Example:
        >>> K.eval(hard_swish(K.constant([-4.0, 0.0, 1.5, 4.0])))
        array([0.   , 0.   , 1.125, 4.   ], dtype=float32)
    """
    return graph.apply("hard_swish", [x])


def gelu(x: Any, approximate: bool = False) -> Any:
    """x times the probability that a normal number is below x (or its tanh approximation); from files of tf.keras."""
    if approximate:
        return 0.5 * x * (1.0 + K.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))
    return 0.5 * x * (1.0 + graph.apply("erf", [x * 0.7071067811865476]))


def mish(x: Any) -> Any:
    """``x * tanh(log(1 + exp(x)))``; from files of tf.keras."""
    return x * K.tanh(K.softplus(x))


def relu6(x: Any) -> Any:
    """x between 0 and 6; TensorFlow's function, from files of tf.keras."""
    return K.relu(x, max_value=6.0)


def leaky_relu(x: Any, alpha: float = 0.2) -> Any:
    """x above zero, ``alpha * x`` below; TensorFlow's function, from files of tf.keras."""
    return K.relu(x, alpha=alpha)


def log_softmax(x: Any) -> Any:
    """The logarithm of :func:`softmax`; TensorFlow's function, from files of tf.keras."""
    return graph.apply("log_softmax", [x])


def serialize(activation: Callable, use_legacy_format: bool = False) -> str:
    """The name of an activation function."""
    return get_registered_name(activation)


def deserialize(name: Any, custom_objects: dict | None = None, use_legacy_format: bool = False) -> Callable:
    """The activation function of a name.

    Raises:
        ValueError: an unknown name.
    """
    return ACTIVATIONS.deserialize(name, custom_objects)


def get(identifier: Any) -> Callable:
    """An activation function from its name, itself, or None (linear).

    Raises:
        ValueError: anything else.
    """
    if identifier is None:
        return linear
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    if callable(identifier):
        if hasattr(identifier, "get_config"):
            warn_user(
                f"Do not pass a layer instance (such as {type(identifier).__name__}) as the activation argument of "
                "another layer. Instead, advanced activation layers should be used just like any other layer in a model."
            )
        return identifier
    raise ValueError(f"Could not interpret activation function identifier: {identifier}")


ACTIVATIONS.register({**public_objects(globals()), "silu": swish})
