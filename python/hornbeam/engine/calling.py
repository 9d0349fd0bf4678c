"""Helpers of calling a layer: arrays as inputs, and errors that say which layer they come from."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import backend as K
from ..graph import Tensor, Variable, apply, constant, nest
from ..utils.generic_utils import has_arg, to_list, unpack_singleton
from .call_nest import is_nested


def must_be_given(function: Callable, name: str) -> bool:
    """Whether a function has an argument of that name without a default."""
    return has_arg(function, name) and inspect.signature(function).parameters[name].default is inspect.Parameter.empty


_CONCRETE_LEAVES = ("constant", "variable")


def concrete_inputs(inputs: Any) -> tuple[Any, bool]:
    """Return the inputs as tensors, and whether they are values rather than parts of a model.

    A layer called on values has nothing to record: no model can start from them.
    """
    if isinstance(inputs, (np.ndarray, np.generic, int, float)):
        return _as_tensor(inputs), True
    items = to_list(inputs, allow_tuple=True)
    if not items or not all(isinstance(x, (Tensor, np.ndarray)) for x in items):
        return inputs, False
    tensors = [_as_tensor(x) for x in items]
    concrete = all(is_concrete(x) for x in tensors)
    return (tensors if isinstance(inputs, (list, tuple)) else unpack_singleton(tensors)), concrete


def _as_tensor(x: Any) -> Tensor:
    if isinstance(x, Tensor):
        return x
    array = np.asarray(x)
    if array.dtype.kind == "f":
        array = array.astype(K.floatx(), copy=False)  # NumPy's default is an accident here, not a wish
    return constant(array)


def is_concrete(x: Tensor) -> bool:
    if hasattr(x, "_keras_history"):
        return False
    return x._concrete or x.op.op in _CONCRETE_LEAVES


def mark_concrete(outputs: list[Tensor]) -> None:
    for x in outputs:
        x._concrete = True


def autocast(inputs: Any, dtype: Any) -> Any:
    """The inputs, those of other floating dtypes cast to ``dtype``, if that is a floating one itself."""
    if not str(dtype).startswith("float"):
        return inputs

    def cast(x: Any) -> Any:
        return K.cast(x, dtype) if isinstance(x, Tensor) and x.dtype.is_floating and x.dtype != dtype else x

    return nest.map_structure(cast, inputs)


class Filed:
    """What a layer, and those inside it, have filed under their inputs: losses and updates.

    A call on values shall leave nothing behind: it would be kept for ever, and stateful layers would run it.
    Losses of a variable stay, because the variable is there to ask for them.
    """

    def __init__(self, layer: Any, inputs: Any) -> None:
        self._losses_too = not all(isinstance(x, Variable) for x in to_list(inputs, allow_tuple=True))
        self._known = [
            (inner, set(inner._per_input_losses), set(inner._per_input_updates)) for inner in _with_inner_layers(layer)
        ]
        self._unconditional = {id(item) for inner, *_ in self._known for item in _without_inputs(inner)}

    def forget_new(self) -> None:
        for layer, losses, updates in self._known:
            if self._losses_too:
                _forget(layer._losses, layer._per_input_losses, losses)
            _forget(layer._updates, layer._per_input_updates, updates)

    def new_inside(self) -> tuple[list, list]:
        """The losses and updates that layers inside have filed since, under inputs of their own."""
        losses: dict[int, Any] = {}
        updates: dict[int, Any] = {}
        for layer, known_losses, known_updates in self._known[1:]:
            losses |= {id(x): x for x in _under_others(layer._per_input_losses, known_losses)}
            updates |= {id(x): x for x in _under_others(layer._per_input_updates, known_updates)}
        return list(losses.values()), list(updates.values())

    def forget_all_new(self) -> None:
        """As :meth:`forget_new`, and what was filed without inputs, but for penalties on weights made in between."""
        self.forget_new()
        for layer, *_ in self._known:
            kept = self._unconditional | set(layer._penalties)
            gone = {id(item) for item in _without_inputs(layer)} - kept
            for items in (layer._losses, layer._updates, *_lists_without_inputs(layer)):
                items[:] = [item for item in items if id(item) not in gone]


def _under_others(per_input: dict, known: set) -> list:
    return [item for key, items in per_input.items() if key is not None and key not in known for item in items]


def _lists_without_inputs(layer: Any) -> list[list]:
    return [per_input.get(None, []) for per_input in (layer._per_input_losses, layer._per_input_updates)]


def _without_inputs(layer: Any) -> list:
    return [item for items in _lists_without_inputs(layer) for item in items]


def _with_inner_layers(layer: Any) -> list:
    found: dict[Any, None] = {}
    stack = [layer]
    while stack:
        layer = stack.pop()
        if layer in found:
            continue
        found[layer] = None
        stack += getattr(layer, "layers", layer._sublayers)
        stack += [value for value in vars(layer).values() if hasattr(value, "_per_input_updates")]
    return list(found)


def weights_were_set(layers: Iterable[Any]) -> None:
    """Let layers, and those in them, compute what they compute of weights."""
    for layer in layers:
        for inner in _with_inner_layers(layer):
            inner._weights_were_set()


def _forget(flat: list, per_input: dict, known: set) -> None:
    for key in [key for key in per_input if key is not None and key not in known]:
        gone = {id(item) for item in per_input.pop(key)}
        flat[:] = [item for item in flat if id(item) not in gone]


class KnownCalls:
    """Outputs and masks that a network gave, by the key of a call (its inputs and masks) and by ``training``."""

    def __init__(self) -> None:
        self._kept: dict[tuple, dict[Any, tuple[list, list]]] = {}
        self._last: tuple[tuple, dict[Any, tuple[list, list]]] | None = None

    def __len__(self) -> int:
        return len(self._kept)

    def on(self, key: tuple) -> dict[Any, tuple[list, list]]:
        """Those of the calls with this key, by ``training``."""
        if self._last is not None and self._last[0] == key:
            return self._last[1]
        return self._kept.get(key, {})

    def keep(self, key: tuple, training: Any, outputs: list, masks: list, for_long: bool = True) -> None:
        """Remember a call: ``for_long``, or until the next one, as for inputs that are values, which come and go."""
        known = {**self.on(key), training: (outputs, masks)}
        if for_long:
            self._kept[key] = known
        else:
            self._last = key, known


def copy_if_passed_through(output: Any, inputs: Any) -> Any:
    """Give a tensor that a layer returned unchanged a new identity, so that it can carry its own history."""
    taken = to_list(inputs, allow_tuple=True)
    if is_nested(output) or is_nested(inputs):
        leaves = nest.flatten(inputs)
        return nest.map_structure(lambda x: _copy(x) if any(x is y for y in leaves) else x, output)
    if isinstance(output, (list, tuple)):
        return [_copy(x) if any(x is y for y in taken) else x for x in output]
    return _copy(output) if any(output is x for x in taken) else output


def _copy(x: Tensor) -> Tensor:
    return apply("identity", [x])


@contextmanager
def naming_layer(layer: Any, inputs: Any) -> Iterator[None]:
    """Put the layer's name, class and input shapes in front of the message of an error raised inside.

    The innermost layer is the one that is named.
    """
    try:
        yield
    except (ValueError, TypeError, IndexError, RuntimeError) as error:
        if not getattr(error, "_names_layer", False) and error.args and isinstance(error.args[0], str):
            shapes = unpack_singleton([x.shape for x in to_list(inputs, allow_tuple=True) if hasattr(x, "shape")])
            where = f'layer "{layer.name}" (class {type(layer).__name__}, input shape {shapes}): '
            error.args = (where + error.args[0],) + error.args[1:]
            error._names_layer = True  # type: ignore[union-attr]
        raise
