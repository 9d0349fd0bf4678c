"""Files: data in HDF5, JSON, asking before overwriting, writing at the end."""

from __future__ import annotations

import io
import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .messages import blamed_on
from .terminal import ask_to_proceed_with_overwrite  # noqa: F401 - Keras has it here


class HDF5Matrix:
    """A dataset in an HDF5 file, or a range of its rows, read batch by batch instead of at once.

    Args:
        datapath: path of the file.
        dataset: name of the dataset in it.
        start, end: first row, and the row after the last.
        normalizer: function applied to what is read; ``shape`` and ``dtype`` are those of its results.

    Raises:
        IndexError: rows beyond the range are asked for.

    Shuffle such data with ``fit(..., shuffle='batch')``: HDF5 reads neighbouring rows.
    """

    #: Open files by path, shared by the matrices in them.
    refs: dict[str, Any] = defaultdict(int)

    def __init__(self, datapath, dataset, start=0, end=None, normalizer=None):
        if not self.refs[datapath]:  # none yet, or closed since
            # It is the user's own data, of any size and packed in any way: h5py reads it, row by row.
            self.refs[datapath] = _h5py_file(datapath, "r")
        self.data = self.refs[datapath][dataset]
        self.start = start
        self.end = self.data.shape[0] if end is None else end
        self.normalizer = normalizer
        # The normalizer may change anything but the number of rows.
        first = self.data[0:1] if normalizer is None else normalizer(self.data[0:1])
        self._row_shape, self._dtype = first.shape[1:], first.dtype

    def __len__(self):
        return self.end - self.start

    def __getitem__(self, key):
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if key.stop is not None and key.stop > len(self):
                raise IndexError(f"rows up to {key.stop} of {len(self)}")
            rows: Any = slice(start + self.start, stop + self.start, step)
        elif isinstance(key, (int, np.integer)):
            if not -len(self) <= key < len(self):
                raise IndexError(f"row {key} of {len(self)}")
            rows = self.start + (key % len(self))
        else:
            if key is None:
                raise TypeError("an HDF5Matrix cannot be indexed by None")
            rows = np.asarray(key)
            if rows.size and (rows.min() < 0 or rows.max() >= len(self)):
                raise IndexError(f"rows {rows.min()} to {rows.max()} of {len(self)}")
            if rows.size and np.any(np.diff(rows) <= 0):
                raise TypeError("rows of an HDF5 dataset must be in increasing order")
            rows = (rows + self.start).tolist()
        values = self.data[rows]
        return values if self.normalizer is None else self.normalizer(values)

    @property
    def shape(self):
        return (self.end - self.start, *self._row_shape)

    @property
    def dtype(self):
        return self._dtype

    @property
    def ndim(self):
        return 1 + len(self._row_shape)

    @property
    def size(self):
        return int(np.prod(self.shape))


def append(path: Any, data: bytes | bytearray) -> None:
    """Write ``data`` at the end of a file, all or nothing.

    Raises:
        OSError: it cannot be written; it names the file.
    """
    with blamed_on(path), open(path, "ab", buffering=0) as file:
        before = os.path.getsize(path)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
        except BaseException:
            file.truncate(before)
            raise


def read_json_object(path: Any) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        ValueError: it holds something else; the file is named.
    """
    with open(path, "rb") as file:
        try:
            value = json.loads(file.read())
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path} holds a {type(value).__name__} where an object was expected.")
    return value


class H5Dict:
    """Dict-like access to an HDF5 file or group, or to a plain dict of the same layout.

    Items that are strings, numbers or lists become attributes, arrays become datasets, and reading an unknown key
    of a writable file makes a group.

    Args:
        path: path, ``h5py.Group`` or dict.
        mode: as for ``h5py.File``: ``'r'``, ``'w'`` or ``'a'``. With ``'r'`` it may be a stranger's file: it is read as a
            model's file is, within bounds.
    """

    def __init__(self, path, mode="a"):
        self._is_file = False
        self.read_only = mode == "r"
        if isinstance(path, dict):
            self.data = path
            return
        from ..saving import hdf5

        if hdf5.is_group(path):
            self.data = path
        elif isinstance(path, (str, bytes)) or hasattr(path, "__fspath__") or hasattr(path, "read"):
            self.data = hdf5.opened(path) if self.read_only else _h5py_file(path, mode)
            self._is_file = True
        else:
            raise TypeError(f"Required Group, str, dict or path. Received: {type(path)}.")

    @staticmethod
    def is_supported_type(path):
        """Whether ``path`` can be opened as an H5Dict."""
        from ..saving import hdf5

        return isinstance(path, (dict, str)) or hasattr(path, "__fspath__") or hdf5.is_group(path)

    def __setitem__(self, attr, value):
        if self.read_only:
            raise ValueError("Cannot set item in read-only mode.")
        from ..saving import hdf5

        if attr in self:
            raise KeyError(f"Cannot set attribute. Group with name {attr!r} exists.")
        if isinstance(self.data, dict):
            self.data[attr] = value
        elif isinstance(value, np.ndarray):
            self.data.create_dataset(attr, data=value)
        elif isinstance(value, (list, tuple)) and value and isinstance(value[0], (bytes, str)):
            hdf5.save_attributes_to_hdf5_group(
                self.data, attr, [v.encode() if isinstance(v, str) else v for v in value]
            )
        else:
            self.data.attrs[attr] = value

    def __getitem__(self, attr):
        if attr is None:
            raise ValueError("The key of an H5Dict cannot be None")
        if isinstance(self.data, dict):
            if attr not in self.data:
                if self.read_only:
                    raise ValueError("Cannot create group in read-only mode.")
                self.data[attr] = {}
            value = self.data[attr]
            return H5Dict(value, mode="r" if self.read_only else "a") if isinstance(value, dict) else value
        from ..saving import hdf5

        if attr in self.data.attrs:
            value = self.data.attrs[attr]
            # What was set as a list of strings comes back as a list of bytes.
            return value.tolist() if isinstance(value, np.ndarray) and value.dtype.kind == "S" else value
        if f"{attr}0" in self.data.attrs:
            return hdf5.load_attributes_from_hdf5_group(self.data, attr)
        if attr not in self.data and self.read_only:
            raise ValueError("Cannot create group in read-only mode.")
        item = self.data[attr] if attr in self.data else self.data.create_group(attr)
        if hdf5.is_dataset(item):
            return item[()]
        return H5Dict(item, mode="r" if self.read_only else "a")

    def __contains__(self, key):
        if isinstance(self.data, dict):
            return key in self.data
        return key in self.data or key in self.data.attrs or f"{key}0" in self.data.attrs

    def __len__(self):
        return len(self.data)

    def iter(self) -> Iterator:
        return iter(self.data)

    __iter__ = iter

    def get(self, key, default=None):
        return self[key] if key in self else default

    def update(self, *args):
        """Set items from dicts or pairs."""
        for items in args:
            for key, value in dict(items).items():
                self[key] = value

    def close(self):
        if self._is_file:
            self.data.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


h5dict = H5Dict


def _h5py_file(path: Any, mode: str) -> Any:
    import h5py

    return h5py.File(path, mode=mode)


def load_from_binary_h5py(load_function: Callable, stream: Any) -> Any:
    """Call ``load_function`` with the HDF5 file that a binary stream holds, open for reading."""
    from ..saving import hdf5

    with hdf5.opened(io.BytesIO(stream.read())) as file:
        return load_function(file)


def save_to_binary_h5py(save_function: Callable, stream: Any) -> None:
    """Call ``save_function`` with a new HDF5 file and write its bytes to a binary stream."""
    buffer = io.BytesIO()
    with _h5py_file(buffer, "w") as file:
        save_function(file)
    stream.write(buffer.getvalue())
