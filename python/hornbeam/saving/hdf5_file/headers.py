"""Object headers: the messages that say what a group or a dataset is."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from . import limits
from .storage import Fields, Storage

# Kinds of messages; those that reading does without are not listed.
DATASPACE, LINK_INFO, DATATYPE, OLD_FILL_VALUE, FILL_VALUE, LINK, EXTERNAL_FILES, LAYOUT = 1, 2, 3, 4, 5, 6, 7, 8
FILTERS, ATTRIBUTE, SYMBOL_TABLE, ATTRIBUTE_INFO = 11, 12, 17, 21
_CONTINUATION = 16
_KNOWN = {
    DATASPACE, LINK_INFO, DATATYPE, OLD_FILL_VALUE, FILL_VALUE, LINK, EXTERNAL_FILES, LAYOUT, FILTERS, ATTRIBUTE,
    SYMBOL_TABLE, ATTRIBUTE_INFO, _CONTINUATION,
}  # fmt: skip
_OLD_MESSAGE, _NEW_MESSAGE = struct.Struct("<HHB3x"), struct.Struct("<BHB")  # kind, bytes, flags
_SHARED = 2  # flag of a message that is kept elsewhere


class Header:
    """The messages of the object at an address, by kind.

    Attributes:
        shared_type: whether the object has a datatype that has a name of its own in the file.
    """

    def __init__(self, storage: Storage, address: int) -> None:
        self.storage, self.address = storage, address
        self.shared_type = False
        self._messages: dict[int, list[bytes]] = {}
        for kind, flags, data in _messages(storage, address):
            if flags & _SHARED:
                if kind != DATATYPE:
                    raise storage.damage("it shares messages between objects, which Keras never did")
                self.shared_type = True
            self._messages.setdefault(kind, []).append(data)

    def __contains__(self, kind: int) -> bool:
        return kind in self._messages

    def all(self, kind: int) -> list[bytes]:
        return self._messages.get(kind, [])

    def fields(self, kind: int, what: str) -> Fields:
        """The only message of a kind.

        Raises:
            ValueError: there is none, or several.
        """
        found = self.all(kind)
        if len(found) != 1:
            raise self.storage.damage(f"an object has {len(found)} descriptions of {what}")
        return Fields(self.storage, found[0], what)

    @property
    def is_group(self) -> bool:
        return SYMBOL_TABLE in self or LINK_INFO in self or LINK in self

    @property
    def is_dataset(self) -> bool:
        return LAYOUT in self and not self.is_group

    @property
    def is_type(self) -> bool:
        return DATATYPE in self and not self.is_group and not self.is_dataset


def _messages(storage: Storage, address: int) -> Iterator[tuple[int, int, bytes]]:
    """(kind, flags, contents) of all messages, through the continuations."""
    new = storage.read(address, 4) == b"OHDR"
    block, layout = _new_block(storage, address) if new else (_old_block(storage, address), 0)
    met: set[int] = set()
    count = 0
    blocks = [block]
    while blocks:
        block = blocks.pop()
        for kind, flags, data in _new_messages(block, layout) if new else _old_messages(block):
            count += 1
            if count > limits.MAX_MESSAGES:
                raise storage.damage(f"an object has more than {limits.MAX_MESSAGES} messages")
            if kind == _CONTINUATION:
                fields = Fields(storage, data, "the continuation of a header")
                place, size = fields.address(), fields.length()
                if place is None or place in met or len(met) >= limits.MAX_CONTINUATIONS:
                    raise storage.damage("the header of an object never ends")
                met.add(place)
                blocks.append(_continuation(storage, place, size, new))
            elif kind in _KNOWN:
                yield kind, flags, data


def _old_block(storage: Storage, address: int) -> Fields:
    """The first messages behind a header of version 1."""
    head = storage.fields(address, 12, what="the header of an object")
    head.version(1)
    head.skip(7)  # the numbers of messages and of links
    return storage.fields(address + 16, head.number(4), what="the header of an object")


def _new_block(storage: Storage, address: int) -> tuple[Fields, int]:
    """The first messages behind a header of version 2, and how many bytes each has for the order of their creation."""
    head = storage.fields(address, 6, b"OHDR", "the header of an object")
    head.version(2)
    flags = head.number(1)
    start = 6 + (16 if flags & 32 else 0) + (4 if flags & 16 else 0)  # times; when attributes become dense
    size_size = 1 << (flags & 3)
    size = storage.fields(address + start, size_size, what="the header of an object").number(size_size)
    start += size_size
    fields = storage.checked_fields(address, start + size + 4, b"OHDR", "the header of an object")
    return _without_checksum(fields, start), 2 if flags & 4 else 0


def _continuation(storage: Storage, address: int, size: int, new: bool) -> Fields:
    what = "the continuation of a header"
    if not new:
        return storage.fields(address, size, what=what)
    return _without_checksum(storage.checked_fields(address, size, b"OCHK", what), 4)


def _without_checksum(fields: Fields, start: int) -> Fields:
    return Fields(fields.storage, fields.data[start:-4], fields.what)


def _old_messages(block: Fields) -> Iterator[tuple[int, int, bytes]]:
    while len(block.data) - block.at >= _OLD_MESSAGE.size:
        kind, size, flags = block.numbers(_OLD_MESSAGE)
        yield kind, flags, block.take(size)


def _new_messages(block: Fields, order_size: int) -> Iterator[tuple[int, int, bytes]]:
    while len(block.data) - block.at >= _NEW_MESSAGE.size + order_size:  # less is a gap
        kind, size, flags = block.numbers(_NEW_MESSAGE)
        block.skip(order_size)
        yield kind, flags, block.take(size)
