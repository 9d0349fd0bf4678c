"""HDF5 files in every layout that h5py writes, for the tests of the reader and for its fuzzer."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

#: Options of ``h5py.File`` that change the structures of a file.
STYLES: dict[str, dict[str, Any]] = {
    "default": {},
    "latest": {"libver": "latest"},
    "1.8": {"libver": ("earliest", "v108")},
    "1.10": {"libver": "v110"},
    "ordered": {"track_order": True},
    "latest ordered": {"libver": "latest", "track_order": True},
    "user block": {"userblock_size": 1024},
}

BUILDERS: dict[str, Callable[[h5py.File], None]] = {}


def builder(function: Callable[[h5py.File], None]) -> Callable[[h5py.File], None]:
    BUILDERS[function.__name__] = function
    return function


def built(name: str, style: str) -> bytes:
    """The file that a builder makes."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", **STYLES[style]) as file:
        BUILDERS[name](file)
    return buffer.getvalue()


def numbers(*shape: int, dtype: str = "f4") -> np.ndarray:
    return (np.random.default_rng(shape).standard_normal(shape) * 100).astype(dtype)


@builder
def dtypes(file: h5py.File) -> None:
    for name in (
        "f2",
        "f4",
        "f8",
        ">f2",
        ">f4",
        ">f8",
        "i1",
        "u1",
        "i2",
        ">i2",
        "u2",
        "i4",
        ">u4",
        "i8",
        ">i8",
        "u8",
        "?",
    ):
        file[f"array {name}"] = file.attrs[f"array {name}"] = numbers(3, 5).astype(name)
        file[f"one {name}"] = file.attrs[f"one {name}"] = numbers(1).astype(name)[0]
    for where in (file, file.attrs):
        where["empty"] = h5py.Empty("f4")
        where["nothing"] = np.zeros((0, 5))
    file.create_dataset("pairs", shape=(4,), dtype=np.dtype(("f4", (3, 2))))[...] = numbers(4, 3, 2)
    file.create_dataset("one pair", shape=(), dtype=np.dtype(("f4", (3, 2))))[...] = numbers(3, 2)
    file.create_dataset("no pairs", shape=(0, 4), dtype=np.dtype(("f4", (3, 2))))
    for kind in (np.dtype("f4"), np.dtype(("f4", (3, 2))), np.dtype("S5"), h5py.string_dtype()):
        name, made = f"no {kind}".encode(), h5py.h5t.py_create(kind, logical=True)
        h5py.h5d.create(file.id, name, made, h5py.h5s.create(h5py.h5s.NULL))
        h5py.h5a.create(file.id, name, made, h5py.h5s.create(h5py.h5s.NULL))
    file.create_dataset("enum", data=np.array([0, 2, 1]), dtype=h5py.enum_dtype({"A": 0, "B": 1, "C": 2}, "i4"))


@builder
def texts(file: h5py.File) -> None:
    several = ["a", "bcd", "", "é€😀"]
    file["one"] = file.attrs["one"] = "é€😀"
    file["bytes"] = file.attrs["bytes"] = b"hello"
    file.attrs["empty"] = ""
    file["several"] = np.array(several, h5py.string_dtype())
    file.attrs["several"] = several
    file.attrs["square"] = np.array([["a", "b"], ["cc", ""]], object)
    file["fixed"] = file.attrs["fixed"] = np.array([b"a", b"bc"], "S5")
    file.attrs.create("utf8", np.bytes_("é".encode()), dtype=h5py.string_dtype("utf-8", 10))
    for name, padding in ((b"spaces", h5py.h5t.STR_SPACEPAD), (b"zero", h5py.h5t.STR_NULLTERM)):
        kind = h5py.h5t.C_S1.copy()
        kind.set_size(6)
        kind.set_strpad(padding)
        dataset = h5py.h5d.create(file.id, name, kind, h5py.h5s.create_simple((2,)))
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([b"ab  ", b"c"], "S6"))


@builder
def many_attributes(file: h5py.File) -> None:
    group = file.create_group("group")
    for i in range(300):
        group.attrs[f"attribute {i}"] = i * 1.5
    for i in range(20):
        file.attrs[f"text {i}"] = "y" * i * 30
    dataset = file.create_dataset("dataset", data=numbers(3))
    for i in range(12):
        dataset.attrs[f"names {i}"] = [f"name {j}".encode() for j in range(i + 1)]


@builder
def large_attributes(file: h5py.File) -> None:
    file.attrs["model_config"] = "x" * 150_000  # in a global heap
    file.attrs["fixed"] = np.bytes_(b"q" * 60_000)
    if file.id.get_access_plist().get_libver_bounds()[0] != h5py.h5f.LIBVER_EARLIEST:
        file.attrs["numbers"] = numbers(30_000)  # a huge object of a fractal heap


@builder
def many_links(file: h5py.File) -> None:
    group = file.create_group("group")
    for i in range(600):
        group.create_group(f"link {i}")
    for i in range(20):
        file[f"dataset {i}"] = np.int32(i)


@builder
def long_names(file: h5py.File) -> None:
    group = file
    for i in range(12):
        group = group.create_group("n" * (i * 17 + 1))
    group["x"] = numbers(2)
    for i in range(30):
        file.create_group("L" * (100 * i + 1))


@builder
def hard_links(file: h5py.File) -> None:
    group = file.create_group("a/b")
    group["x"] = numbers(2)
    group["y"] = group["x"]
    group["up"] = file["a"]
    group["root"] = file["/"]


@builder
def one_piece(file: h5py.File) -> None:
    file["written"] = numbers(100, 33)
    file.create_dataset("fill", shape=(5, 6), dtype="f4", fillvalue=3.5)
    file.create_dataset("zeros", shape=(5, 6), dtype=">i4")
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_layout(h5py.h5d.COMPACT)
    _low_level(file, b"compact", numbers(3, 4), plan)


def _low_level(file: h5py.File, name: bytes, array: np.ndarray, plan: Any, most: tuple[int, ...] | None = None) -> None:
    space = h5py.h5s.create_simple(array.shape, most)
    h5py.h5d.create(file.id, name, h5py.h5t.IEEE_F32LE, space, plan).write(h5py.h5s.ALL, h5py.h5s.ALL, array)


@builder
def chunks(file: h5py.File) -> None:
    packing = {"plain": {}, "gzip": {"compression": "gzip"}, "shuffle": {"shuffle": True}, "sum": {"fletcher32": True},
               "all": {"compression": "gzip", "shuffle": True, "fletcher32": True}}  # fmt: skip
    room = {"no": None, "first": (None, 7, 5), "last": (10, 7, None), "two": (None, None, 5), "some": (20, 9, 5),
            "both": (30, None, 9)}  # fmt: skip
    for pack, options in packing.items():
        for kind, most in room.items():
            dtype = {"gzip": ">f8", "sum": "S5"}.get(pack, "f4")
            file.create_dataset(f"{pack} {kind}", data=numbers(10, 7, 5).astype(dtype), chunks=(4, 3, 2), maxshape=most,
                                **options)  # fmt: skip
    file.create_dataset("bool", data=numbers(10, 7) > 0, chunks=(4, 3), compression="gzip")
    file.create_dataset("pairs", shape=(4,), dtype=np.dtype(("f4", (3, 2))), chunks=(3,))[...] = numbers(4, 3, 2)
    file.create_dataset("filled", shape=(9,), dtype="?", chunks=(4,), fillvalue=True)[:2] = False
    file.create_dataset("texts", data=np.array(["a", "bb", ""] * 9, object), dtype=h5py.string_dtype(), chunks=(7,))
    file.create_dataset("single", data=numbers(10, 7), chunks=(10, 7))
    file.create_dataset("single gzip", data=numbers(10, 7), chunks=(10, 7), compression="gzip")


@builder
def unusual_chunks(file: h5py.File) -> None:
    for kind, most in (("no", None), ("one", (None, 100)), ("two", (None, None))):
        part = file.create_dataset(f"part {kind}", shape=(100, 100), chunks=(10, 10), maxshape=most, dtype="f4",
                                   fillvalue=-1.25, compression="gzip")  # fmt: skip
        part[13:40, 50:60] = numbers(27, 10)
        file.create_dataset(f"never {kind}", shape=(100, 100), chunks=(10, 10), maxshape=most, dtype="f4")
        if most:
            for name, before, after in (("shrunk", (50, 8), (9, 5)), ("grown", (5, 8), (90, 9))):
                dataset = file.create_dataset(f"{name} {kind}", data=numbers(*before), chunks=(4, 3), maxshape=most)
                dataset.resize(after)
    file.create_dataset("nothing", shape=(0, 5), maxshape=(None, 5), dtype="f4")
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk((4, 3))
    plan.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    _low_level(file, b"implicit", numbers(10, 7), plan)
    _low_level(file, b"implicit with room", numbers(10, 7), plan, (20, 30))


@builder
def many_chunks(file: h5py.File) -> None:
    for name, options in (("", {}), (" gzip", {"compression": "gzip"})):
        file.create_dataset(f"fixed array{name}", data=numbers(800), chunks=(2,), **options)
        file.create_dataset(f"extensible array{name}", data=numbers(900), chunks=(2,), maxshape=(None,), **options)
        file.create_dataset(f"tree{name}", data=numbers(36, 33), chunks=(2, 3), maxshape=(None, None), **options)
    sparse = file.create_dataset("sparse", shape=(1_000_000,), dtype="u1", chunks=(100,))
    sparse[700_000:700_300] = 7
