"""The superblock: sizes of addresses, where they count from, where the root group is."""

from __future__ import annotations

from .storage import Storage

SIGNATURE = b"\x89HDF\r\n\x1a\n"


def read_superblock(storage: Storage) -> int:
    """Set the sizes and the base of ``storage``; the address of the root group's header.

    Raises:
        OSError: it is not an HDF5 file, or it was cut short.
    """
    storage.base = _find(storage)
    try:
        fields = storage.fields(0, 9, SIGNATURE, "a superblock")
        version = fields.version(0, 1, 2, 3)
        if version <= 1:
            return _old(storage, version)
        return _new(storage)
    except ValueError as error:
        raise OSError(str(error)) from error


def _find(storage: Storage) -> int:
    """It is at the start, or behind a user block of 512 bytes, 1024, and so on."""
    place = 0
    while place + len(SIGNATURE) <= storage.size:
        storage.base = place
        if storage.read(0, len(SIGNATURE)) == SIGNATURE:
            return place
        place = max(512, 2 * place)
    raise OSError(f"{storage.where} is not an HDF5 file: its signature was not found")


def _old(storage: Storage, version: int) -> int:
    head = storage.fields(13, 2, what="the superblock")
    _set_sizes(storage, head.number(1), head.number(1))
    fields = storage.fields(24 + 4 * version, 6 * storage.offset_size, what="the superblock")
    base = fields.address()
    fields.address()  # free space
    end = fields.address()
    fields.address()  # driver
    fields.skip(storage.offset_size)  # the name of the root group, which has none
    root = fields.address()
    return _checked(storage, base, end, root)


def _new(storage: Storage) -> int:
    head = storage.fields(9, 2, what="the superblock")
    _set_sizes(storage, head.number(1), head.number(1))
    size = 12 + 4 * storage.offset_size + 4
    fields = storage.checked_fields(0, size, SIGNATURE, "the superblock")
    fields.skip(4)  # version, sizes, flags
    base = fields.address()
    fields.address()  # the extension: shared messages and file space, which reading does without
    end = fields.address()
    return _checked(storage, base, end, fields.address())


def _set_sizes(storage: Storage, offset_size: int, length_size: int) -> None:
    if offset_size not in (4, 8) or length_size not in (4, 8):
        raise storage.damage(f"addresses of {offset_size} bytes and lengths of {length_size} are not read")
    storage.offset_size, storage.length_size = offset_size, length_size


def _checked(storage: Storage, base: int | None, end: int | None, root: int | None) -> int:
    if base is None or end is None or root is None:
        raise storage.damage("its superblock lacks an address")
    stated = end - base + storage.base  # a user block may have been put before the file later
    if stated > storage.size:
        raise OSError(f"{storage.where} is truncated: it should have {stated} bytes, and has {storage.size}")
    return root
