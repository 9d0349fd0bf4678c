"""The seed of everything random."""

from __future__ import annotations

import random

import numpy as np

from ..settings import settings


def set_random_seed(seed: int) -> None:
    """Seed Python's ``random``, NumPy and Hornbeam, so that a script gives the same numbers again."""
    random.seed(seed)
    np.random.seed(seed)
    if settings.recorder is not None:
        settings.recorder.reseed(seed)
