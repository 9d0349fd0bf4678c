"""float16 is a storage type: ops compute in float32, and what they make is rounded where it is stored."""

import numpy as np

from ... import _core
from ..flat import FlatGraph, FlatOp

HALF, WIDE = "float16", "float32"


def widen_half(graph: FlatGraph) -> None:
    """Let ops that compute with float16 read float32 and round what they give.

    The casts become part of the elementwise runs around them (see ``fusion``), where they cost a conversion of the
    tile. Inside a chain of elementwise ops nothing is rounded: only what another op reads, or what leaves the graph.
    """
    if any(value.dtype == HALF for value in graph.values):
        _Widening(graph).run()


class _Widening:
    def __init__(self, graph: FlatGraph) -> None:
        self.graph = graph
        self.ops: list[FlatOp] = []
        self.read: dict[int, int] = {}  # float16 value -> what it is in float32
        self.exact: dict[int, int] = {}  # float16 value -> what an elementwise op made of it before it was rounded

    def run(self) -> None:
        values = self.graph.values
        for op in self.graph.ops:
            info = _core.op_info(op.name)
            halves = any(v >= 0 and values[v].dtype == HALF for v in op.inputs)
            if not halves or op.name == "cast" or op.bodies or info.moves or info.view:
                self.ops.append(op)
            else:
                self._widen(op, info.elementwise)
        self.graph.ops = self.ops

    def _widen(self, op: FlatOp, elementwise: bool) -> None:
        values = self.graph.values
        wide = self.graph.make_op(op.name, [self._wide(v, elementwise) for v in op.inputs], op.label, **op.attrs)
        self.ops.append(wide)
        for i, (half, made) in enumerate(zip(op.outputs, wide.outputs)):
            values[made].dims = values[half].dims
            if values[half].dtype != HALF:
                wide.outputs[i] = half
                continue
            self.ops.append(FlatOp("cast", {"dtype": HALF}, [made], [half], op.label))
            if elementwise:
                self.exact[half] = made

    def _wide(self, v: int, elementwise: bool) -> int:
        if v < 0 or self.graph.values[v].dtype != HALF:
            return v
        if elementwise and v in self.exact:
            return self.exact[v]
        if v not in self.read:
            self.read[v] = self._converted(v)
        return self.read[v]

    def _converted(self, v: int) -> int:
        value = self.graph.values[v]
        if value.kind == "constant":
            return self.graph.add_constant(np.asarray(value.payload, WIDE))
        op = self.graph.make_op("cast", [v], dtype=WIDE)
        self.graph.values[op.outputs[0]].dims = value.dims
        self.ops.append(op)
        return op.outputs[0]
