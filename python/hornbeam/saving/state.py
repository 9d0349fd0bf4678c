"""What resuming needs beside weights: run number and seeds, NumPy's generator, and the order of the samples.

It is stored where Keras does not look, and as numbers and text, so that reading it executes nothing. NumPy's generator
belongs to the whole process, so a file changes it only where the caller asks for that.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ..utils.messages import shortened, warn_user
from . import hdf5
from .text import parse_json

_ATTRIBUTE = "hornbeam_state"
_ORDER = "hornbeam_sample_order"


def save_state(file: Any, model: Any, runs: int) -> None:
    """Store the state; ``runs`` is the model's number of runs at the moment of the weights."""
    kind, keys, position, has_gauss, gauss = np.random.get_state()
    state = {
        "run": runs,
        "seeds": [node.attrs["seed"] for node in _random_nodes(model)],
        "numpy": {
            "kind": kind,
            "keys": [int(k) for k in keys],
            "position": int(position),
            "has_gauss": int(has_gauss),
            "gauss": float(gauss),
        },
    }
    file.attrs[_ATTRIBUTE] = json.dumps(state)
    order = None if model._running_fit is None else model._running_fit.order
    if order is not None:
        file[_ORDER] = order.astype("uint32")


def load_state(file: Any, model: Any, resume: bool = False) -> None:
    """Restore the model's own state, if the file has it.

    Args:
        resume: whether to restore NumPy's generator too, which belongs to the whole process.

    Raises:
        ValueError: what is stored is not such a state; nothing is changed then.
    """
    stored = hdf5.attribute(file, _ATTRIBUTE)
    if stored is None:
        if resume:
            warn_user("resume=True, but the file does not hold the state of NumPy's generator: it stays as it is.")
        return
    try:
        state = parse_json(stored)
        run = _integer(state["run"], "run", 2**63)
        seeds = [_integer(seed, "seeds", 2**63) for seed in _list(state["seeds"], "seeds")]
        generator = _generator(state["numpy"])
        order = _read_order(file)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"The file's `{_ATTRIBUTE}` is damaged: {shortened(str(error))}") from error
    nodes = _random_nodes(model)
    if len(nodes) == len(seeds):  # not so for a graph that another version of Hornbeam builds differently
        for node, seed in zip(nodes, seeds):
            node.attrs["seed"] = seed
    model._run_counter.value = run
    model._resume_order = order
    if resume:
        np.random.set_state(generator)


def _generator(stored: Any) -> tuple:
    """NumPy's state of a Mersenne Twister. NumPy believes it unseen: a wrong position makes it read foreign memory."""
    keys = [_integer(key, "numpy keys", 2**32) for key in _list(stored["keys"], "numpy keys")]
    if stored["kind"] != "MT19937" or len(keys) != _TWISTER_KEYS:
        raise ValueError("it has no state of a Mersenne Twister")
    gauss = stored["gauss"]
    if type(gauss) not in (int, float) or not abs(gauss) < _LARGEST_GAUSS:
        raise ValueError(f"its gauss is {shortened(gauss)}")
    position = _integer(stored["position"], "numpy position", _TWISTER_KEYS + 1)
    return "MT19937", np.array(keys, "uint32"), position, _integer(stored["has_gauss"], "has_gauss", 2), float(gauss)


_TWISTER_KEYS = 624
_LARGEST_GAUSS = 40  # a normal number made of 53 random bits is far smaller


def _integer(value: Any, what: str, below: int) -> int:
    if type(value) is not int or not 0 <= value < below:
        raise ValueError(f"its {what} has {shortened(value)} where an integer from 0 to {below - 1} belongs")
    return value


def _list(value: Any, what: str) -> list:
    if not isinstance(value, list):
        raise ValueError(f"its {what} should be a list, but is {shortened(value)}")
    return value


def _random_nodes(model: Any) -> list[Any]:
    """The random ops between inputs and loss, in an order that follows from the graph's structure; none without a graph."""
    if model.total_loss is None:  # it trains by steps
        return []
    found: list[Any] = []
    seen: set[Any] = set()
    stack = [x.op for x in reversed([*model.outputs, model.total_loss])]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if "seed" in node.attrs:
            found.append(node)
        stack += [x.op for x in reversed(node.inputs) if x is not None]
    return found


def _read_order(file: Any) -> np.ndarray | None:
    """The order in which the last epoch saw the samples; shuffling goes on from it."""
    if _ORDER not in file:
        return None
    stored = hdf5.dataset(file, _ORDER)
    if stored.ndim != 1 or stored.dtype != np.uint32:
        raise ValueError(f"`{_ORDER}` is not a list of sample numbers")
    order = stored[()].astype("int64")
    if not np.array_equal(np.sort(order), np.arange(order.size)):
        raise ValueError(f"`{_ORDER}` is not a permutation")
    return order
