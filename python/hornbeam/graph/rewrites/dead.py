"""Dead code: ops whose results nobody needs."""

from ..flat import FlatGraph


def remove_dead(graph: FlatGraph) -> None:
    """Drop ops that neither an output nor an update depends on."""
    needed = graph.kept()
    live = []
    for op in reversed(graph.ops):
        if any(v in needed for v in op.outputs):
            live.append(op)
            needed.update(op.inputs)
    graph.ops = live[::-1]
