"""``.keras`` files of later Keras 2: a zip with the config as JSON and the weights as HDF5."""

from __future__ import annotations

import datetime
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..utils.messages import shortened
from ..version import __version__
from .sink import unfailing
from .targets import write_file
from .text import parse_json

_MAX_EXPANSION = 100  # members are stored as they are; anything that grows more than this is not a model
_MAX_CONFIG = 1 << 26
_MAX_METADATA = 1 << 16
_MAX_MEMBERS = 10_000  # there are three; Keras adds the files of layers that have some of their own
_ASSETS_FREE, _ASSETS_PER_BYTE = 1 << 20, 16  # of all together: a line of one byte in a vocabulary takes many in memory
ASSETS, _VOCABULARY = "assets/", "/vocabulary.txt"
#: Python inflates members of other kinds at once, to whatever size, before it looks at the one that they state.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


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
    """The zip, whose members are not written to a disk by their names.

    Raises:
        OSError: the file is damaged, which may show itself anywhere inside the block.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            yield archive
    except _DAMAGE as error:
        raise OSError(f"Unable to read {shortened(str(source))!r}: the file is damaged: {error}") from error


#: What zipfile and zlib raise where the bytes make no sense.
_DAMAGE = (
    zipfile.BadZipFile, EOFError, UnicodeDecodeError, RuntimeError, NotImplementedError, zlib.error, struct.error,
    OverflowError, LookupError,
)  # fmt: skip


def read(source: Any) -> tuple[str, Any, str]:
    """The text of ``config.json``, the bytes of ``model.weights.h5``, and the version of Keras that wrote them.

    Raises:
        OSError: the file is damaged.
        ValueError: it holds no model.
    """
    with opened(source) as archive:
        members = _members(archive, shortened(str(source)))
        weights = io.BytesIO(_read_member(archive, members, "model.weights.h5"))
        config = _read_member(archive, members, "config.json", _MAX_CONFIG).decode("utf-8")
        return config, weights, _version(archive, members)


def read_vocabularies(source: Any) -> dict[str, list[str]]:
    """The vocabularies that layers learnt before Keras wrote the file: by the path of the layer, the token in each line.

    Raises:
        OSError: the file is damaged.
        ValueError: together they take much more than the file.
    """
    try:
        texts = {name: contents.decode("utf-8") for name, contents in read_assets(source, _VOCABULARY).items()}
    except UnicodeDecodeError as error:
        raise OSError(f"Unable to read {shortened(str(source))!r}: the file is damaged: {error}") from error
    return {name.removeprefix(ASSETS).removesuffix(_VOCABULARY): text.split("\n") for name, text in texts.items()}


def read_assets(source: Any, ending: str = "") -> dict[str, bytes]:
    """The files of layers, by their names in the zip; of those, only the ones whose names end so.

    Raises:
        OSError: the file is damaged.
        ValueError: together they take much more than the file.
    """
    with opened(source) as archive:
        members = _members(archive, shortened(str(source)))
        room = _ASSETS_FREE + _ASSETS_PER_BYTE * _size(archive)
        found: dict[str, bytes] = {}
        for name in members:
            if name.startswith(ASSETS) and name.endswith(ending):
                found[name] = _read_member(archive, members, name, room)
                room -= len(found[name])
    return found


def _members(archive: zipfile.ZipFile, where: str) -> dict[str, zipfile.ZipInfo]:
    """The members that a model has, by name.

    Raises:
        ValueError: one is missing, or there twice (which of them is read is for the reader to choose), or there are
            too many others.
    """
    entries = archive.infolist()
    if len(entries) > _MAX_MEMBERS:
        raise ValueError(f"{where!r} has {len(entries)} members; no model does that.")
    members: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        if members.setdefault(entry.filename, entry) is not entry:
            raise ValueError(f"{where!r} has two members {shortened(entry.filename)!r}.")
    for name in ("config.json", "model.weights.h5"):
        if name not in members:
            raise ValueError(f"{where!r} holds no Keras model: it has no {name}.")
    return members


def _size(archive: zipfile.ZipFile) -> int:
    """Bytes of the whole file."""
    return archive.fp.seek(0, io.SEEK_END)  # type: ignore[union-attr]


def _read_member(
    archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], name: str, most: int | None = None
) -> bytes:
    """A member's bytes: at most ``most`` of them, and so many times what it takes in the file; never more than it states.

    Raises:
        ValueError: it is larger, or compressed in a way that models are not.
    """
    info = members[name]
    if info.compress_type not in _METHODS:
        raise ValueError(f"The member {name} is compressed in a way (number {info.compress_type}) that models are not.")
    limit = max(1 << 20, _MAX_EXPANSION * min(info.compress_size, _size(archive)))
    limit = limit if most is None else min(limit, most)
    with archive.open(info) as file:
        contents = file.read(limit + 1) if info.file_size <= limit else b""
    if info.file_size > limit or len(contents) > limit:
        raise ValueError(
            f"The member {name} would take {max(info.file_size, len(contents))} bytes; no model does that."
        )
    return contents


def _version(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> str:
    """What the metadata say; without them it is an early one of those that write zips."""
    stored = _read_member(archive, members, "metadata.json", _MAX_METADATA) if "metadata.json" in members else b"{}"
    try:
        return shortened(parse_json(stored.decode("utf-8"))["keras_version"])
    except (KeyError, ValueError, TypeError):
        return "2.12.0"


def write(
    target: Any, overwrite: bool, config: str, weights: bytes, keras_version: str, assets: Mapping[str, bytes]
) -> None:
    """Write the file ``target`` (a path, an address, a binary file); see :func:`write_file`.

    Args:
        assets: contents of the layers' files by the path in the zip.
    """
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    metadata = {"keras_version": keras_version, "date_saved": now, "hornbeam_version": __version__}

    def write_to(place: Any) -> None:
        with unfailing(place) as sink, zipfile.ZipFile(sink, "w") as archive:
            archive.writestr("metadata.json", json.dumps(metadata))
            archive.writestr("config.json", config)
            archive.writestr("model.weights.h5", weights)
            for name, contents in assets.items():
                archive.writestr(name, contents)

    write_file(target, overwrite, write_to)
