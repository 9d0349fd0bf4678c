"""Runs of elementwise ops become one ``fused`` op, evaluated tile by tile without going through memory."""

from __future__ import annotations

from typing import Any

from ... import _core
from ..flat import FlatGraph, FlatOp

#: dtypes that a program computes in; operands of other dtypes are converted when loaded
COMPUTE = ("float32", "float64")

_INSTRUCTIONS = _core.elementwise_instructions()
_OPCODE = {name: i for i, (name, _) in enumerate(_INSTRUCTIONS)}
#: operands of each instruction, by opcode
ARITY = [arity for _, arity in _INSTRUCTIONS]
_DTYPE = {name: i for i, name in enumerate(_core.dtype_names())}


def fuse_elementwise(graph: FlatGraph) -> None:
    """Fuse elementwise ops that make values of one shape.

    A fused op runs where the last of its ops ran. So a group takes no more ops once an op outside it has read one of
    its results: every reader then stays behind the group, and the order stays valid.
    """
    readers = {v: {id(op) for op in ops} for v, ops in graph.users().items()}
    for v in graph.kept():
        readers.setdefault(v, set()).add(0)  # leaves the graph
    fused: dict[int, FlatOp | None] = {}  # op -> what stands in its place
    for group in _find_groups(graph):
        program = _Program(graph, group, readers)
        if program.fits:
            fused.update((id(op), None) for op in group[:-1])
            fused[id(group[-1])] = program.op()
    graph.ops = [op for op in (fused.get(id(op), op) for op in graph.ops) if op is not None]


class _Group:
    def __init__(self, dims: tuple[int, ...], dtype: str | None) -> None:
        self.dims = dims
        self.dtype = dtype  # None while all of it is bool
        self.ops: list[FlatOp] = []
        self.closed = False

    def takes(self, dims: tuple[int, ...], dtype: str | None, extra: int) -> bool:
        same = None in (self.dtype, dtype) or self.dtype == dtype
        return not self.closed and self.dims == dims and same and len(self.ops) + extra <= _core.MAX_FUSED_INSTRUCTIONS


def _find_groups(graph: FlatGraph) -> list[list[FlatOp]]:
    position = {id(op): i for i, op in enumerate(graph.ops)}
    group_of: dict[int, _Group] = {}  # by value
    groups: dict[int, _Group] = {}
    for op in graph.ops:
        sources = {id(group_of[v]): group_of[v] for v in op.inputs if v in group_of}
        rounded = {id(group_of[v]) for v in op.inputs if v in group_of and graph.values[v].dtype == "float16"}
        home = None
        fusible, dtype = _compute_dtype(graph, op)
        if fusible:
            dims = graph.values[op.outputs[0]].dims
            for group in (g for key, g in sources.items() if key not in rounded):
                if home is None and group.takes(dims, dtype, 1):
                    home = group
                elif home is not None and group.takes(dims, dtype or home.dtype, len(home.ops) + 1):
                    home.ops = sorted(home.ops + group.ops, key=lambda o: position[id(o)])
                    home.dtype = home.dtype or group.dtype
                    for moved in group.ops:
                        group_of[moved.outputs[0]] = home
                    group.ops = []
            if home is None:
                home = _Group(dims, dtype)
            home.dtype = home.dtype or dtype
            home.ops.append(op)
            group_of[op.outputs[0]] = groups[id(home)] = home
        for group in sources.values():
            if group is not home:
                group.closed = True
    return [g.ops for g in groups.values() if len(g.ops) > 1]


def _compute_dtype(graph: FlatGraph, op: FlatOp) -> tuple[bool, str | None]:
    """Whether an op can be part of a program, and the dtype it computes in (None: only truth values)."""
    if op.name == "cast":
        source, dtype = (graph.values[v].dtype for v in (op.inputs[0], op.outputs[0]))
        if dtype == "float16":  # rounded when stored; who reads it is outside
            return source == "float32", source
        return dtype in COMPUTE, dtype
    if op.name not in _OPCODE:
        return False, None
    dtypes = {graph.values[v].dtype for v in (*op.inputs, *op.outputs)} - {"bool"}
    if not dtypes:
        return True, None
    return len(dtypes) == 1 and next(iter(dtypes)) in COMPUTE, next(iter(dtypes))


class _Program:
    """A group's register program: values are numbered inputs first, then constants, then results."""

    def __init__(self, graph: FlatGraph, ops: list[FlatOp], readers: dict[int, set[int]]) -> None:
        self.graph = graph
        self.ops = ops
        inside = {op.outputs[0] for op in ops}
        self.inputs: list[int] = []
        self.constants: list[float] = []
        self._constant_of: dict[int, int] = {}
        for op in ops:
            for v in op.inputs:
                self._note_operand(v, inside)
        mine = {id(op) for op in ops}
        self.outputs = [op.outputs[0] for op in ops if not readers.get(op.outputs[0], set()) <= mine]
        self.fits = (
            len(self.inputs) <= _core.MAX_FUSED_INPUTS
            and len(self.constants) + len(ops) <= _core.MAX_FUSED_CONSTANTS
            and len(self.outputs) <= _core.MAX_FUSED_OUTPUTS
        )

    def _note_operand(self, v: int, inside: set[int]) -> None:
        value = self.graph.values[v]
        if v in inside or v in self._constant_of or v in self.inputs:
            return
        if value.kind == "constant" and value.dims == ():
            self._constant_of[v] = self._constant(float(value.payload))
        else:
            self.inputs.append(v)

    def _constant(self, number: float) -> int:
        self.constants.append(number)
        return len(self.constants) - 1

    def op(self) -> FlatOp:
        number = {v: i for i, v in enumerate(self.inputs)}
        alphas = {id(op): self._constant(float(op.attrs.get("alpha", 1.0))) for op in self.ops if op.name == "elu"}
        base = len(self.inputs)
        number.update({v: base + i for v, i in self._constant_of.items()})
        result = base + len(self.constants)
        code: list[int] = []
        for op in self.ops:
            operands = [number[v] for v in op.inputs]
            if op.name == "cast":  # converted when loaded or stored, or a truth value that is 1 or 0 already
                number[op.outputs[0]] = operands[0]
                continue
            if op.name == "elu":
                operands.append(base + alphas[id(op)])
            code += [_OPCODE[op.name], *operands]
            number[op.outputs[0]] = result
            result += 1
        values = self.graph.values
        dtype = next((values[v].dtype for op in self.ops for v in op.outputs if values[v].dtype in COMPUTE), None)
        if dtype is None:
            dtype = next(
                (values[v].dtype for op in self.ops for v in op.inputs if values[v].dtype in COMPUTE), "float32"
            )
        attrs: dict[str, Any] = {
            "code": code,
            "constants": self.constants,
            "outputs": [number[v] for v in self.outputs],
            "out_dtypes": [_DTYPE[values[v].dtype] for v in self.outputs],
            "dtype": dtype,
        }
        labels = dict.fromkeys(op.label for op in self.ops if op.label)
        return FlatOp("fused", attrs, self.inputs, self.outputs, " + ".join(labels))
