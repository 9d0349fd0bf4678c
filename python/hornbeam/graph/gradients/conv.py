"""Convolution. The three ops are the three partial products of one trilinear form, so that each one's
gradients are the other two, and second derivatives need nothing more.
"""

from ..ops import apply, shape_of
from . import register


def window(attrs):
    """The attributes that all three ops of a family share."""
    return {name: attrs[name] for name in ("strides", "dilation", "padding") if name in attrs}


@register("conv2d")
def _conv2d(node, grads):
    if node.attrs.get("activation", "linear") != "linear":
        raise NotImplementedError("conv2d is differentiated before an activation is fused into it")
    x, w, bias = (*node.inputs, None)[:3]
    (dy,) = grads
    dx = apply("conv2d_input_grad", [dy, w, shape_of(x)], **window(node.attrs))
    dw = apply("conv2d_filter_grad", [x, dy], kernel=w.shape[:2], **window(node.attrs))
    db = None if bias is None else apply("reduce_sum", [dy], axes=[0, 1, 2])
    return [dx, dw, db][: len(node.inputs)]


@register("conv2d_input_grad")
def _conv2d_input_grad(node, grads):
    dy, w, _ = node.inputs
    (ddx,) = grads
    return [
        apply("conv2d", [ddx, w], **window(node.attrs)),
        apply("conv2d_filter_grad", [ddx, dy], kernel=w.shape[:2], **window(node.attrs)),
        None,
    ]


@register("conv2d_filter_grad")
def _conv2d_filter_grad(node, grads):
    x, dy = node.inputs
    (ddw,) = grads
    return [
        apply("conv2d_input_grad", [dy, ddw, shape_of(x)], **window(node.attrs)),
        apply("conv2d", [x, ddw], **window(node.attrs)),
    ]
