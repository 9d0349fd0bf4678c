"""Wrappers that lend models to other libraries. ``scikit_learn`` needs scikit-learn and is imported on first use."""

from __future__ import annotations

from ..lazy import lazy_attributes

__all__ = ["scikit_learn"]

__getattr__, __dir__ = lazy_attributes(globals(), {}, __all__)
