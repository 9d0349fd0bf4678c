"""Files behind an address (``gs://bucket/model.h5``), through the package fsspec and its plug-ins."""

from __future__ import annotations

import re
from typing import Any


def is_remote(path: Any) -> bool:
    """Whether ``path`` is an address with a scheme. Files are only ever fetched from where the caller says."""
    return isinstance(path, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", path) is not None


def FileIO(name: str, mode: str) -> Any:
    """A binary file behind an address, to be used in a ``with`` block.

    Raises:
        ImportError: fsspec, or its plug-in for this kind of address, is not installed.
        OSError: it cannot be opened.
    """
    return _fsspec(name).open(name, mode).open()


def file_exists(name: str) -> bool:
    """Whether there is a file behind an address."""
    system, path = _fsspec(name).core.url_to_fs(name)
    return bool(system.exists(path))


def delete_file(name: str) -> None:
    """Delete the file behind an address."""
    system, path = _fsspec(name).core.url_to_fs(name)
    system.rm_file(path)


def _fsspec(name: str) -> Any:
    try:
        import fsspec
    except ImportError as error:
        raise ImportError(
            f"{name} is read and written through the package fsspec: pip install 'hornbeam[remote]'"
        ) from error
    return fsspec
