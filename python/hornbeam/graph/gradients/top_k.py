"""Selection of the largest: its gradient goes back to where the values were taken."""

from ..ops import apply, reshape, shape_of
from . import register
from .slice import ints, part


@register("top_k")
def _top_k(node, grads):
    """The rows lie one behind the other in one long vector, in which an index counts from its row's first element."""
    x, indices = node.inputs[0], node.outputs[1]
    if grads[0] is None:
        return [None]
    dims = shape_of(x)
    last = len(x.shape) - 1
    length = part(dims, last, last + 1)
    rows = apply("reduce_prod", [part(dims, 0, last)], axes=[0], keepdims=True)
    first = apply("arange", [ints(0)[0], rows[0], ints(1)[0]], dtype="int32") * length
    k = length if node.attrs["k"] == -1 else node.attrs["k"]
    flat = reshape(indices, (-1, k)) + apply("expand_dims", [first], axis=1)
    total = apply("reduce_prod", [dims], axes=[0], keepdims=True)
    spread = apply("scatter_add", [reshape(flat, (-1,)), reshape(grads[0], (-1,)), total])
    return [reshape(spread, dims)]
