"""Pooling. Gradients of maxima go to the first maximum of each window, in row-major order."""

from ..ops import apply, shape_of
from . import register


@register("max_pool2d")
def _max_pool2d(node, grads):
    return [apply("max_pool2d_grad", [node.inputs[0], node.outputs[0], grads[0]], **node.attrs)]


@register("max_pool2d_grad")
def _max_pool2d_grad(node, grads):
    # Linear in dy; x and y only choose the cells, which does not vary smoothly.
    x, y, _ = node.inputs
    return [None, None, apply("max_pool2d_gather", [x, y, grads[0]], **node.attrs)]


@register("max_pool2d_gather")
def _max_pool2d_gather(node, grads):
    x, y, _ = node.inputs
    return [None, None, apply("max_pool2d_grad", [x, y, grads[0]], **node.attrs)]


@register("avg_pool2d")
def _avg_pool2d(node, grads):
    return [apply("avg_pool2d_grad", [grads[0], shape_of(node.inputs[0])], **node.attrs)]


@register("avg_pool2d_grad")
def _avg_pool2d_grad(node, grads):
    return [apply("avg_pool2d", [grads[0]], **node.attrs), None]
