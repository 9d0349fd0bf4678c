"""Models, and how to save, load and clone them."""

from __future__ import annotations

from typing import Any

from .engine.cloning import clone_model
from .engine.input_layer import Input, InputLayer
from .engine.sequential import Sequential
from .engine.training import Model

_SAVING = ("load_model", "model_from_config", "model_from_json", "model_from_yaml", "save_model")

__all__ = ["Input", "InputLayer", "Model", "Sequential", "clone_model", *_SAVING]


def __getattr__(name: str) -> Any:
    if name in _SAVING:  # loading and saving is imported when it is first needed
        from . import saving

        return getattr(saving, name)
    if name == "experimental":
        from . import sharpness_aware

        return sharpness_aware
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
