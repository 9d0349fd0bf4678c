"""Data: downloads, and batches made by several workers."""

from .downloads import _extract_archive, _hash_file, get_file, validate_file
from .enqueuers import (
    GeneratorEnqueuer,
    OrderedEnqueuer,
    SequenceEnqueuer,
    get_index,
    init_pool,
    init_pool_generator,
    next_sample,
)
from .sequence import Sequence

__all__ = [
    "GeneratorEnqueuer", "OrderedEnqueuer", "Sequence", "SequenceEnqueuer", "_extract_archive", "_hash_file",
    "get_file", "get_index", "init_pool", "init_pool_generator", "next_sample", "validate_file",
]  # fmt: skip
