"""Preparing images, sequences and text; each module is imported when first used."""

from __future__ import annotations

from ..lazy import lazy_attributes

_MODULES = ("image", "sequence", "text", "timeseries")
_NAMES = {f"{kind}_dataset_from_directory": ".tf.data.directories" for kind in ("image", "text")}
_NAMES["timeseries_dataset_from_array"] = ".tf.data.timeseries"

__all__ = [*_MODULES, *_NAMES]

__getattr__, __dir__ = lazy_attributes(globals(), _NAMES, _MODULES)
