"""The outputs of a model's layers, for callbacks that look inside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..utils.generic_utils import to_list


def layer_outputs(model: Any) -> Iterator[tuple[Any, list]]:
    """Yield each layer with the list of its output tensors; layers without a single call have no one output."""
    for layer in model.layers:
        try:
            yield layer, to_list(layer.output, allow_tuple=True)
        except AttributeError:
            continue
