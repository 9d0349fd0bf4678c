"""gather and scatter_add are each other's gradients."""

from ..ops import apply, shape_of
from . import not_differentiable, register
from .slice import part

not_differentiable("one_hot")


@register("gather")
def _gather(node, grads):
    """On another axis than the first: bring it to the front, scatter, and bring it back."""
    params, indices = node.inputs
    rank, picked = len(params.shape), len(indices.shape)
    axis = node.attrs.get("axis", 0) % rank
    dims, grad = shape_of(params), grads[0]
    if axis == 0:
        return [apply("scatter_add", [indices, grad, dims]), None]
    others = [*range(axis), *range(axis + picked, rank + picked - 1)]
    grad = apply("transpose", [grad], perm=[*range(axis, axis + picked), *others])
    front = apply("concat", [part(dims, axis, axis + 1), part(dims, 0, axis), part(dims, axis + 1, rank)], axis=0)
    summed = apply("scatter_add", [indices, grad, front])
    return [apply("transpose", [summed], perm=[*range(1, axis + 1), 0, *range(axis + 1, rank)]), None]


@register("scatter_add")
def _scatter_add(node, grads):
    return [None, apply("gather", [grads[0], node.inputs[0]], axis=0), None]
