"""Values of tensors on demand."""

from __future__ import annotations

from typing import Any

from .. import _core
from ..settings import settings
from .programs import Programs
from .tensor import Tensor
from .variable import Variable

_programs = Programs(256)


def clear_cache() -> None:
    """Forget the programs made for on-demand evaluation, and with them the variables they hold."""
    _programs.clear()


def evaluate(tensor: Tensor) -> Any:
    """Compute a tensor that depends on no placeholder: an array, or a NumPy scalar.

    Variables are read as they are now, and random ops give new numbers at each evaluation; an eager tensor keeps its value.

    Raises:
        TypeError: the tensor depends on a placeholder.
    """
    if settings.recorder is not None:
        settings.recorder.settle(tensor)
    if isinstance(tensor, Variable):
        return tensor.numpy()
    if tensor.op.op == "constant":
        return tensor.op.attrs["value"].copy()[()]
    runs = tensor.__dict__.setdefault("_runs", _core.RunCounter())
    return _programs.run([tensor], [], runs)[0]
