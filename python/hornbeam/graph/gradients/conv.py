"""Convolution. The three ops of a rank are the three partial products of one trilinear form, so that each one's
gradients are the other two, and second derivatives need nothing more.
"""

from ..ops import apply, shape_of
from . import before_activation, register


def window(attrs):
    """The attributes that all three ops of a family share."""
    return {name: attrs[name] for name in ("strides", "dilation", "padding") if name in attrs}


def known_sizes(op, w):
    """The shape of a convolution's kernel, of whose gradient it is an attribute."""
    if None in w.shape:
        raise ValueError(f"[{op}] the gradient of a kernel of shape {w.shape} needs sizes that are known: state them.")
    return w.shape


def bias_grad(dy):
    """The gradient of a bias that is added to the channels of ``dy``'s forward value."""
    return apply("reduce_sum", [dy], axes=list(range(dy.ndim - 1)))


@register("conv2d", "conv3d")
@before_activation
def _forward(node, grads):
    x, w, bias = (*node.inputs, None)[:3]
    (dy,) = grads
    dx = apply(f"{node.op}_input_grad", [dy, w, shape_of(x)], **window(node.attrs))
    dw = apply(f"{node.op}_filter_grad", [x, dy], kernel=known_sizes(node.op, w)[:-2], **window(node.attrs))
    return [dx, dw, None if bias is None else bias_grad(dy)][: len(node.inputs)]


@register("conv2d_input_grad", "conv3d_input_grad")
@before_activation
def _input_grad(node, grads):
    dy, w, _, bias = (*node.inputs, None)[:4]
    (ddx,) = grads
    forward = node.op.removesuffix("_input_grad")
    ddy = apply(forward, [ddx, w], **window(node.attrs))
    dw = apply(f"{forward}_filter_grad", [ddx, dy], kernel=known_sizes(node.op, w)[:-2], **window(node.attrs))
    return [ddy, dw, None, None if bias is None else bias_grad(ddx)][: len(node.inputs)]


@register("conv2d_filter_grad", "conv3d_filter_grad")
def _filter_grad(node, grads):
    x, dy = node.inputs
    (ddw,) = grads
    forward = node.op.removesuffix("_filter_grad")
    return [
        apply(f"{forward}_input_grad", [dy, ddw, shape_of(x)], **window(node.attrs)),
        apply(forward, [x, ddw], **window(node.attrs)),
    ]
