"""Models of tf.keras that are ready to be trained: a linear one, and one beside another (Cheng et al., https://arxiv.org/abs/1606.07792)."""

from __future__ import annotations

from typing import Any

from . import activations, initializers, layers, regularizers
from .engine.training import Model
from .graph import nest
from .utils.generic_utils import get_registered_name
from .utils.registry import LAYERS


class LinearModel(Model):
    """``activation(sum of x @ kernel + bias)``, with a kernel for each input.

    Args:
        units: the number of outputs.
        activation, use_bias, *_initializer, *_regularizer: as for ``Dense``.

    Input: a tensor (batch, dim), or a list or dict of them.
    """

    def __init__(
        self, units=1, activation=None, use_bias=True, kernel_initializer="zeros", bias_initializer="zeros",
        kernel_regularizer=None, bias_regularizer=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self.units = units
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.dense_layers: list = []

    def call(self, inputs):
        tensors = nest.flatten(inputs)
        while len(self.dense_layers) < len(tensors):
            first = not self.dense_layers
            layer = layers.Dense(
                self.units, use_bias=self.use_bias and first, kernel_initializer=self.kernel_initializer,
                bias_initializer=self.bias_initializer, kernel_regularizer=self.kernel_regularizer,
                bias_regularizer=self.bias_regularizer if first else None,
            )  # fmt: skip
            self.dense_layers.append(layer)
        total = self.dense_layers[0](tensors[0])
        for layer, x in zip(self.dense_layers[1:], tensors[1:]):
            total = total + layer(x)
        return total if self.activation is activations.linear else self.activation(total)

    def get_config(self):
        return {
            "name": self.name,
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
        }


class WideDeepModel(Model):
    """``activation(linear_model(wide inputs) + dnn_model(deep inputs))``, both trained together.

    Args:
        linear_model, dnn_model: models with outputs of one shape.
        activation: of the sum.

    Input: those of the two models in a list, or one that both take.
    """

    def __init__(self, linear_model, dnn_model, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.linear_model = linear_model
        self.dnn_model = dnn_model
        self.activation = activations.get(activation)

    def call(self, inputs, training=None):
        wide, deep = inputs if isinstance(inputs, (list, tuple)) and len(inputs) == 2 else (inputs, inputs)
        outputs = [self.linear_model(wide), self.dnn_model(deep)]
        total = outputs[0] + outputs[1]
        return total if self.activation is activations.linear else self.activation(total)

    def get_config(self):
        def config(model: Any) -> dict:
            return {"class_name": get_registered_name(type(model)), "config": model.get_config()}

        return {
            "linear_model": config(self.linear_model),
            "dnn_model": config(self.dnn_model),
            "activation": activations.serialize(self.activation),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        models = {name: LAYERS.deserialize(config.pop(name), custom_objects) for name in ("linear_model", "dnn_model")}
        return cls(**models, **config)


LAYERS.register({"LinearModel": LinearModel, "WideDeepModel": WideDeepModel})
