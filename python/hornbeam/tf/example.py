"""``tf.train.Example``: features by name, as records hold them, and how they are parsed into tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import graph
from ..backend.sparse import SparseTensor
from ..graph import RaggedTensor, Tensor
from ..utils.protobuf import Message, bytes_field, fields, int_field, read_varint, signed, varint
from .common import dtype_name, entries
from .table import for_scripts

_KINDS = {1: "bytes_list", 2: "float_list", 3: "int64_list"}
_DTYPES = {"bytes_list": "string", "float_list": "float32", "int64_list": "int64"}


# -- messages -------------------------------------------------------------------------------------------------------
class _Values:
    """The values of a feature."""

    def __init__(self, value: Any = ()) -> None:
        self.value = list(value.numpy().reshape(-1) if isinstance(value, Tensor) else value)


@for_scripts("train.BytesList")
class BytesList(_Values):
    """Byte strings.

    Raises:
        TypeError: a value is something else.
    """

    def __init__(self, value: Any = ()) -> None:
        super().__init__(value)
        for item in self.value:
            if not isinstance(item, (bytes, bytearray)):
                raise TypeError(f"BytesList holds bytes, got {item!r:.80}: encode text with .encode('utf-8').")

    def encoded(self) -> bytes:
        return b"".join(bytes_field(1, bytes(item)) for item in self.value)


@for_scripts("train.FloatList")
class FloatList(_Values):
    """Numbers in float32."""

    def encoded(self) -> bytes:
        numbers = np.asarray(self.value, dtype="<f4").reshape(-1)
        return bytes_field(1, numbers.tobytes()) if len(numbers) else b""


@for_scripts("train.Int64List")
class Int64List(_Values):
    """Integers."""

    def encoded(self) -> bytes:
        numbers = b"".join(varint(int(item)) for item in self.value)
        return bytes_field(1, numbers) if numbers else b""


@for_scripts("train.Feature")
class Feature:
    """One of the three lists."""

    def __init__(self, bytes_list: Any = None, float_list: Any = None, int64_list: Any = None) -> None:
        self._lists = {"bytes_list": bytes_list, "float_list": float_list, "int64_list": int64_list}

    bytes_list = property(lambda self: self._lists["bytes_list"] or BytesList())
    float_list = property(lambda self: self._lists["float_list"] or FloatList())
    int64_list = property(lambda self: self._lists["int64_list"] or Int64List())

    def WhichOneof(self, name: str = "kind") -> str | None:
        return next((kind for kind, values in self._lists.items() if values is not None), None)

    def encoded(self) -> bytes:
        lists = [self._lists[kind] for kind in _KINDS.values()]
        return b"".join(bytes_field(n, v.encoded()) for n, v in zip(_KINDS, lists) if v is not None)


@for_scripts("train.Features")
class Features:
    """Features by name."""

    def __init__(self, feature: Any = None) -> None:
        self.feature: dict[str, Feature] = dict(feature or {})

    def encoded(self) -> bytes:
        entry = [bytes_field(1, k.encode()) + bytes_field(2, v.encoded()) for k, v in sorted(self.feature.items())]
        return b"".join(bytes_field(1, e) for e in entry)


@for_scripts("train.Example")
class Example:
    """What a record holds."""

    def __init__(self, features: Features | None = None) -> None:
        self.features = features or Features()

    def SerializeToString(self) -> bytes:
        return bytes_field(1, self.features.encoded())

    @classmethod
    def FromString(cls, data: bytes) -> Example:
        made = {"bytes_list": BytesList, "float_list": FloatList, "int64_list": Int64List}
        found = {}
        for name, (kind, values) in features_of(data).items():
            found[name] = Feature(**({kind: made[kind](values.tolist())} if kind else {}))
        return cls(Features(found))

    def ParseFromString(self, data: bytes) -> int:
        self.features = Example.FromString(data).features
        return len(data)


# -- reading them ------------------------------------------------------------------------------------------------------
def features_of(data: bytes) -> dict[str, tuple[str | None, np.ndarray]]:
    """The kind and the values of each feature of a serialized Example.

    Raises:
        ValueError: it is not one.
    """
    found: dict[str, tuple[str | None, np.ndarray]] = {}
    try:
        for features in _parts(memoryview(data), 1):
            for entry in _parts(features, 1):
                names, values = _parts(entry, 1), _parts(entry, 2)
                name = bytes(names[-1]).decode("utf-8", "replace") if names else ""
                found[name] = _feature(values[-1] if values else memoryview(b""))
    except ValueError as error:
        raise ValueError(f"Could not parse example input: {error} (of {len(data)} bytes)") from None
    return found


def _parts(data: memoryview, wanted: int) -> list[memoryview]:
    """The bytes of each occurrence of a field."""
    return [data[start:end] for number, value, start, end in fields(data) if number == wanted and value < 0]


def _feature(data: memoryview) -> tuple[str | None, np.ndarray]:
    kind: str | None = None
    values = np.empty(0)
    for number, value, start, end in fields(data):
        if number in _KINDS and value < 0:
            kind = _KINDS[number]
            values = _READERS[kind](data[start:end])
    return kind, values


def _strings(data: memoryview) -> np.ndarray:
    items = [bytes(part) for part in _parts(data, 1)]
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def _floats(data: memoryview) -> np.ndarray:
    """Of a field that is packed, or of one for each number."""
    parts = [
        np.frombuffer(data[start:end], dtype="<f4")
        for number, value, start, end in fields(data)
        if number == 1 and (value < 0 or end - start == 4)
    ]
    return np.concatenate([np.empty(0, "float32"), *parts]).astype("float32", copy=False)


def _integers(data: memoryview) -> np.ndarray:
    """Of a field that is packed, or of one for each number."""
    values: list[int] = []
    for number, value, start, end in fields(data):
        if number == 1 and value < 0:
            while start < end:
                value, start = read_varint(data, start, end)
                values.append(signed(value))
        elif number == 1 and start == end:
            values.append(signed(value))
    return np.array(values, dtype="int64")


_READERS: dict[str, Callable[[memoryview], np.ndarray]] = {
    "bytes_list": _strings,
    "float_list": _floats,
    "int64_list": _integers,
}


# -- parsing into tensors -------------------------------------------------------------------------------------------------
class _Wanted:
    def __init__(self, dtype: Any) -> None:
        self.dtype = graph.DTYPES[dtype_name(dtype)]
        if self.dtype not in _DTYPES.values():
            raise ValueError(f"Features are of tf.string, tf.float32 or tf.int64, not {self.dtype}.")

    def values(self, name: str, features: dict) -> np.ndarray | None:
        """The feature's values in an example; None where it has none.

        Raises:
            ValueError: they are of another dtype.
        """
        kind, values = features.get(name, (None, None))
        if kind is None:
            return None
        if _DTYPES[kind] != self.dtype:
            raise ValueError(
                f"Key: {name}. Data types don't match. Expected type: {self.dtype}, the feature is a {kind}."
            )
        return values


@for_scripts("io.FixedLenFeature", "FixedLenFeature")
class FixedLenFeature(_Wanted):
    """A feature of one shape, dense.

    Args:
        shape: of it in each example.
        dtype: ``tf.string``, ``tf.float32`` or ``tf.int64``.
        default_value: for examples without it; they raise by default.
    """

    def __init__(self, shape: Any, dtype: Any, default_value: Any = None) -> None:
        super().__init__(dtype)
        self.shape = tuple(int(d) for d in entries(shape))
        self.default_value = default_value


@for_scripts("io.VarLenFeature", "VarLenFeature")
class VarLenFeature(_Wanted):
    """A feature of any length, as a sparse tensor; ``tf.sparse.to_dense`` fills it up."""


@for_scripts("io.RaggedFeature")
class RaggedFeature(_Wanted):
    """A feature of any length: a vector, or of several examples a ragged tensor."""

    def __init__(self, dtype: Any, value_key: str | None = None, **other: Any) -> None:
        super().__init__(dtype)
        self.value_key = value_key


@for_scripts("io.FixedLenSequenceFeature")
class FixedLenSequenceFeature(_Wanted):
    """A feature of any number of items of one shape, dense; of several examples filled up to the longest."""

    def __init__(self, shape: Any, dtype: Any, allow_missing: bool = False, default_value: Any = None) -> None:
        super().__init__(dtype)
        self.shape = tuple(int(d) for d in entries(shape))
        self.default_value = default_value


@for_scripts("io.parse_single_example", "parse_single_example")
def parse_single_example(
    serialized: Any, features: dict, example_names: Any = None, name: Any = None
) -> dict[str, Any]:
    """Features of a serialized Example by name, as tensors.

    Args:
        serialized: a string.
        features: from name to ``FixedLenFeature``, ``VarLenFeature`` or one of the others.

    Raises:
        ValueError: it is not an Example, or a feature is missing, or has another dtype or length.
    """
    return _parsed(graph.convert(serialized), features, single=True)


@for_scripts("io.parse_example", "parse_example")
def parse_example(serialized: Any, features: dict, example_names: Any = None, name: Any = None) -> dict[str, Any]:
    """As :func:`parse_single_example`, of a vector of Examples at once."""
    return _parsed(graph.convert(serialized), features, single=False)


def _parsed(serialized: Tensor, features: dict, single: bool) -> dict[str, Any]:
    names = sorted(features)
    batch: tuple = () if single else (serialized.shape[0],)
    kinds: list[tuple[str, tuple]] = []
    for name in names:
        wanted = features[name]
        if isinstance(wanted, FixedLenFeature):
            kinds.append((wanted.dtype, (*batch, *wanted.shape)))
        elif isinstance(wanted, FixedLenSequenceFeature):
            kinds.append((wanted.dtype, (*batch, None, *wanted.shape)))
        elif isinstance(wanted, (VarLenFeature, RaggedFeature)):
            kinds += [(wanted.dtype, (None,)), ("int64", (None,))]  # the values, and where rows begin
        else:
            raise TypeError(f"parse_example: the feature {name!r} is described by {wanted!r:.80}")

    def parse(data: np.ndarray) -> Any:
        examples = [features_of(item) for item in data.reshape(-1).tolist()]
        results: list[np.ndarray] = []
        for name in names:
            key = getattr(features[name], "value_key", None) or name
            columns = [features[name].values(key, example) for example in examples]
            results += _column(name, features[name], columns, single)
        return results if len(results) > 1 else results[0]

    found = graph.on_host(parse, [serialized], *kinds)
    parts = iter(found if len(kinds) > 1 else [found])
    tensors: dict[str, Any] = {}
    for name in names:
        if not isinstance(features[name], (VarLenFeature, RaggedFeature)):
            tensors[name] = next(parts)
            continue
        values, splits = next(parts), next(parts)
        if isinstance(features[name], RaggedFeature):
            tensors[name] = values if single else RaggedTensor(values, splits)
        else:
            tensors[name] = _sparse(values, splits, single)
    return tensors


def _column(name: str, wanted: _Wanted, columns: list, single: bool) -> list[np.ndarray]:
    """A feature of all examples: dense, or its values and where rows begin."""
    kind = object if wanted.dtype == "string" else str(wanted.dtype)
    if isinstance(wanted, FixedLenFeature):
        rows = [_fixed(name, wanted, values, kind) for values in columns]
        return [rows[0] if single else _stack(rows, (len(rows), *wanted.shape), kind)]
    columns = [np.empty(0, kind) if values is None else values for values in columns]
    if isinstance(wanted, FixedLenSequenceFeature):
        shaped = [values.reshape(-1, *wanted.shape) for values in columns]
        if single:
            return [shaped[0]]
        longest = max((len(x) for x in shaped), default=0)
        fill: Any = (b"" if kind is object else 0) if wanted.default_value is None else wanted.default_value
        dense = np.full((len(shaped), longest, *wanted.shape), fill, dtype=kind)
        for row, x in zip(dense, shaped):
            row[: len(x)] = x
        return [dense]
    splits = np.concatenate([[0], np.cumsum([len(x) for x in columns])]).astype("int64")
    return [_stack([x for row in columns for x in row], (int(splits[-1]),), kind), splits]


def _fixed(name: str, wanted: FixedLenFeature, values: np.ndarray | None, kind: Any) -> np.ndarray:
    if values is None or (not len(values) and wanted.default_value is not None):
        if wanted.default_value is None:
            raise ValueError(f"Feature: {name} (data type: {wanted.dtype}) is required but could not be found.")
        default = graph.as_strings(wanted.default_value) if kind is object else np.asarray(wanted.default_value, kind)
        return np.broadcast_to(default, wanted.shape)  # type: ignore[arg-type]
    if len(values) != int(np.prod(wanted.shape)):
        raise ValueError(
            f"Key: {name}. Number of {wanted.dtype} values != expected. Values size: {len(values)} but output shape: {wanted.shape}"
        )
    return values.reshape(wanted.shape)


def _stack(rows: list, shape: tuple, kind: Any) -> np.ndarray:
    out = np.empty(shape, dtype=kind)
    for i, row in enumerate(rows):
        out[i] = row[()] if isinstance(row, np.ndarray) and row.ndim == 0 else row
    return out


def _sparse(values: Tensor, splits: Tensor, single: bool) -> SparseTensor:
    def places(s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        lengths = np.diff(s)
        columns = np.arange(s[-1]) - np.repeat(s[:-1], lengths)
        if single:
            return columns[:, None], s[-1:]
        rows = np.repeat(np.arange(len(lengths)), lengths)
        return np.stack([rows, columns], 1), np.array([len(lengths), lengths.max(initial=0)])

    rank = 1 if single else 2
    indices, shape = graph.on_host(places, [splits], ("int64", (None, rank)), ("int64", (rank,)))
    return SparseTensor(indices, values, shape)


# -- tensors as strings ---------------------------------------------------------------------------------------------------
#: TensorFlow's numbers of dtypes
_TENSOR_DTYPES = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 9: "int64", 10: "bool", 17: "uint16",
    19: "float16", 22: "uint32", 23: "uint64", 7: "string",
}  # fmt: skip


@for_scripts("io.serialize_tensor")
def serialize_tensor(tensor: Any, name: Any = None) -> Tensor:
    """A tensor as the string that TensorFlow writes of it (a ``TensorProto``)."""
    tensor = graph.convert(tensor)
    number = next(n for n, d in _TENSOR_DTYPES.items() if d == tensor.dtype)

    def serialize(array: np.ndarray) -> np.ndarray:
        dims = b"".join(bytes_field(2, int_field(1, d)) for d in array.shape)
        head = int_field(1, number) + bytes_field(2, dims)
        if array.dtype == object:
            body = b"".join(bytes_field(8, item) for item in array.reshape(-1).tolist())
        else:
            body = bytes_field(4, np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes())
        return np.array(head + body, dtype=object)

    return graph.on_host(serialize, [tensor], ("string", ()))


@for_scripts("io.parse_tensor")
def parse_tensor(serialized: Any, out_type: Any, name: Any = None) -> Tensor:
    """The tensor of a string that :func:`serialize_tensor` gives. Its shape is known only then.

    Raises:
        ValueError: it is not one, or holds another dtype.
        NeedsValue: in a traced function, as its rank is not known while that is traced.
    """
    serialized = graph.convert(serialized)
    wanted = dtype_name(out_type)
    if not serialized._known:
        raise graph.NeedsValue("tf.io.parse_tensor gives a tensor of a rank that only the string tells.")
    array = _tensor_of(serialized.numpy())
    if (name_of := "string" if array.dtype == object else array.dtype.name) != wanted:
        raise ValueError(f"Type mismatch between parsed tensor ({name_of}) and dtype ({wanted})")
    return graph.constant(array)


def _tensor_of(data: bytes) -> np.ndarray:
    try:
        message = Message(data)
        dims = [Message(dim).signed(1) for dim in Message(message.data(2)).parts(2)]
        dtype = _TENSOR_DTYPES[message.integer(1)]
        array: np.ndarray
        if dtype == "string":
            strings = message.parts(8)
            array = np.empty(len(strings), dtype=object)
            array[:] = strings
        else:
            array = np.frombuffer(message.data(4), dtype=np.dtype(dtype).newbyteorder("<")).astype(dtype)
        return array.reshape(dims)
    except (ValueError, KeyError) as error:
        raise ValueError(f"Could not parse `serialized` as a tensor: {error}") from None
