"""A Function's own copy of its graph: a flat list of ops over numbered values, which rewrites edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import _core
from .body import Body, is_random_op
from .control import branch_taken
from .tensor import Operation, Tensor, known_dims
from .variable import Variable


class FlatOp:
    """One op: name, attributes, value numbers (-1 for an optional input that is not given), and bodies."""

    __slots__ = ("attrs", "bodies", "inputs", "label", "name", "outputs")

    def __init__(
        self,
        name: str,
        attrs: dict,
        inputs: list[int],
        outputs: list[int],
        label: str = "",
        bodies: Sequence[FlatGraph] = (),
    ) -> None:
        self.name = name
        self.attrs = attrs
        self.inputs = inputs
        self.outputs = outputs
        self.label = label
        self.bodies = bodies  #: of a control op, see graph/body.py

    @property
    def is_random(self) -> bool:
        return is_random_op(self.name) or any(op.is_random for body in self.bodies for op in body.ops)

    def __repr__(self) -> str:
        return f"{self.outputs} = {self.name}({self.inputs}) {self.attrs or ''}"


class FlatValue:
    """What is known of a value.

    ``kind`` is feed, variable, constant or computed; ``payload`` a feed's name, the variable, or the constant's array;
    ``dims`` the shape, where equal negative numbers are the same unknown dim; ``is_absent`` whether it is zeros that
    stand for a gradient that is not there.
    """

    __slots__ = ("dims", "dtype", "ints", "is_absent", "kind", "payload")

    def __init__(self, kind: str, dtype: str, dims: tuple, payload: Any = None, ints: tuple | None = None) -> None:
        self.kind = kind
        self.dtype = dtype
        self.dims = dims
        self.payload = payload
        self.ints = ints
        self.is_absent = False


class FlatGraph:
    """Ops in an order in which they can run, and the values between them."""

    def __init__(self) -> None:
        self.values: list[FlatValue] = []
        self.ops: list[FlatOp] = []
        self.outputs: list[int] = []
        self.updates: list[tuple[Variable, int]] = []
        self.prints: list[tuple[str, int]] = []  #: messages and values that whoever runs the program prints
        #: scans that have to be written out (graph/unrolling.py), each with a tensor that has as many rows as it has steps
        self.loops: list[tuple[FlatOp, Tensor]] = []
        self._carrying: tuple[int, list[int]] = (-1, [])  # of a scan's body, see ProgramOptions in program.h

    def add_value(self, kind: str, dtype: str, dims: tuple, payload: Any = None, ints: tuple | None = None) -> int:
        self.values.append(FlatValue(kind, dtype, dims, payload, ints))
        return len(self.values) - 1

    def add_constant(self, array: np.ndarray) -> int:
        ints = (
            tuple(int(v) for v in array.reshape(-1))
            if array.dtype.kind in "iu" and array.size <= _core.MAX_KNOWN_INTS
            else None
        )
        return self.add_value("constant", array.dtype.name, array.shape, array, ints)

    def make_op(self, name: str, inputs: list[int], label: str = "", **attrs: Any) -> FlatOp:
        """A new op with new output values, typed by the shape rule; the caller puts it into ``ops``."""
        types = _core.infer(name, attrs, self._types(inputs))
        outputs = [self.add_value("computed", d, known_dims(s), ints=i) for d, s, i in types]
        return FlatOp(name, attrs, list(inputs), outputs, label)

    def _types(self, inputs: list[int]) -> list[Any]:
        values = [self.values[v] if v >= 0 else None for v in inputs]
        return [None if value is None else (value.dtype, value.dims, value.ints) for value in values]

    def extract(self, ops: list[FlatOp]) -> tuple[FlatGraph, dict[int, int]]:
        """A graph of some of the ops alone, and the numbers that values have in it.

        What the ops read must be leaves or made by them.
        """
        part = FlatGraph()
        numbers: dict[int, int] = {-1: -1}
        for op in ops:
            for v in (*op.inputs, *op.outputs):
                if v not in numbers:
                    numbers[v] = len(part.values)
                    part.values.append(self.values[v])
            inputs, outputs = ([numbers[v] for v in side] for side in (op.inputs, op.outputs))
            part.ops.append(FlatOp(op.name, op.attrs, inputs, outputs, op.label, op.bodies))
        return part, numbers

    def feeds(self) -> list[int]:
        return [v for v, value in enumerate(self.values) if value.kind == "feed"]

    def needed(self, results: list[int]) -> set[int]:
        """Values that these depend on, themselves among them."""
        found = set(results)
        for op in reversed(self.ops):
            if not found.isdisjoint(op.outputs):
                found.update(op.inputs)
        return found

    def users(self) -> dict[int, list[FlatOp]]:
        """Which ops read each value."""
        found: dict[int, list[FlatOp]] = {}
        for op in self.ops:
            for v in op.inputs:
                if v >= 0:
                    found.setdefault(v, []).append(op)
        return found

    def makers(self) -> dict[int, FlatOp]:
        return {v: op for op in self.ops for v in op.outputs}

    def kept(self) -> set[int]:
        """Values that leave the graph, as outputs or updates."""
        return set(self.outputs) | {v for _, v in self.updates}

    def read(self) -> set[int]:
        """Values that an op reads or that leave the graph."""
        return self.kept() | {v for op in self.ops for v in op.inputs}

    def replace(self, mapping: dict[int, int]) -> None:
        """Let every reader of a key read its value instead."""
        if not mapping:
            return

        def final(v: int) -> int:
            while v in mapping:
                v = mapping[v]
            return v

        for op in self.ops:
            op.inputs = [final(v) for v in op.inputs]
        self.outputs = [final(v) for v in self.outputs]
        self.updates = [(variable, final(v)) for variable, v in self.updates]

    def check(self) -> None:
        """Assert what every rewrite has to leave: an order in which the ops can run, one maker for each value, types.

        Tests call it after each rewrite.
        """
        there = {v for v, value in enumerate(self.values) if value.kind != "computed"} | {-1}
        for op in self.ops:
            assert there.issuperset(op.inputs), f"{op} reads what is not there yet"
            assert there.isdisjoint(op.outputs), f"{op} gives what is there already"
            there.update(op.outputs)
            assert all((v >= 0 and self.values[v].kind == "computed") for v in op.outputs), op
            if not op.bodies:
                self._check_types(op)
        assert there.issuperset(self.kept()), "nothing makes what leaves the graph"

    def _check_types(self, op: FlatOp) -> None:
        inferred = _core.infer(op.name, op.attrs, self._types(op.inputs))
        assert len(inferred) == len(op.outputs), op
        for v, (dtype, dims, _) in zip(op.outputs, inferred):
            value = self.values[v]
            assert value.dtype == dtype and len(value.dims) == len(dims), f"{op} gives {dtype} {dims}, not {value.dims}"
            agree = all(a == b or min(a, b) < 0 for a, b in zip(value.dims, dims))
            assert agree, f"{op} gives {dtype} {dims}, not {value.dims}"

    def __str__(self) -> str:
        lines = []
        for op in self.ops:
            lines.append(repr(op))
            lines += [f"    {line}" for body in op.bodies for line in str(body).splitlines()]
        lines.append(f"outputs {self.outputs}")
        lines += [f"{variable.name} <- {v}" for variable, v in self.updates]
        return "\n".join(lines)

    # -- lowering ---------------------------------------------------------------------------------
    def lower(self, reuse: bool = True) -> tuple[_core.Program, list[Variable]]:
        """Compile into a Program; also returns its variables, whose values must exist before it runs."""
        variables: list[Variable] = []
        slots: dict[int, int] = {}
        values = []
        for value in self.values:
            payload = value.payload
            if value.kind == "variable":
                slots[id(payload)] = len(variables)
                variables.append(payload)
                payload = payload.core
            values.append((value.kind, value.dtype, value.dims, payload))
        updates = []
        for variable, v in self.updates:
            if id(variable) not in slots:
                slots[id(variable)] = len(variables)
                variables.append(variable)
                values.append(("variable", variable.dtype, variable.shape, variable.core))
            updates.append((slots[id(variable)], v))
        read = self.read()
        ops = [
            (op.name, op.attrs, op.inputs, op.outputs, op.label, [b._lower_body(op, read, reuse) for b in op.bodies])
            for op in self.ops
        ]
        return _core.Program(values, ops, self.outputs, updates, reuse, *self._carrying), variables

    def _lower_body(self, op: FlatOp, read: set[int], reuse: bool) -> _core.Program:
        """Compile as a body of ``op``, in a graph where the values ``read`` are read."""
        if op.name == "scan":
            states = op.attrs["states"]
            in_place = [i for i in range(states) if op.outputs[states + i] not in read]
            self._carrying = (states + op.attrs["sequences"], in_place)
        return self.lower(reuse)[0]


def has_sizes_from_data(op: FlatOp) -> bool:
    """Whether a scan's body, or that of a scan in it, makes something whose size is computed from what changes."""
    body = op.bodies[0]
    own = op.attrs["states"] + op.attrs["sequences"]
    changing = set(body.feeds()[:own])
    for inner in body.ops:
        if inner.name == "scan" and has_sizes_from_data(inner):
            return True
        info = _core.op_info(inner.name)
        if any(info.is_size(i) and v in changing for i, v in enumerate(inner.inputs)):
            return True
        if not info.of_shapes and not changing.isdisjoint(inner.inputs):
            changing.update(inner.outputs)
    return False


class Flattener:
    """Walks from outputs and updates to the leaves, without recursion.

    Args:
        feeds: tensors whose values are given; the walk stops there.
        phase: 0 or 1, what the learning phase is.
    """

    def __init__(self, feeds: Sequence[Tensor], phase: int) -> None:
        self.graph = FlatGraph()
        self.phase = phase
        self._ids: dict[int, int] = {}
        self._assigned: dict[int, list[Tensor]] = {}  # per variable, its assign tensors in the order met
        self._variables: dict[int, Variable] = {}
        self._bodies: dict[int, list[FlatGraph]] = {}  # of control nodes
        self._keep: list[Any] = []  # ids are only good while the objects live
        for tensor in feeds:
            self._feed(tensor)

    def _feed(self, tensor: Tensor, ints: tuple | None = None) -> None:
        self._ids[id(tensor)] = self.graph.add_value("feed", tensor.dtype, tensor.dims, tensor.name, ints)

    def run_body(self, body: Body) -> FlatGraph:
        """Copy a body: its own placeholders are fed, then what it takes from outside."""
        for tensor in body.captured:
            if id(tensor) not in self._ids:
                self._feed(tensor, tensor.ints)
        return self.run(body.results, [])

    def run(self, outputs: Sequence[Tensor], updates: Sequence[Any]) -> FlatGraph:
        pairs = [_as_assign(u) for u in updates]
        for tensor in pairs:
            if tensor.op.op == "assign":
                self._note_assign(tensor)
        for tensor in [*outputs, *pairs]:
            self._visit(tensor)
        self.graph.outputs = [self._ids[id(t)] for t in outputs]
        for key, assigns in self._assigned.items():
            self.graph.updates.append((self._variables[key], self._final_value(assigns)))
        return self.graph

    def _note_assign(self, tensor: Tensor) -> None:
        variable = tensor.op.attrs["variable"]
        self._variables[id(variable)] = variable
        known = self._assigned.setdefault(id(variable), [])
        if not any(t is tensor for t in known):
            known.append(tensor)

    def _visit(self, tensor: Tensor) -> None:
        stack: list[tuple[Tensor, Iterator[Tensor]]] = []

        def push(t: Tensor) -> None:
            if id(t) not in self._ids:
                stack.append((t, iter(self._needs(t))))

        push(tensor)
        while stack:
            current, needs = stack[-1]
            for need in needs:
                if id(need) not in self._ids:
                    push(need)
                    break
            else:
                stack.pop()
                if id(current) not in self._ids:
                    self._emit(current)

    def _needs(self, tensor: Tensor) -> list[Tensor]:
        node = tensor.op
        if node.op == "phase_switch":
            return [branch_taken(node, self.phase)]
        if node.op == "with_gradient":
            return list(node.inputs[node.attrs["count"] :])
        if "bodies" in node.attrs and id(node) not in self._bodies:
            self._bodies[id(node)] = [Flattener(b.own, self.phase).run_body(b) for b in node.attrs["bodies"]]
        return [t for t in node.inputs if t is not None]

    def _emit(self, tensor: Tensor) -> None:
        node, graph = tensor.op, self.graph
        self._keep.append(node)
        if node.op == "constant":
            v = graph.add_value("constant", tensor.dtype, tensor.dims, node.attrs["value"], tensor.ints)
            self._ids[id(tensor)] = v
            graph.values[v].is_absent = tensor._is_absent
        elif node.op == "variable":
            self._ids[id(tensor)] = graph.add_value("variable", tensor.dtype, tensor.dims, tensor)
        elif node.op == "learning_phase":
            self._ids[id(tensor)] = graph.add_constant(np.asarray(self.phase, "int32"))
        elif node.op == "phase_switch":
            self._ids[id(tensor)] = self._ids[id(branch_taken(node, self.phase))]
        elif node.op == "with_gradient":
            self._ids[id(tensor)] = self._ids[id(node.inputs[node.attrs["count"] + tensor.index])]
        elif node.op == "print":
            self._ids[id(tensor)] = self._ids[id(node.inputs[0])]
            graph.prints.append((node.attrs["message"], self._ids[id(node.inputs[1])]))
        elif node.op == "assign":
            self._note_assign(tensor)
            variable, value = (self._ids[id(t)] for t in node.inputs)
            self._ids[id(tensor)] = self._combine(node.attrs["how"], variable, value)
        elif node.op == "placeholder":
            raise ValueError(
                f"You must feed a value for placeholder {tensor.name!r} with dtype {tensor.dtype} and shape "
                f"{tensor.shape}: it is needed, but is not among the inputs."
            )
        else:
            inputs = [-1 if t is None else self._ids[id(t)] for t in node.inputs]
            outputs = []
            for t in node.outputs:
                v = graph.add_value("computed", t.dtype, t.dims, ints=t.ints)
                graph.values[v].is_absent = t._is_absent
                outputs.append(v)
                self._ids.setdefault(id(t), v)
            if "bodies" in node.attrs:
                self._emit_control(node, inputs, outputs)
            else:
                graph.ops.append(FlatOp(node.op, node.attrs, inputs, outputs, node.label))

    def _emit_control(self, node: Operation, inputs: list[int], outputs: list[int]) -> None:
        bodies = self._bodies.pop(id(node))
        attrs = {k: v for k, v in node.attrs.items() if k != "bodies"}
        if node.op == "scan" and not node.attrs["bodies"][0].silent:
            # What a body prints is stacked, and printed once after the run.
            steps = node.inputs[attrs["states"]].dims[0]  # type: ignore[union-attr]
            for message, v in bodies[0].prints:
                printed = bodies[0].values[v]
                bodies[0].outputs.append(v)
                outputs.append(self.graph.add_value("computed", printed.dtype, (steps, *printed.dims)))
                self.graph.prints.append((message, outputs[-1]))
        self.graph.ops.append(FlatOp(node.op, attrs, inputs, outputs, node.label, bodies))
        if node.op == "scan":
            self._note_loop(self.graph.ops[-1], node.inputs[attrs["states"]])  # type: ignore[arg-type]

    def _note_loop(self, op: FlatOp, sequence: Tensor) -> None:
        if not op.is_random and has_sizes_from_data(op):
            self.graph.loops.append((op, sequence))

    def _combine(self, how: str, variable: int, value: int) -> int:
        if how == "set":
            return value
        op = self.graph.make_op(how, [variable, value])
        self.graph.ops.append(op)
        return op.outputs[0]

    def _final_value(self, assigns: list[Tensor]) -> int:
        value = self._ids[id(assigns[0])]
        for tensor in assigns[1:]:
            value = self._combine(tensor.op.attrs["how"], value, self._ids[id(tensor.op.inputs[1])])
        return value


def _as_assign(update: Any) -> Tensor:
    if isinstance(update, Tensor):
        return update
    if isinstance(update, (list, tuple)) and len(update) == 2 and isinstance(update[0], Variable):
        return update[0].assign(update[1])
    raise TypeError(
        f"an update is a tensor from K.update or a function like it, or a pair (variable, new value); got {update!r:.80}"
    )


def flatten(
    feeds: Sequence[Tensor], outputs: Sequence[Tensor], updates: Sequence[Any] = (), phase: int = 0
) -> FlatGraph:
    """Copy the part of the graph that outputs and updates need into a :class:`FlatGraph`."""
    return Flattener(feeds, phase).run(outputs, updates)


__all__ = ["FlatGraph", "FlatOp", "FlatValue", "flatten", "has_sizes_from_data"]
