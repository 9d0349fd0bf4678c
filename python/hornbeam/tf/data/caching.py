"""Elements that are kept: in memory, or in a file that later processes read."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from ...graph import RaggedTensor, nest
from .selecting import Derived
from .stage import Stage


class Cache(Derived):
    """The elements of the first whole pass, again in each later one."""

    def __init__(self, source: Stage) -> None:
        super().__init__(source)
        self._elements: list | None = None

    def open(self) -> Iterator[Any]:
        if self._elements is not None:
            yield from self._elements
            return
        kept = []
        for element in self.source.open():
            kept.append(element)
            yield element
        self._elements = kept


class FileCache(Derived):
    """As :class:`Cache`, in a file: ``<name>.elements``, which is there once a pass was whole.

    Raises:
        TypeError: elements hold ragged tensors or data sets.
    """

    def __init__(self, source: Stage, path: str) -> None:
        super().__init__(source)
        self._path = f"{path}.elements"

    def open(self) -> Iterator[Any]:
        if os.path.exists(self._path):
            yield from self._read()
            return
        part = f"{self._path}.{os.getpid()}.part"
        whole = False
        try:
            with open(part, "wb") as file:
                for element in self.source.open():
                    for leaf in nest.flatten(element):
                        _write(file, leaf)
                    yield element
            whole = True
            os.replace(part, self._path)
        finally:
            if not whole and os.path.exists(part):
                os.remove(part)

    def _read(self) -> Iterator[Any]:
        structure = self.source.spec
        if structure is None:
            structure = next(self.source.open())
        count = len(nest.flatten(structure))
        with open(self._path, "rb") as file:
            end = os.fstat(file.fileno()).st_size
            while file.tell() < end:
                leaves = [_read(file, self._path) for _ in range(count)]
                yield nest.pack(structure, leaves) if isinstance(structure, (dict, tuple)) else leaves[0]


def _write(file: BinaryIO, leaf: Any) -> None:
    """An array, or one of strings as their lengths and bytes."""
    if isinstance(leaf, RaggedTensor) or not isinstance(leaf, np.ndarray):
        raise TypeError(
            f"cache(filename) keeps arrays, got {type(leaf).__name__}; use cache(), which keeps them in memory."
        )
    if leaf.dtype != object:
        file.write(b"N")
        np.lib.format.write_array(file, np.ascontiguousarray(leaf).reshape(leaf.shape), allow_pickle=False)
        return
    texts = leaf.reshape(-1).tolist()
    lengths = np.array([len(t) for t in texts], dtype="int64").reshape(leaf.shape)
    file.write(b"S")
    np.lib.format.write_array(file, lengths, allow_pickle=False)
    file.write(struct.pack("<Q", int(lengths.sum())))
    file.write(b"".join(texts))


def _read(file: BinaryIO, path: str) -> np.ndarray:
    kind = file.read(1)
    if kind not in (b"N", b"S"):
        raise OSError(f"{path} is not a cache of elements, or is cut short; delete it.")
    try:
        array = np.lib.format.read_array(file, allow_pickle=False)
        if kind == b"N":
            return array
        (size,) = struct.unpack("<Q", file.read(8))
        left = os.fstat(file.fileno()).st_size - file.tell()
        if array.dtype != "int64" or int(array.sum()) != size or array.min(initial=0) < 0 or size > left:
            raise ValueError("lengths")
    except (ValueError, struct.error) as error:
        raise OSError(f"{path} is damaged; delete it.") from error
    text = file.read(size)
    ends = np.cumsum(array.reshape(-1)).tolist()
    strings = np.empty(array.size, dtype=object)
    strings[:] = [text[b:e] for b, e in zip([0, *ends[:-1]], ends)]
    return strings.reshape(array.shape)
