"""``tf.TensorArray``: tensors by number, written one by one and stacked."""

from __future__ import annotations

from typing import Any

from .. import graph
from ..graph import Tensor
from . import k as K
from .common import dim, dtype_name, number, tensor
from .table import for_scripts


@for_scripts("TensorArray")
class TensorArray:
    """Each ``write`` gives a new array. A number may be an integer, or a tensor that depends on no placeholder.

    In ``tf.while_loop``, the body may write one tensor into it per step, at the number of the step.
    """

    def __init__(self, dtype: Any = "float32", size: Any = None, *args: Any, **options: Any) -> None:
        self.dtype = dtype_name(dtype)
        self._size = 0 if size is None or (isinstance(size, Tensor) and not size._known) else number(size)
        self._items: dict[int, Tensor] = {}
        self._stacked: Tensor | None = None  # all of them, where a loop or `unstack` gave them

    def _copy(self) -> TensorArray:
        copy = TensorArray(self.dtype, self._size)
        copy._items, copy._stacked = dict(self._items), self._stacked
        return copy

    def write(self, index: Any, value: Any, name: Any = None) -> TensorArray:
        if graph.is_eager():
            return self._written(number(index), value)
        copy = self._copy()
        if copy._stacked is not None:
            raise ValueError("a TensorArray that a loop has filled cannot be written any more")
        copy._items[number(index)] = tensor(value, self.dtype)
        return copy

    def _written(self, index: int, value: Any) -> TensorArray:
        """This array itself, as TensorFlow has it where tensors are eager."""
        if self._stacked is not None:
            self._items, self._stacked = dict(enumerate(self._stacked)), None
        self._items[index] = tensor(value, self.dtype)
        return self

    def read(self, index: Any, name: Any = None) -> Tensor:
        if self._stacked is not None:
            return self._stacked[index]
        if number(index) not in self._items:
            raise ValueError(f"TensorArray: nothing was written at {number(index)}")
        return self._items[number(index)]

    def stack(self, name: Any = None) -> Tensor:
        if self._stacked is not None:
            return self._stacked
        count = max([self._size, *(i + 1 for i in self._items)])
        if len(self._items) == count:
            return K.stack([self._items[i] for i in range(count)])
        missing = K.zeros_like(next(iter(self._items.values())))
        return K.stack([self._items.get(i, missing) for i in range(count)])

    def concat(self, name: Any = None) -> Tensor:
        stacked = self.stack()
        return K.reshape(stacked, [-1, *[dim(stacked, a) for a in range(2, stacked.ndim)]])

    def gather(self, indices: Any, name: Any = None) -> Tensor:
        return K.gather(self.stack(), indices)

    def unstack(self, value: Any, name: Any = None) -> TensorArray:
        copy = self._copy()
        copy._stacked = tensor(value, self.dtype)
        return copy

    def size(self, name: Any = None) -> Any:
        if self._stacked is not None:
            return tensor(dim(self._stacked, 0))
        return tensor(max([self._size, *(i + 1 for i in self._items)]))

    def identity(self) -> TensorArray:
        return self

    def close(self, name: Any = None) -> None:
        """Nothing to free."""

    def filled(self, begin: Tensor, stacked: Tensor) -> TensorArray:
        """What a loop that began with the number ``begin`` has written."""
        if begin.ints != (len(self._items),):
            raise ValueError(
                "tf.while_loop writes into a TensorArray behind what is there: the loop has to begin there"
            )
        copy = self._copy()
        before = [K.expand_dims(self._items[i], 0) for i in range(len(self._items))]
        copy._stacked = K.concatenate([*before, stacked], axis=0) if before else stacked
        return copy


class LoopArray(TensorArray):
    """A :class:`TensorArray` inside the body of a loop: it takes what is written at the number of the step."""

    def __init__(self, step: Tensor, outer: TensorArray) -> None:
        super().__init__(outer.dtype)
        self._step = step
        self._outer = outer
        self._value: Tensor | None = None

    def write(self, index: Any, value: Any, name: Any = None) -> TensorArray:
        if index is not self._step:
            raise ValueError("in tf.while_loop, a TensorArray is written at the number of the step")
        copy = LoopArray(self._step, self._outer)
        copy._value = graph.convert(value, self.dtype)
        return copy

    def read(self, index: Any, name: Any = None) -> Tensor:
        return self._outer.read(index)

    def taken(self) -> Tensor:
        """What this step wrote."""
        if self._value is None:
            raise ValueError("in tf.while_loop, the body has to write into each TensorArray at each step")
        return self._value
