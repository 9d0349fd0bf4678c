"""The file as bytes by position, with the budget that parsing it may spend; and the fields of a structure in it."""

from __future__ import annotations

import io
import os
import struct
import threading
from typing import Any

from . import limits
from .checksum import lookup3

#: a structure of at most so many bytes is read with the page that it begins on and the next: others are often there
_PAGE = 1 << 12


class Budget:
    """Bytes that may be spent on something.

    Raises:
        ValueError: by :meth:`spend`, when more is asked for.
    """

    def __init__(self, total: int, what: str, where: str) -> None:
        self._left, self._what, self._where = total, what, where

    def spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise ValueError(f"{self._where} is damaged, or made to exhaust time and memory: {self._what}.")


class Storage:
    """An HDF5 file's bytes.

    Arrays are read into memory of their own and not mapped: a map of a file that another process cuts short kills this
    process (SIGBUS). The price is memory for the arrays while they are given to a model, once the file's size, and no
    time: 96 MB from the page cache take 0.1 s, as copying them out of a map does, and as h5py takes.

    Args:
        source: path or seekable binary file, which is read from its start.
    """

    def __init__(self, source: Any) -> None:
        self.where = "the stream" if hasattr(source, "read") else repr(os.fspath(source))
        self._owned = not hasattr(source, "read")
        self._file = open(source, "rb", buffering=0) if self._owned else source
        self._lock = threading.Lock()
        self._near = 0, b""  # where in the file the pages of the latest small structure are, and their bytes
        try:
            self.size = self._file.seek(0, io.SEEK_END)
        except BaseException:
            self.close()
            raise
        self.base = 0  # where addresses count from
        self.offset_size = self.length_size = 8
        per_byte, free = limits.METADATA_PER_BYTE, limits.METADATA_FREE
        self.metadata = Budget(free + per_byte * self.size, "its structures are met again and again", self.where)
        per_byte, free = limits.ATTRIBUTES_PER_BYTE, limits.ATTRIBUTES_FREE
        self.arrays: Budget | None = None
        self.attributes = Budget(free + per_byte * self.size, "its attributes hold more than the file", self.where)

    def close(self) -> None:
        if self._owned:
            self._file.close()

    def limit_arrays(self) -> None:
        """From here on, arrays may be read as often as loading a model does: each about once."""
        total = limits.ARRAYS_FREE + limits.ARRAYS_PER_BYTE * self.size
        self.arrays = Budget(total, "its arrays are read again and again", self.where)

    def damage(self, problem: str) -> ValueError:
        """The error to raise for what cannot be in a whole file."""
        return ValueError(f"{self.where} is damaged, or no model that can be loaded: {problem}.")

    def read(self, address: int, size: int) -> bytes:
        """``size`` bytes of a structure at ``address``."""
        self.metadata.spend(size)
        at = self.base + address
        start, near = self._near
        if at < start or at + size > start + len(near):
            if size > _PAGE:
                return self.contents(address, size)
            self._check(address, size)
            start = at // _PAGE * _PAGE
            near = self.contents(start - self.base, min(2 * _PAGE, self.size - start))
            self._near = start, near
        return near[at - start : at - start + size]

    def contents(self, address: int, size: int) -> bytes:
        """``size`` bytes of an array at ``address``, which do not count as a structure."""
        self._check(address, size)
        with self._lock:
            self._file.seek(self.base + address)
            data = self._file.read(size)
        if len(data) != size:
            raise self._cut_short()
        return data

    def read_into(self, address: int, buffer: memoryview) -> None:
        """Fill ``buffer`` with the numbers of an array."""
        self._check(address, len(buffer))
        done = 0
        with self._lock:
            self._file.seek(self.base + address)
            while done < len(buffer):
                if hasattr(self._file, "readinto"):
                    count = self._file.readinto(buffer[done:])
                else:
                    part = self._file.read(len(buffer) - done)
                    count = len(part)
                    buffer[done : done + count] = part
                if not count:
                    raise self._cut_short()
                done += count

    def _check(self, address: int, size: int) -> None:
        if self.base + address + size > self.size:
            raise self.damage(f"{size} bytes at {address} are beyond its end")

    def _cut_short(self) -> OSError:
        return OSError(f"{self.where} was cut short while it was read")

    def fields(self, address: int | None, size: int, signature: bytes = b"", what: str = "a structure") -> Fields:
        """The fields of the structure at ``address``, behind its signature."""
        if address is None:
            raise self.damage(f"the address of {what} is missing")
        fields = Fields(self, self.read(address, size), what)
        if fields.take(len(signature)) != signature:
            raise self.damage(f"there is not {what} at {address}")
        return fields

    def checked_fields(self, address: int | None, size: int, signature: bytes, what: str) -> Fields:
        """As :meth:`fields`, for a structure that ends with a checksum."""
        fields = self.fields(address, size, signature, what)
        self.verify(fields.data, what)
        return fields

    def verify(self, data: bytes, what: str) -> None:
        """Check the checksum in the last four bytes."""
        if len(data) < 4 or lookup3(data[:-4]) != int.from_bytes(data[-4:], "little"):
            raise self.damage(f"the checksum of {what} is wrong")


class Fields:
    """Numbers and bytes of a structure, taken one after the other.

    Raises:
        ValueError: the structure ends before.
    """

    def __init__(self, storage: Storage, data: bytes, what: str) -> None:
        self.storage, self.data, self.what = storage, data, what
        self.at = 0

    def take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.data):
            raise self.storage.damage(f"{self.what} ends too early")
        part = self.data[self.at : end]
        self.at = end
        return part

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def numbers(self, layout: struct.Struct) -> tuple[int, ...]:
        """Several numbers of fixed sizes."""
        return layout.unpack(self.take(layout.size))

    def skip(self, size: int) -> None:
        self.take(size)

    def length(self) -> int:
        return self.number(self.storage.length_size)

    def address(self) -> int | None:
        """An address; None where there is nothing."""
        part = self.take(self.storage.offset_size)
        return None if part.count(0xFF) == len(part) else int.from_bytes(part, "little")

    def rest(self) -> bytes:
        part = self.data[self.at :]
        self.at = len(self.data)
        return part

    def version(self, *known: int) -> int:
        """The version of the structure, a byte."""
        found = self.number(1)
        if found not in known:
            raise self.storage.damage(f"{self.what} has version {found}")
        return found

    def padded(self, size: int) -> bytes:
        """Bytes that are followed by zeros up to a multiple of 8."""
        part = self.take(size)
        self.skip(-size % 8)
        return part
