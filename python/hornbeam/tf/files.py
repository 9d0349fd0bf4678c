"""``tf.io``: files as strings."""

from __future__ import annotations

import base64
import builtins
import glob as globbing
import os
import zlib
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor
from .common import dtype_name
from .table import for_scripts


def path_of(path: Any) -> str:
    """A path given as text, bytes, a tensor, or by pathlib."""
    if isinstance(path, Tensor):
        path = path.numpy()
    return os.fsdecode(path)


@for_scripts("io.read_file", "read_file")
def read_file(filename: Any, name: Any = None) -> Tensor:
    """All of a file, as a string.

    Raises:
        OSError: it cannot be read.
    """

    def read(path: np.ndarray) -> np.ndarray:
        with builtins.open(os.fsdecode(path.item()), "rb") as file:
            return np.array(file.read(), dtype=object)

    return graph.on_host(read, [_filename(filename)], ("string", ()))


def _filename(filename: Any) -> Tensor:
    return graph.convert(os.fspath(filename) if isinstance(filename, os.PathLike) else filename)


@for_scripts("io.write_file", "write_file")
def write_file(filename: Any, contents: Any, name: Any = None) -> None:
    """A string as a file, with the folders to it.

    Raises:
        OSError: it cannot be written.
    """
    path, data = path_of(filename), graph.convert(contents).numpy()
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with builtins.open(path, "wb") as file:
        file.write(data)


@for_scripts("io.matching_files", "matching_files")
def matching_files(pattern: Any, name: Any = None) -> Tensor:
    """The paths that fit a pattern, or several patterns, in order."""
    patterns = [os.fsdecode(p) for p in np.ravel(graph.convert(pattern).numpy()).tolist()]
    return graph.constant(np.array(sorted(p for q in patterns for p in globbing.glob(q)), dtype=object))


@for_scripts("io.decode_raw", "decode_raw")
def decode_raw(
    input_bytes: Any, out_type: Any, little_endian: bool = True, fixed_length: Any = None, name: Any = None
) -> Tensor:
    """The bytes of each string as numbers, along a new last axis.

    Args:
        fixed_length: the number of bytes of each string that count; shorter ones are filled up with zeros.

    Raises:
        ValueError: the strings have different lengths, or do not consist of whole numbers of the dtype.
    """
    strings = graph.convert(input_bytes)
    kind = np.dtype(dtype_name(out_type)).newbyteorder("<" if little_endian else ">")

    def cut(item: bytes) -> bytes:
        return item if fixed_length is None else item[: int(fixed_length)].ljust(int(fixed_length), b"\0")

    def decode(array: np.ndarray) -> np.ndarray:
        rows = [np.frombuffer(cut(item), kind).astype(kind.newbyteorder("=")) for item in array.reshape(-1).tolist()]
        if len({len(row) for row in rows}) > 1:
            raise ValueError("DecodeRaw requires input strings to all be the same size.")
        return np.array(rows).reshape(*array.shape, -1)

    return graph.on_host(decode, [strings], (dtype_name(out_type), (*strings.shape, None)))


@for_scripts("io.decode_base64", "decode_base64")
def decode_base64(input: Any, name: Any = None) -> Tensor:
    """The bytes that web-safe base64 strings stand for."""
    return _per_string(input, lambda data: base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4)))


@for_scripts("io.encode_base64", "encode_base64")
def encode_base64(input: Any, pad: bool = False, name: Any = None) -> Tensor:
    """Strings in web-safe base64."""
    return _per_string(
        input, lambda data: base64.urlsafe_b64encode(data) if pad else base64.urlsafe_b64encode(data).rstrip(b"=")
    )


@for_scripts("io.decode_compressed", "decode_compressed")
def decode_compressed(bytes: Any, compression_type: str = "", name: Any = None) -> Tensor:
    """Strings that were compressed by ``'ZLIB'`` or ``'GZIP'``.

    Raises:
        ValueError: one was not.
    """
    if not compression_type:
        return graph.convert(bytes)
    return _per_string(bytes, _decompressed)


def _decompressed(data: bytes) -> bytes:
    try:
        return zlib.decompress(data, zlib.MAX_WBITS | 32)
    except zlib.error as error:
        raise ValueError(f"decode_compressed: a string of {len(data)} bytes is not compressed: {error}") from None


def _per_string(strings: Any, function: Any) -> Tensor:
    tensor = graph.convert(strings)

    def apply(array: np.ndarray) -> np.ndarray:
        found = np.empty(array.size, dtype=object)
        found[:] = [function(item) for item in array.reshape(-1).tolist()]
        return found.reshape(array.shape)

    return graph.on_host(apply, [tensor], ("string", tensor.shape))
