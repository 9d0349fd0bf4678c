"""Reads pickled data without running anything that the file names.

A pickle is a program: it may name any importable function and have it called. The data sets' pickles need only
containers, text, numbers and NumPy arrays. Everything else is refused here, and NumPy's own ``dtype.__setstate__``,
which believes whatever flags it is given, is never reached.
"""

from __future__ import annotations

import io
import math
import pickle
import re
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from ..utils.messages import shortened
from . import pickle_opcodes

_FREE_BYTES = 1 << 20
_MAX_COPIES = 16  # an array of objects takes 8 bytes for each item, which may take 1 in the pickle


def load(file: IO[bytes], encoding: str = "bytes") -> Any:
    """Unpickle data.

    Args:
        file: open binary file.
        encoding: what becomes of the strings of Python 2: ``"bytes"`` leaves them bytes.

    Raises:
        ValueError: the file holds anything else than list, tuple, dict, set, str, bytes, numbers and arrays of
            numbers, strings or objects; or it is damaged.
    """
    data = file.read()
    try:
        pickle_opcodes.check(data)
        value = _Unpickler(data, encoding).load()
    except _DAMAGE as error:
        name = getattr(file, "name", "The file")
        raise ValueError(f"{name} does not hold plain pickled data: {shortened(str(error))}") from error
    return np.asarray(value) if isinstance(value, _Array) else value


_DAMAGE = (
    pickle.UnpicklingError, EOFError, TypeError, AttributeError, LookupError, ArithmeticError, ValueError, RecursionError,
    MemoryError,
)  # fmt: skip


class _Dtype:
    """Stands in for ``numpy.dtype``; takes a type code and then, as its state, a byte order and nothing else."""

    def __init__(self, code: Any, align: Any = False, copy: Any = False) -> None:
        code = code.decode("ascii") if isinstance(code, bytes) else code
        if not isinstance(code, str) or not re.fullmatch(r"[biufcSUO]\d{0,6}", code):
            raise pickle.UnpicklingError(f"dtype {code!r} is not admitted")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        order: Any
        _, order, subarray, names, fields, *_ = state
        order = order.decode("ascii") if isinstance(order, bytes) else order
        if order not in ("<", ">", "|") or (subarray, names, fields) != (None, None, None):
            raise pickle.UnpicklingError("a structured dtype is not admitted")
        self.dtype = self.dtype.newbyteorder(order)


class _Array(np.ndarray):
    """An array whose state is checked before NumPy sees it."""

    count_copy: Callable[[int], None]  # counts the bytes that are copied

    def __setstate__(self, state: Any) -> None:
        *_, shape, code, fortran, data = state
        if not isinstance(code, _Dtype) or not all(type(n) is int and n >= 0 for n in shape):
            raise pickle.UnpicklingError("an array's state is damaged")
        if isinstance(data, str):  # bytes of Python 2, decoded as latin1
            data = data.encode("latin1")
        is_object = code.dtype.hasobject
        wanted = math.prod(shape) * (1 if is_object else code.dtype.itemsize)
        if type(data) is not (list if is_object else bytes) or len(data) != wanted:
            raise pickle.UnpicklingError(f"an array of shape {tuple(shape)} has other data")
        self.count_copy(len(data) * (8 if is_object else 1))
        checked: Any = (1, tuple(shape), code.dtype, bool(fortran), data)
        super().__setstate__(checked)


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes, encoding: str) -> None:
        super().__init__(io.BytesIO(data), encoding=encoding)
        self._left = _FREE_BYTES + _MAX_COPIES * len(data)

    def take(self, size: int) -> None:
        """Count bytes that are copied out of the pickle: a text may be referred to, and copied, any number of times."""
        self._left -= size
        if self._left < 0:
            raise pickle.UnpicklingError("it holds many times more than it writes out")

    def find_class(self, module: str, name: str) -> Any:
        # NumPy 2 calls numpy.core numpy._core.
        full_name = f"{module.replace('numpy._core', 'numpy.core')}.{name}"
        if full_name == "numpy.ndarray":
            return full_name  # only ever an argument of _reconstruct: a name cannot be called
        if full_name == "numpy.dtype":
            return _Dtype
        if full_name == "numpy.core.multiarray._reconstruct":
            return self.reconstruct
        if full_name == "numpy.core.multiarray.scalar":
            return self.scalar
        if full_name == "_codecs.encode":
            return self.encode
        if full_name in ("__builtin__.bytes", "builtins.bytes"):
            return self.no_bytes
        raise pickle.UnpicklingError(f"{module}.{name} is not data, and is not called")

    # Methods, because a pickle can set attributes of what it is given, and those of a bound method cannot be set.
    def reconstruct(self, kind: Any, shape: Any, code: Any) -> np.ndarray:
        """An empty array, which gets its contents as its state."""
        array = np.empty((0,), "b").view(_Array)
        array.count_copy = self.take
        return array

    def scalar(self, code: Any, data: Any = b"") -> Any:
        if not isinstance(code, _Dtype) or code.dtype.hasobject:
            raise pickle.UnpicklingError("a number's dtype is damaged")
        data = data.encode("latin1") if isinstance(data, str) else data
        if len(data) != code.dtype.itemsize:
            raise pickle.UnpicklingError("a number has other data than its dtype")
        if code.dtype.kind == "c":  # as keys of a dict they can be made to have one hash
            raise pickle.UnpicklingError("a complex number is not admitted")
        self.take(len(data))
        return np.frombuffer(data, code.dtype)[0]

    def encode(self, text: Any, encoding: Any) -> bytes:
        """Bytes: protocol 2 of Python 3 writes them as a call of ``_codecs.encode(text, 'latin1')``."""
        if encoding not in ("latin1", b"latin1") or not isinstance(text, str):
            raise pickle.UnpicklingError("bytes are damaged")
        self.take(len(text))
        return text.encode("latin1")

    def no_bytes(self) -> bytes:
        """The same for empty bytes, which are written as ``bytes()``; with arguments it would allocate memory."""
        return b""
