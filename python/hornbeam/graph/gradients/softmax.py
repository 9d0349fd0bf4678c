"""Softmax over the last axis."""

from ..ops import apply
from . import register


def _row_sum(x):
    return apply("reduce_sum", [x], axes=[-1], keepdims=True)


@register("softmax")
def _softmax(node, grads):
    return [apply("softmax_grad", [node.outputs[0], grads[0]])]


@register("softmax_grad")
def _softmax_grad(node, grads):
    # dx = y (dy - <y, dy>): the Jacobian in dy is that of softmax, symmetric.
    y, dy = node.inputs
    g = grads[0]
    return [g * (dy - _row_sum(y * dy)) - dy * _row_sum(g * y), apply("softmax_grad", [y, g])]


@register("log_softmax")
def _log_softmax(node, grads):
    return [apply("log_softmax_grad", [node.outputs[0], grads[0]])]


@register("log_softmax_grad")
def _log_softmax_grad(node, grads):
    # dx = dy - exp(y) <1, dy>
    y, dy = node.inputs
    weighted = grads[0] * apply("exp", [y])
    return [-weighted * _row_sum(dy), grads[0] - _row_sum(weighted)]
