"""Values of tensors on demand, through small programs cached by the structure of the formula."""

from __future__ import annotations

from typing import Any

from .. import _core
from .flat import flatten
from .function import expose_prints, print_last
from .ops import attrs_key
from .recent import Recent
from .rewrites import rewrite
from .tensor import Tensor
from .unrolling import unroll
from .variable import Variable

#: by the structure of the formula, with the messages of values that it prints
_programs: Recent[tuple[_core.Program, list[str]]] = Recent(256)


def clear_cache() -> None:
    """Forget the programs made for on-demand evaluation, and with them the variables they hold."""
    _programs.clear()


def evaluate(tensor: Tensor) -> Any:
    """Compute a tensor that depends on no placeholder: an array, or a NumPy scalar.

    Variables are read as they are now, and random ops give new numbers at each evaluation.

    Raises:
        TypeError: the tensor depends on a placeholder.
    """
    if isinstance(tensor, Variable):
        return tensor.numpy()
    if tensor.op.op == "constant":
        return tensor.op.attrs["value"].copy()[()]
    key, feeds, variables = _structure(tensor)
    program, messages = _programs.get(key, lambda: _compiled(feeds, tensor))
    for variable in variables:
        variable.materialize()
    runs = tensor.__dict__.setdefault("_runs", _core.RunCounter()) if program.has_random else None
    results = program.run([t.op.attrs["value"] for t in feeds], runs)
    return print_last(messages, results)[0]


def _compiled(feeds: list[Tensor], tensor: Tensor) -> tuple[_core.Program, list[str]]:
    graph = flatten(feeds, [tensor])
    if graph.loops and all(rows.dims[0] >= 0 for _, rows in graph.loops):
        unroll(graph, [rows.dims[0] for _, rows in graph.loops])
    messages = expose_prints(graph)
    rewrite(graph)
    program, _ = graph.lower()
    return program, messages


def _structure(tensor: Tensor) -> tuple[tuple, list[Tensor], list[Variable]]:
    """The key under which a formula's program is kept, the array constants to feed, and its variables."""
    numbers: dict[int, int] = {}
    key: list[Any] = []
    feeds: list[Tensor] = []
    variables: list[Variable] = []
    stack: list[tuple[Any, int]] = [(tensor.op, 0)]
    while stack:
        node, i = stack.pop()
        if id(node) in numbers:
            continue
        inputs = node.inputs
        while i < len(inputs) and (inputs[i] is None or id(inputs[i].op) in numbers):
            i += 1
        if i < len(inputs):
            stack.append((node, i + 1))
            stack.append((inputs[i].op, 0))
            continue
        numbers[id(node)] = len(numbers)
        out = node.outputs[0]
        if node.op == "constant":
            value = node.attrs["value"]
            if out.ints is not None or value.ndim == 0:
                key.append(("constant", out.dtype, out.shape, value.tobytes()))
            else:
                key.append(("feed", out.dtype, out.shape))
                feeds.append(out)
        elif node.op == "variable":
            key.append(("variable", id(out.core)))
            variables.append(out)  # type: ignore[arg-type]
        elif node.op == "placeholder":
            raise TypeError(
                f"{tensor!r} has no value yet: it depends on the placeholder {out.name!r}. "
                "Use K.function([inputs], [outputs]) or model.predict to compute it."
            )
        else:
            links = tuple(None if t is None else (numbers[id(t.op)], t.index) for t in inputs)
            attrs = () if node.op == "assign" else attrs_key(node.attrs)
            key.append((node.op, links, attrs))
    key.append(tensor.index)
    return tuple(key), feeds, variables
