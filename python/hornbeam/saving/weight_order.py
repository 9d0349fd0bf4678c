"""Which array of a layer in a file is which of the layer's weights, by their names.

A file lists the weights of a layer in the order of ``layer.weights``, which has frozen ones last. A layer with others inside,
or a nested model, of which other parts were frozen when the file was written than are now, has another order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any


def unique_names(names: list[str]) -> list[str]:
    """Weights of nested models may have one name; in a file they cannot."""
    taken: set[str] = set()
    unique = []
    for name in names:
        base, tail = (name[:-2], ":0") if name.endswith(":0") else (name, "")
        candidate, count = name, 0
        while candidate in taken:
            count += 1
            candidate = f"{base}_{count}{tail}"
        taken.add(candidate)
        unique.append(candidate)
    return unique


def places_in_file(names: list[str], shapes: Sequence[tuple], weights: list[Any]) -> list[int]:
    """For each of a layer's weights the index of its array in the file; the file's order where names do not say it.

    Names are the same, or they are but for the numbers that layers without a name get (``dense_1/kernel`` was
    ``dense_7/kernel`` in the process that wrote the file), which then have the same order.

    Args:
        names, shapes: of the arrays in the file.
        weights: the layer's variables.
    """
    as_they_are = list(range(len(names)))
    own = unique_names([weight.name for weight in weights])
    if len(names) != len(own):
        return as_they_are
    if sorted(names) == sorted(own):
        return [names.index(name) for name in own]
    found, wanted = _ranked(names), _ranked(own)
    if any(_words(names[i]) != _words(own[k]) for i, k in zip(found, wanted)):
        return as_they_are
    place = dict(zip(wanted, found))
    places = [place[k] for k in range(len(own))]
    fits = all(tuple(shapes[i]) == tuple(weight.shape) for i, weight in zip(places, weights))
    return places if fits else as_they_are


def _ranked(names: list[str]) -> list[int]:
    """Indices of the names in their order, numbers by their size."""
    return sorted(range(len(names)), key=lambda i: _parts(names[i]))


def _parts(name: str) -> list[tuple[str, int]]:
    """``dense_12/kernel:0`` as ``[("dense", 12), ("kernel", 0)]``; what has no number comes before what has one."""
    pairs = [
        re.fullmatch(r"(.*?)(?:_(\d{1,18}))?", part, flags=re.DOTALL) for part in name.removesuffix(":0").split("/")
    ]
    return [(pair[1], int(pair[2] or 0)) for pair in pairs if pair is not None]


def _words(name: str) -> list[str]:
    return [word for word, _ in _parts(name)]
