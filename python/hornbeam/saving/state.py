"""What resuming needs beside weights: run number and seeds, NumPy's generator, and the order of the samples.

It is stored where Keras does not look, and as numbers and text, so that reading it executes nothing.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

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
    if model._sample_order is not None:
        file[_ORDER] = model._sample_order.astype("uint32")


def load_state(file: Any, model: Any) -> None:
    """Restore the state, if the file has one.

    Raises:
        ValueError: what is stored is no such state.
    """
    if _ATTRIBUTE not in file.attrs:
        return
    try:
        state = json.loads(file.attrs[_ATTRIBUTE])
        run, of_numpy = int(state["run"]), state["numpy"]
        restored = (
            of_numpy["kind"],
            np.asarray(of_numpy["keys"], dtype="uint32"),
            int(of_numpy["position"]),
            int(of_numpy["has_gauss"]),
            float(of_numpy["gauss"]),
        )
        seeds = [int(seed) for seed in state["seeds"]]
        order = _read_order(file)
        np.random.set_state(restored)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"The file's `{_ATTRIBUTE}` is damaged: {error}") from error
    nodes = _random_nodes(model)
    if len(nodes) == len(seeds):  # not so for a graph that another version of Hornbeam builds differently
        for node, seed in zip(nodes, seeds):
            node.attrs["seed"] = seed
    model._run_counter.value = run
    model._resume_order = order


def _random_nodes(model: Any) -> list[Any]:
    """The random ops between inputs and loss, in an order that follows from the graph's structure."""
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
    stored = file[_ORDER]
    if stored.ndim != 1 or stored.dtype != np.uint32 or stored.size * 4 > max(stored.id.get_storage_size(), 4):
        raise ValueError(f"`{_ORDER}` is no list of sample numbers")
    order = stored[()].astype("int64")
    if not np.array_equal(np.sort(order), np.arange(order.size)):
        raise ValueError(f"`{_ORDER}` is no permutation")
    return order
