"""Writing checkpoints that TensorFlow reads: one data file and its index, and the file that says which is the latest."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...utils.checksum import masked_crc32c
from ..targets import may_write, write_file
from . import dtypes, entries, strings
from .entries import Entry
from .table import table


def write_bundle(prefix: Any, tensors: Mapping[str, Any], overwrite: bool = True) -> None:
    """Write a checkpoint. Each of the two files is made beside its name and renamed, the index last.

    Args:
        prefix: what the files' names begin with.
        tensors: arrays by name; ``bytes`` make a scalar string.
        overwrite: without it, an existing checkpoint is asked about.

    Raises:
        ValueError: a dtype that TensorFlow does not have.
        OSError: the files cannot be written.
    """
    prefix = os.fspath(prefix)
    if not may_write(f"{prefix}.index", overwrite):
        return
    index: list[tuple[bytes, bytes]] = [(b"", entries.header())]
    ordered = sorted((name.encode("utf-8"), value) for name, value in tensors.items())

    def write_data(file: Any) -> None:
        offset = 0
        for name, value in ordered:
            data, entry = _stored(value)
            entry.offset = offset
            file.write(data)
            offset += entry.size
            index.append((name, entries.entry(entry)))

    write_file(f"{prefix}.data-00000-of-00001", True, write_data)
    write_file(f"{prefix}.index", True, lambda file: file.write(table(index)))


def _stored(value: Any) -> tuple[Any, Entry]:
    if isinstance(value, bytes):
        data, crc = strings.encode([value])
        return data, Entry(dtypes.STRING, (), size=len(data), crc=crc)
    array = np.asarray(value)
    number = dtypes.number_of(array.dtype)
    flat = np.ascontiguousarray(array, dtypes.stored(number)).reshape(-1).view(np.uint8)
    return flat, Entry(number, array.shape, size=flat.size, crc=masked_crc32c(flat))
