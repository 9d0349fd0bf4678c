"""What is computed on the host: functions from arrays to arrays that the core has no op for.

Strings, files, pictures and users' Python functions are such. Of values they are computed at once. Of placeholders they become
nodes, which a Function computes before its program runs, or behind it: the program is fed what they give.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .ops import constant
from .strings import StringTensor, as_strings, string_constant
from .tensor import NeedsValue, Operation, Tensor

#: the dtype and dims of a result
Kind = tuple[str, Sequence["int | None"]]


def on_host(function: Callable, inputs: Sequence[Tensor], *kinds: Kind) -> Any:
    """Apply a function of arrays to tensors.

    Args:
        function: takes an array for each input and returns an array, or a tuple of them where there are several kinds.
        kinds: of each result, the dtype (``'string'`` for arrays of bytes) and the dims.

    Returns:
        A tensor, or a tuple of them where there are several kinds.
    """
    if all(t._known for t in inputs):
        results = function(*[np.asarray(t.numpy(), dtype=object if t.dtype == "string" else None) for t in inputs])
        outputs = tuple([_value(r, kind) for r, kind in zip(results if len(kinds) > 1 else [results], kinds)])
    else:
        node = Operation("host", tuple(inputs), {"function": function})
        outputs = node.outputs = tuple(
            [(StringTensor if d == "string" else Tensor)(node, i, d, dims) for i, (d, dims) in enumerate(kinds)]
        )
    return outputs[0] if len(kinds) == 1 else outputs


def _value(result: Any, kind: Kind) -> Tensor:
    if kind[0] == "string":
        return string_constant(np.asarray(result, dtype=object))
    return constant(np.asarray(result, dtype=kind[0]))


class HostPart:
    """The nodes of a graph that are computed on the host, and what is left for the program between them.

    Attributes:
        inputs, outputs: of the program.
    """

    def __init__(self, inputs: list[Tensor], outputs: list[Tensor], nodes: list[Operation]) -> None:
        self._given = inputs
        self._wanted = outputs
        available = {id(t) for t in inputs}
        self._before: list[Operation] = []
        self._after: list[Operation] = []
        late: set[int] = set()
        for node in nodes:
            if node.op != "host":
                if any(t is not None and id(t) in late for t in node.inputs):
                    raise NeedsValue(
                        f"{node.op} takes what is computed on the host (of strings, or by a Python function) of results of "
                        "the model itself: only the model's inputs, or its outputs, can be computed with there."
                    )
            elif all(id(t) in available or t.op.op == "constant" for t in node.inputs):
                self._before.append(node)
                available.update(id(t) for t in node.outputs)
            else:
                self._after.append(node)
                late.update(id(t) for t in node.outputs)
        fed = [*inputs, *(t for node in self._before for t in node.outputs)]
        self.inputs = [t for t in fed if not isinstance(t, StringTensor)]
        asked = [*outputs, *(t for node in self._after for t in node.inputs)]
        asked = [t for t in asked if id(t) not in available | late and not isinstance(t, StringTensor)]
        self.outputs = list({id(t): t for t in asked}.values())

    def before(self, feeds: Sequence[Any]) -> dict[int, Any]:
        """Values that the program takes, by the tensors' ids, given the feeds of the inputs."""
        values: dict[int, Any] = {id(t): feed for t, feed in zip(self._given, feeds)}
        for t in self._given:
            if isinstance(t, StringTensor):
                values[id(t)] = as_strings(_array(t, values))
        for node in self._before:
            self._compute(node, values)
        return values

    def after(self, values: dict[int, Any], results: Sequence[Any]) -> list:
        """The outputs, given what :meth:`before` gave and the program's results."""
        values.update({id(t): result for t, result in zip(self.outputs, results)})
        for node in self._after:
            self._compute(node, values)
        return [_array(t, values) for t in self._wanted]

    @staticmethod
    def _compute(node: Operation, values: dict[int, Any]) -> None:
        results = node.attrs["function"](*[_array(t, values) for t in node.inputs])
        for t, result in zip(node.outputs, results if len(node.outputs) > 1 else [results]):
            values[id(t)] = np.asarray(result, dtype=object if t.dtype == "string" else str(t.dtype))


def _array(tensor: Tensor, values: dict[int, Any]) -> np.ndarray:
    """A value; a feed may be a pair of an array and the rows that are fed of it."""
    if id(tensor) not in values:
        return tensor.op.attrs["value"]
    value = values[id(tensor)]
    if isinstance(value, tuple) and len(value) == 2:
        value = np.asarray(value[0])[value[1]]
    return np.asarray(value)


def host_part(inputs: Sequence[Tensor], outputs: Sequence[Tensor], updates: Sequence[Any]) -> HostPart | None:
    """What of a graph is computed on the host; None where nothing is."""
    values = [u[1] if isinstance(u, tuple) else u for u in updates]
    roots = [*outputs, *(u for u in values if isinstance(u, Tensor))]
    stop = {id(t) for t in inputs}
    seen: set[int] = set()
    nodes: list[Operation] = []
    on_host = any(isinstance(t, StringTensor) for t in (*inputs, *outputs))
    for root in roots:
        stack: list[tuple[Operation, int]] = [] if id(root) in stop or id(root.op) in seen else [(root.op, 0)]
        while stack:
            node, i = stack.pop()
            if i == 0:
                if id(node) in seen:
                    continue
                seen.add(id(node))
            while i < len(node.inputs):
                t = node.inputs[i]
                i += 1
                if t is not None and id(t) not in stop and id(t.op) not in seen:
                    stack += [(node, i), (t.op, 0)]
                    break
            else:
                nodes.append(node)
                on_host = on_host or node.op == "host"
    return HostPart(list(inputs), list(outputs), nodes) if on_host else None
