"""The names in a group, in all three forms: a B-tree with a local heap, messages in the header, a fractal heap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import btrees, limits
from .fractal_heap import FractalHeap
from .headers import LINK, LINK_INFO, SYMBOL_TABLE, Header
from .heaps import LocalHeap
from .storage import Fields, Storage

HARD, SOFT, EXTERNAL, UNKNOWN = "a plain link", "a soft link", "a link to another file", "an unknown kind of link"
_BY_NAME, _BY_ORDER = 5, 6  # kinds of B-trees


@dataclass(frozen=True)
class Link:
    """What a name in a group stands for: the object at an address, if the link is HARD."""

    kind: str
    address: int | None = None


def read_links(header: Header) -> dict[str, Link]:
    """All names in a group, sorted.

    Raises:
        ValueError: a name is there twice or cannot be one, or a structure is damaged.
    """
    storage = header.storage
    found = [_read_link(Fields(storage, message, "a link")) for message in header.all(LINK)]
    if SYMBOL_TABLE in header:
        found += _symbol_table(storage, header.fields(SYMBOL_TABLE, "its names"))
    if LINK_INFO in header:
        found += _dense(storage, header.fields(LINK_INFO, "its names"))
    links = dict(sorted(found, key=lambda pair: pair[0]))
    if len(links) != len(found):
        raise storage.damage("a group has a name twice")
    if any(b"/" in name or name in (b"", b".") for name in links):
        raise storage.damage("a group has a name that is a path or empty")
    return {name.decode("utf-8", "surrogateescape"): link for name, link in links.items()}


def _symbol_table(storage: Storage, table: Fields) -> list[tuple[bytes, Link]]:
    tree, heap = table.address(), LocalHeap(storage, table.address())
    pair = np.dtype([("key", f"<u{storage.length_size}"), ("node", f"<u{storage.offset_size}")])
    found: list[tuple[bytes, Link]] = []
    met: set[int] = set()
    for leaf in btrees.leaves(storage, tree, 0, storage.length_size):
        for node in np.frombuffer(leaf, pair)["node"].tolist():
            if node in met:
                raise storage.damage("a group has names twice")
            met.add(node)
            found += _symbols(storage, node, heap)
    return found


def _symbols(storage: Storage, address: int, heap: LocalHeap) -> list[tuple[bytes, Link]]:
    """The entries of a node of a symbol table."""
    head = storage.fields(address, 8, b"SNOD", "a symbol table")
    head.version(1)
    head.skip(1)
    count = head.number(2)
    size = 2 * storage.offset_size + 24
    fields = storage.fields(address + 8, count * size, what="a symbol table")
    found = []
    for _ in range(count):
        name = heap.name(fields.number(storage.offset_size))
        target, cached = fields.address(), fields.number(4)
        fields.skip(20)
        found.append((name, Link(SOFT) if cached == 2 else Link(HARD, target)))
    return found


def _dense(storage: Storage, info: Fields) -> list[tuple[bytes, Link]]:
    info.version(0)
    info.skip(8 if info.number(1) & 1 else 0)  # the order of creation so far
    heap_address, tree = info.address(), info.address()
    if heap_address is None:
        return []
    heap = FractalHeap(storage, heap_address)
    kind, records = btrees.records(storage, tree, _BY_NAME, _BY_ORDER)
    start = 4 if kind == _BY_NAME else 8
    return [_read_link(Fields(storage, heap.get(record[start:]), "a link")) for record in records]


def _read_link(fields: Fields) -> tuple[bytes, Link]:
    fields.version(1)
    flags = fields.number(1)
    kind = fields.number(1) if flags & 8 else 0
    fields.skip((8 if flags & 4 else 0) + (1 if flags & 16 else 0))  # the order of creation, the character set
    size = fields.number(1 << (flags & 3))
    if size > limits.MAX_NAME:
        raise fields.storage.damage(f"the name of a link has {size} bytes")
    name = fields.take(size)
    if kind == 0:
        return name, Link(HARD, fields.address())
    return name, Link({1: SOFT, 64: EXTERNAL}.get(kind, UNKNOWN))
