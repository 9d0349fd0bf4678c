"""Where files go and come from: replaced at once on a disk, whole through a stream, fetched from an address."""

from __future__ import annotations

import errno
import io
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..utils.messages import blamed_on
from ..utils.terminal import ask_to_proceed_with_overwrite
from . import remote

#: Tests of Keras code put others in place of this and of the question, through ``engine/saving.py``.
tf_file_io = remote


def write_file(target: Any, overwrite: bool, write: Callable[[Any], None]) -> None:
    """Have ``write(binary file)`` make the file that ``target`` is the name of.

    On a disk it is made beside ``target`` and renamed: whatever happens, ``target`` is the old file or the new one.

    Args:
        target: path, address (``gs://...``), or an object with ``write``.
        overwrite: without it, an existing file is asked about on the terminal.
        write: called with a binary file to write to.

    Raises:
        OSError: a full disk, a folder in its place, no permission...; it names ``target``.
    """
    if hasattr(target, "write"):
        write(target)
        return
    if not may_write(target, overwrite):
        return
    if remote.is_remote(target):
        buffer = io.BytesIO()
        write(buffer)
        with tf_file_io.FileIO(target, "wb") as file:
            file.write(buffer.getvalue())
    else:
        _replace(os.path.realpath(os.fspath(target)), write)


def may_write(target: Any, overwrite: bool) -> bool:
    """Whether ``target`` may be written: with ``overwrite``, if there is no such file, or if the terminal says so."""
    return overwrite or not exists(target) or ask_to_proceed_with_overwrite(target)


def fetched(source: Any) -> Any:
    """``source`` as something to read from: the bytes behind an address, everything else as it is."""
    if not remote.is_remote(source):
        return source
    with tf_file_io.FileIO(source, "rb") as file:
        return io.BytesIO(file.read())


@contextmanager
def opened(source: Any) -> Iterator[Any]:
    """A binary file to read from: the one on a disk, or the bytes behind an address."""
    source = fetched(source)
    if hasattr(source, "read"):
        yield source
    else:
        with open(source, "rb") as file:
            yield file


def exists(target: Any) -> bool:
    """Whether there is a file of that name."""
    return tf_file_io.file_exists(target) if remote.is_remote(target) else os.path.isfile(target)


def _replace(path: str, write: Callable[[Any], None]) -> None:
    folder, name = os.path.split(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, f"There is no folder {folder!r} to write the file in", path)
    with blamed_on(path):
        mode = _mode(path)
        if mode is not None and not stat.S_ISREG(mode):
            _write_through(path, write)
            return
        partial = os.path.join(folder, f".{name[:100]}.{secrets.token_hex(4)}.part")
        try:
            with open(partial, "x+b") as file:
                write(file)
                if mode is not None:
                    os.chmod(partial, mode & 0o777)
                file.flush()
                os.fsync(file.fileno())  # before the rename: else a power cut may leave a new name on empty blocks
            os.replace(partial, path)
        finally:
            try:  # with nothing before it: here, too, Ctrl-C may come
                os.remove(partial)
            except FileNotFoundError:
                pass


def _mode(path: str) -> int | None:
    """Kind and permissions of the file that is there, None if there is none.

    Raises:
        OSError: it is a folder, or must not be written.
    """
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "There is a folder where the file should be written", path)
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "The file that is there must not be written", path)
    return mode


def _write_through(path: str, write: Callable[[Any], None]) -> None:
    """To a device or a pipe, which cannot be replaced."""
    buffer = io.BytesIO()
    write(buffer)
    with open(path, "wb") as file:
        file.write(buffer.getbuffer())
