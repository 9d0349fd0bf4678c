"""Unpacking a chunk: deflate, shuffle and Fletcher's checksum, each at most once, to a size that is known before."""

from __future__ import annotations

import zlib

import numpy as np

from .checksum import fletcher32
from .messages import Filter
from .storage import Storage

_DEFLATE, _SHUFFLE, _FLETCHER32 = 1, 2, 3
_NAMES = {4: "szip", 5: "nbit", 6: "scaleoffset", 32000: "lzf", 32001: "blosc", 32015: "zstd"}


def check_filters(storage: Storage, filters: list[Filter]) -> None:
    """Refuse what Keras never wrote.

    Raises:
        ValueError: an unknown filter, or one that is there twice: deflate twice makes 1 GB of 1 KB.
    """
    kinds = [step.kind for step in filters]
    for kind in kinds:
        if kind not in (_DEFLATE, _SHUFFLE, _FLETCHER32):
            raise ValueError(
                f"{storage.where} has an array packed with {_NAMES.get(kind, f'filter {kind}')}, which is not read: "
                "repack it (`h5repack -f NONE`), or open it with h5py and give the h5py.File"
            )
    if len(set(kinds)) != len(kinds):
        raise storage.damage("an array is packed twice with the same filter, which a bomb does and no model")


def unpack(storage: Storage, data: bytes, filters: list[Filter], skipped: int, size: int) -> bytes:
    """The ``size`` bytes that ``data`` was made of.

    Args:
        skipped: a bit for each filter that was left out for this chunk.

    Raises:
        ValueError: it was not made of as many.
    """
    steps = [step for i, step in enumerate(filters) if not skipped >> i & 1]
    sizes = [size]  # before each step of packing
    for step in steps:
        sizes.append(sizes[-1] + (4 if step.kind == _FLETCHER32 else 0))
    for step, before in zip(reversed(steps), reversed(sizes[:-1])):
        if step.kind == _DEFLATE:
            data = _inflate(storage, data, before)
        elif step.kind == _FLETCHER32:
            data = _without_checksum(storage, data)
        else:
            data = _unshuffle(storage, data, step.options[0] if step.options else 0)
    if len(data) != size:
        raise storage.damage(f"a chunk has {len(data)} bytes instead of {size}")
    return data


def _inflate(storage: Storage, data: bytes, size: int) -> bytes:
    packer = zlib.decompressobj()
    try:
        out = packer.decompress(data, size + 1)
    except zlib.error as error:
        raise storage.damage(f"a chunk cannot be inflated: {error}") from error
    if len(out) != size or not packer.eof:
        raise storage.damage(f"a chunk does not inflate to its {size} bytes")
    return out


def _without_checksum(storage: Storage, data: bytes) -> bytes:
    data, stored = data[:-4], data[-4:]
    first, second = fletcher32(data)
    for order in ("little", "big"):  # some versions wrote the other one
        low, high = int.from_bytes(stored[:2], order), int.from_bytes(stored[2:], order)
        if {(low % 65535, high % 65535), (high % 65535, low % 65535)} & {(first, second)}:
            return data
    raise storage.damage("the checksum of a chunk is wrong")


def _unshuffle(storage: Storage, data: bytes, item: int) -> bytes:
    """Put the bytes of each item, which were stored first bytes first, together again."""
    if not 1 <= item <= max(len(data), 1):
        raise storage.damage(f"a chunk is shuffled by items of {item} bytes")
    count = len(data) // item
    whole = np.frombuffer(data, np.uint8, count * item).reshape(item, count).T.tobytes()
    return whole + data[count * item :]
