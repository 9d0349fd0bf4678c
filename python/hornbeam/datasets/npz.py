"""Reads ``.npz`` files, object arrays too, without running anything that they hold."""

from __future__ import annotations

import math
import struct
import tokenize
import zipfile
import zlib
from typing import IO

import numpy as np
from numpy.lib import format as npy

from . import safe_pickle

_MAX_EXPANSION = 200  # the best that deflate can do is a thousandth


def read(path: str, *names: str) -> list[np.ndarray]:
    """The arrays of the given names.

    Raises:
        ValueError: the file is no ``.npz`` file, lacks one of them, or holds anything that is not plain data.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return [_read_member(archive, f"{name}.npy") for name in names]
    except _DAMAGE as error:
        raise ValueError(f"{path} is not the .npz file that was expected: {error}") from error


#: What zipfile, zlib and NumPy raise where the bytes make no sense.
_DAMAGE = (
    zipfile.BadZipFile, LookupError, EOFError, zlib.error, struct.error, RuntimeError, ValueError, TypeError,
    ArithmeticError, SyntaxError, tokenize.TokenError,
)  # fmt: skip


def _read_member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    info = archive.getinfo(name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is compressed in a way that NumPy does not know")
    if info.file_size > (1 << 26) + _MAX_EXPANSION * info.compress_size:
        raise ValueError(f"{name} would take {info.file_size} bytes; no data set packs like that")
    with archive.open(info) as member:
        return _read_array(member)


def _read_array(file: IO[bytes]) -> np.ndarray:
    version = npy.read_magic(file)
    header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = header(file)
    if dtype.kind == "O":
        array = safe_pickle.load(file)
        if not isinstance(array, np.ndarray) or array.shape != shape:
            raise ValueError(f"an object array of shape {shape} was expected")
        return array
    if dtype.hasobject:
        raise ValueError("structured arrays of objects are not read")
    if min(shape, default=0) < 0:
        raise ValueError(f"an array has shape {shape}")
    array = np.frombuffer(bytearray(file.read()), dtype, math.prod(shape))
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)
