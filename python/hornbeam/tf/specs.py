"""What is known of tensors before there are any: signatures of functions, and the elements of data sets."""

from __future__ import annotations

from typing import Any

from .. import graph
from .common import dtype_name
from .table import for_scripts


@for_scripts("TensorSpec")
class TensorSpec:
    """Shape and dtype of a tensor. A shape of None is of unknown rank."""

    def __init__(self, shape: Any = None, dtype: Any = "float32", name: str | None = None) -> None:
        self.shape = shape if shape is None else graph.StaticShape(_dims(shape))
        self.dtype = graph.DTYPES[dtype_name(dtype)]
        self.name = name

    @classmethod
    def from_tensor(cls, tensor: Any, name: str | None = None) -> TensorSpec:
        return cls(tensor.shape, tensor.dtype, name)

    def is_compatible_with(self, other: Any) -> bool:
        """Whether a tensor, or one of another spec, may be one of these."""
        if other.dtype != self.dtype:
            return False
        return self.shape is None or other.shape is None or self.shape.is_compatible_with(other.shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorSpec) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape and tuple(self.shape)}, dtype=tf.{self.dtype}, name={self.name!r})"


def _dims(shape: Any) -> tuple:
    return (shape,) if isinstance(shape, int) else tuple(shape)


@for_scripts("SparseTensorSpec")
class SparseTensorSpec:
    """Shape and dtype of a sparse tensor."""

    def __init__(self, shape: Any = None, dtype: Any = "float32") -> None:
        self.shape = shape if shape is None else graph.StaticShape(_dims(shape))
        self.dtype = graph.DTYPES[dtype_name(dtype)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SparseTensorSpec) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))

    def __repr__(self) -> str:
        return f"SparseTensorSpec({self.shape and tuple(self.shape)}, tf.{self.dtype})"


@for_scripts("RaggedTensorSpec")
class RaggedTensorSpec:
    """Shape and dtype of a ragged tensor, whose rows differ in length.

    A row of one, of ``ragged_rank`` 0, is a tensor. By default all axes but the first are ragged.
    """

    def __init__(self, shape: Any = None, dtype: Any = "float32", ragged_rank: int | None = None, **other: Any) -> None:
        self.shape = shape if shape is None else graph.StaticShape(_dims(shape))
        self.dtype = graph.DTYPES[dtype_name(dtype)]
        self.ragged_rank = max(len(self.shape or ()) - 1, 0) if ragged_rank is None else ragged_rank

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RaggedTensorSpec) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self) -> int:
        return hash((self.shape, self.dtype))

    def __repr__(self) -> str:
        return f"RaggedTensorSpec({self.shape and tuple(self.shape)}, tf.{self.dtype}, {self.ragged_rank})"
