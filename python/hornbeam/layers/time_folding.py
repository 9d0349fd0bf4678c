"""Time steps as samples of one larger batch, for layers that treat each step alike.

Batch and time may come in either order.
"""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..backend.shapes import dims_of
from ..graph import Tensor


def fold_time(x: Any) -> Tensor:
    """(batch, time, ...) as (batch * time, ...): always the same tensor for the same x."""
    folded = getattr(x, "_time_folded", None)
    if folded is None:
        folded = x._time_folded = K.reshape(x, [-1, *dims_of(x)[2:]])
    return folded


def unfold_time(y: Tensor, like: Tensor) -> Tensor:
    """Undo :func:`fold_time`; batch and time are those of ``like``."""
    return K.reshape(y, [*dims_of(like)[:2], *dims_of(y)[1:]])
