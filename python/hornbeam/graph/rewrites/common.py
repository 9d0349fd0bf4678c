"""Common subexpressions: the same op on the same inputs is computed once."""

from ..flat import FlatGraph
from ..ops import attrs_key


def eliminate_common(graph: FlatGraph) -> None:
    """Merge equal ops and equal small constants. Random ops are never merged."""
    seen: dict[tuple, list[int]] = {}
    mapping: dict[int, int] = {}
    constants: dict[tuple, int] = {}
    for v, value in enumerate(graph.values):
        if value.kind == "constant" and value.payload.size <= 64:
            key = (value.dtype, value.dims, value.payload.tobytes())
            mapping_to = constants.setdefault(key, v)
            if mapping_to != v:
                mapping[v] = mapping_to
    kept = []
    for op in graph.ops:
        op.inputs = [mapping.get(v, v) for v in op.inputs]
        if op.is_random or op.bodies:
            kept.append(op)
            continue
        key = (op.name, tuple(op.inputs), attrs_key(op.attrs))
        first = seen.setdefault(key, op.outputs)
        if first is op.outputs:
            kept.append(op)
        else:
            mapping.update(zip(op.outputs, first))
    graph.ops = kept
    graph.replace(mapping)
