"""Two parts of a data set (``keras.utils.split_dataset``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from .batching import Held
from .dataset import Dataset
from .element import is_dataset, spec_of
from .stage import Slices


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> tuple[Dataset, Dataset]:
    """Two data sets of the elements of one, which are read into memory.

    Args:
        dataset: a data set, or arrays whose rows are the elements: an array, a list, or a tuple of arrays.
        left_size, right_size: how many elements, or which fraction of them, each part has; one of them may be left out.
        shuffle: whether the elements are shuffled before.

    Raises:
        ValueError: there are no elements, or the sizes do not fit.
    """
    stage = (
        dataset.stage
        if is_dataset(dataset)
        else Slices(tuple(dataset) if isinstance(dataset, list) and _are_arrays(dataset) else dataset)
    )
    elements = list(stage.open())
    left, right = _sizes(len(elements), left_size, right_size)
    if shuffle:
        order = np.random.RandomState(seed).permutation(len(elements))
        elements = [elements[i] for i in order]
    spec = stage.spec if stage.spec is not None else spec_of(elements[0])
    return Dataset(Held(elements[:left], spec)), Dataset(Held(elements[len(elements) - right :], spec))


def _are_arrays(items: list) -> bool:
    return all(isinstance(x, np.ndarray) for x in items)


def _sizes(total: int, left: float | None, right: float | None) -> tuple[int, int]:
    if left is None and right is None:
        raise ValueError("At least one of `left_size` or `right_size` must be specified.")
    counts = []
    for name, size in (("left_size", left), ("right_size", right)):
        if size is not None and not (0 < size < 1 if isinstance(size, float) else 0 < size < total):
            raise ValueError(
                f"`{name}` is a fraction between 0 and 1, or a number below the {total} elements. Received: {size}"
            )
        counts.append(None if size is None else round(size * total) if isinstance(size, float) else int(size))
    first = total - counts[1] if counts[0] is None else counts[0]  # type: ignore[operator]
    second = total - first if counts[1] is None else counts[1]
    if first + second > total or not first or not second:
        raise ValueError(f"{first} and {second} elements were asked for, and there are {total}.")
    return first, second
