"""The state of an optimizer in a file, put into the order in which Keras 2.3.1 has it.

That order is: the number of steps, then one kind of slot for all weights, then the next kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..optimizers import Adam, Ftrl, Nadam, RMSprop
from ..utils.overriding import defines
from . import hdf5
from .snapshot import Snapshot

#: where a ``.keras`` file has the state
_ZIP_STATE = "optimizer/vars"


def read_state(
    group: Any, names: list[str], model: Any, keras_version: str | None, called: Mapping[Any, str] | None = None
) -> list[np.ndarray]:
    """Read the arrays ``names`` of ``group`` in the order of ``model.optimizer.weights``.

    Slots that the file does not have (Adam's ``vhat`` before 2.1.3) keep their value.

    Args:
        called: what the file calls the model's weights.

    Raises:
        ValueError: the file declares more than the optimizer has.
    """
    slots = model.optimizer.weights
    _check_count(len(names), slots)
    found = [hdf5.dataset(group, name) for name in names]
    declared = sum(int(np.prod(item.shape, dtype=object)) for item in found)
    if declared > 2 * sum(int(np.prod(w.shape, dtype=object)) for w in slots) + 16:
        raise ValueError("The file is damaged: its optimizer state is larger than the optimizer's.")
    arrays = [np.asarray(item[()]) for item in found]
    weights = model._collected_trainable_weights
    of_later = names and names[0].split("/")[-1].split(":")[0] == "iteration"  # of TensorFlow 2.11 and later
    if of_later and model.optimizer.makes_steps_by_formulas:
        schedule = []
        if len(arrays) > 1 and arrays[1].shape == ():  # Keras 3 has the learning rate there, and Nadam's schedule last
            del arrays[1]
            schedule = [arrays.pop()] if isinstance(model.optimizer, Nadam) else []
        arrays = from_later(model.optimizer, arrays, len(weights))
        arrays[1:1] = schedule
    elif _sorted_by_name(keras_version):
        arrays = _in_layer_order(arrays, [(called or {}).get(weight, weight.name) for weight in weights])
    missing = slots[len(arrays) :]
    return arrays + [w.get_value() for w in missing] if arrays and _fits(arrays, slots) else arrays


def _check_count(count: int, slots: list) -> None:
    if count > 2 * len(slots) + 16:
        raise ValueError(f"The file is damaged: its optimizer state has {count} arrays, the optimizer {len(slots)}.")


def read_zip_state(file: Any, model: Any) -> list[np.ndarray]:
    """Read the state that a ``.keras`` file holds, in the order of ``model.optimizer.weights``."""
    group = hdf5.subgroup(file, _ZIP_STATE)
    _check_count(len(group), model.optimizer.weights)
    stored = {
        "iteration": hdf5.dataset(group, "0"),
        **{str(i): hdf5.dataset(group, str(i)) for i in range(1, len(group))},
    }
    state = read_state(stored, list(stored), model, None)
    if _SCHEDULE in file:
        state.insert(1, np.asarray(hdf5.dataset(file, _SCHEDULE)[()]))
    return state


def stored_zip_state(file: Any) -> dict[str, np.ndarray]:
    """The state that a ``.keras`` file holds, by its names, which are numbers unless the optimizer has its own."""
    return hdf5.arrays(hdf5.subgroup(file, _ZIP_STATE))


def has_zip_state(file: Any) -> bool:
    return _ZIP_STATE in file


def write_zip_state(file: Any, model: Any, slots: list, snapshot: Snapshot) -> None:
    """Write the state of ``model.optimizer``, whose variables are ``slots``, as later ones have it: by weight."""
    optimizer = innermost(model.optimizer)
    if defines(optimizer, "save_own_variables"):
        optimizer.save_own_variables(file.create_group(_ZIP_STATE))
        return
    state = snapshot.of(slots)
    if not state:
        return
    if optimizer.makes_steps_by_formulas:  # a user's own steps may have their state in any order
        if isinstance(optimizer, Nadam):  # the only one with a number beside the slots, which later Keras does not save
            file[_SCHEDULE] = state.pop(1)
        if isinstance(optimizer, Adam) and not optimizer.amsgrad:
            state = [x for x, weight in zip(state, slots) if "vhat" not in weight.name]
    trained = model._collected_trainable_weights
    state = to_later(optimizer, state, len(model.trainable_weights if trained is None else trained))
    group = file.create_group(_ZIP_STATE)
    for i, value in enumerate(state):
        group[str(i)] = value


def innermost(optimizer: Any) -> Any:
    """The optimizer that makes the steps and has their state: the one inside, of one that scales losses."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def from_later(optimizer: Any, arrays: list[np.ndarray], count: int) -> list[np.ndarray]:
    """The state that optimizers of TensorFlow 2.11 and later have of ``count`` weights, in the order of ours."""
    return _reordered(by_kind, optimizer, arrays, count)


def to_later(optimizer: Any, state: list, count: int) -> list:
    """The reverse of :func:`from_later`."""
    return _reordered(by_weight, optimizer, state, count)


def _reordered(reorder: Callable, optimizer: Any, state: list, count: int) -> list:
    if isinstance(optimizer, _ALWAYS_ALIKE) or not optimizer.makes_steps_by_formulas or not state:
        return state
    begin = 1 + (count if optimizer.use_ema else 0)  # moving averages of the weights come first in all files
    steps, *rest = reorder([*state[:1], *state[begin:]], count)
    return [steps, *state[1:begin], *rest]


#: Optimizers whose state has one order in all files.
_ALWAYS_ALIKE = (Ftrl, RMSprop)

#: Where the momentum schedule of Nadam is kept.
_SCHEDULE = "hornbeam_momentum_schedule"


def by_weight(arrays: list[np.ndarray], count: int) -> list[np.ndarray]:
    """The reverse of :func:`by_kind`."""
    steps, rest = arrays[:1], arrays[1:]
    if not count or len(rest) % count:
        return arrays
    kinds = min(len(rest) // count, 2)
    paired = rest[: kinds * count]
    return steps + [paired[kind * count + i] for i in range(count) for kind in range(kinds)] + rest[kinds * count :]


def by_kind(arrays: list[np.ndarray], count: int) -> list[np.ndarray]:
    """From (steps, then for each weight its slots, then ``vhat`` of all) to all slots of a kind together."""
    steps, rest = arrays[:1], arrays[1:]
    if not count or len(rest) % count:
        return arrays
    kinds = min(len(rest) // count, 2)  # a third kind, Adam's vhat, is apart already
    paired = rest[: kinds * count]
    return steps + [slot for kind in range(kinds) for slot in paired[kind::kinds]] + rest[kinds * count :]


def _sorted_by_name(keras_version: str | None) -> bool:
    """Keras up to 2.0.5 went through the weights in the order of their names."""
    match = re.fullmatch(r"2\.0\.(\d+)", keras_version or "")
    return match is not None and int(match.group(1)) <= 5


def _in_layer_order(arrays: list[np.ndarray], names: list[str]) -> list[np.ndarray]:
    """From slots in the order of the weights' names to slots in the order of the weights."""
    count = len(names)
    head = len(arrays) % count if count else 0
    order = sorted(range(count), key=lambda i: names[i])
    restored = list(arrays[:head])
    for start in range(head, len(arrays), count or 1):
        kind: list[Any] = [None] * count
        for array, position in zip(arrays[start : start + count], order):
            kind[position] = array
        restored += kind
    return restored


def _fits(arrays: list[np.ndarray], slots: list) -> bool:
    return len(arrays) <= len(slots) and all(a.shape == tuple(w.shape) for a, w in zip(arrays, slots))
