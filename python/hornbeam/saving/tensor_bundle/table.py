"""Sorted tables of keys and values (LevelDB's format), as ``.index`` files are: blocks, an index of them, a footer."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from ...utils.checksum import masked_crc32c
from ...utils.protobuf import read_varint, varint
from . import limits

_MAGIC = bytes.fromhex("57fb808b247547db")
_FOOTER = 48
_TRAILER = 5  # behind a block: its compression, and the checksum of it all
_RESTART_EVERY = 16
_BLOCK_SIZE = 1 << 18


def read_table(data: bytes) -> list[tuple[bytes, bytes]]:
    """The pairs of a table in the order of their keys, each key there once.

    Raises:
        OSError: the bytes are not a table, or are cut short.
        ValueError: it is damaged.
    """
    if len(data) < _FOOTER or data[-len(_MAGIC) :] != _MAGIC:
        raise OSError("it is cut short, or is not an index of a TensorFlow checkpoint")
    footer = data[-_FOOTER:]
    (offset, size), at = _handle(footer, 0)
    _block(data, offset, size)  # of what there is no use for
    (offset, size), _ = _handle(footer, at)
    pairs: list[tuple[bytes, bytes]] = []
    room = [limits.NAMES_FREE + limits.NAMES_PER_BYTE * len(data)]
    end = 0  # of the block before
    for _, handle in _pairs(_block(data, offset, size), room):
        (offset, size), _ = _handle(handle, 0)
        if offset < end:
            raise ValueError("two of its blocks overlap, or are out of order")
        pairs += _pairs(_block(data, offset, size), room)
        end = offset + size + _TRAILER
    if any(pairs[i][0] >= pairs[i + 1][0] for i in range(len(pairs) - 1)):
        raise ValueError("its keys are out of order, or one is there twice")
    return pairs


def _handle(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    offset, at = read_varint(data, at, len(data))
    size, at = read_varint(data, at, len(data))
    return (offset, size), at


def _block(data: bytes, offset: int, size: int) -> bytes:
    end = offset + size
    if end + _TRAILER > len(data) - _FOOTER:
        raise ValueError("a block of it lies beyond its end")
    kind, stored = data[end], int.from_bytes(data[end + 1 : end + _TRAILER], "little")
    if masked_crc32c(memoryview(data)[offset : end + 1]) != stored:
        raise ValueError("the checksum of a block does not fit: it is damaged")
    if kind:
        name = "snappy" if kind == 1 else f"kind {kind}"
        raise ValueError(f"a block of it is compressed ({name}), which TensorFlow does not do")
    return data[offset:end]


def _pairs(block: bytes, room: list[int]) -> Iterator[tuple[bytes, bytes]]:
    """The pairs in a block; ``room`` is how many bytes of keys may still be made."""
    count = int.from_bytes(block[-4:], "little") if len(block) >= 4 else 1 << 32
    end = len(block) - 4 * (count + 1)
    if end < 0:
        raise ValueError("a block of it has more restarts than it has room for")
    at, key, starts = 0, b"", {0}  # where a whole key is
    while at < end:
        begin = at
        shared, at = read_varint(block, at, end)
        more, at = read_varint(block, at, end)
        length, at = read_varint(block, at, end)
        if shared > len(key) or more + length > end - at or shared + more > limits.MAX_NAME:
            raise ValueError("the lengths in a block of it do not fit")
        key = key[:shared] + block[at : at + more]
        room[0] -= len(key)
        if room[0] < 0:
            raise ValueError("its names take more than a checkpoint's do")
        if not shared:
            starts.add(begin)
        at += more
        yield key, block[at : at + length]
        at += length
    if not starts.issuperset(struct.unpack(f"<{count}I", block[end:-4])):
        raise ValueError("a restart in a block of it is not the beginning of a key")


# -- writing ------------------------------------------------------------------------------------------------
def table(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The bytes of a table of pairs, whose keys ascend."""
    out, index = bytearray(), []
    waiting: list[tuple[bytes, bytes]] = []
    size = 0
    for pair in pairs:
        waiting.append(pair)
        size += len(pair[0]) + len(pair[1])
        if size >= _BLOCK_SIZE:
            index.append((waiting[-1][0], _append(out, waiting)))
            waiting, size = [], 0
    if waiting:
        index.append((waiting[-1][0], _append(out, waiting)))
    metaindex = _append(out, [])
    footer = metaindex + _append(out, index, restart_every=1)
    return bytes(out) + footer.ljust(_FOOTER - len(_MAGIC), b"\0") + _MAGIC


def _append(out: bytearray, pairs: list[tuple[bytes, bytes]], restart_every: int = _RESTART_EVERY) -> bytes:
    """Add a block to the file; return where it is."""
    block, restarts, before = bytearray(), [], b""
    for i, (key, value) in enumerate(pairs):
        shared = 0
        if i % restart_every == 0:
            restarts.append(len(block))
        else:
            while shared < min(len(before), len(key)) and before[shared] == key[shared]:
                shared += 1
        block += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    restarts = restarts or [0]
    block += struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))
    handle = varint(len(out)) + varint(len(block))
    block.append(0)
    out += block + masked_crc32c(block).to_bytes(4, "little")
    return handle
