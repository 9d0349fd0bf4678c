"""The outputs of a model's layers, for callbacks that look inside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def layer_outputs(model: Any) -> Iterator[tuple[Any, list]]:
    """Yield each layer that the model calls once, with the list of its output tensors there: a nested model has others inside."""
    for layer in model.layers:
        calls = model._own_calls(layer)
        if len(calls) == 1:
            yield layer, calls[0].output_tensors
