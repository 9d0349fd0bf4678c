"""Matrix products. The gradients are products again, with the transposes moved into their attributes."""

from ..ops import apply, reshape, unbroadcast
from . import before_activation, register


@register("matmul")
@before_activation
def _matmul(node, grads):
    a, b, bias = (*node.inputs, None)[:3]
    (dy,) = grads
    turn_a, turn_b = (bool(node.attrs.get(name)) for name in ("transpose_a", "transpose_b"))
    if turn_a:
        da = apply("matmul", [b, dy], transpose_a=turn_b, transpose_b=True)
    else:
        da = apply("matmul", [dy, b], transpose_b=not turn_b)
    rows, d_rows = a, dy
    if len(b.shape) == 2 and not turn_a and a.shape[-1] and dy.shape[-1]:
        # All leading dims are rows of one product: nothing to sum over afterwards. Of empty rows nobody knows how many.
        rows, d_rows = reshape(a, (-1, a.shape[-1])), reshape(dy, (-1, dy.shape[-1]))
    if turn_b:
        db = apply("matmul", [d_rows, rows], transpose_a=True, transpose_b=turn_a)
    else:
        db = apply("matmul", [rows, d_rows], transpose_a=not turn_a)
    db_bias = None if bias is None else apply("reduce_sum", [dy], axes=list(range(len(dy.shape) - 1)))
    return [unbroadcast(da, a), unbroadcast(db, b), db_bias][: len(node.inputs)]
