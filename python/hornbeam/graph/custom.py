"""Tensors with a gradient of their own, whatever they were computed by."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..settings import settings
from .control import current_value
from .tensor import Operation, Tensor

Rule = Callable[..., Sequence[Tensor | None]]


def with_gradient(xs: Sequence[Tensor], ys: Sequence[Tensor], rule: Rule) -> tuple[Tensor, ...]:
    """``ys``, whose gradients with respect to ``xs`` are what ``rule`` gives.

    Args:
        rule: takes a cotangent for each of ``ys`` (None where nobody needs that one) and returns one for each of ``xs``.
    """
    inputs = tuple([current_value(t) for t in (*xs, *ys)])
    recorder = settings.recorder
    if recorder is not None:
        recorder.admit(inputs)
    node = Operation("with_gradient", inputs, {"rule": rule, "count": len(xs)})
    node.outputs = tuple([Tensor(node, i, t.dtype, t.dims, ints=t.ints) for i, t in enumerate(inputs[len(xs) :])])
    if any(t._uses_learning_phase for t in inputs):
        for out in node.outputs:
            out._uses_learning_phase = True
    outputs = node.outputs
    if recorder is not None:
        recorder.made(node)
    return outputs
