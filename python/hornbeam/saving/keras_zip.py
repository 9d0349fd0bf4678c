"""``.keras`` files of later Keras 2: a zip with the config as JSON and the weights as HDF5."""

from __future__ import annotations

import datetime
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..version import __version__
from .sink import unfailing
from .targets import write_file

_MAX_EXPANSION = 100  # members are stored as they are; anything that grows more than this is no model
_MAX_CONFIG = 1 << 26


def is_zip(source: Any) -> bool:
    """Whether a path or a stream begins as a zip does (names do not tell: some ``.keras`` files are HDF5)."""
    if hasattr(source, "read"):
        start = source.read(4)
        source.seek(-len(start), 1)
        return start == b"PK\x03\x04"
    try:
        with open(source, "rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except (OSError, TypeError):
        return False


@contextmanager
def opened(source: Any) -> Iterator[zipfile.ZipFile]:
    """The zip, whose members are never written to a disk.

    Raises:
        OSError: the file is damaged, which may show itself anywhere inside the block.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, UnicodeDecodeError, RuntimeError, NotImplementedError, zlib.error) as error:
        raise OSError(f"Unable to read {str(source)!r}: the file is damaged: {error}") from error


def read(source: Any) -> tuple[str, Any, str]:
    """The text of ``config.json``, the bytes of ``model.weights.h5``, and the version of Keras that wrote them.

    Raises:
        OSError: the file is damaged.
        ValueError: it holds no model.
    """
    with opened(source) as archive:
        for name in ("config.json", "model.weights.h5"):
            if name not in archive.namelist():
                raise ValueError(f"{str(source)!r} holds no Keras model: it has no {name}.")
            info = archive.getinfo(name)
            limit = max(1 << 20, _MAX_EXPANSION * info.compress_size)
            if info.file_size > (min(limit, _MAX_CONFIG) if name == "config.json" else limit):
                raise ValueError(f"{str(source)!r}: {name} would take {info.file_size} bytes; no model does that.")
        weights = io.BytesIO(archive.read("model.weights.h5"))
        return archive.read("config.json").decode("utf-8"), weights, _version(archive)


def _version(archive: zipfile.ZipFile) -> str:
    """What the metadata say; without them it is an early one of those that write zips."""
    try:
        with archive.open("metadata.json") as file:
            return str(json.loads(file.read(1 << 16))["keras_version"])
    except (KeyError, ValueError, TypeError, RecursionError):
        return "2.12.0"


def write(target: Any, overwrite: bool, config: str, weights: bytes, keras_version: str) -> None:
    """Write the file ``target`` (a path, an address, a binary file); see :func:`write_file`."""
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": keras_version, "date_saved": now, "hornbeam_version": __version__}

    def write_to(place: Any) -> None:
        with unfailing(place) as sink, zipfile.ZipFile(sink, "w") as archive:
            archive.writestr("metadata.json", json.dumps(metadata))
            archive.writestr("config.json", config)
            archive.writestr("model.weights.h5", weights)

    write_file(target, overwrite, write_to)
