"""Scale and shift after a convolution or product fold into its weights, when all of them are steady.

This is what batch normalization is at inference: ``conv(x, w) * scale + shift`` becomes
``conv(x, w * scale) + shift``, and the folded weights are computed once, in the program's prologue.
"""

from ..flat import FlatGraph, FlatOp

#: ops whose output channels are the last dim of the weights (input 1)
SCALABLE = {"conv2d", "matmul", "depthwise_conv2d"}


def fold_affine(graph: FlatGraph) -> None:
    """Fold multiplications by a steady vector (a constant, a variable that is not written, or made of such)."""
    steady = _steady_values(graph)
    values, kept = graph.values, graph.kept()
    users = graph.users()
    maker: dict[int, FlatOp] = {}
    ops: list[FlatOp] = []
    for op in graph.ops:
        if op.name == "mul":
            for v, scale in (op.inputs, op.inputs[::-1]):
                made = maker.get(v)
                if (
                    made is None
                    or made.name not in SCALABLE
                    or scale not in steady
                    or len(users[v]) > 1
                    or v in kept
                    or made.inputs[1] not in steady
                    or made.attrs.get("transpose_b")
                    or made.attrs.get("activation", "linear") != "linear"
                    or not _per_channel(values[scale].dims, values[v].dims[-1])
                ):
                    continue
                _scale(graph, ops, made, scale, op.outputs[0], maker)
                break
            else:
                ops.append(op)
        else:
            ops.append(op)
        for v in op.outputs:
            maker.setdefault(v, op)
    graph.ops = ops


def _scale(graph: FlatGraph, ops: list[FlatOp], made: FlatOp, scale: int, out: int, maker: dict[int, FlatOp]) -> None:
    def emit(name: str, *inputs: int, **attrs: object) -> int:
        op = graph.make_op(name, list(inputs), made.label, **attrs)
        ops.append(op)
        return op.outputs[0]

    channels = graph.values[out].dims[-1]
    weights, vector = made.inputs[1], scale
    if graph.values[scale].dims != (channels,):
        vector = emit("reshape", scale, graph.add_constant(_int_vector([channels])))
    per_weight = vector
    if made.name == "depthwise_conv2d":  # channels are input channel major, multiplier minor
        per_weight = emit("reshape", vector, graph.add_constant(_int_vector(graph.values[weights].dims[2:])))
    inputs = [made.inputs[0], emit("mul", weights, per_weight)]
    if len(made.inputs) > 2 and made.inputs[2] >= 0:
        inputs.append(emit("mul", made.inputs[2], vector))
    ops.remove(made)
    folded = FlatOp(made.name, made.attrs, inputs, [out], made.label)
    ops.append(folded)
    maker[out] = folded


def _int_vector(values):  # type: ignore[no-untyped-def]
    import numpy as np

    return np.asarray(list(values), dtype="int64")


def _per_channel(dims: tuple[int, ...], channels: int) -> bool:
    """True for (C,) and (1, ..., 1, C)."""
    return channels > 0 and len(dims) >= 1 and dims[-1] == channels and all(d == 1 for d in dims[:-1])


def _steady_values(graph: FlatGraph) -> set[int]:
    written = {id(variable) for variable, _ in graph.updates}
    steady = {
        v
        for v, value in enumerate(graph.values)
        if value.kind == "constant" or (value.kind == "variable" and id(value.payload) not in written)
    }
    for op in graph.ops:
        if not op.is_random and all(v < 0 or v in steady for v in op.inputs):
            steady.update(op.outputs)
    return steady
