"""What the objects of one open file share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import limits
from .headers import Header
from .heaps import GlobalHeap
from .storage import Storage


class OpenFile:
    """The bytes of a file, and what was parsed of it already: nothing is parsed twice.

    Attributes:
        storage: the bytes.
        root: address of the root group's header.
    """

    def __init__(self, storage: Storage, root: int) -> None:
        self.storage, self.root = storage, root
        self._headers: dict[int, Header] = {}
        self._heaps: dict[int, GlobalHeap] = {}
        self._made: dict[Any, Any] = {}

    def header(self, address: int) -> Header:
        """The header of the object at an address."""
        if address not in self._headers:
            if len(self._headers) >= limits.MAX_OBJECTS:
                raise self.storage.damage(f"it has more than {limits.MAX_OBJECTS} objects")
            self._headers[address] = Header(self.storage, address)
        return self._headers[address]

    def heap(self, address: int) -> GlobalHeap:
        """The global heap at an address."""
        if address not in self._heaps:
            self._heaps[address] = GlobalHeap(self.storage, address)
        return self._heaps[address]

    def once(self, what: str, header: Header, make: Callable[[], Any]) -> Any:
        """What ``make()`` gives for an object, made at the first call."""
        key = what, header.address
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]
