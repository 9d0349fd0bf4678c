"""``tf.lookup``: tables from keys to values, which are strings or integers. They are looked up on the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import graph
from ..graph import RaggedTensor, Tensor
from ..utils.fingerprint import fingerprint64
from .common import dtype_name
from .files import path_of
from .table import for_scripts


@for_scripts("lookup.KeyValueTensorInitializer")
class KeyValueTensorInitializer:
    """Keys and their values."""

    def __init__(
        self, keys: Any, values: Any, key_dtype: Any = None, value_dtype: Any = None, name: Any = None
    ) -> None:
        self.keys, self.values = (
            graph.convert(x, None if d is None or dtype_name(d) == "string" else dtype_name(d))
            for x, d in ((keys, key_dtype), (values, value_dtype))
        )
        if self.keys.shape != self.values.shape:
            raise ValueError(f"a table needs a value for each key, got {self.keys.shape} and {self.values.shape}")


@for_scripts("lookup.TextFileIndex")
class TextFileIndex:
    WHOLE_LINE = -2
    LINE_NUMBER = -1


@for_scripts("lookup.TextFileInitializer")
class TextFileInitializer(KeyValueTensorInitializer):
    """Keys and values from the lines of a file: whole lines, their numbers, or columns of them."""

    def __init__(
        self, filename: Any, key_dtype: Any, key_index: int, value_dtype: Any, value_index: int, vocab_size: int | None = None,
        delimiter: str = "\t", name: Any = None, value_index_offset: int = 0,
    ) -> None:  # fmt: skip
        with open(path_of(filename), encoding="utf-8") as file:
            lines = [line.rstrip("\n") for line in file][:vocab_size]

        def column(index: int, dtype: Any) -> Any:
            if index == TextFileIndex.LINE_NUMBER:
                return np.arange(len(lines)) + value_index_offset
            parts = lines if index == TextFileIndex.WHOLE_LINE else [line.split(delimiter)[index] for line in lines]
            return parts if dtype_name(dtype) == "string" else np.array(parts).astype(dtype_name(dtype))

        super().__init__(column(key_index, key_dtype), column(value_index, value_dtype))


class _Table:
    def __init__(self, initializer: KeyValueTensorInitializer) -> None:
        self._keys, self._values = initializer.keys, initializer.values
        self.key_dtype, self.value_dtype = self._keys.dtype, self._values.dtype
        self._table = dict(zip(_items(self._keys), _items(self._values)))

    def size(self, name: Any = None) -> Tensor:
        """The number of keys."""
        return graph.constant(np.asarray(len(self._table), dtype="int64"))

    def export(self, name: Any = None) -> tuple[Tensor, Tensor]:
        """All keys and their values."""
        return self._keys, self._values

    def lookup(self, keys: Any, name: Any = None) -> Any:
        """The value of each key."""
        if isinstance(keys, RaggedTensor):
            return keys.map_flat_values(self.lookup)
        tensor = graph.convert(keys)
        kind = object if self.value_dtype == "string" else str(self.value_dtype)

        def find(array: np.ndarray) -> np.ndarray:
            found = np.empty(array.size, dtype=kind)
            found[:] = [self._value(key) for key in array.reshape(-1).tolist()]
            return found.reshape(array.shape)

        return graph.on_host(find, [tensor], (self.value_dtype, tensor.shape))

    __getitem__ = lookup

    def _value(self, key: Any) -> Any:
        raise NotImplementedError


def _items(tensor: Tensor) -> list:
    return np.asarray(tensor.numpy(), dtype=object if tensor.dtype == "string" else None).reshape(-1).tolist()


@for_scripts("lookup.StaticHashTable", "lookup.HashTable", "contrib.lookup.HashTable")
class StaticHashTable(_Table):
    """A table whose unknown keys have a default value."""

    def __init__(
        self, initializer: KeyValueTensorInitializer, default_value: Any, name: Any = None, **other: Any
    ) -> None:
        super().__init__(initializer)
        self._default = _items(graph.convert(default_value))[0]

    def _value(self, key: Any) -> Any:
        return self._table.get(key, self._default)


@for_scripts("lookup.StaticVocabularyTable")
class StaticVocabularyTable(_Table):
    """A table of the numbers of strings, whose unknown keys go into buckets behind these, by FarmHash."""

    def __init__(
        self,
        initializer: KeyValueTensorInitializer,
        num_oov_buckets: int,
        lookup_key_dtype: Any = None,
        name: Any = None,
    ) -> None:
        super().__init__(initializer)
        self._buckets = int(num_oov_buckets)

    def _value(self, key: Any) -> Any:
        if key in self._table:
            return self._table[key]
        data = key if isinstance(key, bytes) else str(key).encode()
        return len(self._table) + fingerprint64(data) % self._buckets
