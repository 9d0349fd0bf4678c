"""Calls of layers on structures of tensors: dicts, lists in lists, and tensors among the other arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..graph import Tensor, nest
from ..settings import settings

_CONTAINERS = (dict, list, tuple)


def is_nested(x: Any) -> bool:
    """Whether it is more than one tensor or a list of them."""
    return isinstance(x, dict) or (isinstance(x, (list, tuple)) and any(isinstance(part, _CONTAINERS) for part in x))


def flat_outputs(output: Any) -> list | None:
    """The tensors of a nested output; None of an ordinary one."""
    return nest.flatten(output) if is_nested(output) else None


class CallNest:
    """How the tensors that a layer is called on lie in its inputs and its other arguments.

    Attributes:
        tensors: those that belong to the model that is made.
    """

    def __init__(self, inputs: Any, arguments: dict) -> None:
        self._leaves = nest.flatten((inputs, arguments))
        self._structure = nest.pack((inputs, arguments), self._leaves)  # a copy: callers add to theirs
        self._places = [i for i, x in enumerate(self._leaves) if _is_formula(x)]
        self.tensors = [self._leaves[i] for i in self._places]

    @classmethod
    def of(cls, inputs: Any, arguments: dict) -> CallNest | None:
        """None for a call as Keras 2.3.1 has them: on a tensor or a list of them, and plain arguments."""
        if is_nested(inputs):
            return cls(inputs, arguments)
        tracks = settings.recorder is not None and any(_is_formula(x) for x in nest.flatten(list(arguments.values())))
        return cls(inputs, arguments) if tracks else None

    def filled(self, tensors: Sequence[Any]) -> tuple[Any, dict]:
        """Inputs and arguments with other tensors in the places of these."""
        leaves = list(self._leaves)
        for i, x in zip(self._places, tensors):
            leaves[i] = x
        inputs, arguments = nest.pack(self._structure, leaves)
        return inputs, arguments


def _is_formula(x: Any) -> bool:
    return isinstance(x, Tensor) and not x._known and x.op.op != "learning_phase"
