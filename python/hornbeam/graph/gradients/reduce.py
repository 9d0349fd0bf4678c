"""Reductions. Gradients of a maximum are shared equally by all that reach it, as in TensorFlow."""

from ..ops import apply, cast, constant, shape_of
from . import not_differentiable, register

not_differentiable("reduce_any", "reduce_all", "argmax", "argmin")


def _spread(node, value):
    """A value of the reduced shape, with the reduced axes back as ones so that it broadcasts against x."""
    if node.attrs.get("keepdims", False):
        return value
    for axis in sorted(a % len(node.inputs[0].shape) for a in node.attrs["axes"]):
        value = apply("expand_dims", [value], axis=axis)
    return value


def _count(node):
    """How many values each result is made of, as a scalar of x's dtype."""
    x = node.inputs[0]
    axes = constant([a % len(x.shape) for a in node.attrs["axes"]], "int32", shape=(len(node.attrs["axes"]),))
    sizes = apply("gather", [shape_of(x), axes], axis=0)
    return apply("reduce_prod", [cast(sizes, x.dtype)], axes=[0], keepdims=False)


@register("reduce_sum")
def _reduce_sum(node, grads):
    return [apply("broadcast_to", [_spread(node, grads[0]), shape_of(node.inputs[0])])]


@register("reduce_mean")
def _reduce_mean(node, grads):
    return [apply("broadcast_to", [_spread(node, grads[0] / _count(node)), shape_of(node.inputs[0])])]


@register("reduce_max", "reduce_min")
def _reduce_max_min(node, grads):
    x = node.inputs[0]
    hit = apply("equal", [x, _spread(node, node.outputs[0])])
    ties = apply("reduce_sum", [cast(hit, x.dtype)], axes=node.attrs["axes"], keepdims=True)
    return [apply("select", [hit, _spread(node, grads[0]) / ties, constant(0.0, x.dtype)])]


@register("reduce_prod")
def _reduce_prod(node, grads):
    # The product of all others is y / x, except where a factor is 0: there it is the product of what is not 0,
    # if no other factor is 0 too.
    x = node.inputs[0]
    axes = node.attrs["axes"]
    is_zero = apply("equal", [x, constant(0.0, x.dtype)])
    factors = apply("select", [is_zero, constant(1.0, x.dtype), x])
    product = apply("reduce_prod", [factors], axes=axes, keepdims=True)
    zeros = cast(is_zero, x.dtype)
    other_zeros = apply("reduce_sum", [zeros], axes=axes, keepdims=True) - zeros
    others = apply(
        "select", [apply("greater", [other_zeros, constant(0.0, x.dtype)]), constant(0.0, x.dtype), product / factors]
    )
    return [others * _spread(node, grads[0])]
