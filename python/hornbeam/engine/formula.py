"""Formulas over the outputs of layers: ``x + y``, ``tf.nn.relu(x)``, ``K.mean(x, 1)``, outside of any layer.

Keras 2.3 refused models with such a thing between two layers; tf.keras makes a layer of it, and so does a model here that
finds one on the way from its outputs to its inputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _core, graph
from .. import backend as K
from ..graph import Tensor
from ..utils.registry import LAYERS
from .base_layer import Layer
from .node import Node

#: Nodes that are not ops of the core, and can be made again by the function that made them.
_MARKERS = {"phase_switch": graph.phase_switch}


def _may_be_in_files(op: str) -> bool:
    """Loops and branches hold graphs, which files do not."""
    return op in _MARKERS or not (_core.op_info(op).bodies or _core.op_info(op).internal)


class Formula(Layer):
    """The ops between some outputs of layers and one tensor made of them.

    Args:
        steps: one after the other, ``[op, numbers of its inputs, attributes]``. Values are numbered: the layer's inputs,
            the constants, then what each step gives; None is an input that an op does without.
        constants: arrays (or, out of a file, dictionaries of ``dtype`` and ``value``), and tensors that are computed from no layer.

    The last value is the output.

    Raises:
        ValueError: an op that does not exist.
    """

    def __init__(self, steps, constants=(), **kwargs):
        super().__init__(**kwargs)
        self.steps = [list(step) for step in steps]
        self.constants = [np.array(c["value"], c["dtype"]) if isinstance(c, dict) else c for c in constants]
        known = {*_core.op_names(), *_MARKERS}
        for op, *_ in self.steps:
            if op not in known:
                raise ValueError(f"The model needs the op {op!r}, which Hornbeam does not have.")

    def call(self, inputs):
        values = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        values += [graph.convert(c) for c in self.constants]
        for op, numbers, attrs in self.steps:
            given = [None if n is None else values[n] for n in numbers]
            made = _MARKERS[op](*given) if op in _MARKERS else graph.apply(op, given, **attrs)
            values += made if isinstance(made, tuple) else [made]
        return values[-1]

    def compute_output_shape(self, input_shape):
        shapes = input_shape if isinstance(input_shape, list) else [input_shape]
        return K.int_shape(self.call([K.placeholder(shape) for shape in shapes]))

    def _output_shapes(self, inputs, outputs):
        return [K.int_shape(x) for x in outputs]

    def get_config(self):
        for op, *_ in self.steps:
            if not _may_be_in_files(op):
                raise ValueError(
                    f"{self.name} cannot be saved: it is a formula with a loop or a branch ({op}). Put it into a layer."
                )
        if any(isinstance(c, Tensor) for c in self.constants):
            raise ValueError(
                f"{self.name} cannot be saved: it is a formula with variables. Make a layer of it, with add_weight."
            )
        constants = [{"dtype": c.dtype.name, "value": c.tolist()} for c in self.constants]
        return {**super().get_config(), "steps": self.steps, "constants": constants}

    @classmethod
    def from_config(cls, config):
        formula = super().from_config(config)
        for op, *_ in formula.steps:
            if not _may_be_in_files(op):
                raise ValueError(f"{formula.name}: no file may name the op {op!r}.")
        return formula


LAYERS.register({"Formula": Formula})


def adopt(x: Any) -> bool:
    """Give a tensor that was computed from outputs of layers a layer of its own, if it has none and is such a tensor."""
    if hasattr(x, "_keras_history"):
        return True
    found = _between(x) if isinstance(x, Tensor) else None
    if found is None:
        return False
    ends, leaves, nodes = found
    numbers = {id(t): i for i, t in enumerate([*ends, *leaves])}
    steps = []
    for node in nodes:
        steps.append([node.op, [None if t is None else numbers[id(t)] for t in node.inputs], dict(node.attrs)])
        for out in node.outputs:
            numbers[id(out)] = len(numbers)
    if x is not nodes[-1].outputs[-1]:
        steps.append(["identity", [numbers[id(x)]], {}])
    constants = [t.op.attrs["value"] if t.op.op == "constant" else t for t in leaves]
    layer = Formula(steps, constants)
    layer.built = True
    histories = [t._keras_history for t in ends]
    Node(
        layer,
        inbound_layers=[h[0] for h in histories],
        node_indices=[h[1] for h in histories],
        tensor_indices=[h[2] for h in histories],
        input_tensors=ends,
        output_tensors=[x],
        input_masks=[getattr(t, "_keras_mask", None) for t in ends],
        output_masks=[None],
        input_shapes=[K.int_shape(t) for t in ends],
        output_shapes=[K.int_shape(x)],
    )
    x._keras_shape = K.int_shape(x)
    x._keras_history = (layer, 0, 0)
    return True


def _between(x: Tensor) -> tuple[list[Tensor], list[Tensor], list] | None:
    """The outputs of layers that x is made of, other leaves, and the nodes from there to x in order.

    None where no layer is behind x, or something that cannot be made again: a placeholder, an update, a loop.
    """
    ends: dict[int, Tensor] = {}
    leaves: dict[int, Tensor] = {}
    nodes: dict[int, Any] = {}
    known = {*_core.op_names(), *_MARKERS}
    stack: list[tuple[Tensor, bool]] = [(x, False)]
    while stack:
        tensor, ready = stack.pop()
        node = tensor.op
        if ready:
            nodes.setdefault(id(node), node)
        elif hasattr(tensor, "_keras_history"):
            ends[id(tensor)] = tensor
        elif node.op in ("constant", "variable", "learning_phase"):
            leaves[id(tensor)] = tensor
        elif id(node) not in nodes:
            if node.op not in known:
                return None
            stack.append((tensor, True))
            stack += [(t, False) for t in reversed(node.inputs) if t is not None]
    return (list(ends.values()), list(leaves.values()), list(nodes.values())) if ends else None
