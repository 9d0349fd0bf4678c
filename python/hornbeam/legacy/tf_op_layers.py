"""The layers that tf.keras makes of TensorFlow's functions when they are called on the outputs of layers."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..engine.base_layer import Layer
from ..graph import Tensor
from ..tf import find
from ..utils.generic_utils import to_list
from ..utils.registry import LAYERS
from .tf_ops import NODES, attributes

#: Where an input of the layer goes in its arguments.
_INPUT = "__input__"


class TFOpLambda(Layer):
    """A function of TensorFlow as a layer (tf.keras 2.4 and later).

    Args:
        function: its name without ``tf.``, for example ``math.multiply``.

    The layer is called with the function's own arguments. Tensors may be anywhere among them. Without a name the first is
    ``tf.math.multiply``, the next ``tf.math.multiply_1``.

    Raises:
        ValueError: Hornbeam has no such function.
    """

    def __init__(self, function, name=None, **kwargs):
        if name is None:
            number = K.get_uid(f"tf.{function}") - 1
            name = f"tf.{function}_{number}" if number else f"tf.{function}"
        super().__init__(name=name, **kwargs)
        self.function = function
        self._operation = find(function)
        if self._operation is None:
            raise ValueError(f"The model needs the function tf.{function}, which Hornbeam does not have.")

    def __call__(self, first, template=None, **kwargs):
        if template is not None:
            return super().__call__(first, template=template)
        tensors: list[Tensor] = []
        template = _take_tensors({"args": [first], "kwargs": kwargs}, tensors)
        return super().__call__(tensors if len(tensors) > 1 else tensors[0], template=template)

    def call(self, inputs, template):
        filled = _put_tensors(template, to_list(inputs))
        return self._operation(*filled["args"], **filled["kwargs"])

    def _output_shapes(self, inputs, outputs):
        return [K.int_shape(x) for x in outputs]

    def describe_call(self, references: list, template: dict) -> list:
        """A call as tf.keras has it in a config."""
        filled = _put_tensors(template, references)
        first, kwargs = filled["args"][0], filled["kwargs"]
        if not isinstance(first, list):
            return ["_CONSTANT_VALUE", -1, first, kwargs]
        if first and isinstance(first[0], list):  # a list of tensors
            return [[*reference, kwargs] for reference in first]
        return [*first, kwargs]

    def get_config(self):
        return {**super().get_config(), "function": self.function}


class SlicingOpLambda(TFOpLambda):
    """``tensor[...]`` as a layer."""


class TensorFlowOpLayer(Layer):
    """A node of TensorFlow's graph as a layer (tf.keras 1.15 to 2.3).

    Args:
        node_def: dict with ``name``, ``op``, ``input`` and ``attr``.
        constants: dict from the number of an input to its value, for inputs that are not tensors.

    Raises:
        ValueError: Hornbeam has no such op.
    """

    def __init__(self, node_def, constants=None, **kwargs):
        super().__init__(**kwargs)
        if node_def.get("op") not in NODES:
            raise ValueError(f"The model needs TensorFlow's op {node_def.get('op')}, which Hornbeam does not have.")
        self.node_def = node_def
        self.constants = {int(number): value for number, value in (constants or {}).items()}

    def call(self, inputs):
        arguments = list(to_list(inputs))
        for number in sorted(self.constants):
            arguments.insert(number, self.constants[number])
        return NODES[self.node_def["op"]](attributes(self.node_def.get("attr", {})), *arguments)

    def _output_shapes(self, inputs, outputs):
        return [K.int_shape(x) for x in outputs]

    def get_config(self):
        constants = {str(number): value for number, value in self.constants.items()}
        return {**super().get_config(), "node_def": self.node_def, "constants": constants}


LAYERS.register({c.__name__: c for c in (SlicingOpLambda, TensorFlowOpLayer, TFOpLambda)})


def _take_tensors(item: Any, tensors: list) -> Any:
    """A copy with marks in place of tensors, which are collected."""
    if isinstance(item, Tensor):
        tensors.append(item)
        return {_INPUT: len(tensors) - 1}
    if isinstance(item, (list, tuple)):
        return [_take_tensors(part, tensors) for part in item]
    if isinstance(item, dict):
        return {key: _take_tensors(part, tensors) for key, part in item.items()}
    return item


def _put_tensors(item: Any, tensors: list) -> Any:
    if isinstance(item, list):
        return [_put_tensors(part, tensors) for part in item]
    if isinstance(item, dict):
        if set(item) == {_INPUT}:
            return tensors[item[_INPUT]]
        return {key: _put_tensors(part, tensors) for key, part in item.items()}
    return item
