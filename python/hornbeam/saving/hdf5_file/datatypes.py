"""Datatypes: which NumPy dtype the items of an array have, or what else they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import limits
from .storage import Fields

NUMBER, TEXT, LONG_TEXT, REFERENCE, OTHER = "number", "text", "text of any length", "reference", "other"
_FIXED, _FLOAT, _STRING, _REFERENCE_CLASS, _ENUM, _VARIABLE, _ARRAY = 0, 1, 3, 7, 8, 9, 10


@dataclass(frozen=True)
class Datatype:
    """What an item of an array is.

    Attributes:
        kind: NUMBER, TEXT (of a fixed length), LONG_TEXT (strings in a heap), REFERENCE, or OTHER, which is not read.
        dtype: NumPy's dtype of an item without ``dims``; objects for LONG_TEXT.
        size: bytes of an item in the file, with ``dims``.
        dims: dims of an item that is an array itself.
        padding: what stands behind a TEXT: 0 a zero byte and anything, 1 zero bytes, 2 spaces.
        is_bool: whether it is h5py's bool, an enumeration.
    """

    kind: str
    dtype: np.dtype
    size: int
    dims: tuple[int, ...] = ()
    padding: int = 1
    is_bool: bool = False

    @property
    def item(self) -> np.dtype:
        """NumPy's dtype of an item with ``dims``."""
        return np.dtype((self.dtype, self.dims)) if self.dims else self.dtype


def read_datatype(fields: Fields, depth: int = 0) -> Datatype:
    """Read a datatype; what is not read as numbers or text becomes one of kind OTHER.

    Raises:
        ValueError: it makes no sense.
    """
    if depth > limits.MAX_TYPE_NESTING:
        raise fields.storage.damage("datatypes are nested too deeply")
    first, bits, size = fields.number(1), fields.number(3), fields.number(4)
    version, kind = first >> 4, first & 15
    if not 1 <= version <= 5 or not 0 < size < 1 << 31:
        raise fields.storage.damage(f"a datatype has version {version} and size {size}")
    if kind == _FIXED:
        return _integer(fields, bits, size)
    if kind == _FLOAT:
        return _float(fields, bits, size)
    if kind == _STRING:
        return Datatype(TEXT, np.dtype(f"S{size}"), size, padding=bits & 15)
    if kind == _ENUM:
        return _enumeration(fields, version, bits & 0xFFFF, size, depth)
    if kind == _VARIABLE:
        parent = read_datatype(fields, depth + 1)
        if bits & 15 == 1:
            return Datatype(LONG_TEXT, np.dtype(object), size)
        return _other(size, parent)
    if kind == _ARRAY:
        return _array(fields, version, size, depth)
    return Datatype(REFERENCE if kind == _REFERENCE_CLASS else OTHER, np.dtype(f"V{size}"), size)


def _other(size: int, part: Datatype | None = None) -> Datatype:
    kind = REFERENCE if part is not None and part.kind == REFERENCE else OTHER
    return Datatype(kind, np.dtype(f"V{size}"), size)


def _integer(fields: Fields, bits: int, size: int) -> Datatype:
    offset, precision = fields.number(2), fields.number(2)
    if size not in (1, 2, 4, 8) or offset or precision != 8 * size:
        return _other(size)
    return Datatype(NUMBER, np.dtype(f"{'>' if bits & 1 else '<'}{'i' if bits & 8 else 'u'}{size}"), size)


#: Bits of sign's place, exponent's place and size, mantissa's place and size, and the bias, of IEEE floats.
_IEEE = {2: (15, 10, 5, 0, 10, 15), 4: (31, 23, 8, 0, 23, 127), 8: (63, 52, 11, 0, 52, 1023)}


def _float(fields: Fields, bits: int, size: int) -> Datatype:
    offset, precision = fields.number(2), fields.number(2)
    layout = (bits >> 8 & 0xFF, *(fields.number(1) for _ in range(4)), fields.number(4))
    implied = bits >> 4 & 3 == 2  # the mantissa's first bit is not stored
    if _IEEE.get(size) != layout or offset or precision != 8 * size or not implied or bits & 64:
        return _other(size)
    return Datatype(NUMBER, np.dtype(f"{'>' if bits & 1 else '<'}f{size}"), size)


def _enumeration(fields: Fields, version: int, count: int, size: int, depth: int) -> Datatype:
    base = read_datatype(fields, depth + 1)
    if base.kind != NUMBER or base.size != size or base.dims:
        return _other(size, base)
    names = [_name(fields, version) for _ in range(count)]
    values = [fields.take(size) for _ in range(count)]
    is_bool = base.dtype == np.int8 and dict(zip(names, values)) == {b"FALSE": b"\0", b"TRUE": b"\1"}
    return Datatype(NUMBER, np.dtype(bool) if is_bool else base.dtype, size, is_bool=is_bool)


def _name(fields: Fields, version: int) -> bytes:
    end = fields.data.find(b"\0", fields.at)
    if end < 0:
        raise fields.storage.damage("a name in a datatype never ends")
    name = fields.take(end - fields.at)
    fields.skip(1)
    if version < 3:
        fields.skip(-(len(name) + 1) % 8)
    return name


def _array(fields: Fields, version: int, size: int, depth: int) -> Datatype:
    rank = fields.number(1)
    if version < 3:
        fields.skip(3)
    dims = tuple(fields.number(4) for _ in range(rank))
    if version < 3:
        fields.skip(4 * rank)  # permutations, which never were
    base = read_datatype(fields, depth + 1)
    count = 1
    for dim in dims:
        count *= dim
    if not 0 < rank <= limits.MAX_RANK or count * base.size != size:
        raise fields.storage.damage(f"an array of {dims!s:.100} items of {base.size} bytes is said to take {size}")
    if base.dims or base.kind in (REFERENCE, OTHER):
        return _other(size, base)
    return Datatype(base.kind, base.dtype, size, dims, base.padding, base.is_bool)
