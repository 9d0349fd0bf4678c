"""The state of an optimizer in a file, put into the order in which Keras 2.3.1 has it.

That order is: the number of steps, then one kind of slot for all weights, then the next kind.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from . import hdf5


def read_state(group: Any, names: list[str], model: Any, keras_version: str | None) -> list[np.ndarray]:
    """Read the arrays ``names`` of ``group`` in the order of ``model.optimizer.weights``.

    Slots that the file does not have (Adam's ``vhat`` before 2.1.3) keep their value.

    Raises:
        ValueError: the file declares more than the optimizer has.
    """
    found = [hdf5.dataset(group, name) for name in names]
    slots = model.optimizer.weights
    declared = sum(int(np.prod(item.shape, dtype=object)) for item in found)
    if declared > 2 * sum(int(np.prod(w.shape, dtype=object)) for w in slots) + 16:
        raise ValueError("The file is damaged: its optimizer state is larger than the optimizer's.")
    arrays = [np.asarray(item[()]) for item in found]
    weights = model._collected_trainable_weights
    if names and names[0].split("/")[-1].split(":")[0] == "iteration":  # optimizers of TensorFlow 2.11 and later
        arrays = by_kind(arrays, len(weights))
    elif _sorted_by_name(keras_version):
        arrays = _in_layer_order(arrays, weights)
    missing = slots[len(arrays) :]
    return arrays + [w.get_value() for w in missing] if arrays and _fits(arrays, slots) else arrays


def by_kind(arrays: list[np.ndarray], count: int) -> list[np.ndarray]:
    """From (steps, then for each weight its slots, then ``vhat`` of all) to all slots of a kind together."""
    steps, rest = arrays[:1], arrays[1:]
    if not count or len(rest) % count:
        return arrays
    kinds = min(len(rest) // count, 2)  # a third kind, Adam's vhat, is apart already
    paired = rest[: kinds * count]
    return steps + [slot for kind in range(kinds) for slot in paired[kind::kinds]] + rest[kinds * count :]


def _sorted_by_name(keras_version: str | None) -> bool:
    """Keras up to 2.0.4 went through the weights in the order of their names."""
    match = re.fullmatch(r"2\.0\.(\d+)", keras_version or "")
    return match is not None and int(match.group(1)) <= 4


def _in_layer_order(arrays: list[np.ndarray], weights: list) -> list[np.ndarray]:
    count = len(weights)
    head = len(arrays) % count if count else 0
    order = sorted(range(count), key=lambda i: weights[i].name)
    restored = list(arrays[:head])
    for start in range(head, len(arrays), count or 1):
        kind: list[Any] = [None] * count
        for array, position in zip(arrays[start : start + count], order):
            kind[position] = array
        restored += kind
    return restored


def _fits(arrays: list[np.ndarray], slots: list) -> bool:
    return len(arrays) <= len(slots) and all(a.shape == tuple(w.shape) for a, w in zip(arrays, slots))
