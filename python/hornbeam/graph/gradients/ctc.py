"""Connectionist temporal classification.

The kernel makes the loss and its gradient at once. What is differentiated further is the loss in basic ops, the forward
recursion of Graves et al. 2006 in logarithms.
"""

import numpy as np

from ..ops import apply, constant, reshape, shape_of
from . import gradients, register
from .slice import ints, part

#: the logarithm of what cannot happen; finite, so that the difference of two of them is no nan
_NEVER = -1e30


@register("ctc_loss")
def _ctc_loss(node, grads):
    dloss, ddlogits = grads
    logits = node.inputs[0]
    found = []
    if dloss is not None:
        found.append(node.outputs[1] * reshape(dloss, (-1, 1, 1)))
    if ddlogits is not None:
        own = apply("identity", [logits])
        (dlogits,) = gradients(_expand(own, *node.inputs[1:]), own)
        found += gradients(dlogits, own, [ddlogits])
    return [found[0] if len(found) == 1 else found[0] + found[1], None, None, None]


def _expand(logits, labels, steps, used):
    """ctc_loss in basic ops: (samples,). The numbers of steps and labels must be known."""
    count, classes = logits.shape[1:]
    most = labels.shape[1]
    if None in (count, classes, most):
        raise NotImplementedError(
            "the second derivative of ctc_loss needs known numbers of steps, classes and labels, got logits of shape "
            f"{logits.shape} and labels of shape {labels.shape}"
        )
    symbols = _with_blanks(labels, most, classes - 1)
    spelled = apply("one_hot", [symbols], depth=classes, dtype=logits.dtype)
    emitted = apply("matmul", [apply("log_softmax", [logits]), spelled], transpose_b=True)
    states = constant(np.arange(2 * most + 1, dtype="int32"))
    may_skip = _may_skip(symbols, classes - 1)
    alpha = _where(states < 2, emitted[:, 0], _NEVER)
    for step in range(1, count):
        skipped = _where(may_skip, _shifted(alpha, 2), _NEVER)
        reached = _log_sum([alpha, _shifted(alpha, 1), skipped]) + emitted[:, step]
        alpha = _where(reshape(steps > step, (-1, 1)), reached, alpha)
    # A sample may end in its last label or in the blank behind it.
    behind = reshape(used, (-1, 1)) * 2 - states
    is_end = apply("logical_or", [apply("equal", [behind, 0]), apply("equal", [behind, 1])])
    ends = _where(is_end, alpha, _NEVER)
    top = apply("stop_gradient", [apply("reduce_max", [ends], axes=[1], keepdims=True)])
    total = apply("reduce_sum", [apply("exp", [ends - top])], axes=[1], keepdims=True)
    return -reshape(apply("log", [total]) + top, (-1,))


def _where(condition, a, b):
    return apply("select", [condition, a, constant(b, a.dtype) if isinstance(b, float) else b])


def _log_sum(terms):
    top = apply("stop_gradient", [apply("maximum", [apply("maximum", terms[:2]), terms[2]])])
    first, *rest = (apply("exp", [t - top]) for t in terms)
    for t in rest:
        first = first + t
    return apply("log", [first]) + top


def _with_blanks(labels, most, blank):
    """Labels with a blank before, between and behind: (samples, 2 * labels + 1)."""
    pairs = apply("concat", [reshape(t, (-1, most, 1)) for t in (labels * 0 + blank, labels)], axis=2)
    flat = reshape(pairs, (-1, 2 * most))
    rows = apply("concat", [part(shape_of(labels), 0, 1), ints(1)], axis=0)
    return apply("concat", [flat, apply("fill", [rows], value=float(blank), dtype="int32")], axis=1)


def _may_skip(symbols, blank):
    """Whether a state can be reached from two states before: it is a label, and not the same as the last label."""
    before = _shifted(symbols, 2, blank)
    return apply("logical_and", [apply("not_equal", [symbols, blank]), apply("not_equal", [symbols, before])])


def _shifted(x, by, first=_NEVER):
    """What the state ``by`` places before has."""
    return apply("pad", [x[:, :-by]], before=[0, by], after=[0, 0], value=float(first))
