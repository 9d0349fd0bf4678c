"""Files of layers in ``.keras`` files: what a class writes into a folder by ``save_assets``, and reads by ``load_assets``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from ..utils.messages import shortened
from ..utils.overriding import defines
from . import keras_zip
from .zip_weights import owners

_MAX_DEPTH = 16  # a folder takes kilobytes on a disk, and two letters of a name


def files_of(model: Any) -> dict[str, bytes]:
    """What the layers' own classes write, by the path in the zip."""
    found = {}
    for where, layer in _layers(model, "save_assets"):
        with TemporaryDirectory() as folder:
            layer.save_assets(folder)
            for path in sorted(Path(folder).rglob("*")):
                if path.is_file():
                    found[f"{where}/{path.relative_to(folder).as_posix()}"] = path.read_bytes()
    return found


def load(model: Any, source: Any) -> None:
    """Give the layers' own classes a folder each, with the files that a zip has for them.

    Raises:
        OSError: the zip is damaged.
        ValueError: a file's name leads out of the folder, or the files take much more than the zip.
    """
    layers = list(_layers(model, "load_assets"))
    if not layers:
        return
    assets = keras_zip.read_assets(source)
    for where, layer in layers:
        with TemporaryDirectory() as folder:
            for name, contents in assets.items():
                if name.startswith(f"{where}/") and not name.endswith("/"):
                    path = Path(folder) / _inside(name.removeprefix(f"{where}/"))
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(contents)
            layer.load_assets(folder)


def _layers(model: Any, method: str) -> Iterator[tuple[str, Any]]:
    """The layers, each once, whose classes have such a method of their own, with the folder that is theirs in the zip."""
    seen = set()
    for path, layer in owners(model):
        if layer not in seen and hasattr(type(layer), method) and defines(layer, method):
            seen.add(layer)
            yield f"{keras_zip.ASSETS}{path.removesuffix('vars').rstrip('/')}", layer


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if len(path.parts) > _MAX_DEPTH:
        raise ValueError(
            f"The file is damaged: an asset in it lies in more than {_MAX_DEPTH} folders: {shortened(name)!r}."
        )
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name:
        raise ValueError(
            f"The file is damaged: an asset in it is named {shortened(name)!r}, which leads out of its folder."
        )
    return path
