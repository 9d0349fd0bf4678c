"""Reads ``.npz`` files, object arrays too, without running anything that they hold."""

from __future__ import annotations

import math
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
            arrays = []
            for name in names:
                info = archive.getinfo(f"{name}.npy")
                if info.file_size > (1 << 26) + _MAX_EXPANSION * info.compress_size:
                    raise ValueError(f"{path}: {name} would take {info.file_size} bytes; no data set packs like that.")
                with archive.open(info) as member:
                    arrays.append(_read_array(member))
            return arrays
    except (zipfile.BadZipFile, KeyError, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{path} is not the .npz file that was expected: {error}") from error


def _read_array(file: IO[bytes]) -> np.ndarray:
    version = npy.read_magic(file)
    header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = header(file)
    if dtype.kind == "O":
        array = safe_pickle.load(file)
        if not isinstance(array, np.ndarray) or array.shape != shape:
            raise ValueError(f"An object array of shape {shape} was expected.")
        return array
    if dtype.hasobject:
        raise ValueError("Structured arrays of objects are not read.")
    array = np.frombuffer(bytearray(file.read()), dtype, math.prod(shape))
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)
