"""Layers of Keras 1 that Keras 2.3.1 kept; old files hold them."""

from __future__ import annotations

from typing import Any

from .. import activations, initializers
from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..layers.convolutional import AtrousConvolution1D, AtrousConvolution2D  # noqa: F401 - Keras has them here
from ..layers.options import options_config, set_options
from ..utils.messages import warn_user
from ..utils.registry import LAYERS
from .recurrent import ConvRecurrent2D, Recurrent  # noqa: F401 - as it has these


class _Legacy(Layer):
    """What both share: an input of two axes, and Keras 1's names of arguments and weights."""

    _options = ("W_regularizer", "b_regularizer", "activity_regularizer", "W_constraint", "b_constraint")

    def __init__(self, init, bias, input_dim, kwargs, **options):
        if input_dim:
            kwargs["input_shape"] = (input_dim,)
        super().__init__(**kwargs)
        warn_user(f"The `{type(self).__name__}` layer is deprecated.", DeprecationWarning)
        self.init = initializers.get(init)
        self.bias = bias
        self.input_dim = input_dim
        set_options(self, **options)
        self.input_spec = InputSpec(ndim=2)

    def _add(self, name: str, shape: tuple, initializer: Any) -> Any:
        """A weight; only W and b have regularizers and constraints."""
        regularizer, constraint = (getattr(self, f"{name}_{kind}", None) for kind in ("regularizer", "constraint"))
        return self.add_weight(
            name=name, shape=shape, initializer=initializer, regularizer=regularizer, constraint=constraint
        )

    def get_config(self):
        own = {"init": initializers.serialize(self.init), "bias": self.bias, "input_dim": self.input_dim}
        return {**super().get_config(), **own, **options_config(self, *self._options)}


class MaxoutDense(_Legacy):
    """The largest of ``nb_feature`` linear functions: (batch, features) to (batch, output_dim).

    Weights: W (nb_feature, features, output_dim), b (nb_feature, output_dim).
    """

    def __init__(
        self,
        output_dim,
        nb_feature=4,
        init="glorot_uniform",
        weights=None,
        W_regularizer=None,
        b_regularizer=None,
        activity_regularizer=None,
        W_constraint=None,
        b_constraint=None,
        bias=True,
        input_dim=None,
        **kwargs,
    ):
        super().__init__(
            init,
            bias,
            input_dim,
            {**kwargs, "weights": weights},
            W_regularizer=W_regularizer,
            b_regularizer=b_regularizer,
            activity_regularizer=activity_regularizer,
            W_constraint=W_constraint,
            b_constraint=b_constraint,
        )
        self.output_dim = output_dim
        self.nb_feature = nb_feature

    def build(self, input_shape):
        features = input_shape[1]
        self.input_spec = InputSpec(ndim=2, axes={1: features})
        self.W = self._add("W", (self.nb_feature, features, self.output_dim), self.init)
        self.b = self._add("b", (self.nb_feature, self.output_dim), "zeros") if self.bias else None
        self.built = True

    def call(self, inputs):
        output = K.dot(inputs, self.W)
        return K.max(output + self.b if self.bias else output, axis=1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.output_dim)

    def get_config(self):
        return {**super().get_config(), "output_dim": self.output_dim, "nb_feature": self.nb_feature}


class Highway(_Legacy):
    """``gate * activation(x W + b) + (1 - gate) * x`` with ``gate = sigmoid(x W_carry + b_carry)``.

    Weights: W, W_carry (features, features), b, b_carry (features,).
    """

    def __init__(
        self,
        init="glorot_uniform",
        activation=None,
        weights=None,
        W_regularizer=None,
        b_regularizer=None,
        activity_regularizer=None,
        W_constraint=None,
        b_constraint=None,
        bias=True,
        input_dim=None,
        **kwargs,
    ):
        kwargs.pop("transform_bias", None)  # had no effect any more
        super().__init__(
            init,
            bias,
            input_dim,
            {**kwargs, "weights": weights},
            W_regularizer=W_regularizer,
            b_regularizer=b_regularizer,
            activity_regularizer=activity_regularizer,
            W_constraint=W_constraint,
            b_constraint=b_constraint,
        )
        self.activation = activations.get(activation)

    def build(self, input_shape):
        features = input_shape[1]
        self.input_spec = InputSpec(ndim=2, axes={1: features})
        self.W = self._add("W", (features, features), self.init)
        self.W_carry = self._add("W_carry", (features, features), self.init)
        self.b = self._add("b", (features,), "zeros") if self.bias else None
        self.b_carry = self._add("b_carry", (features,), "ones") if self.bias else None
        self.built = True

    def call(self, inputs):
        gate, y = K.dot(inputs, self.W_carry), K.dot(inputs, self.W)
        if self.bias:
            gate, y = gate + self.b_carry, y + self.b
        gate = K.sigmoid(gate)
        return self.activation(y) * gate + (1.0 - gate) * inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


LAYERS.register({"Highway": Highway, "MaxoutDense": MaxoutDense})
