"""What the messages in object headers say about data."""

from __future__ import annotations

import math
from dataclasses import dataclass

from . import limits
from .datatypes import Datatype, read_datatype
from .storage import Fields, Storage


@dataclass(frozen=True)
class Dataspace:
    """Dims of an array: ``shape`` is None where there is not even one number, () for a single one.

    ``max_shape`` says how far it may grow; None for a dim without limit.
    """

    shape: tuple[int, ...] | None
    max_shape: tuple[int | None, ...] = ()


def read_dataspace(fields: Fields) -> Dataspace:
    version = fields.version(1, 2)
    rank, flags = fields.number(1), fields.number(1)
    kind = fields.number(1)  # reserved in version 1
    if version == 1:
        fields.skip(4)
        kind = 1 if rank else 0
    if kind > 2 or rank > limits.MAX_RANK or (kind != 1 and rank):
        raise fields.storage.damage(f"a dataspace of kind {kind} has {rank} dims")
    if kind == 2:
        return Dataspace(None)
    shape = tuple(fields.length() for _ in range(rank))
    if math.prod(n for n in shape if n) >= 1 << 62:
        raise fields.storage.damage(f"an array of shape {shape!s:.100} is beyond any memory")
    if not flags & 1:
        return Dataspace(shape, shape)
    unlimited = (1 << 8 * fields.storage.length_size) - 1
    most = [fields.length() for _ in range(rank)]
    if any(n > m for n, m in zip(shape, most)):
        raise fields.storage.damage(f"an array of shape {shape!s:.100} has no room for itself")
    return Dataspace(shape, tuple(None if n == unlimited else n for n in most))


COMPACT, CONTIGUOUS, CHUNKED, VIRTUAL = range(4)
#: How the chunks of an array are found.
BTREE_1, SINGLE, IMPLICIT, FIXED_ARRAY, EXTENSIBLE_ARRAY, BTREE_2 = range(6)


@dataclass(frozen=True)
class Layout:
    """Where the numbers of a dataset are.

    Attributes:
        kind: COMPACT, CONTIGUOUS, CHUNKED or VIRTUAL.
        address: of the numbers or of the chunks' index; None where nothing was written.
        data: the numbers themselves, if COMPACT.
        size: bytes stored, if CONTIGUOUS; None where the file does not say.
        chunk: dims of a chunk, and the bytes of an item.
        index: kind of the chunks' index.
        stored: stored bytes and mask of filters of a SINGLE chunk that has filters.
        whole_edges: whether chunks that reach over the array's edge are stored without filters.
    """

    kind: int
    address: int | None = None
    data: bytes = b""
    size: int | None = None
    chunk: tuple[int, ...] = ()
    index: int = BTREE_1
    stored: tuple[int, int] | None = None
    whole_edges: bool = False


def read_layout(fields: Fields) -> Layout:
    version = fields.version(1, 2, 3, 4, 5)
    if version < 3:
        return _old_layout(fields)
    kind = fields.number(1)
    if kind == COMPACT:
        return Layout(COMPACT, data=fields.take(fields.number(2)))
    if kind == CONTIGUOUS:
        return Layout(CONTIGUOUS, fields.address(), size=fields.length())
    if kind == VIRTUAL:
        return Layout(VIRTUAL)
    if kind != CHUNKED:
        raise fields.storage.damage(f"the layout of an array is of kind {kind}")
    if version == 3:
        rank = fields.number(1)
        address = fields.address()
        return Layout(CHUNKED, address, chunk=_chunk(fields, rank, 4))
    flags, rank, dim_size = fields.number(1), fields.number(1), fields.number(1)
    chunk = _chunk(fields, rank, dim_size)
    index, stored = fields.number(1), None
    if index == SINGLE and flags & 2:
        stored = (fields.length(), fields.number(4))
    elif index in (FIXED_ARRAY, EXTENSIBLE_ARRAY, BTREE_2):  # what their own headers repeat
        fields.skip({FIXED_ARRAY: 1, EXTENSIBLE_ARRAY: 5, BTREE_2: 6}[index])
    elif index not in (SINGLE, IMPLICIT):
        raise fields.storage.damage(f"the index of an array's chunks is of kind {index}")
    return Layout(CHUNKED, fields.address(), chunk=chunk, index=index, stored=stored, whole_edges=bool(flags & 1))


def _old_layout(fields: Fields) -> Layout:
    rank, kind = fields.number(1), fields.number(1)
    fields.skip(5)
    address = None if kind == COMPACT else fields.address()
    if kind == CHUNKED:
        return Layout(CHUNKED, address, chunk=_chunk(fields, rank, 4))
    fields.skip(4 * rank)  # the dataspace has them too
    if kind == COMPACT:
        return Layout(COMPACT, data=fields.take(fields.number(4)))
    if kind != CONTIGUOUS:
        raise fields.storage.damage(f"the layout of an array is of kind {kind}")
    return Layout(CONTIGUOUS, address)


def _chunk(fields: Fields, rank: int, dim_size: int) -> tuple[int, ...]:
    if not 2 <= rank <= limits.MAX_RANK + 1 or not 1 <= dim_size <= 8:
        raise fields.storage.damage(f"chunks have {rank} dims of {dim_size} bytes")
    chunk = tuple(fields.number(dim_size) for _ in range(rank))
    if not all(chunk):
        raise fields.storage.damage(f"chunks have the dims {chunk!s:.100}")
    return chunk


@dataclass(frozen=True)
class Filter:
    """A step of packing: its number in HDF5's registry, and its options."""

    kind: int
    options: tuple[int, ...]


def read_filters(fields: Fields) -> list[Filter]:
    version = fields.version(1, 2)
    count = fields.number(1)
    if version == 1:
        fields.skip(6)
    found = []
    for _ in range(count):
        kind = fields.number(2)
        name = fields.number(2) if version == 1 or kind >= 256 else 0
        fields.skip(2)  # flags
        options = fields.number(2)
        fields.skip(name + (-name % 8 if version == 1 else 0))
        found.append(Filter(kind, tuple(fields.number(4) for _ in range(options))))
        if version == 1 and options % 2:
            fields.skip(4)
    return found


def read_fill_value(fields: Fields) -> bytes:
    """The bytes of the value of items that were never written; empty for zero."""
    version = fields.version(1, 2, 3)
    if version == 3:
        flags = fields.number(1)
        allocated, filled, has_value = flags & 3, flags >> 2 & 3, flags & 32
    else:
        allocated, filled, has_value = (fields.number(1) for _ in range(3))
        has_value = has_value or version == 1
    if allocated > 3 or filled > 2:  # when memory was taken, and when the value was written
        raise fields.storage.damage("a fill value is used at an unknown time")
    return fields.take(fields.number(4)) if has_value else b""


def read_old_fill_value(fields: Fields) -> bytes:
    return fields.take(fields.number(4))


@dataclass(frozen=True)
class Attribute:
    """An attribute that has not been decoded yet."""

    name: str
    datatype: Datatype
    shape: tuple[int, ...] | None
    data: bytes


def read_attribute(storage: Storage, message: bytes) -> Attribute:
    fields = Fields(storage, message, "an attribute")
    version = fields.version(1, 2, 3)
    flags = fields.number(1)
    if version > 1 and flags & 3:
        raise storage.damage("an attribute has a type with a name of its own")
    sizes = [fields.number(2) for _ in range(3)]
    if version == 3:
        fields.skip(1)  # the name's character set; both are read as UTF-8
    name, datatype, dataspace = (fields.padded(size) if version == 1 else fields.take(size) for size in sizes)
    if len(name) > limits.MAX_NAME:
        raise storage.damage(f"an attribute's name has {len(name)} bytes")
    return Attribute(
        name.split(b"\0", 1)[0].decode("utf-8", "surrogateescape"),
        read_datatype(Fields(storage, datatype, "the datatype of an attribute")),
        read_dataspace(Fields(storage, dataspace, "the dataspace of an attribute")).shape,
        fields.rest(),
    )
