"""What a batch of data consists of: inputs, targets and sample weights."""

from __future__ import annotations

from typing import Any

from ..utils.messages import describe


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """A batch as ``fit`` takes it from generators: ``(x, y, sample_weight)`` without what is None behind x.

    ``x`` alone stays as it is, unless it is a list or tuple, which would be taken for several of the three.
    """
    if y is None:
        return (x,) if isinstance(x, (list, tuple)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Inputs, targets and sample weights of a batch, None for what it does not have.

    Raises:
        ValueError: there are more than three parts, or none.
    """
    parts = tuple(data) if isinstance(data, (list, tuple)) else (data,)
    if not 1 <= len(parts) <= 3:
        raise ValueError(
            "Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`, found: "
            f"{describe(data)}"
        )
    x, y, weight = (*parts, None, None)[:3]
    return x, y, weight
