"""Slices, and the helpers other rules cut gradients with."""

import numpy as np

from ..ops import apply, constant, shape_of
from . import register


@register("slice")
def _slice(node, grads):
    x, begin, end = node.inputs
    return [apply("slice_grad", [grads[0], shape_of(x), begin, end], **node.attrs), None, None]


@register("slice_grad")
def _slice_grad(node, grads):
    _, _, begin, end = node.inputs
    return [apply("slice", [grads[0], begin, end], **node.attrs), None, None, None]


def ints(*values):
    """A constant int32 vector."""
    return constant(np.array(values, "int32"))


def part(vector, begin, end):
    """Elements [begin, end) of a vector."""
    return apply("slice", [vector, ints(begin), ints(end)])


def slice_axis(x, axis, begin, end):
    """``x[:, ..., begin:end]``: vectors of one integer on one axis; masks leave the axes before it whole."""
    zeros, mask = ints(*[0] * axis), (1 << axis) - 1
    begin, end = (apply("concat", [zeros, v], axis=0) for v in (begin, end))
    return apply("slice", [x, begin, end], begin_mask=mask, end_mask=mask)
