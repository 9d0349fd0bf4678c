"""B-trees of both versions, walked without recursion; a node is met once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from . import limits
from .storage import Storage


def leaves(
    storage: Storage, root: int | None, kind: int, key_size: int, order: Callable[[bytes], Any] | None = None
) -> Iterator[bytes]:
    """The (key, address) pairs of each lowest node of a tree of version 1, as bytes, in the tree's order.

    Args:
        kind: 0 for the names of a group, 1 for the chunks of a dataset.
        key_size: bytes of a key.
        order: what keys are compared by. With it, keys have to be those by which a search would find each child.
    """
    pair = key_size + storage.offset_size
    stack: list[tuple[int | None, int | None, Any]] = [(root, None, None)]
    met: set[int | None] = set()
    while stack:
        address, expected, bounds = stack.pop()
        if address in met:
            raise storage.damage("a B-tree leads back to itself")
        met.add(address)
        head = storage.fields(address, 8, b"TREE", "a B-tree")
        found, level, used = head.number(1), head.number(1), head.number(2)
        if found != kind or level > limits.MAX_TREE_DEPTH or (expected is not None and level != expected):
            raise storage.damage(f"a B-tree has a node of kind {found} at level {level}")
        body = storage.fields((address or 0) + 8 + 2 * storage.offset_size, used * pair + key_size, what="a B-tree")
        keys: list[Any] = []
        if order is not None and used:
            places = (
                range(used + 1) if level else sorted({0, used - 1, used})
            )  # the leaves' own are looked at elsewhere
            keys = [order(body.data[i * pair : i * pair + key_size]) for i in places]
            outside = bounds is not None and not bounds[0] <= keys[0] < keys[-1] <= bounds[1]
            if outside or any(a >= b for a, b in itertools.pairwise(keys)):
                raise storage.damage("a B-tree is out of order")
        if level == 0:
            yield body.data[: used * pair]
            continue
        children = []
        for i in range(used):
            body.skip(key_size)
            children.append((body.address(), level - 1, keys[i : i + 2] or None))
        stack += reversed(children)


def records(storage: Storage, address: int | None, *kinds: int) -> tuple[int, list[bytes]]:
    """The kind of a tree of version 2, one of ``kinds``, and all its records in the tree's order."""
    size = 16 + storage.offset_size + 2 + storage.length_size + 4
    head = storage.checked_fields(address, size, b"BTHD", "a B-tree")
    head.version(0)
    kind, node_size, record_size, depth = head.number(1), head.number(4), head.number(2), head.number(2)
    head.skip(2)  # when nodes are split and merged
    root, count, total = head.address(), head.number(2), head.length()
    if kind not in kinds or depth > limits.MAX_TREE_DEPTH or not record_size or node_size < 10 + record_size:
        raise storage.damage(f"a B-tree is of kind {kind}, {depth} levels and {record_size} bytes a record")
    if root is None:
        return kind, []
    counts, totals = _count_sizes(storage, node_size, record_size, depth)
    found: list[bytes] = []
    stack: list[Any] = [(root, count, depth)]  # records, and nodes that are still to be read
    met: set[int | None] = set()
    while stack:
        item = stack.pop()
        if isinstance(item, bytes):
            found.append(item)
            continue
        at, count, level = item
        if at in met:
            raise storage.damage("a B-tree leads back to itself")
        met.add(at)
        used = 6 + count * record_size
        if level:
            used += (count + 1) * (storage.offset_size + counts + totals[level])
        node = storage.checked_fields(at, used + 4, b"BTIN" if level else b"BTLF", "a node of a B-tree")
        node.version(0)
        if node.number(1) != kind:
            raise storage.damage("a B-tree has nodes of several kinds")
        here: list[Any] = [node.take(record_size) for _ in range(count)]
        if level:
            children = []
            for _ in range(count + 1):
                child, size = node.address(), node.number(counts)
                node.skip(totals[level])
                children.append((child, size, level - 1))
            here = [part for pair in zip(children, [*here, b""]) for part in pair][:-1]
        stack += reversed(here)
    if len(found) != total:
        raise storage.damage(f"a B-tree has {len(found)} records and says {total}")
    return kind, found


def _count_sizes(storage: Storage, node_size: int, record_size: int, depth: int) -> tuple[int, list[int]]:
    """Bytes of the count of a child's records, and, by level, of the count of all below the child (0 at level 1).

    Both are as small as the most records that there can be allow.
    """
    room = node_size - 10
    most = room // record_size
    counts, totals = bytes_for(most), [0, 0]
    below = most
    for _ in range(2, depth + 1):
        pointer = storage.offset_size + counts + totals[-1]
        here = max(room - pointer, 0) // (record_size + pointer)
        below = (here + 1) * below + here
        totals.append(bytes_for(below))
    return counts, totals


def bytes_for(number: int) -> int:
    """How many bytes a field has whose largest value is ``number``."""
    return max(1, (number.bit_length() + 7) // 8)
