"""Where files go and come from: replaced at once on a disk, whole through a stream, fetched from an address."""

from __future__ import annotations

import errno
import io
import os
import tempfile
from collections.abc import Callable
from typing import Any

from . import remote


def write_file(target: Any, overwrite: bool, write: Callable[[Any], None]) -> None:
    """Have ``write(path or binary file)`` make the file that ``target`` is the name of.

    On a disk it is made beside ``target`` and renamed: whatever happens, ``target`` is the old file or the new one.

    Args:
        target: path, address (``gs://...``), or an object with ``write``.
        overwrite: without it, an existing file is asked about on the terminal.
        write: called with the path of the file, or with a binary file, to write to.
    """
    if hasattr(target, "write"):
        write(target)
        return
    if not overwrite and exists(target) and not _may_be_replaced(target):
        return
    if remote.is_remote(target):
        buffer = io.BytesIO()
        write(buffer)
        with _storage().FileIO(target, "wb") as file:
            file.write(buffer.getvalue())
    else:
        _replace(os.path.realpath(os.fspath(target)), write)


def fetched(source: Any) -> Any:
    """``source`` as something to read from: the bytes behind an address, everything else as it is."""
    if not remote.is_remote(source):
        return source
    with _storage().FileIO(source, "rb") as file:
        return io.BytesIO(file.read())


def exists(target: Any) -> bool:
    """Whether there is a file of that name."""
    return _storage().file_exists(target) if remote.is_remote(target) else os.path.isfile(target)


def _storage() -> Any:
    from ..engine import saving

    return saving.tf_file_io


def _may_be_replaced(target: Any) -> bool:
    from ..engine import saving  # where tests of Keras code put an answer in place of the question

    return saving.ask_to_proceed_with_overwrite(target)


def _replace(path: str, write: Callable[[Any], None]) -> None:
    folder, name = os.path.split(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, f"There is no folder {folder!r} to write the file in", path)
    handle, partial = tempfile.mkstemp(dir=folder, prefix=f".{name[:100]}.", suffix=".part")
    os.close(handle)
    try:
        write(partial)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(partial, os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o666 & ~umask)
        with open(partial, "rb") as file:
            os.fsync(file.fileno())  # before the rename: else a power cut may leave a new name on empty blocks
        os.replace(partial, path)
    finally:
        if os.path.exists(partial):
            os.remove(partial)
