"""Preparing images, sequences and text; each module is imported when first used."""

from __future__ import annotations

from ..lazy import lazy_attributes

__all__ = ["image", "sequence", "text"]

__getattr__, __dir__ = lazy_attributes(globals(), {}, __all__)
