"""Reading the tensors of a checkpoint, each when it is asked for."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...utils.checksum import masked_crc32c
from ...utils.messages import shortened
from ..targets import fetched, opened
from . import dtypes, parts, strings
from .entries import Entry, parse_entry, parse_header
from .table import read_table

#: Keys that begin so are parts of other tensors.
_PART = b"\0"


class TensorBundle:
    """The tensors of the checkpoint ``prefix``: of ``prefix.index`` and the data files beside it.

    The index is read and checked as a whole: no two tensors share bytes, so that all of them together are no larger
    than the data files. Arrays are copied out of these, within their length, and compared with their checksums.

    Raises:
        OSError: a file is missing, cut short or of another kind.
        ValueError: one is damaged; the message names file and tensor.
    """

    def __init__(self, prefix: Any) -> None:
        self.prefix = os.fspath(prefix)
        with self._blamed("the checkpoint"):
            with opened(f"{self.prefix}.index") as file:
                pairs = read_table(file.read())
            if not pairs or pairs[0][0]:
                raise ValueError("its index has no header")
            self._header = parse_header(pairs[0][1])
            self._parts: dict[bytes, Entry] = {}
            self._entries: dict[str, Entry] = {}
            for key, value in pairs[1:]:
                self._enter(key, value)
            self._check_places()
        self._remote: dict[str, io.BytesIO] = {}

    def _enter(self, key: bytes, value: bytes) -> None:
        try:
            entry = parse_entry(value, self._header)
            if key.startswith(_PART):
                self._parts[key] = entry
            else:
                self._entries[key.decode("utf-8")] = entry
        except ValueError as error:
            raise ValueError(f"of the tensor {shortened(key, 80)}: {error}") from error

    def _check_places(self) -> None:
        """That no bytes belong to two tensors, and no part to two wholes."""
        stored = [entry for entry in (*self._entries.values(), *self._parts.values()) if entry.size]
        stored.sort(key=lambda entry: (entry.shard, entry.offset))
        for before, after in itertools.pairwise(stored):
            if before.shard == after.shard and before.offset + before.size > after.offset:
                raise ValueError("two of its tensors overlap")
        keys = [parts.part_key(name, part) for name, entry in self._entries.items() for part in entry.parts]
        if len(set(keys)) != len(keys):
            raise ValueError("a part of a tensor belongs to it twice")

    @property
    def names(self) -> list[str]:
        return list(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def shape(self, name: str) -> tuple[int, ...]:
        return self._entry(name).shape

    def dtype(self, name: str) -> str:
        """TensorFlow's name of the dtype."""
        return dtypes.name_of(self._entry(name).dtype)

    def _entry(self, name: str) -> Entry:
        if name not in self._entries:
            raise ValueError(f"There is no tensor {shortened(name, 200)!r} in the checkpoint {self.prefix!r}.")
        return self._entries[name]

    def read(self, name: str) -> np.ndarray:
        """The value of a tensor: strings as ``bytes`` objects, bfloat16 as float32.

        Raises:
            OSError: the data file is missing or cut short.
            ValueError: there is no such tensor, or it is damaged.
        """
        entry = self._entry(name)
        with self._blamed(f"the tensor {shortened(name, 200)!r} of the checkpoint"):
            if entry.parts:
                return parts.whole(entry.shape, entry.parts, lambda part: self._part(name, entry, part))
            return self._read(entry)

    def _part(self, name: str, whole: Entry, extents: parts.Extents) -> np.ndarray:
        entry = self._parts.get(parts.part_key(name, extents))
        if entry is None or entry.parts or entry.dtype != whole.dtype:
            raise ValueError("one of its parts is missing, or of another dtype")
        return self._read(entry)

    def _read(self, entry: Entry) -> np.ndarray:
        path = f"{self.prefix}.data-{entry.shard:05d}-of-{self._header.shards:05d}"
        with self._opened(path) as file:
            held = file.seek(0, io.SEEK_END)
            if entry.offset + entry.size > held:
                raise OSError(f"it should end at byte {entry.offset + entry.size} of {path!r}, which has {held} bytes")
            file.seek(entry.offset)
            if entry.dtype == dtypes.STRING:
                return strings.decode(file.read(entry.size), entry.shape, entry.crc)
            array = np.empty(entry.shape, dtypes.stored(entry.dtype))
            flat = array.reshape(-1).view(np.uint8).data
            if file.readinto(flat) != entry.size:  # it became shorter
                raise OSError(f"the file {path!r} ends before it")
        if masked_crc32c(flat) != entry.crc:
            raise ValueError("its checksum does not fit: it is damaged")
        return dtypes.from_stored(array, entry.dtype)

    @contextmanager
    def _opened(self, path: str) -> Iterator[Any]:
        """The file, if it is on a disk; what is behind an address is fetched once."""
        if path not in self._remote:
            source = fetched(path)
            if not hasattr(source, "read"):
                with open(source, "rb") as file:
                    yield file
                return
            self._remote[path] = source
        yield self._remote[path]

    @contextmanager
    def _blamed(self, what: str) -> Iterator[None]:
        """Let errors inside the block, about ``what``, name the checkpoint."""
        try:
            yield
        except FileNotFoundError as error:
            raise FileNotFoundError(f"Unable to read {what} {self.prefix!r}: no file {error.filename!r}") from error
        except OSError as error:
            raise OSError(f"Unable to read {what} {self.prefix!r}: {error}") from error
        except ValueError as error:
            raise ValueError(f"Unable to read {what} {self.prefix!r}: {error}") from error
