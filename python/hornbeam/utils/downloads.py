"""Files from the network, with their checksums, into the cache folder."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.client
import io
import lzma
import os
import re
import secrets
import shutil
import struct
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .messages import blamed_on
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
        OSError: the download failed. With a checksum the next call continues it, else nothing is left. Or the file
            cannot be written: that error has the system's number and the file's name.
        ValueError: the checksum of what came is wrong, or the archive is damaged or not safe.
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
        if not os.path.exists(unpacked) and not _extract_archive(path, folder, "tar"):
            raise ValueError(f"{path} is not a tar archive.")
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
    own = os.path.join(os.path.dirname(path), f".{os.path.basename(path)[:100]}.{secrets.token_hex(4)}.part")
    leftover = path + ".part"
    worth_keeping = False
    try:
        with _writing(), open(own, "xb"):
            pass
        if file_hash is not None and os.path.exists(leftover):
            with contextlib.suppress(FileNotFoundError):
                os.replace(leftover, own)
        continued = os.path.getsize(own) > 0
        try:
            _fetch(origin, own)
        except (OSError, http.client.HTTPException):
            worth_keeping = file_hash is not None and os.path.getsize(own) > 0
            raise
        if file_hash is not None and not validate_file(own, file_hash, algorithm):
            os.truncate(own, 0)
            if continued:  # perhaps the two pieces did not belong together
                _fetch(origin, own)
            if not validate_file(own, file_hash, algorithm):
                raise ValueError(f"The checksum of {origin} is not {file_hash}: it has changed, or is another file.")
        with _writing():
            os.replace(own, path)
    except _DiskError as error:
        raise OSError(error.errno, f"{error.strerror}, while {origin} was downloaded", path) from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(error, urllib.error.HTTPError):
            reason = f"{error.code} -- {error.msg}"
        raise OSError(
            f"URL fetch failure on {origin}: {reason}. Without a network: fetch that file elsewhere and put it at {path}"
        ) from error
    finally:
        try:
            if worth_keeping:
                os.replace(own, leftover)
            else:
                os.remove(own)
        except FileNotFoundError:
            pass


class _DiskError(Exception):
    """An error of the file that is written, and not of the network: both are OSErrors."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.errno, self.strerror = error.errno, error.strerror


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _DiskError(error) from error


def _fetch(origin: str, path: str) -> None:
    """Append to ``path`` what it lacks of ``origin``; a connection that breaks off is followed by the next.

    Raises:
        OSError: nothing came, or too many connections broke off.
    """
    version = None  # what the server calls the state of the file that the first connection gave a piece of
    for attempt in range(_CONNECTIONS):
        before = os.path.getsize(path)
        try:
            with open(path, "ab", buffering=0) as out, _open(origin, before, version) as response:
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


def _receive(response: Any, out: io.FileIO) -> None:
    """Write a response to the end of ``out``, or instead of what is there if the response is the whole file."""
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if not match or int(match[1]) != out.tell():
        out.truncate(0)
    done = out.tell() if match else 0
    length = response.headers.get("Content-Length")
    total = done + int(length) if length else None
    bar = Progbar(total)
    while chunk := response.read(1 << 16):
        rest = memoryview(chunk)
        with _writing():
            while rest:
                rest = rest[out.write(rest) :]
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
        ValueError: the archive is damaged; a member would be written outside ``path``, or is a link or a device; or the
            archive would grow to more than any data set does.
        OSError: what it holds cannot be written.
    """
    formats = {"auto": ("tar", "zip"), None: ()}.get(archive_format, (archive_format,))
    try:
        for kind in formats:
            if kind == "tar":
                try:
                    archive = tarfile.open(file_path, tarinfo=_TarHeader)
                except tarfile.ReadError:
                    continue
                with archive:
                    _unpack(archive.extractfile, _tar_members(archive, file_path), path, file_path)
                return True
            if kind == "zip" and zipfile.is_zipfile(file_path):
                with zipfile.ZipFile(file_path) as entries:
                    _unpack(entries.open, _zip_members(entries, file_path), path, file_path)
                return True
    except _DAMAGE as error:
        raise ValueError(f"{file_path} is damaged, or no archive of a data set: {error}") from error
    return False


_MAX_EXPANSION = 200  # text packs to a tenth; the best that gzip can do is a thousandth
_MAX_MEMBERS = 5_000_000
_MAX_HEADER = 1 << 20  # of a name, which tarfile reads at once
#: What the readers of archives raise where the bytes make no sense. A ``gzip.BadGzipFile`` is an OSError.
_DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, gzip.BadGzipFile, EOFError, RuntimeError,
    NotImplementedError, UnicodeDecodeError, OverflowError, struct.error, LookupError,
)  # fmt: skip


class _BadHeader(tarfile.TarError):
    """Of an archive that is one, unlike after a ReadError."""


class _TarHeader(tarfile.TarInfo):
    """A header whose size is looked at before tarfile reads what belongs to it, or goes backwards for ever."""

    @classmethod
    def frombuf(cls, buf, encoding, errors):
        header = super().frombuf(buf, encoding, errors)
        is_file = header.isfile() or header.type not in tarfile.SUPPORTED_TYPES
        if header.size < 0 or (not is_file and header.size > _MAX_HEADER):
            raise _BadHeader(f"a header states a size of {header.size} bytes")
        return header


Members = list[tuple[str, bool, Any]]  # name, whether it is a folder, and what opens it


def _tar_members(archive: tarfile.TarFile, path: Any) -> Members:
    members: Members = []
    total = 0
    for member in archive:  # one by one: the list alone of a bomb would take hours
        if not (member.isfile() or member.isdir()):
            raise ValueError(f"{path}: member {member.name!r} is neither a file nor a folder.")
        if member.issparse():
            raise ValueError(f"{path}: member {member.name!r} has holes; archives of data sets have none.")
        total += member.size
        _check_size(path, total, len(members))
        members.append((member.name, member.isdir(), member))
    # tarfile takes a damaged header for the end, and does not read on to the checksum behind it.
    file: Any = archive.fileobj
    file.seek(archive.offset)  # type: ignore[attr-defined]
    while block := file.read(1 << 16):
        total += len(block)
        _check_size(path, total, len(members))
        if block.strip(b"\0"):
            raise _BadHeader(f"the header behind {members[-1][0] if members else 'the beginning'!r} makes no sense")
    return members


def _zip_members(archive: zipfile.ZipFile, path: Any) -> Members:
    entries = archive.infolist()
    _check_size(path, sum(entry.file_size for entry in entries), len(entries))
    for entry in entries:  # those of other kinds are unpacked at once, however much they say
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{path}: member {entry.filename!r} is compressed in a way that data sets are not.")
    return [(entry.filename, entry.is_dir(), entry) for entry in entries]


def _check_size(archive: str, unpacked: int, members: int) -> None:
    packed = os.path.getsize(archive)
    if unpacked > (1 << 26) + _MAX_EXPANSION * packed or members > _MAX_MEMBERS:
        raise ValueError(
            f"{archive} has {packed} bytes and would unpack to more than {unpacked}; no data set does that."
        )


def _unpack(open_member: Any, members: Members, path: Any, archive: Any) -> None:
    """Unpack into a folder of its own first, so that half an archive is never taken for a data set."""
    root = Path(path).resolve()
    targets = []
    for name, is_folder, member in members:
        target = (root / name).resolve()
        if target != root and root not in target.parents:
            raise ValueError(f"{archive}: member {name!r} would be written outside {root}.")
        targets.append((target.relative_to(root), is_folder, member))
    root.mkdir(parents=True, exist_ok=True)
    own = root / f".{secrets.token_hex(4)}.part"
    try:
        own.mkdir()
        for target, is_folder, member in targets:
            with blamed_on(str(root / target)):
                if is_folder:
                    (own / target).mkdir(parents=True, exist_ok=True)
                    continue
                (own / target).parent.mkdir(parents=True, exist_ok=True)
                with open_member(member) as source, open(own / target, "wb") as out:
                    shutil.copyfileobj(source, out)
        _move(own, root)
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _move(source: Path, target: Path) -> None:
    """Move what a folder holds into another; whole folders at once where there are none of their name."""
    for item in source.iterdir():
        place = target / item.name
        with blamed_on(str(place)):
            if item.is_dir() and place.is_dir():
                _move(item, place)
            else:
                os.replace(item, place)
