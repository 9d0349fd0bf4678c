"""Whole-sequence recurrent ops. Their gradient ops walk back through time over what the forward op kept.

The gradient ops have no rules of their own: differentiating twice through them raises.
"""

from ..ops import apply
from . import register


@register("lstm")
def _lstm(node, grads):
    _, h0, c0, kernel, mask, rec_mask = node.inputs
    y, _, _, gates, cells = node.outputs
    saved = [y, gates, cells, h0, c0, kernel, mask, rec_mask]
    dxp, dh0, dc0, dkernel = apply("lstm_grad", [*grads[:3], *saved], **node.attrs)
    return [dxp, dh0, dc0, dkernel, None, None]


@register("gru")
def _gru(node, grads):
    _, h0, kernel, bias, mask, rec_mask = node.inputs
    y, _, gates, hidden = node.outputs
    saved = [y, gates, hidden, h0, kernel, bias, mask, rec_mask]
    dxp, dh0, dkernel, dbias = apply("gru_grad", [*grads[:2], *saved], **node.attrs)
    return [dxp, dh0, dkernel, dbias, None, None]


@register("simple_rnn")
def _simple_rnn(node, grads):
    _, h0, kernel, mask, rec_mask = node.inputs
    saved = [node.outputs[0], h0, kernel, mask, rec_mask]
    dxp, dh0, dkernel = apply("simple_rnn_grad", [*grads, *saved], **node.attrs)
    return [dxp, dh0, dkernel, None, None]
