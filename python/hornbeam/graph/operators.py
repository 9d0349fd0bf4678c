"""What tensors do in formulas, when indexed, and when their value is asked for.

All this takes ops and programs, which are made of tensors, so the class gets these methods here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .evaluate import evaluate
from .function import Function
from .host import on_host
from .indexing import getitem
from .ops import apply, constant, placeholder
from .strings import StringTensor
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
    "and": "logical_and", "or": "logical_or", "matmul": "matmul",
}  # fmt: skip
_ONE_SIDED = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}
_UNARY = {"neg": "neg", "abs": "abs", "invert": "logical_not"}

for _name, _op in _TWO_SIDED.items():
    setattr(Tensor, f"__r{_name}__", _reflected(_op))
for _name, _op in {**_TWO_SIDED, **_ONE_SIDED}.items():
    setattr(Tensor, f"__{_name}__", _operator(_op))
for _name, _op in _UNARY.items():
    setattr(Tensor, f"__{_name}__", _unary(_op))


def array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """What NumPy's functions do with tensors: operators make formulas, the others take the values of eager tensors."""
    op = _UFUNCS.get(ufunc)
    if op is not None and method == "__call__" and not kwargs.keys() - {"out"}:
        return apply(op, inputs)
    if ufunc in (np.equal, np.not_equal) and not self.is_eager:
        return ufunc is np.not_equal  # an array is another object than a formula
    if not all(x.is_eager for x in inputs if isinstance(x, Tensor)):
        return NotImplemented
    return getattr(ufunc, method)(*[x.numpy() if isinstance(x, Tensor) else x for x in inputs], **kwargs)


_UFUNCS = {
    np.add: "add", np.subtract: "sub", np.multiply: "mul", np.true_divide: "div", np.floor_divide: "floor_div",
    np.remainder: "mod", np.power: "pow", np.logical_and: "logical_and", np.logical_or: "logical_or",
    np.bitwise_and: "logical_and", np.bitwise_or: "logical_or", np.matmul: "matmul", np.less: "less",
    np.less_equal: "less_equal", np.greater: "greater", np.greater_equal: "greater_equal",
}  # fmt: skip
Tensor.__array_ufunc__ = array_ufunc  # type: ignore[method-assign]
for _method in (numpy, eval, equals):
    setattr(Tensor, _method.__name__, _method)
Tensor.__getitem__ = getitem  # type: ignore[method-assign]


# -- strings ------------------------------------------------------------------------------------------------------
def _string_item(self: StringTensor, key: Any) -> Tensor:
    """Some of the strings; the key is made of integers, slices, ``None`` and ``...``."""
    dims = placeholder(self.shape, "int32")[key].shape if not self._known else ()
    return on_host(lambda array: array[key], [self], ("string", dims))


def _strings_equal(self: StringTensor, other: Any) -> Any:
    if not isinstance(other, (str, bytes, list, tuple, StringTensor)) and not hasattr(other, "__array__"):
        return self is other
    return self.apply_op("equal", [self, constant(other) if not isinstance(other, Tensor) else other], {})


def _joined(self: StringTensor, other: Any) -> Tensor:
    return on_host(
        lambda a, b: a + b, [self, constant(other) if not isinstance(other, Tensor) else other], ("string", self.shape)
    )


StringTensor.__getitem__ = _string_item  # type: ignore[method-assign, assignment]
StringTensor.__eq__ = _strings_equal  # type: ignore[method-assign, assignment]
StringTensor.__add__ = _joined  # type: ignore[method-assign, assignment]
StringTensor.__radd__ = lambda self, other: constant(other) + self  # type: ignore[method-assign, assignment]
StringTensor.__hash__ = Tensor.__hash__  # type: ignore[method-assign]
