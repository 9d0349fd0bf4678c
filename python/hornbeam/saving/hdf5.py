"""HDF5 files as Keras lays them out: opening, replacing at once, attributes larger than a header, checked reads."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

HEADER_LIMIT = 64512  # bytes; an HDF5 object header holds 64 KB, and some of that is taken


def is_group(target: Any) -> bool:
    """Whether ``target`` is an open ``h5py.File`` or ``h5py.Group``."""
    import h5py

    return isinstance(target, h5py.Group)


@contextmanager
def reading(source: Any) -> Iterator[Any]:
    """Yield the HDF5 group that ``source`` (a path, a file object or an open group) stands for.

    Raises:
        OSError: no such file, a truncated one, or one of another kind.
        ValueError: what is read from it inside the block makes no sense.
    """
    import h5py

    if is_group(source):
        with _as_damage(source.name):
            yield source
        return
    if hasattr(source, "read"):
        with h5py.File(source, "r") as file, _as_damage("the stream"):
            yield file
        return
    path = os.fspath(source)
    if not os.path.exists(path):
        raise FileNotFoundError(f"Unable to open file: no such file: {path!r}")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise OSError(f"Unable to open {path!r} as an HDF5 file (is it complete, is it a model?): {error}") from error
    with file, _as_damage(path):
        yield file


@contextmanager
def _as_damage(where: str) -> Iterator[None]:
    """Damage shows itself anywhere, in the library and in what is made of the contents: say so in one way."""
    try:
        yield
    except (LookupError, RuntimeError, TypeError, AttributeError, ArithmeticError, MemoryError) as error:
        raise ValueError(
            f"{where} is damaged, or no model that can be loaded: {type(error).__name__}: {error}"
        ) from error


def replacing(path: Any, write: Callable[[Any], None]) -> None:
    """Write an HDF5 file beside ``path`` and rename it, so that ``path`` is never half a file."""
    import h5py

    path = os.path.realpath(os.fspath(path))
    handle, partial = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=".", suffix=".h5.part")
    os.close(handle)
    try:
        with h5py.File(partial, "w") as file:
            write(file)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(partial, os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o666 & ~umask)
        os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.remove(partial)


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
        return [text(item) for item in _list(group.attrs[name])]
    data: list[str] = []
    chunk = 0
    while f"{name}{chunk}" in group.attrs:
        data += [text(item) for item in _list(group.attrs[f"{name}{chunk}"])]
        chunk += 1
    return data


def _list(value: Any) -> list:
    return list(np.atleast_1d(value))


def text(value: Any) -> str:
    """A string from an attribute: h5py gives ``str`` or ``bytes``, depending on who wrote it."""
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def attribute(group: Any, name: str) -> str | None:
    """A string attribute, or None where there is none."""
    return text(group.attrs[name]) if name in group.attrs else None


def dataset(group: Any, name: str) -> Any:
    """The dataset ``name`` of a group.

    Raises:
        ValueError: there is none, or it holds no numbers.
    """
    import h5py

    item = group.get(name)
    if not isinstance(item, h5py.Dataset):
        raise ValueError(f"The file is damaged: it names a weight {name!r} in {group.name!r} that it does not hold.")
    if item.dtype.kind not in "fiub":
        raise ValueError(f"The file is damaged: weight {name!r} in {group.name!r} has dtype {item.dtype}.")
    return item


def subgroup(group: Any, name: str) -> Any:
    """The group ``name`` inside a group.

    Raises:
        ValueError: there is none.
    """
    import h5py

    item = group.get(name)
    if not isinstance(item, h5py.Group):
        raise ValueError(f"The file is damaged: it names a layer {name!r} that it does not hold.")
    return item
