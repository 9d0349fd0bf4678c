"""Dtypes: strings that also answer what scripts ask TensorFlow's of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

#: What TensorFlow takes for a dtype besides its own names and NumPy's.
_OTHER_NAMES: dict[Any, str] = {"float": "float32", "double": "float64", "half": "float16", float: "float32"}


@cache
def array_dtype(dtype: np.dtype) -> str:
    """The name of an array's dtype; NumPy makes it anew each time."""
    return dtype.name


def dtype_name(dtype: Any) -> str:
    """The name of a dtype given by a string, as NumPy's, as TensorFlow's, or as Python's."""
    if dtype in _OTHER_NAMES:
        return _OTHER_NAMES[dtype]
    return str(dtype) if isinstance(dtype, str) else np.dtype(dtype).name


class DType(str):
    """The name of a dtype; it equals the string."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return str(self)

    @property
    def base_dtype(self) -> DType:
        return self

    real_dtype = base_dtype

    @property
    def as_numpy_dtype(self) -> type:
        return np.dtype(str(self)).type

    @property
    def is_floating(self) -> bool:
        return self.startswith("float")

    @property
    def is_integer(self) -> bool:
        return self.startswith(("int", "uint"))

    @property
    def is_bool(self) -> bool:
        return self == "bool"

    is_complex = False

    @property
    def size(self) -> int:
        """Bytes of an element."""
        return np.dtype(str(self)).itemsize

    @property
    def min(self) -> Any:
        return (np.finfo if self.is_floating else np.iinfo)(str(self)).min

    @property
    def max(self) -> Any:
        return (np.finfo if self.is_floating else np.iinfo)(str(self)).max

    def __repr__(self) -> str:
        return f"<dtype: {str(self)!r}>"


class _DTypes(dict):
    def __missing__(self, name: str) -> DType:
        made = self[name] = DType(name)
        return made


#: One object per name.
DTYPES = _DTypes()
