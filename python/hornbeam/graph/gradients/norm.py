"""Batch normalization.

The fused backward op takes care of a gradient that arrives through ``y``; gradients through the statistics
themselves (a loss on them, or a second derivative) are written in basic ops.
"""

from ..ops import apply, cast, shape_of
from . import before_activation, register, through


@register("batch_norm")
@before_activation
def _batch_norm(node, grads):
    x, gamma, beta = (*node.inputs, None, None)[:3]
    _, mean, _, inv_std = node.outputs
    dy, dmean, dvariance, dinv_std = grads
    dx = dgamma = dbeta = None
    if dy is not None:
        dx, dgamma, dbeta = apply("batch_norm_grad", [dy, x, mean, inv_std, gamma])
    if dinv_std is not None:
        by_variance = dinv_std * inv_std * inv_std * inv_std * -0.5
        dvariance = by_variance if dvariance is None else dvariance + by_variance
    through = [g for g in (_through_mean(x, dmean), _through_variance(x, mean, dvariance)) if g is not None]
    for g in through:
        dx = g if dx is None else dx + g
    return [dx, dgamma if gamma is not None else None, dbeta if beta is not None else None][: len(node.inputs)]


def _through_mean(x, dmean):
    return None if dmean is None else apply("broadcast_to", [dmean / _count(x), shape_of(x)])


def _through_variance(x, mean, dvariance):
    return None if dvariance is None else (x - mean) * (dvariance * 2.0 / _count(x))


def _count(x):
    """How many values each channel has, as a scalar of x's dtype."""
    sizes = apply("slice", [shape_of(x), [0], [-1]], strides=[1], begin_mask=0, end_mask=0)
    return apply("reduce_prod", [cast(sizes, x.dtype)], axes=[0], keepdims=False)


@register("batch_norm_grad")
def _batch_norm_grad(node, grads):
    return through(_expand, node, grads)


def _expand(dy, x, mean, inv_std, gamma=None):
    """batch_norm_grad in basic ops."""
    axes = list(range(len(x.shape) - 1))
    normal = (x - mean) * inv_std
    dgamma = apply("reduce_sum", [dy * normal], axes=axes, keepdims=False)
    dbeta = apply("reduce_sum", [dy], axes=axes, keepdims=False)
    count = _count(x)
    dx = (dy - dbeta / count - normal * (dgamma / count)) * inv_std
    return (dx if gamma is None else dx * gamma), dgamma, dbeta
