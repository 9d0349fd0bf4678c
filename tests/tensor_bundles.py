"""Checkpoints and SavedModel folders with whatever in them, for tests and fuzzers: entries and messages by their fields."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from hornbeam.saving.checkpoints import save_weights
from hornbeam.saving.tensor_bundle import TensorBundle, dtypes, entries
from hornbeam.saving.tensor_bundle.entries import Entry
from hornbeam.saving.tensor_bundle.strings import encode
from hornbeam.saving.tensor_bundle.table import table
from hornbeam.saving.trackable.graph import GRAPH_KEY, ObjectGraph
from hornbeam.utils.checksum import masked_crc32c
from hornbeam.utils.protobuf import field


def stored(value: Any, offset: int = 0, shard: int = 0) -> tuple[bytes, Entry]:
    """The bytes of an array, or of a list of byte strings, and its entry."""
    if isinstance(value, list):
        data, crc = encode(value)
        return data, Entry(dtypes.STRING, (len(value),), shard, offset, len(data), crc)
    array = np.asarray(value)
    data = array.tobytes()
    return data, Entry(dtypes.number_of(array.dtype), array.shape, shard, offset, len(data), masked_crc32c(data))


def write_index(prefix: Path, pairs: dict[bytes, bytes], shards: int = 1, header: bytes | None = None) -> None:
    """An index of these keys and values, with the header first."""
    first = entries.header(shards) if header is None else header
    Path(f"{prefix}.index").write_bytes(table([(b"", first), *sorted(pairs.items())]))


def write_data(prefix: Path, data: bytes, shard: int = 0, shards: int = 1) -> None:
    Path(f"{prefix}.data-{shard:05d}-of-{shards:05d}").write_bytes(data)


def one_tensor(prefix: Path, value: Any = (1.0, 2.0), **changes: Any) -> None:
    """A checkpoint of one tensor ``a`` whose entry has other fields than it should."""
    data, entry = stored(np.asarray(value, "float32") if isinstance(value, tuple) else value)
    for name, change in changes.items():
        setattr(entry, name, change)
    write_data(prefix, data)
    write_index(prefix, {b"a": entries.entry(entry)})


def rewrite_graph(prefix: Path, graph: bytes) -> None:
    """Put another object graph into a checkpoint."""
    bundle = TensorBundle(prefix)
    data, pairs = b"", {}
    for name in bundle.names:
        part, entry = encode([graph]) if name == GRAPH_KEY else stored(bundle.read(name), len(data))
        if name == GRAPH_KEY:
            entry = Entry(dtypes.STRING, (), offset=len(data), size=len(part), crc=entry)
        pairs[name.encode()] = entries.entry(entry)
        data += part
    write_data(prefix, data)
    write_index(prefix, pairs)


def node(children: dict[str, int] | None = None, key: str | None = None, slots: Any = ()) -> bytes:
    """An object of an object graph."""
    data = b"".join(field(1, field(1, n) + field(2, name)) for name, n in (children or {}).items())
    if key is not None:
        data += field(2, field(1, "VARIABLE_VALUE") + field(3, key))
    return data + b"".join(field(3, field(1, of) + field(2, name) + field(3, n)) for of, name, n in slots)


def graph(*nodes: bytes) -> bytes:
    return b"".join(field(1, data) for data in nodes)


def write_folder(path: Path, model: Any, new: bool = True, **changes: Any) -> None:
    """A SavedModel folder of a model, as TensorFlow 2.15 writes it, or (not ``new``) 2.1.

    Args:
        changes: other values in the metadata of the root: ``config``, ``class_name``, ``training_config`` ...
    """
    (path / "variables").mkdir(parents=True)
    save_weights(model, path / "variables" / "variables")
    (path / "variables" / "checkpoint").unlink()
    names = {"Model": "Functional"} if new else {}
    kind = type(model).__name__
    metadata = {
        "class_name": names.get(kind, kind),
        "name": model.name,
        "trainable": True,
        "config": changes.get("config") or model.get_config(),
        "is_graph_network": True,
        "keras_version": "2.15.0" if new else "2.2.4-tf",
        "backend": "tensorflow",
        **changes,
    }
    identifier = "_tf_keras_sequential" if kind == "Sequential" else "_tf_keras_network"
    identifier = identifier if metadata["is_graph_network"] else "_tf_keras_model"
    text = json.dumps(metadata, default=lambda x: x.tolist())
    write_messages(path, identifier, text, new)


def write_messages(path: Path, identifier: str, metadata: str, new: bool = True) -> None:
    """``saved_model.pb`` and ``keras_metadata.pb`` of a folder whose tensors are there."""
    stored_graph = TensorBundle(path / "variables" / "variables").read(GRAPH_KEY).item()
    count = len(ObjectGraph(stored_graph, ""))
    user = field(1, identifier) + (b"" if new else field(3, metadata))
    objects = field(1, field(4, user)) + b"".join(field(1, b"") for _ in range(count - 1))
    meta = field(1, field(4, "serve")) + field(2, field(1, field(1, "w") + field(2, "WriteFile"))) + field(7, objects)
    (path / "saved_model.pb").write_bytes(field(1, 1) + field(2, meta))
    if new:
        data = field(3, "root") + field(4, identifier) + field(5, metadata)
        (path / "keras_metadata.pb").write_bytes(field(1, data))
