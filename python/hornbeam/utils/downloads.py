"""Files from the network, with their checksums, into the cache folder."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import re
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

from .progbar import Progbar

_CONNECTIONS = 5  # how often a download may break off


def get_file(
    fname,
    origin,
    untar=False,
    md5_hash=None,
    file_hash=None,
    cache_subdir="datasets",
    hash_algorithm="auto",
    extract=False,
    archive_format="auto",
    cache_dir=None,
):
    """Download a file unless it is in the cache already.

    Args:
        fname: name in the cache, or an absolute path.
        origin: URL.
        untar: older name of ``extract``: the file is a tar archive ``fname + '.tar.gz'`` with a folder ``fname``.
        md5_hash: older name of ``file_hash``.
        file_hash: checksum; a cached file that has another one is downloaded again, a broken download continued.
        cache_subdir: folder inside the cache.
        hash_algorithm: ``'md5'``, ``'sha256'`` or ``'auto'``.
        extract: unpack the archive beside it; members that would leave that folder are refused.
        archive_format: ``'auto'``, ``'tar'``, ``'zip'`` or None.
        cache_dir: root of the cache; ``~/.keras``, or what ``KERAS_HOME`` says.

    Returns:
        Path of the file.

    Raises:
        OSError: the download failed. With a checksum the next call continues it, else nothing is left.
        ValueError: the checksum of what came is wrong, or the archive is not safe.
    """
    if cache_dir is None:
        cache_dir = os.environ.get("KERAS_HOME", os.path.join(os.path.expanduser("~"), ".keras"))
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    folder = os.path.join(os.path.expanduser(cache_dir), cache_subdir)
    if not _writable(folder):
        folder = os.path.join(tempfile.gettempdir(), ".keras", cache_subdir)
        os.makedirs(folder, exist_ok=True)
    unpacked = os.path.join(folder, fname)
    path = unpacked + ".tar.gz" if untar else unpacked

    known = os.path.exists(path)
    outdated = known and file_hash is not None and not validate_file(path, file_hash, hash_algorithm)
    if outdated:
        print(f"{path} is incomplete or outdated: its checksum is not {file_hash}. It is downloaded again.")
    if outdated or not known:
        print(f"Downloading data from {origin}")
        _download(origin, path, file_hash, hash_algorithm)
    if untar:
        if not os.path.exists(unpacked):
            _extract_archive(path, folder, "tar")
        return unpacked
    if extract:
        _extract_archive(path, folder, archive_format)
    return path


def _writable(folder: str) -> bool:
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _download(origin: str, path: str, file_hash: str | None, algorithm: str) -> None:
    """Download to a file of its own, check it, and only then give it its name.

    With a checksum, what a broken download has left (``path + '.part'``) is continued by the next call: the checksum
    tells whether the pieces are of one file. Whoever continues it takes it away, so that processes do not meet in it.
    """
    handle, own = tempfile.mkstemp(dir=os.path.dirname(path), suffix=".part")
    os.close(handle)
    leftover = path + ".part"
    if file_hash is not None and os.path.exists(leftover):
        with contextlib.suppress(FileNotFoundError):
            os.replace(leftover, own)
    continued = os.path.getsize(own) > 0
    try:
        _fetch(origin, own)
        if file_hash is not None and not validate_file(own, file_hash, algorithm):
            os.truncate(own, 0)
            if continued:  # perhaps the two pieces did not belong together
                _fetch(origin, own)
            if not validate_file(own, file_hash, algorithm):
                os.truncate(own, 0)
                raise ValueError(f"The checksum of {origin} is not {file_hash}: it has changed, or is another file.")
        os.replace(own, path)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(error, urllib.error.HTTPError):
            reason = f"{error.code} -- {error.msg}"
        raise OSError(
            f"URL fetch failure on {origin}: {reason}. Without a network: fetch that file elsewhere and put it at {path}"
        ) from error
    finally:
        if os.path.exists(own):
            if file_hash is not None and os.path.getsize(own):
                os.replace(own, leftover)
            else:
                os.remove(own)


def _fetch(origin: str, path: str) -> None:
    """Append to ``path`` what it lacks of ``origin``; a connection that breaks off is followed by the next.

    Raises:
        OSError: nothing came, or too many connections broke off.
    """
    version = None  # what the server calls the state of the file that the first connection gave a piece of
    for attempt in range(_CONNECTIONS):
        before = os.path.getsize(path)
        try:
            with open(path, "ab") as out, _open(origin, before, version) as response:
                version = version or _version(response)
                _receive(response, out)
            return
        except urllib.error.HTTPError:
            raise
        except (OSError, http.client.HTTPException):
            if os.path.getsize(path) <= before or attempt == _CONNECTIONS - 1:
                raise


def _open(origin: str, start: int, version: str | None) -> Any:
    """A connection that delivers from byte ``start`` on if the server can, and if the file is still this version."""
    if not start:
        return urllib.request.urlopen(origin, timeout=60)
    headers = {"Range": f"bytes={start}-"} | ({"If-Range": version} if version else {})
    request = urllib.request.Request(origin, headers=headers)
    try:
        return urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        if error.code != 416:  # there is nothing from `start` on: take it from the beginning
            raise
        return urllib.request.urlopen(origin, timeout=60)


def _version(response: Any) -> str | None:
    tag = response.headers.get("ETag")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")


def _receive(response: Any, out: BinaryIO) -> None:
    """Write a response to the end of ``out``, or instead of what is there if the response is the whole file."""
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if not match or int(match[1]) != out.tell():
        out.truncate(0)
    done = out.tell() if match else 0
    length = response.headers.get("Content-Length")
    total = done + int(length) if length else None
    bar = Progbar(total)
    while chunk := response.read(1 << 16):
        out.write(chunk)
        done += len(chunk)
        bar.update(done)
    if total is not None and done < total:
        raise ConnectionError(f"the connection was closed after {done} of {total} bytes")


def _hash_file(fpath, algorithm="sha256", chunk_size=65535):
    """The checksum of a file, as a hexadecimal string."""
    hasher = hashlib.md5() if algorithm == "md5" else hashlib.sha256()
    with open(fpath, "rb") as file:
        while chunk := file.read(chunk_size):
            hasher.update(chunk)
    return hasher.hexdigest()


def validate_file(fpath, file_hash, algorithm="auto", chunk_size=65535):
    """Whether a file has the given checksum."""
    if algorithm == "auto":
        algorithm = "sha256" if len(file_hash) == 64 else "md5"
    return _hash_file(fpath, algorithm, chunk_size) == str(file_hash)


def _extract_archive(file_path, path=".", archive_format="auto"):
    """Unpack a tar or zip archive into ``path``; return whether it was one.

    Raises:
        ValueError: a member would be written outside ``path``, or is a link or a device; or the archive would grow to
            more than any data set does.
    """
    formats = {"auto": ("tar", "zip"), None: ()}.get(archive_format, (archive_format,))
    for kind in formats:
        if kind == "tar" and tarfile.is_tarfile(file_path):
            with tarfile.open(file_path) as archive:
                members, total = [], 0
                for member in archive:  # one by one: the list alone of a bomb would take hours
                    if not (member.isfile() or member.isdir()):
                        raise ValueError(f"{file_path}: member {member.name!r} is neither a file nor a folder.")
                    total += member.size
                    _check_size(file_path, total, len(members))
                    members.append((member.name, member.isdir(), member))
                _unpack(archive.extractfile, members, path, file_path)
            return True
        if kind == "zip" and zipfile.is_zipfile(file_path):
            with zipfile.ZipFile(file_path) as archive:
                entries = archive.infolist()
                _check_size(file_path, sum(entry.file_size for entry in entries), len(entries))
                _unpack(archive.open, [(m.filename, m.is_dir(), m) for m in entries], path, file_path)
            return True
    return False


_MAX_EXPANSION = 200  # text packs to a tenth; the best that gzip can do is a thousandth
_MAX_MEMBERS = 5_000_000


def _check_size(archive: str, unpacked: int, members: int) -> None:
    packed = os.path.getsize(archive)
    if unpacked > (1 << 26) + _MAX_EXPANSION * packed or members > _MAX_MEMBERS:
        raise ValueError(
            f"{archive} has {packed} bytes and would unpack to more than {unpacked}; no data set does that."
        )


def _unpack(open_member: Any, members: list[tuple[str, bool, Any]], path: str, archive: str) -> None:
    root = Path(path).resolve()
    targets = []
    for name, is_folder, member in members:
        target = (root / name).resolve()
        if target != root and root not in target.parents:
            raise ValueError(f"{archive}: member {name!r} would be written outside {root}.")
        targets.append((target, is_folder, member))
    for target, is_folder, member in targets:
        if is_folder:
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with open_member(member) as source, open(target, "wb") as out:
            shutil.copyfileobj(source, out)
