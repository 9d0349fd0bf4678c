"""How much arithmetic a model needs for one sample."""

from __future__ import annotations

from math import prod
from typing import Any

from .. import _core
from ..graph.order import nodes_of


def count_flops(model: Any) -> dict[str, int | None]:
    """Floating-point operations of one prediction of one sample, by layer.

    Counted are products, which are nearly all of the work: two for each multiplication and addition in matrix products,
    convolutions and recurrent layers. Layers inside other layers count for the outermost one.

    Returns:
        A dict from layer name to a number, or to None where it depends on the data (a free sequence length, a loop).
    """
    types: dict[tuple, Any] = {}
    flops: dict[str, int | None] = {layer.name: 0 for layer in model.layers}
    for node in nodes_of(model.outputs):
        inputs = [None if x is None else types.get((x.op, x.index)) for x in node.inputs]
        for index, made in enumerate(_types_for_one_sample(node, inputs)):
            types[node, index] = made
        name = node.label.split("/")[0]
        count = _flops(node, inputs, [types[node, i] for i in range(len(node.outputs))])
        known = flops.get(name)
        if name in flops:
            flops[name] = None if known is None or count is None else known + count
    return flops


def _types_for_one_sample(node: Any, inputs: list) -> list:
    """(dtype, dims, known integers) of the outputs, if the batch is one sample."""
    stated = [(x.dtype, x.dims, x.ints) for x in node.outputs]
    if node.op == "placeholder":
        return [(dtype, (1, *dims[1:]) if dims and dims[0] < 0 else dims, ints) for dtype, dims, ints in stated]
    if node.op == "phase_switch":
        return [inputs[1]]
    try:
        return [tuple(made) for made in _core.infer(node.op, node.attrs, inputs)]
    except (ValueError, TypeError, KeyError):  # one of the graph's own markers, which C++ does not know
        return stated


def _flops(node: Any, inputs: list, outputs: list) -> int | None:
    if node.op not in _RULES and node.op not in _LOOPS:
        return 0
    if node.op in _LOOPS:
        return None
    dims = [None if t is None else t[1] for t in inputs], [t[1] for t in outputs]
    if any(d < 0 for t in dims[0] + dims[1] if t is not None for d in t):
        return None
    return _RULES[node.op](node.attrs, *dims)


def _matmul(attrs: dict, inputs: list, outputs: list) -> int:
    return 2 * prod(outputs[0]) * inputs[0][-2 if attrs.get("transpose_a") else -1]


def _conv(attrs: dict, inputs: list, outputs: list) -> int:
    return 2 * prod(outputs[0]) * prod(inputs[1][:-1])


def _depthwise(attrs: dict, inputs: list, outputs: list) -> int:
    return 2 * prod(outputs[0]) * prod(inputs[1][:2])


def _transposed_conv(attrs: dict, inputs: list, outputs: list) -> int:
    return 2 * prod(inputs[0]) * prod(inputs[1][:-1])


def _recurrent(kernel: int) -> Any:
    """Products of each step's state with the recurrent kernel; the inputs' products are a matmul of their own."""
    return lambda attrs, inputs, outputs: 2 * inputs[0][0] * inputs[0][1] * prod(inputs[kernel])


_RULES = {
    "matmul": _matmul,
    "conv2d": _conv,
    "conv3d": _conv,
    "depthwise_conv2d": _depthwise,
    "conv2d_input_grad": _transposed_conv,
    "conv3d_input_grad": _transposed_conv,
    "lstm": _recurrent(3),
    "gru": _recurrent(2),
    "simple_rnn": _recurrent(2),
}
_LOOPS = ("scan", "cond")
