"""Arrays in a file."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import arrays, headers, limits, messages
from .attributes import Empty
from .chunk_index import read_chunk_table
from .datatypes import LONG_TEXT, OTHER, REFERENCE, Datatype, read_datatype
from .filters import check_filters
from .objects import Object
from .open_file import OpenFile
from .storage import Budget
from .values import finished, values


class Dataset(Object):
    """An array in a file; ``dataset[()]`` reads it.

    Attributes:
        shape: its dims; None if it is empty.
        dtype: NumPy's dtype of an item; void for what is not read.
    """

    def __init__(self, file: OpenFile, address: int, name: str) -> None:
        super().__init__(file, address, name)
        self._space, self._layout, self._type = file.once("dataset", self._header, self._described)
        self.shape = self._space.shape
        self.dtype = self._type.item

    def _described(self) -> tuple[messages.Dataspace, messages.Layout, Datatype]:
        header = self._header
        space = messages.read_dataspace(header.fields(headers.DATASPACE, "a dataset's dims"))
        layout = messages.read_layout(header.fields(headers.LAYOUT, "a dataset's layout"))
        if header.shared_type:
            datatype = Datatype(OTHER, np.dtype("V1"), 1)
        else:
            datatype = read_datatype(header.fields(headers.DATATYPE, "a dataset's type"))
        if layout.kind == messages.CHUNKED and space.shape is not None:
            self._check_chunks(layout.chunk, space.shape, datatype)
        return space, layout, datatype

    def _check_chunks(self, chunk: tuple[int, ...], shape: tuple[int, ...], datatype: Datatype) -> None:
        size = math.prod(chunk)
        if len(chunk) != len(shape) + 1 or (chunk[-1] != datatype.size and not self._header.shared_type):
            raise self.storage.damage(f"{self.name!r:.80} of shape {shape!s:.100} has chunks of {chunk!s:.100}")
        if size > max(limits.CHUNK_FREE, math.prod(shape) * datatype.size):
            raise self.storage.damage(
                f"{self.name!r:.80} of shape {shape!s:.100} has chunks as large as {chunk!s:.100}"
            )

    @property
    def ndim(self) -> int:
        return len(self.shape or ())

    @property
    def size(self) -> int:
        return 0 if self.shape is None else math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a scalar has no length")
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        """Read the array, and index it; :class:`Empty` if it is empty."""
        self._check_readable()
        return Empty(self.dtype) if self.shape is None else self._read()[key]

    def reason_against(self) -> str | None:
        """What is wrong with it in a model, which is whole in its file and made of numbers; None if nothing is."""
        if self._header.shared_type:
            return "a type with a name of its own"
        if self._layout.kind == messages.VIRTUAL:
            return "an array put together from other files (a virtual dataset)"
        if headers.EXTERNAL_FILES in self._header:
            return "an array stored in another file (external storage)"
        if self._type.kind == REFERENCE:
            return "references to objects"
        return None

    @property
    def bytes_in_memory(self) -> int:
        """What reading it takes."""
        return arrays.padded_bytes(self._space, self._layout, self._type.size)

    @property
    def bytes_in_one_piece(self) -> int:
        """How many bytes of the file nothing else may be made of, as they lie there as they are."""
        in_one_piece = self._layout.kind == messages.CONTIGUOUS and self._layout.address is not None
        return self.bytes_in_memory if in_one_piece else 0

    def _check_readable(self) -> None:
        reason = self.reason_against()
        if reason is not None:
            raise ValueError(f"{self.storage.where} has {reason} ({self.name!r:.80}), and a model is whole in its file")
        if self._type.kind == OTHER:
            raise ValueError(f"{self.storage.where}: {self.name!r:.80} is neither numbers nor text")

    def _read(self) -> np.ndarray:
        datatype = self._type
        if self.bytes_in_memory > limits.ARRAYS_FREE + limits.ARRAYS_PER_BYTE * self.storage.size:
            raise self.storage.damage(f"{self.name!r:.80} would take {self.bytes_in_memory} bytes")
        if self.storage.arrays is not None:
            self.storage.arrays.spend(self.bytes_in_memory)
        as_stored = self._stored()
        if datatype.kind != LONG_TEXT:
            base = np.dtype(np.uint8) if datatype.is_bool else datatype.dtype
            array = as_stored.reshape(-1).view(base).reshape((self.shape or ()) + datatype.dims)
            return finished(array, datatype)
        total = limits.ATTRIBUTES_FREE + limits.ATTRIBUTES_PER_BYTE * self.storage.size
        budget = Budget(total, "its strings are longer than the file", self.storage.where)
        return values(self._file, datatype, self._space.shape or (), as_stored.tobytes(), budget)

    def _stored(self) -> np.ndarray:
        """The array as it is in the file; strings of any length are what stands for them."""
        storage, datatype, layout = self.storage, self._type, self._layout
        whole = datatype.kind != LONG_TEXT and not datatype.dims and not datatype.is_bool
        item = datatype.dtype if whole else np.dtype(f"V{datatype.size}")
        fill = self._fill_value()
        shape = self._space.shape or ()
        if layout.kind != messages.CHUNKED:
            return arrays.read_plain(storage, shape, layout, item, fill)
        filters = []
        if headers.FILTERS in self._header:
            filters = messages.read_filters(self._header.fields(headers.FILTERS, "filters"))
            check_filters(storage, filters)
        if layout.index == messages.IMPLICIT and layout.address is not None:
            if filters:
                raise storage.damage(f"{self.name!r:.80} has packed chunks without an index")
            return arrays.read_implicit_chunks(storage, self._space, layout, item)
        table = self._file.once(
            "chunks", self._header, lambda: read_chunk_table(storage, self._space, layout, bool(filters))
        )
        return arrays.read_chunks(storage, shape, layout, item, fill, table, filters)

    def _fill_value(self) -> bytes:
        """The bytes of an item that was never written; none for zero."""
        header, data = self._header, b""
        if headers.FILL_VALUE in header:
            data = messages.read_fill_value(header.fields(headers.FILL_VALUE, "a fill value"))
        elif headers.OLD_FILL_VALUE in header:
            data = messages.read_old_fill_value(header.fields(headers.OLD_FILL_VALUE, "a fill value"))
        if not any(data) or self._type.kind == LONG_TEXT:
            return b""
        if len(data) != self._type.size:
            raise self.storage.damage(f"the fill value of {self.name!r:.80} has {len(data)} bytes")
        return data
