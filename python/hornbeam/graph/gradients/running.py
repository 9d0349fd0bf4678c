"""Running sums and products. What the gradient of one walks back along the axis is a recurrence in general."""

from ..ops import apply
from . import register
from .slice import ints


@register("cumsum")
def _cumsum(node, grads):
    return [apply("cumsum", [grads[0]], axis=_axis(node), reverse=not _reverse(node))]


@register("cumprod")
def _cumprod(node, grads):
    # dx[i] = y[i-1] s[i] with s[i] = g[i] + x[i+1] s[i+1]: nothing is divided, so zeros among the factors do no harm.
    x, y = node.inputs[0], node.outputs[0]
    axis, reverse = _axis(node), _reverse(node)
    after = apply("recurrence", [_shifted(x, axis, not reverse, 0.0), grads[0]], axis=axis, reverse=not reverse)
    return [_shifted(y, axis, reverse, 1.0) * after]


@register("recurrence")
def _recurrence(node, grads):
    # y[i] = a[i] y[i-1] + b[i]: db[i] = g[i] + a[i+1] db[i+1], and da[i] = db[i] y[i-1].
    a, y = node.inputs[0], node.outputs[0]
    axis, reverse = _axis(node), _reverse(node)
    db = apply("recurrence", [_shifted(a, axis, not reverse, 0.0), grads[0]], axis=axis, reverse=not reverse)
    return [db * _shifted(y, axis, reverse, 0.0), db]


def _axis(node):
    return node.attrs.get("axis", 0) % len(node.inputs[0].shape)


def _reverse(node):
    return bool(node.attrs.get("reverse", False))


def _shifted(x, axis, reverse, first):
    """What stands one place before each element in running order, and ``first`` where there is none.

    One element more is put before them all, and the last one is cut off.
    """
    rank = len(x.shape)
    edge = [int(i == axis) for i in range(rank)]
    none = [0] * rank
    before, after = (none, edge) if reverse else (edge, none)
    padded = apply("pad", [x], before=before, after=after, value=first)
    begin, end = after, [-i for i in before]
    open_begin, open_end = (sum(1 << i for i in range(rank) if not v[i]) for v in (begin, end))
    return apply("slice", [padded, ints(*begin), ints(*end)], begin_mask=open_begin, end_mask=open_end)
