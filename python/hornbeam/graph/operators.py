"""What tensors do in formulas, when indexed, and when their value is asked for.

All this takes ops and programs, which are made of tensors, so the class gets these methods here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .evaluate import evaluate
from .function import Function
from .indexing import getitem
from .ops import apply
from .tensor import Tensor


def numpy(self: Tensor) -> Any:
    """Compute and return the value: an array, or a NumPy scalar where the tensor has no dims.

    Raises:
        TypeError: the tensor depends on a placeholder; use ``K.function`` or ``model.predict``.
    """
    return evaluate(self)


def eval(self: Tensor, feed_dict: dict | None = None, session: Any = None) -> Any:
    """The value, given those of placeholders; TensorFlow 1's spelling, with a session that is not needed."""
    if not feed_dict:
        return self.numpy()
    return Function(list(feed_dict), [self])(list(feed_dict.values()))[0][()]


def equals(self: Tensor, other: Any) -> Tensor:
    """Which elements are equal, as a bool tensor."""
    return apply("equal", [self, other])


def _operator(op: str) -> Callable[[Tensor, Any], Tensor]:
    return lambda self, other: apply(op, [self, other])


def _reflected(op: str) -> Callable[[Tensor, Any], Tensor]:
    return lambda self, other: apply(op, [other, self])


def _unary(op: str) -> Callable[[Tensor], Tensor]:
    return lambda self: apply(op, [self])


_TWO_SIDED = {
    "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floor_div", "mod": "mod", "pow": "pow",
    "and": "logical_and", "or": "logical_or",
}  # fmt: skip
_ONE_SIDED = {"matmul": "matmul", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}
_UNARY = {"neg": "neg", "abs": "abs", "invert": "logical_not"}

for _name, _op in _TWO_SIDED.items():
    setattr(Tensor, f"__r{_name}__", _reflected(_op))
for _name, _op in {**_TWO_SIDED, **_ONE_SIDED}.items():
    setattr(Tensor, f"__{_name}__", _operator(_op))
for _name, _op in _UNARY.items():
    setattr(Tensor, f"__{_name}__", _unary(_op))
for _method in (numpy, eval, equals):
    setattr(Tensor, _method.__name__, _method)
Tensor.__getitem__ = getitem  # type: ignore[method-assign]
