"""Constant folding: what depends on constants only is computed once, when the program is built."""

import math

from ... import _core
from ..flat import FlatGraph
from .half import widen_half

#: larger results stay ops: making a large fill costs less than carrying it around
MAX_ELEMENTS = 1 << 16


def fold_constants(graph: FlatGraph) -> None:
    """Replace ops whose inputs are all constants by their values. Random ops stay."""
    values = graph.values
    known = {v for v, value in enumerate(values) if value.kind == "constant"}
    folded = []
    for op in graph.ops:
        small = all(
            min(values[v].dims, default=0) >= 0 and math.prod(values[v].dims) <= MAX_ELEMENTS for v in op.outputs
        )
        if small and not op.is_random and all(v < 0 or v in known for v in op.inputs):
            folded.append(op)
            known.update(op.outputs)
    if not folded:
        return
    part, numbers = graph.extract(folded)
    part.outputs = [numbers[v] for op in folded for v in op.outputs]
    widen_half(part)
    arrays = part.lower()[0].run([])
    for v, array in zip((v for op in folded for v in op.outputs), arrays):
        values[v].kind, values[v].payload = "constant", array
        if values[v].ints is None and array.dtype.kind in "iu" and array.size <= _core.MAX_KNOWN_INTS:
            values[v].ints = tuple(int(x) for x in array.reshape(-1))
    done = {id(op) for op in folded}
    graph.ops = [op for op in graph.ops if id(op) not in done]
