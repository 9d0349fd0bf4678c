"""What a file that the user opened with h5py must not contain, if it is from a stranger: looked for before it is read.

HDF5 can point out of a file: links into other files, data in other files (external storage), data put together from
other files (virtual datasets). A model file with such a thing shows its sender the contents of files of yours.
And it can declare arrays of any size without holding them.
"""

from __future__ import annotations

import math
from typing import Any

#: What all arrays of a file may take in memory: this many bytes, and so many times what the file holds of them.
FREE_BYTES = 1 << 26
MAX_EXPANSION = 100


def problems(group: Any) -> list[str]:
    """Why an h5py.Group is not read as a model; empty if it may be."""
    from h5py import h5g, h5o

    found: list[str] = []
    declared = held = 0
    too_large = None
    for name, kind in _links(group):
        if kind is not None:
            found.append(f"the file has {kind} ({name!r}), and a model is whole in its file")
            continue
        item = h5o.open(group.id, name.encode("utf-8", "surrogateescape"))
        if isinstance(item, h5g.GroupID):
            continue
        reason = _why_not(item)
        if reason:
            found.append(f"the file has {reason} ({name!r}), and a model is whole in its file")
            continue
        declared += math.prod(item.shape or (0,)) * item.get_type().get_size()
        held += item.get_storage_size()
        if declared > FREE_BYTES + MAX_EXPANSION * held:
            too_large = too_large or name
    if too_large:
        found.append(
            f"the file is damaged, or made to exhaust memory: its arrays would take {declared} bytes (too much from "
            f"{too_large!r} on), and it holds {held} of them"
        )
    return found


def _links(group: Any) -> list[tuple[str, str | None]]:
    """All objects below a group, each once, by a path to it; and what kind of link a path is, unless it is plain."""
    from h5py import h5l

    found: list[tuple[str, str | None]] = []

    def note(name: bytes, info: Any) -> None:
        kind = {h5l.TYPE_HARD: None, h5l.TYPE_SOFT: "a soft link", h5l.TYPE_EXTERNAL: "a link to another file"}
        found.append((name.decode("utf-8", "surrogateescape"), kind.get(info.type, "an unknown kind of link")))

    group.id.links.visit(note, info=True)
    return found


def _why_not(item: Any) -> str | None:
    """What is wrong with a dataset or named type, or None."""
    from h5py import h5d, h5t

    if not isinstance(item, h5d.DatasetID):
        return "a type with a name of its own"
    properties = item.get_create_plist()
    if properties.get_layout() == h5d.VIRTUAL:
        return "an array put together from other files (a virtual dataset)"
    if properties.get_external_count():
        return "an array stored in another file (external storage)"
    if item.get_type().detect_class(h5t.REFERENCE):
        return "references to objects"
    return None
