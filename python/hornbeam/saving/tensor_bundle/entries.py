"""What an index says of a bundle and of each tensor in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ...utils import protobuf
from ...utils.protobuf import Message
from . import dtypes, limits

_VERSION = 1


@dataclass
class Header:
    """What the index says of the bundle as a whole."""

    shards: int


@dataclass
class Entry:
    """Where a tensor is.

    Attributes:
        dtype: TensorFlow's number.
        shard, offset, size: the file and the bytes in it; nothing of a tensor that is stored in parts.
        crc: masked CRC-32C of the bytes.
        parts: for each part of a tensor in parts ``(start, length)`` of each dim, None for the whole dim.
    """

    dtype: int
    shape: tuple[int, ...]
    shard: int = 0
    offset: int = 0
    size: int = 0
    crc: int = 0
    parts: list[list[tuple[int, int] | None]] = field(default_factory=list)

    @property
    def count(self) -> int:
        return math.prod(self.shape)


def parse_header(data: bytes) -> Header:
    """
    Raises:
        ValueError: the bytes are not a header, or that of a bundle that is not read.
    """
    message = Message(data)
    if message.integer(2):
        raise ValueError("it was written on a machine of the other byte order (big endian), which is not read")
    if Message(message.data(3)).integer(2) > _VERSION:
        raise ValueError("it says that it is for a later version of readers")
    shards = message.integer(1)
    if not 0 < shards <= limits.MAX_SHARDS:
        raise ValueError(f"it states {shards} data files")
    return Header(shards)


def parse_entry(data: bytes, header: Header) -> Entry:
    """
    Raises:
        ValueError: the bytes are not an entry; or dtype, shape and size contradict each other.
    """
    message = Message(data)
    entry = Entry(
        message.integer(1), _shape(message.data(2)), message.integer(3), message.signed(4), message.signed(5),
        message.integer(6), [_extents(part) for part in message.parts(7)],
    )  # fmt: skip
    dtypes.name_of(entry.dtype)
    if entry.parts:
        if entry.dtype == dtypes.STRING or not all(_fits(part, entry.shape) for part in entry.parts):
            raise ValueError(f"its parts do not fit its shape {entry.shape}")
        return entry
    if entry.offset < 0 or entry.size < 0 or entry.shard >= header.shards:
        raise ValueError("it lies outside of the data files")
    if entry.dtype == dtypes.STRING:
        if entry.count > entry.size:
            raise ValueError(f"it has shape {entry.shape}, but {entry.size} bytes")
    elif entry.count * dtypes.stored(entry.dtype).itemsize != entry.size:
        raise ValueError(f"it has shape {entry.shape} and dtype {dtypes.name_of(entry.dtype)}, but {entry.size} bytes")
    return entry


def _shape(data: bytes) -> tuple[int, ...]:
    message = Message(data)
    if message.integer(3):
        raise ValueError("it has no known rank")
    dims = tuple(Message(dim).signed(1) for dim in message.parts(2))
    if len(dims) > limits.MAX_RANK or any(dim < 0 for dim in dims):
        raise ValueError(f"it has the shape {dims[: limits.MAX_RANK + 1]}")
    return dims


def _extents(data: bytes) -> list[tuple[int, int] | None]:
    extents = [Message(extent) for extent in Message(data).parts(1)]
    return [(extent.signed(1), extent.signed(2)) if 2 in extent else None for extent in extents]


def _fits(part: list[tuple[int, int] | None], shape: tuple[int, ...]) -> bool:
    return len(part) == len(shape) and all(
        extent is None or (extent[0] >= 0 and extent[1] >= 0 and sum(extent) <= dim) for extent, dim in zip(part, shape)
    )


# -- writing ------------------------------------------------------------------------------------------------
def header(shards: int = 1) -> bytes:
    return protobuf.field(1, shards) + protobuf.field(3, protobuf.field(1, _VERSION))


def entry(of: Entry) -> bytes:
    """The bytes of an entry of a tensor in one piece."""
    shape = b"".join(protobuf.field(2, protobuf.field(1, dim) if dim else b"") for dim in of.shape)
    data = protobuf.field(1, of.dtype) + protobuf.field(2, shape)
    for number, value in ((3, of.shard), (4, of.offset), (5, of.size)):
        data += protobuf.field(number, value) if value else b""
    return data + protobuf.fixed32_field(6, of.crc)
