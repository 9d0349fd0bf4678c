"""The state of optimizers in checkpoints, which those of before TensorFlow 2.11 and the later ones keep in two ways.

The earlier ones have a slot for each variable under a name; the later ones a list in the order in which slots were made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph import Variable
from ...optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, Ftrl, Lion, Nadam, Optimizer, RMSprop, TFOptimizer
from ..optimizer_state import from_later, innermost, to_later
from ..tensor_bundle import TensorBundle
from .graph import ObjectGraph

#: What the earlier optimizers called their slots, in the order in which ours have them.
_SLOTS: dict[type, tuple[str, ...]] = {
    SGD: ("momentum",), Adagrad: ("accumulator",), Adadelta: ("accum_grad", "accum_var"), Adam: ("m", "v", "vhat"),
    Adamax: ("m", "v"), Nadam: ("m", "v"), Ftrl: ("accumulator", "linear"), Lion: ("m",),
}  # fmt: skip
#: What the later ones call them: lists in the order of the variables.
_LISTS: dict[type, tuple[str, ...]] = {
    SGD: ("momentums",), Adagrad: ("_accumulators",), Adadelta: ("_accumulated_grads", "_accumulated_delta_vars"),
    Adam: ("_momentums", "_velocities", "_velocity_hats"), Adamax: ("_m", "_u"), Nadam: ("_momentums", "_velocities"),
    Ftrl: ("_accumulators", "_linears"), Lion: ("momentums",),
}  # fmt: skip
_SETTINGS = ("learning_rate", "decay", "beta_1", "beta_2", "momentum", "rho")
#: In an optimizer of mixed precision, the one that it scales the loss for.
_INNER = ("inner_optimizer", "base_optimizer", "_optimizer")

Values = list[tuple[Variable, np.ndarray]]


def settings(optimizer: Optimizer, number: int, graph: ObjectGraph, bundle: TensorBundle) -> Values:
    """The learning rate and the like of the optimizer that is the object ``number`` in a checkpoint."""
    number = _innermost(number, graph)
    pairs = []
    for name in _SETTINGS:
        variable, key = getattr(optimizer, name, None), graph.key(graph.child(number, name, f"_{name}"))
        if isinstance(variable, Variable) and key is not None and bundle.shape(key) == ():
            pairs.append((variable, bundle.read(key)))
    return pairs


def steps(optimizer: Optimizer, number: int, graph: ObjectGraph, bundle: TensorBundle) -> Values:
    """The number of steps alone, for an optimizer whose slots do not exist yet."""
    counter = getattr(optimizer, "iterations", None)
    key = graph.key(graph.child(_innermost(number, graph), "iter", "_iterations"))
    if not isinstance(counter, Variable) or key is None or bundle.shape(key) != ():
        return []
    return [(counter, bundle.read(key))]


def state(
    optimizer: Optimizer, number: int, graph: ObjectGraph, bundle: TensorBundle, numbers: dict[int, int]
) -> Values:
    """The number of steps and the slots, as far as a checkpoint has them.

    Args:
        optimizer: one whose slots exist.
        number: of the object that it is in the checkpoint.
        numbers: from ``id(variable)`` to that of the variable.

    Raises:
        ValueError: the checkpoint has slots of other shapes.
    """
    number = _innermost(number, graph)
    listed = graph.child(number, "_variables")
    pairs = _earlier(optimizer, number, graph, bundle, numbers) if listed is None else (
        _later(optimizer, number, listed, graph, bundle)
    )  # fmt: skip
    for variable, array in pairs:
        if variable.shape != array.shape:
            raise ValueError(
                f"the checkpoint {bundle.prefix!r} has a slot of shape {array.shape} where the optimizer "
                f"{type(optimizer).__name__} has one of shape {variable.shape}."
            )
    return pairs


def _innermost(number: int, graph: ObjectGraph) -> int:
    seen = set()
    while number not in seen:
        seen.add(number)
        inner = graph.child(number, *_INNER)
        number = number if inner is None else inner
    return number


def _earlier(
    optimizer: Optimizer, number: int, graph: ObjectGraph, bundle: TensorBundle, numbers: dict[int, int]
) -> Values:
    stored = {(slot.of, slot.name): slot.node for slot in graph.node(number).slots}
    pairs: list[tuple[Variable, int | None]] = [(optimizer.weights[0], graph.child(number, "iter"))]
    if isinstance(optimizer, Nadam):
        pairs.append((optimizer.m_schedule, graph.child(number, "momentum_cache")))
    for name, slots in zip(_slot_names(optimizer), _slots(optimizer)):
        for param, slot in zip(optimizer.params, slots):
            pairs.append((slot, stored.get((numbers.get(id(param), -1), name))))
    keys = [(variable, graph.key(node)) for variable, node in pairs]
    if stored and all(node is None for _, node in pairs[1:]):
        raise ValueError(f"the checkpoint {bundle.prefix!r} has slots {sorted({name for _, name in stored})[:4]}")
    return [(variable, bundle.read(key)) for variable, key in keys if key is not None]


def _slot_names(optimizer: Optimizer) -> Sequence[str]:
    if not optimizer.makes_steps_by_formulas:
        return optimizer.get_slot_names()
    return _names(optimizer, _SLOTS, ("rms", "momentum", "mg"))


def _names(
    optimizer: Optimizer, table: dict[type, tuple[str, ...]], of_rmsprop: tuple[str, str, str]
) -> tuple[str, ...]:
    if isinstance(optimizer, RMSprop):
        first, momentum, mean = of_rmsprop
        return (first, *([momentum] if optimizer.momentum else []), *([mean] if optimizer.centered else []))
    return next((names for kind, names in table.items() if isinstance(optimizer, kind)), ())


def _slots(optimizer: Optimizer) -> list[list[Variable]]:
    """The slots, each kind for all variables."""
    head, count = 2 if isinstance(optimizer, Nadam) else 1, len(optimizer.params)
    if not optimizer.makes_steps_by_formulas:
        return [[optimizer.get_slot(p, name) for p in optimizer.params] for name in optimizer.get_slot_names()]
    rest = optimizer.weights[head + (count if optimizer.use_ema else 0) :]
    if isinstance(optimizer, Ftrl):
        return [rest[0::2], rest[1::2]]
    return [rest[i : i + count] for i in range(0, len(rest), count)] if count else []


def _later(optimizer: Optimizer, number: int, listed: int, graph: ObjectGraph, bundle: TensorBundle) -> Values:
    children, most = graph.node(listed).children, len(optimizer.weights)
    if len(children) > most:
        raise ValueError(f"the checkpoint {bundle.prefix!r} has {len(children)} variables of an optimizer, not {most}")
    keys = [graph.key(children.get(str(i))) for i in range(len(children))]
    arrays = from_later(optimizer, [bundle.read(key) for key in keys if key is not None], len(optimizer.params))
    if isinstance(optimizer, Nadam) and arrays:
        schedule = graph.key(graph.child(number, "_u_product"))
        steps = int(np.ravel(arrays[0])[0])
        arrays.insert(1, np.asarray(optimizer._schedule_after(steps) if schedule is None else bundle.read(schedule)))
    unused = len(optimizer.params) if isinstance(optimizer, Adam) and not optimizer.amsgrad else 0
    if len(arrays) not in (1, most, most - unused):
        raise ValueError(f"the checkpoint {bundle.prefix!r} has {len(arrays)} variables of an optimizer, not {most}")
    return list(zip(optimizer.weights, arrays))


# -- writing ------------------------------------------------------------------------------------------------
def parts_of_optimizer(optimizer: Optimizer) -> list[tuple[str, Any]]:
    """The parts of an optimizer by the names that those of TensorFlow 2.11 and later have for them."""
    optimizer = innermost(optimizer)
    if isinstance(optimizer, TFOptimizer):
        return [("_iterations", optimizer.iterations)]
    weights = list(optimizer.weights) or [w for w in [getattr(optimizer, "iterations", None)] if w is not None]
    slots = _slots(optimizer)
    if isinstance(optimizer, Nadam) and optimizer.params:
        del weights[1]
    if isinstance(optimizer, Adam) and not optimizer.amsgrad:
        slots = slots[:2]
        weights = weights[: 1 + (3 if optimizer.use_ema else 2) * len(optimizer.params)]
    rate = getattr(optimizer, "learning_rate", None)
    return [
        ("_variables", to_later(optimizer, weights, len(optimizer.params))),
        *([("_iterations", weights[0])] if weights else []),
        *([("_learning_rate", rate)] if isinstance(rate, Variable) else []),
        ("_index_dict", {}),
        *zip(_names(optimizer, _LISTS, ("_velocities", "_momentums", "_average_gradients")), slots),
        *([("_u_product", optimizer.m_schedule)] if isinstance(optimizer, Nadam) else []),
    ]
