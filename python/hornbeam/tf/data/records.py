"""Files of records as TensorFlow has them (TFRecord): each with its length, and checksums of both."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from ...utils.checksum import masked_crc32c
from ..specs import TensorSpec
from ..table import for_scripts
from .dataset import Dataset
from .element import is_dataset, to_array
from .stage import Stage

_HEAD = struct.Struct("<QI")
_FOOT = struct.Struct("<I")
_CHUNK = 1 << 20


def open_compressed(path: str, compression: str | None, mode: str = "rb") -> BinaryIO:
    """A file that may be compressed.

    Raises:
        OSError: it cannot be opened.
        ValueError: an unknown compression.
    """
    if compression in (None, ""):
        return open(path, mode)  # type: ignore[return-value]
    if compression == "GZIP":
        return gzip.open(path, mode)  # type: ignore[return-value, call-overload]
    if compression == "ZLIB":
        file = _Zlib(open(path, mode))
        return io.BufferedReader(file, _CHUNK) if mode == "rb" else io.BufferedWriter(file, _CHUNK)
    raise ValueError(f"The compression is '', 'GZIP' or 'ZLIB', not {compression!r}.")


@contextmanager
def reading(path: str, compression: str | None) -> Iterator[BinaryIO]:
    """A file that may be compressed, while it is read in the block.

    Raises:
        OSError: it cannot be opened, is cut short, or is not compressed in that way.
        ValueError: an unknown compression.
    """
    with open_compressed(path, compression) as file:
        try:
            yield file
        except (EOFError, zlib.error) as error:
            raise OSError(f"{path} is damaged, or not compressed by {compression}: {error}") from error


class _Zlib(io.RawIOBase):
    """A file in zlib's format, read or written from its beginning to its end."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._in = zlib.decompressobj()
        self._out = zlib.compressobj()
        self._holds_more = False  # whether there may be more of what was read

    def readable(self) -> bool:
        return self._file.readable()

    def writable(self) -> bool:
        return self._file.writable()

    def readinto(self, buffer: Any) -> int:
        found = b""
        while not found and not self._in.eof:
            data = self._in.unconsumed_tail
            if not data and not self._holds_more:
                data = self._file.read(_CHUNK)
                if not data:
                    raise EOFError("it ends before its end is marked")
            found = self._in.decompress(data, len(buffer))
            self._holds_more = len(found) == len(buffer)
        buffer[: len(found)] = found
        return len(found)

    def write(self, data: Any) -> int:
        self._file.write(self._out.compress(data))
        return len(data)

    def close(self) -> None:
        if self.closed:
            return
        try:
            if self.writable():
                self._file.write(self._out.flush())
        finally:
            self._file.close()
            super().close()


def read_records(path: str, compression: str | None = None) -> Iterator[bytes]:
    """The records of a file.

    Raises:
        OSError: there is no such file, it is cut short, or a checksum is wrong.
    """
    with reading(path, compression) as file:
        number = 0
        while head := _exactly(file, _HEAD.size, path, number, may_end=True):
            length, crc = _HEAD.unpack(head)
            if masked_crc32c(head[:8]) != crc:
                raise OSError(
                    f"{path}: record {number} has a wrong checksum of its length: the file is damaged or not a TFRecord."
                )
            data = _exactly(file, length, path, number)
            (crc,) = _FOOT.unpack(_exactly(file, _FOOT.size, path, number))
            if masked_crc32c(data) != crc:
                raise OSError(f"{path}: record {number} of {length} bytes has a wrong checksum: the file is damaged.")
            yield data
            number += 1


def _exactly(file: BinaryIO, size: int, path: str, number: int, may_end: bool = False) -> bytes:
    """So many bytes; a length is believed only as far as there are bytes."""
    parts = []
    left = size
    while left and (part := file.read(min(left, _CHUNK))):
        parts.append(part)
        left -= len(part)
    if left and not (may_end and left == size):
        raise OSError(f"{path}: record {number} is cut short: {size - left} of {size} bytes are there.")
    return b"".join(parts)


def paths_of(filenames: Any) -> Any:
    """Paths from a string, a list, a tensor or a data set of them: a function that gives them, anew for each pass."""
    if is_dataset(filenames):
        stage = filenames.stage
        return lambda: (p for item in stage.open() for p in _decoded(item))
    listed = _decoded(
        to_array([os.fspath(f) for f in filenames] if isinstance(filenames, (list, tuple)) else _path(filenames))
    )
    return lambda: iter(listed)


def _path(filename: Any) -> Any:
    return os.fspath(filename) if isinstance(filename, os.PathLike) else filename


def _decoded(names: Any) -> list[str]:
    return [os.fsdecode(name) for name in np.ravel(names).tolist()]


class _Records(Stage):
    def __init__(self, filenames: Any, compression: str | None) -> None:
        self._paths = paths_of(filenames)
        self._compression = compression
        self.spec = TensorSpec((), "string")

    def open(self) -> Iterator[Any]:
        for path in self._paths():
            for record in read_records(path, self._compression):
                yield np.array(record, dtype=object)


@for_scripts("data.TFRecordDataset")
class TFRecordDataset(Dataset):
    """The records of files, one file after the other, as strings.

    Args:
        filenames: a path, a list of paths, or a data set of them.
        compression_type: ``''``, ``'GZIP'`` or ``'ZLIB'``.

    Raises:
        OSError: while it is read: there is no such file, or it is damaged.
    """

    def __init__(
        self, filenames: Any, compression_type: str | None = None, buffer_size: Any = None, num_parallel_reads: Any = None,
        name: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(_Records(filenames, compression_type))


@for_scripts("io.TFRecordOptions")
class TFRecordOptions:
    """The compression of a file of records; other options change nothing."""

    def __init__(self, compression_type: str | None = None, **other: Any) -> None:
        self.compression_type = compression_type


@for_scripts("io.TFRecordWriter", "python_io.TFRecordWriter")
class TFRecordWriter:
    """Writes records into a file.

    Args:
        path: of the file, which is begun anew.
        options: ``TFRecordOptions``, or the compression.

    Example:
        >>> with tf.io.TFRecordWriter("data.tfrecord") as writer:
        ...     writer.write(example.SerializeToString())
    """

    def __init__(self, path: Any, options: Any = None) -> None:
        self._file = open_compressed(os.fspath(path), getattr(options, "compression_type", options), "wb")

    def write(self, record: Any) -> None:
        """Write a record: bytes, or text, which is stored in UTF-8."""
        data = to_array(record).item() if not isinstance(record, (bytes, bytearray)) else bytes(record)
        length = struct.pack("<Q", len(data))
        self._file.write(length + _FOOT.pack(masked_crc32c(length)) + data + _FOOT.pack(masked_crc32c(data)))

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> TFRecordWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()
