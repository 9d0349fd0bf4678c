"""Damage to model files. What is done follows from a string of bytes, so that a fuzzer can steer it and repeat it."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from typing import Any

import h5py
import numpy as np


class Choices:
    """Decisions taken one after the other from bytes; zeros when they are used up."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self, below: int) -> int:
        """A number from 0 to ``below - 1``."""
        size = max(1, (max(below - 1, 1).bit_length() + 7) // 8)
        chunk = self._data[self._at : self._at + size]
        self._at += size
        return int.from_bytes(chunk, "little") % max(below, 1)

    def pick(self, items: Any) -> Any:
        items = list(items)
        return items[self.number(len(items))]


#: What has broken loaders before: nothing, wrong kinds, numbers at the ends of types, names with a meaning.
VALUES = (
    None, True, False, 0, -1, 1, 2, 3, 7, 10**6, 10**9, 2**31, 2**63, -(2**63), 10**30, 1e308, -1e-308, float("nan"),
    float("inf"), "", "relu", "x" * 5000, "\0", "\ud800", "../../etc/passwd", "/", ".", "__class__", "Dense", "Lambda",
    "Model", "Sequential", "float16", "mixed_float16", "same", [], {}, [None], [[]], [1, 2, 3], [-1, -1], [0, 0],
    [None, 10**9], {"class_name": "Dense", "config": {}}, {"class_name": "Lambda", "config": {}}, {"class_name": None},
    {"class_name": "Policy", "config": {"name": "mixed_float16"}}, {"type": "ndarray", "value": [[1.0], [2.0, 3.0]]},
    "y" * 1_000_000, [0] * 100_000, [1] * 9, {"class_name": "Identity", "config": {}}, "orthogonal", 2**62, 40_000,
    {"class_name": "LossFunctionWrapper", "config": {"fn": "mse"}}, {"class_name": ["Dense"], "config": "Dense"},
    {"class_name": "Constant", "config": {"value": {"type": "ndarray", "value": [1.0]}}},
)  # fmt: skip


def places(tree: Any, limit: int = 5000) -> list[tuple[Any, Any]]:
    """All (container, key) pairs of a JSON tree."""
    found, stack = [], [tree]
    while stack and len(found) < limit:
        item = stack.pop()
        pairs = item.items() if isinstance(item, dict) else enumerate(item)
        for key, value in pairs:
            found.append((item, key))
            if isinstance(value, (dict, list)):
                stack.append(value)
    return found


def damage_tree(tree: Any, choices: Choices) -> Any:
    """A copy of JSON data with one to four changes."""
    tree = copy.deepcopy(tree)
    for _ in range(1 + choices.number(4)):
        where = places(tree)
        if not where:
            return choices.pick(VALUES)
        item, key = choices.pick(where)
        what = choices.number(9)
        if what >= 7:
            _grow(item, key, choices)
        elif what <= 2:
            item[key] = copy.deepcopy(choices.pick(VALUES))
        elif what == 3:
            del item[key]
        elif what == 4:
            other, other_key = choices.pick(where)
            item[key] = copy.deepcopy(other[other_key])
        elif what == 5:
            if isinstance(item, dict):
                item[str(choices.pick([k for _, k in where]))] = item.pop(key)
            else:
                item.insert(key, copy.deepcopy(item[key]))
        elif isinstance(item[key], (int, float)) and not isinstance(item[key], bool):
            item[key] = item[key] * choices.pick((-1, 2, 10, 1000, 0.5))
    return tree


def _grow(item: Any, key: Any, choices: Choices) -> None:
    """Something nested in itself or repeated: wrappers of wrappers, models twice in models, lists the other way round."""
    times, what = choices.pick((2, 5, 12, 30)), choices.number(4)
    if what == 0 and isinstance(item[key], dict):
        kind = choices.pick(("TimeDistributed", "Bidirectional", "Masking"))
        for i in range(times):
            item[key] = {"class_name": kind, "config": {"name": f"w{i}", "layer": item[key]}}
    elif what == 1:
        for _ in range(times):
            item[key] = [item[key]]
    elif isinstance(item[key], list) and item[key]:
        if what == 2:
            item[key].reverse()
        else:
            item[key] = [part for part in item[key] for _ in range(times * 10)][:5000]


def damage_yaml(text: str, choices: Choices) -> str:
    """YAML in which a few lines refer to one another, as values, keys, or parts to be merged."""
    kind = choices.pick(("[", "!!python/tuple [", "{<<: [", "!!set {? "))
    end = {"[": "]", "!!python/tuple [": "]", "{<<: [": "]}", "!!set {? ": "}"}[kind]
    lines = [
        "a0: &a0 " + choices.pick(("[x]", "{x: 1}", "!!python/tuple [1, 2]", "9" * 1000, "1:59:59", "0x1F", "1e9"))
    ]
    for i in range(1, 2 + choices.number(30)):
        parts = ", ".join([f"*a{i - 1}"] * (1 if kind.endswith("? ") else 1 + choices.number(9)))
        lines.append(f"a{i}: &a{i} {kind}{parts}{end}")
    if choices.number(2):
        lines.append(f"? *a{len(lines) - 1}\n: 1")
    return "\n".join([*lines, text])


def damage_bytes(data: bytes, choices: Choices) -> bytes:
    """Bytes flipped, overwritten, cut out, repeated or cut off."""
    out = bytearray(data)
    for _ in range(1 + choices.number(6)):
        if not out:
            break
        at, what = choices.number(len(out)), choices.number(6)
        if what <= 1:
            out[at] ^= 1 << choices.number(8)
        elif what == 2:
            out[at] = choices.pick((0, 1, 0x7F, 0x80, 0xFF))
        elif what == 3:
            out[at : at + 8] = choices.pick(
                (b"\xff" * 8, b"\0" * 8, b"\xff\xff\xff\x7f", (1 << 40).to_bytes(8, "little"))
            )
        elif what == 4:
            del out[at : at + 1 + choices.number(64)]
        else:
            del out[at:]
    return bytes(out)


def damage_hdf5(data: bytes, choices: Choices) -> bytes:
    """An HDF5 file with objects and attributes removed, exchanged, renamed, resized."""
    buffer = io.BytesIO(data)
    with h5py.File(buffer, "r+") as file:
        for _ in range(1 + choices.number(3)):
            names: list[str] = []
            file.visit(names.append)
            what = choices.number(8)
            if what <= 3 or not names:
                _damage_attribute(file if what <= 1 or not names else file[choices.pick(names)], choices)
                continue
            name = choices.pick(names)
            if what == 4:
                del file[name]
            elif what == 5:
                new = f"{name}_{choices.number(3)}" if choices.number(2) else f"deep/{name}"
                if new not in file:
                    file.move(name, new)
            elif what == 6:
                del file[name]
                _new_object(file, name, choices)
            else:
                other = choices.pick(names)
                del file[name]
                if other in file:
                    file[name] = file[other]
    return buffer.getvalue()


def _damage_attribute(item: Any, choices: Choices) -> None:
    if not len(item.attrs):
        item.attrs["more"] = 1
    name = choices.pick(sorted(item.attrs))
    value = item.attrs[name]
    what = choices.number(6)
    if what == 0:
        del item.attrs[name]
    elif what <= 3 and isinstance(value, (str, bytes)) and value[:2] in ('{"', b'{"'):
        item.attrs[name] = _dumped(damage_tree(json.loads(value), choices))
    elif isinstance(value, np.ndarray) and value.dtype.kind in "SO" and value.size:
        names = [v.decode() if isinstance(v, bytes) else v for v in value]
        names[choices.number(len(names))] = choices.pick(("", "/", ".", "..", "more", "a/b/c", "x" * 3000, names[0]))
        item.attrs[name] = names[: choices.number(len(names) + 2)] or np.zeros(0)
    else:
        item.attrs[name] = choices.pick(
            (
                0,
                -1.5,
                "",
                "{",
                "[]",
                "null",
                "2.0.0",
                "1",
                b"\xff\xfe",
                np.zeros(0),
                np.arange(5),
                h5py.Empty("f4"),
                np.array(["a", "b"], h5py.string_dtype()),
                np.ones((2, 2), "complex64"),
                item.ref,
            )
        )


def _dumped(tree: Any) -> str:
    return json.dumps(tree).replace("\0", "")


def _new_object(file: h5py.File, name: str, choices: Choices) -> None:
    what = choices.number(8)
    if what == 0:
        file.create_group(name)
    elif what == 1:
        file[name] = choices.pick((h5py.SoftLink("/"), h5py.ExternalLink("other.h5", "/x"), h5py.SoftLink("/none")))
    elif what == 2:
        file.create_dataset(name, data=choices.pick((h5py.Empty("f4"), "text", b"bytes", file.ref, np.datetime64("2020"))
                                                    [:4]))  # fmt: skip
    elif what == 3:
        file.create_dataset(
            name, shape=choices.pick(((10**9,), (10**5, 10**5), (2**40,), (0, 10**9))), dtype="f4", chunks=True
        )
    else:
        shape = tuple(choices.number(6) for _ in range(choices.number(5)))
        dtype = choices.pick(("f4", "f8", "f2", ">f4", "i1", "u8", "?", "c8", "S3", h5py.string_dtype()))
        file.create_dataset(name, shape=shape, dtype=dtype)


def damage_zip(data: bytes, choices: Choices) -> bytes:
    """A ``.keras`` file with one of its members damaged, removed or doubled."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    out = io.BytesIO()
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    with zipfile.ZipFile(out, "w", choices.pick(methods)) as archive:
        chosen = choices.number(len(members))
        for index, (name, contents) in enumerate(members):
            if index == chosen:
                what = choices.number(6)
                if what == 0:
                    continue
                if what == 1:
                    contents = damage_bytes(contents, choices)
                elif what == 2 and choices.number(2):
                    contents = bytes(1 << 26)  # deflated it is 64 KiB
                elif name.endswith(".json"):
                    contents = _dumped(damage_tree(json.loads(contents), choices)).encode()
                else:
                    contents = damage_hdf5(contents, choices)
            archive.writestr(name, contents)
    return out.getvalue()
