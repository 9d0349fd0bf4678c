"""Cross entropy of a softmax with labels: weights of the classes, or class numbers."""

from ..ops import apply
from . import ones_like, register


def _row_sum(x):
    return apply("reduce_sum", [x], axes=[-1], keepdims=True)


def _column(x):
    """One value per row, so that it broadcasts over the classes."""
    return apply("expand_dims", [x], axis=-1)


def _logits_grad(op, node, grads):
    dloss, dprobabilities = grads
    _, probabilities = node.outputs
    parts = []
    if dloss is not None:
        parts.append(apply(op, [probabilities, node.inputs[1], dloss]))
    if dprobabilities is not None:
        parts.append(apply("softmax_grad", [probabilities, dprobabilities]))
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


@register("softmax_cross_entropy")
def _softmax_cross_entropy(node, grads):
    dlabels = None
    if grads[0] is not None:
        dlabels = -apply("log_softmax", [node.inputs[0]]) * _column(grads[0])
    return [_logits_grad("softmax_cross_entropy_grad", node, grads), dlabels]


@register("softmax_cross_entropy_grad")
def _softmax_cross_entropy_grad(node, grads):
    # dlogits = (p sum(labels) - labels) dloss
    p, labels, dloss = node.inputs
    g, weight = grads[0] * _column(dloss), _row_sum(labels)
    return [
        g * weight,
        _row_sum(g * p) - g,
        apply("reduce_sum", [grads[0] * (p * weight - labels)], axes=[-1], keepdims=False),
    ]


@register("sparse_softmax_cross_entropy")
def _sparse_softmax_cross_entropy(node, grads):
    return [_logits_grad("sparse_softmax_cross_entropy_grad", node, grads), None]


@register("sparse_softmax_cross_entropy_grad")
def _sparse_softmax_cross_entropy_grad(node, grads):
    # dlogits = (p - one_hot(labels)) dloss, so that with dloss = 1 the op itself gives the factor of dloss.
    p, labels, dloss = node.inputs
    factor = apply("sparse_softmax_cross_entropy_grad", [p, labels, ones_like(dloss)])
    return [
        grads[0] * _column(dloss),
        None,
        apply("reduce_sum", [grads[0] * factor], axes=[-1], keepdims=False),
    ]
