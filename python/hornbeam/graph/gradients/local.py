"""Convolution with a kernel per place: like ``conv``, three partial products of one trilinear form."""

from ..ops import apply, shape_of
from . import register


@register("local_conv2d")
def _local_conv2d(node, grads):
    x, w = node.inputs
    return [
        apply("local_conv2d_input_grad", [grads[0], w, shape_of(x)], **node.attrs),
        apply("local_conv2d_filter_grad", [x, grads[0]], **node.attrs),
    ]


@register("local_conv2d_input_grad")
def _local_conv2d_input_grad(node, grads):
    dy, w, _ = node.inputs
    return [
        apply("local_conv2d", [grads[0], w], **node.attrs),
        apply("local_conv2d_filter_grad", [grads[0], dy], **node.attrs),
        None,
    ]


@register("local_conv2d_filter_grad")
def _local_conv2d_filter_grad(node, grads):
    x, dy = node.inputs
    return [
        apply("local_conv2d_input_grad", [dy, grads[0], shape_of(x)], **node.attrs),
        apply("local_conv2d", [x, grads[0]], **node.attrs),
    ]
