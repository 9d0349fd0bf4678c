"""Depthwise convolution: like ``conv``, three partial products of one trilinear form."""

from ..ops import apply, shape_of
from . import before_activation, register
from .conv import bias_grad, known_sizes, window


@register("depthwise_conv2d")
@before_activation
def _depthwise_conv2d(node, grads):
    x, w, bias = (*node.inputs, None)[:3]
    (dy,) = grads
    dx = apply("depthwise_conv2d_input_grad", [dy, w, shape_of(x)], **window(node.attrs))
    dw = _filter_grad(x, dy, w, node)
    return [dx, dw, None if bias is None else bias_grad(dy)][: len(node.inputs)]


@register("depthwise_conv2d_input_grad")
def _depthwise_conv2d_input_grad(node, grads):
    dy, w, _ = node.inputs
    (ddx,) = grads
    return [apply("depthwise_conv2d", [ddx, w], **window(node.attrs)), _filter_grad(ddx, dy, w, node), None]


@register("depthwise_conv2d_filter_grad")
def _depthwise_conv2d_filter_grad(node, grads):
    x, dy = node.inputs
    (ddw,) = grads
    return [
        apply("depthwise_conv2d_input_grad", [dy, ddw, shape_of(x)], **window(node.attrs)),
        apply("depthwise_conv2d", [x, ddw], **window(node.attrs)),
    ]


def _filter_grad(x, dy, w, node):
    *kernel, _, multiplier = known_sizes(node.op, w)
    return apply("depthwise_conv2d_filter_grad", [x, dy], kernel=kernel, multiplier=multiplier, **window(node.attrs))
