"""Resizing is linear: its two ops are each other's gradient."""

from ..ops import apply, shape_of
from . import register


@register("resize")
def _resize(node, grads):
    return [apply("resize_grad", [grads[0], shape_of(node.inputs[0])], **node.attrs), None]


@register("resize_grad")
def _resize_grad(node, grads):
    size = shape_of(node.inputs[0])[1:3]
    return [apply("resize", [grads[0], size], **node.attrs), None]
