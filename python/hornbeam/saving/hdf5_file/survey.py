"""A look at all of a file before anything in it is believed: what points out of it, and what its arrays would take."""

from __future__ import annotations

from . import limits
from .dataset import Dataset
from .group import Group


def problems(group: Group) -> list[str]:
    """Why a group, or file, is not read as a model; empty if it may be.

    Raises:
        ValueError: it is damaged.
    """
    found: list[str] = []
    size = group.storage.size
    in_memory = in_one_piece = 0
    too_large = None
    for path, item in group.walk():
        reason = item if isinstance(item, str) else item.reason_against() if isinstance(item, Dataset) else None
        if reason is not None:
            found.append(f"the file has {reason} ({path!r:.200}), and a model is whole in its file")
        elif isinstance(item, Dataset):
            in_memory += item.bytes_in_memory
            in_one_piece += item.bytes_in_one_piece
            if in_memory > limits.ARRAYS_FREE + limits.ARRAYS_PER_BYTE * size or in_one_piece > size:
                too_large = too_large or path
    if too_large is not None:
        found.append(
            f"the file is damaged, or made to exhaust memory: its arrays would take {in_memory} bytes (too much from "
            f"{too_large!r:.200} on), and it has {size}; if it is yours and packed so well, open it with h5py and give "
            "the h5py.File"
        )
    return found
