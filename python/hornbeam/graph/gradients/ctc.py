"""Connectionist temporal classification.

The kernel makes the loss and its gradient at once. What is differentiated further is the loss in basic ops, the forward
recursion of Graves et al. 2006 in logarithms.
"""

from ..ops import apply, constant, reshape, shape_of
from ..scan import scan
from . import gradients, register, through
from .slice import ints, part

#: the logarithm of what cannot happen; finite, so that the difference of two of them is no nan
_NEVER = -1e30


@register("ctc_loss")
def _ctc_loss(node, grads):
    dloss, ddlogits = grads
    found = []
    if dloss is not None:
        found.append(node.outputs[1] * reshape(dloss, (-1, 1, 1)))
    if ddlogits is not None:
        found.append(through(_expand, node, [None, ddlogits])[0])
    return [found[0] if len(found) == 1 else found[0] + found[1], None, None, None]


def _expand(logits, labels, steps, used):
    """ctc_loss in basic ops."""
    loss = _loss(logits, labels, steps, used)
    return loss, *gradients(loss, logits)


def _loss(logits, labels, steps, used):
    classes = logits.shape[-1]
    symbols = _with_blanks(labels, classes - 1)
    spelled = apply("one_hot", [symbols], depth=classes, dtype=logits.dtype)
    emitted = apply("matmul", [apply("log_softmax", [logits]), spelled], transpose_b=True)
    may_skip = _may_skip(symbols, classes - 1)
    states = _count(shape_of(symbols)[1])

    def step(alphas, rows):
        (alpha,), (now, number) = alphas, rows
        skipped = _where(may_skip, _shifted(alpha, 2), _NEVER)
        reached = _log_sum([alpha, _shifted(alpha, 1), skipped]) + now
        return [], [_where(reshape(steps > number, (-1, 1)), reached, alpha)]

    start = _where(states < 2, emitted[:, 0], _NEVER)
    rows = [apply("transpose", [emitted], perm=[1, 0, 2])[1:], _count(shape_of(logits)[1])[1:]]
    (alpha,) = scan(step, [start], rows).finals
    # A sample may end in its last label or in the blank behind it.
    behind = reshape(used, (-1, 1)) * 2 - states
    is_end = apply("logical_or", [apply("equal", [behind, 0]), apply("equal", [behind, 1])])
    ends = _where(is_end, alpha, _NEVER)
    top = apply("stop_gradient", [apply("reduce_max", [ends], axes=[1], keepdims=True)])
    total = apply("reduce_sum", [apply("exp", [ends - top])], axes=[1], keepdims=True)
    return -reshape(apply("log", [total]) + top, (-1,))


def _count(length):
    """0, 1, 2, ... below a scalar."""
    return apply("arange", [constant(0, "int32"), length, constant(1, "int32")], dtype="int32")


def _where(condition, a, b):
    return apply("select", [condition, a, constant(b, a.dtype) if isinstance(b, float) else b])


def _log_sum(terms):
    top = apply("stop_gradient", [apply("maximum", [apply("maximum", terms[:2]), terms[2]])])
    first, *rest = (apply("exp", [t - top]) for t in terms)
    for t in rest:
        first = first + t
    return apply("log", [first]) + top


def _with_blanks(labels, blank):
    """Labels with a blank before, between and behind: (samples, 2 * labels + 1)."""
    pairs = apply("concat", [apply("expand_dims", [t], axis=2) for t in (labels * 0 + blank, labels)], axis=2)
    rows = part(shape_of(labels), 0, 1)
    flat = reshape(pairs, apply("concat", [rows, ints(-1)], axis=0))
    end = apply("fill", [apply("concat", [rows, ints(1)], axis=0)], value=float(blank), dtype="int32")
    return apply("concat", [flat, end], axis=1)


def _may_skip(symbols, blank):
    """Whether a state can be reached from two states before: it is a label, and not the same as the last label."""
    before = _shifted(symbols, 2, blank)
    return apply("logical_and", [apply("not_equal", [symbols, blank]), apply("not_equal", [symbols, before])])


def _shifted(x, by, first=_NEVER):
    """What the state ``by`` places before has."""
    filled = apply("fill", [apply("concat", [part(shape_of(x), 0, 1), ints(by)], axis=0)], value=first, dtype=x.dtype)
    return apply("concat", [filled, x], axis=1)[:, :-by]
