"""HDF5 files as Keras lays them out: opening them with care, attributes larger than a header, checked reads.

Files are read by our own reader (``hdf5_file``), which a stranger's file cannot hang or exhaust. h5py writes them; groups
that the user opened with it are read through it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from . import hdf5_audit, hdf5_file
from .sink import unfailing
from .targets import fetched, write_file

HEADER_LIMIT = 64512  # bytes; an HDF5 object header holds 64 KB, and some of that is taken


def is_group(target: Any) -> bool:
    """Whether ``target`` is an open HDF5 file or group, of h5py or of our reader."""
    return isinstance(target, hdf5_file.Group) or _is_h5py(target, "Group")


def is_dataset(target: Any) -> bool:
    """Whether ``target`` is a dataset, of h5py or of our reader."""
    return isinstance(target, hdf5_file.Dataset) or _is_h5py(target, "Dataset")


def _is_h5py(target: Any, name: str) -> bool:
    h5py = sys.modules.get("h5py")  # whoever has one of its objects has imported it
    return h5py is not None and isinstance(target, getattr(h5py, name))


@contextmanager
def reading(source: Any) -> Iterator[Any]:
    """Yield the HDF5 group that ``source`` (a path, a file object or an open group) stands for.

    Raises:
        OSError: no such file, a truncated one, or one of another kind.
        ValueError: what is read from it inside the block makes no sense.
    """
    if is_group(source):
        with as_damage(source.name):
            check_contents(source)
            yield source
        return
    with opened(source) as file, as_damage("the stream" if hasattr(source, "read") else source):
        check_contents(file)
        yield file


def check_contents(group: Any) -> None:
    """Refuse a group, or file, that points out of itself or declares much more than it holds.

    Raises:
        ValueError: naming the object and the reason.
    """
    found = problems(group)
    if isinstance(group, hdf5_file.Group):
        group.storage.limit_arrays()
    if found:
        where = group.storage.where if isinstance(group, hdf5_file.Group) else "This"
        raise ValueError(f"{where} is not read as a model: {found[0]}.")


def problems(group: Any) -> list[str]:
    """All that :func:`check_contents` objects to."""
    return (hdf5_file if isinstance(group, hdf5_file.Group) else hdf5_audit).problems(group)


def opened(source: Any) -> hdf5_file.File:
    """The HDF5 file at a path, behind an address or in a binary file, for reading; its contents are not checked yet.

    Raises:
        OSError: no such file, a truncated one, or one of another kind.
        ValueError: it is damaged.
    """
    source = fetched(source)
    if hasattr(source, "read"):
        where = "the stream"
    else:
        where = source = os.fspath(source)
        if not os.path.exists(source):
            raise FileNotFoundError(f"Unable to open file: no such file: {source!r}")
    try:
        return hdf5_file.File(source)
    except OSError as error:
        problem = _what_it_is(source) or f"(is it complete, is it a model?): {error}"
        raise OSError(f"Unable to open {where!r} as an HDF5 file {problem}") from error


#: How files begin that people take for models, and what to do about them.
_OTHER_KINDS = {
    b"": "(it is empty: was it copied whole?)",
    b"version https://git-lfs": "(it is a pointer of Git LFS: `git lfs pull` fetches the file itself)",
    b"<": "(it is a web page: was the download refused?)",
    b"{": "(it is JSON: `keras.models.model_from_json(text)`, then `model.load_weights`)",
    b"\x1f\x8b": "(it is compressed: gunzip it first)",
    b"\x80": "(it is a pickle, or a TensorFlow file, and no model of Keras)",
}


def _what_it_is(source: Any) -> str | None:
    """What a file that is not HDF5 seems to be; None if there is nothing to say."""
    if hasattr(source, "read"):
        return None
    if os.path.isdir(source):
        return "(it is a folder, with neither a SavedModel nor a checkpoint in it)"
    if os.path.basename(source) == "saved_model.pb":
        return "(it is a part of a SavedModel: give the folder that it is in)"
    if re.search(r"\.(index|data-\d{5}-of-\d{5})$", str(source)):
        return "(it is a part of a TensorFlow checkpoint: give the name without .index or .data-..., to `load_weights`)"
    with open(source, "rb") as file:
        start = file.read(24)
    return next(
        (text for begin, text in _OTHER_KINDS.items() if start.startswith(begin) and (begin or not start)), None
    )


_DAMAGE = (LookupError, RuntimeError, TypeError, AttributeError, ArithmeticError, MemoryError)


@contextmanager
def as_damage(where: str) -> Iterator[None]:
    """Damage shows itself anywhere, in the library and in what is made of the contents: as a ValueError from here."""
    try:
        yield
    except _DAMAGE as error:
        raise ValueError(
            f"{where} is damaged, or no model that can be loaded: {type(error).__name__}: {error}"
        ) from error


def write(target: Any, overwrite: bool, fill: Callable[[Any], None]) -> None:
    """Have ``fill(file)`` write the HDF5 file ``target``: a path, an address, a binary file; see :func:`write_file`."""

    def write_to(place: Any) -> None:
        with new(place) as file:
            fill(file)

    write_file(target, overwrite, write_to)


@contextmanager
def new(place: Any) -> Iterator[Any]:
    """Yield a new HDF5 file in a binary file.

    Raises:
        OSError: what the binary file raised. Of its own files the library would say what the error was in prose only.
    """
    import h5py

    with unfailing(place) as sink, h5py.File(sink, "w") as file:
        yield file


def save_attributes_to_hdf5_group(group, name, data):
    """Store a list of byte strings as attribute ``name``, in chunks ``name0``, ``name1`` … if it is too large for one.

    Raises:
        RuntimeError: a single string is larger than a header can be.
    """
    too_long = [x for x in data if len(x) > HEADER_LIMIT]
    if too_long:
        raise RuntimeError(
            f"The following attributes cannot be saved to HDF5 file because they are larger than {HEADER_LIMIT} "
            f"bytes: {', '.join(str(x)[:60] for x in too_long)}"
        )
    array = np.asarray(data)
    chunks = 1
    while any(part.nbytes > HEADER_LIMIT for part in np.array_split(array, chunks)):
        chunks += 1
    if chunks == 1:
        group.attrs[name] = array  # without any string it is an empty array of floats, as in Keras's files
    else:
        for i, part in enumerate(np.array_split(array, chunks)):
            group.attrs[f"{name}{i}"] = part


def load_attributes_from_hdf5_group(group, name):
    """The list of strings stored by :func:`save_attributes_to_hdf5_group`."""
    if name in group.attrs:
        return _texts(group.attrs[name])
    data: list[str] = []
    chunk = 0
    while f"{name}{chunk}" in group.attrs:
        data += _texts(group.attrs[f"{name}{chunk}"])
        chunk += 1
    return data


def has_attributes_in_hdf5_group(group, name):
    """Whether the list stored by :func:`save_attributes_to_hdf5_group` has any strings, without making it."""
    return any(np.size(group.attrs[key]) > 0 for key in (name, f"{name}0") if key in group.attrs)


def _texts(value: Any) -> list[str]:
    return [text(item) for item in np.atleast_1d(value)]  # of no names Keras makes an empty array of floats


def text(value: Any) -> str:
    """A string from an attribute: h5py gives ``str`` or ``bytes``, depending on who wrote it.

    Raises:
        ValueError: it is something else.
    """
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if not isinstance(value, str):
        raise ValueError(f"The file is damaged: it has {type(value).__name__} where a text belongs.")
    return value


def attribute(group: Any, name: str) -> str | None:
    """A string attribute, or None where there is none."""
    return text(group.attrs[name]) if name in group.attrs else None


def dataset(group: Any, name: str) -> Any:
    """The dataset ``name`` of a group.

    Raises:
        ValueError: there is none, or it holds no numbers.
    """
    item = group.get(name)
    if not is_dataset(item):
        raise ValueError(f"The file is damaged: it names a weight {name!r} in {group.name!r} that it does not hold.")
    if item.dtype.kind not in "fiub" or item.shape is None:
        raise ValueError(f"The file is damaged: weight {name!r} in {group.name!r} has dtype {item.dtype}.")
    return item


def arrays(group: Any) -> dict[str, np.ndarray]:
    """All datasets of a group by name, read; what they take together is bounded as for the whole file.

    Raises:
        ValueError: it holds something else.
    """
    return {name: np.asarray(dataset(group, name)[()]) for name in group}


def subgroup(group: Any, name: str) -> Any:
    """The group ``name`` inside a group.

    Raises:
        ValueError: there is none.
    """
    item = group.get(name)
    if not is_group(item):
        raise ValueError(f"The file is damaged: it names a layer {name!r} that it does not hold.")
    return item
