"""Ops that move elements: their gradients move them back."""

import numpy as np

from ..ops import apply, cast, reshape, shape_of
from . import not_differentiable, register
from .slice import ints, part, slice_axis

not_differentiable("stop_gradient")


@register("reshape")
def _reshape(node, grads):
    return [_like_input(node, grads), None]


@register("expand_dims", "squeeze")
def _change_dims(node, grads):
    return [_like_input(node, grads)]


def _like_input(node, grads):
    return reshape(grads[0], shape_of(node.inputs[0]))


@register("identity")
def _identity(node, grads):
    return [grads[0]]


@register("transpose")
def _transpose(node, grads):
    return [apply("transpose", [grads[0]], perm=[int(i) for i in np.argsort(node.attrs["perm"])])]


@register("reverse")
def _reverse(node, grads):
    return [apply("reverse", [grads[0]], **node.attrs)]


@register("concat")
def _concat(node, grads):
    """Each input's part of the gradient: it begins where the one before it ends."""
    axis = node.attrs.get("axis", 0) % len(node.outputs[0].shape)
    begin, parts = ints(0), []
    for x in node.inputs:
        end = begin + part(shape_of(x), axis, axis + 1)
        parts.append(slice_axis(grads[0], axis, begin, end))
        begin = end
    return parts


@register("tile")
def _tile(node, grads):
    """From the last axis to the first: split what an axis and those behind it became into m copies, and sum over them."""
    x, multiples = node.inputs
    times, dims, grad = cast(multiples, "int32"), shape_of(x), grads[0]
    for axis in reversed(range(len(x.shape))):
        if multiples.ints and multiples.ints[axis] == 1:
            continue
        whole, copied = part(shape_of(node.outputs[0]), 0, axis), part(dims, axis, len(x.shape))
        split = apply("concat", [_product(whole), part(times, axis, axis + 1), _product(copied)], axis=0)
        grad = apply("reduce_sum", [reshape(grad, split)], axes=[1], keepdims=False)
    return [reshape(grad, dims), None]


def _product(dims):
    """The product of dims, as a shape of one axis."""
    return apply("reduce_prod", [dims], axes=[0], keepdims=True)


@register("broadcast_to")
def _broadcast_to(node, grads):
    return [apply("sum_to", [grads[0], shape_of(node.inputs[0])]), None]


@register("pad")
def _pad(node, grads):
    before, after = node.attrs["before"], node.attrs["after"]
    # An end of -after counts from the end; where nothing was added after, the end is left open.
    open_ends = sum(1 << i for i, n in enumerate(after) if n == 0)
    return [apply("slice", [grads[0], ints(*before), ints(*(-n for n in after))], end_mask=open_ends)]
