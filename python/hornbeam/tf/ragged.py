"""``tf.RaggedTensor`` and ``tf.ragged``."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import graph
from ..graph import RaggedTensor
from .common import dtype_name
from .table import for_scripts

for_scripts("RaggedTensor")(RaggedTensor)


@for_scripts("ragged.constant")
def constant(
    pylist: Any, dtype: Any = None, ragged_rank: Any = None, inner_shape: Any = None, name: Any = None,
    row_splits_dtype: Any = None,
) -> Any:  # fmt: skip
    """Of lists in lists, whose lengths differ."""
    name_of = None if dtype is None else dtype_name(dtype)
    rows = pylist.tolist() if isinstance(pylist, np.ndarray) else list(pylist)
    if not any(isinstance(row, (list, tuple, np.ndarray)) for row in rows):
        return graph.constant(rows, name_of)
    return RaggedTensor.from_nested([row.tolist() if isinstance(row, np.ndarray) else row for row in rows], name_of)


@for_scripts("ragged.stack")
def stack(values: Any, axis: int = 0, name: Any = None) -> RaggedTensor:
    """Vectors (or ragged tensors) as rows.

    Raises:
        ValueError: another axis than 0.
    """
    if axis != 0:
        raise ValueError(f"tf.ragged.stack along axis {axis} is not supported, only along axis 0.")
    rows = list(values)
    return RaggedTensor.from_rows(
        [row if isinstance(row, RaggedTensor) else np.asarray(graph.convert(row)) for row in rows]
    )


@for_scripts("ragged.range")
def range_(
    starts: Any, limits: Any = None, deltas: Any = 1, dtype: Any = None, name: Any = None, row_splits_dtype: Any = None
) -> RaggedTensor:
    """``tf.range`` of each start and limit, as rows."""
    if limits is None:
        starts, limits = 0, starts
    starts, limits, deltas = np.broadcast_arrays(*[np.asarray(graph.convert(x)) for x in (starts, limits, deltas)])
    kind = dtype_name(dtype) if dtype else starts.dtype.name
    return RaggedTensor.from_rows([np.arange(*row, dtype=kind) for row in zip(starts, limits, deltas)], kind)


@for_scripts("ragged.map_flat_values")
def map_flat_values(op: Any, *args: Any, **kwargs: Any) -> Any:
    """The same rows, with a function applied to all items at once."""
    ragged = next(x for x in (*args, *kwargs.values()) if isinstance(x, RaggedTensor))
    return ragged.map_flat_values(
        lambda flat: op(
            *[flat if x is ragged else x for x in args], **{k: flat if x is ragged else x for k, x in kwargs.items()}
        )
    )


@for_scripts("ragged.boolean_mask")
def boolean_mask(data: Any, mask: Any, name: Any = None) -> RaggedTensor:
    """The items of each row for which a mask of the same rows is true."""
    chosen = [np.asarray(row)[np.asarray(m, dtype=bool)] for row, m in zip(data, mask)]
    return RaggedTensor.from_rows(
        chosen, graph.convert(data).dtype if not isinstance(data, RaggedTensor) else data.dtype
    )
