"""Files, which TensorFlow opens by functions of its own: here they are Python's, for paths of this machine."""

from __future__ import annotations

import glob as patterns
import os
import shutil
import stat as modes
from collections.abc import Iterator
from typing import IO, Any

from .table import for_scripts


@for_scripts("io.gfile.GFile", "gfile.GFile", "gfile.Open", "gfile.FastGFile")
def open_file(name: Any, mode: str = "r") -> IO:
    """An open file; text is UTF-8.

    Raises:
        OSError: there is no such file, or it is an address: those are not opened here.
    """
    _refuse_address(name)
    return open(name, mode, encoding=None if "b" in mode else "utf-8")


def _refuse_address(name: Any) -> None:
    scheme = str(name).partition("://")[0]
    if "://" in str(name):
        raise OSError(f"Files are opened on this machine, not at {scheme}://: fetch it with keras.utils.get_file.")


@for_scripts("io.gfile.exists", "gfile.Exists")
def exists(path: Any) -> bool:
    return os.path.exists(path)


@for_scripts("io.gfile.isdir", "gfile.IsDirectory")
def is_folder(path: Any) -> bool:
    return os.path.isdir(path)


@for_scripts("io.gfile.listdir", "gfile.ListDirectory")
def names(path: Any) -> list[str]:
    return sorted(os.listdir(path))


@for_scripts("io.gfile.glob", "gfile.Glob")
def glob(pattern: Any) -> list[str]:
    """The files that a pattern, or any of several, names."""
    several = pattern if isinstance(pattern, (list, tuple)) else [pattern]
    return [path for one in several for path in sorted(patterns.glob(str(one)))]


@for_scripts("io.gfile.makedirs", "gfile.MakeDirs", "io.gfile.mkdir", "gfile.MkDir")
def make_folders(path: Any) -> None:
    os.makedirs(path, exist_ok=True)


@for_scripts("io.gfile.remove", "gfile.Remove")
def remove(path: Any) -> None:
    os.remove(path)


@for_scripts("io.gfile.rmtree", "gfile.DeleteRecursively")
def remove_folder(path: Any) -> None:
    shutil.rmtree(path)


@for_scripts("io.gfile.copy", "gfile.Copy")
def copy(src: Any, dst: Any, overwrite: bool = False) -> None:
    _refuse_taken(dst, overwrite)
    shutil.copyfile(src, dst)


@for_scripts("io.gfile.rename", "gfile.Rename")
def rename(src: Any, dst: Any, overwrite: bool = False) -> None:
    _refuse_taken(dst, overwrite)
    os.replace(src, dst)


def _refuse_taken(path: Any, overwrite: bool) -> None:
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{path} exists already: pass overwrite=True.")


@for_scripts("io.gfile.walk", "gfile.Walk")
def walk(top: Any) -> Iterator[tuple[str, list[str], list[str]]]:
    return os.walk(top)


@for_scripts("io.gfile.stat", "gfile.Stat")
def stat(path: Any) -> Any:
    """What the file system says of a file: ``length`` is its size in bytes."""
    return _Stat(os.stat(path))


class _Stat:
    def __init__(self, found: os.stat_result) -> None:
        self.length, self.mtime_nsec = found.st_size, found.st_mtime_ns
        self.is_directory = modes.S_ISDIR(found.st_mode)
