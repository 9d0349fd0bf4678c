"""Whole-sequence recurrent ops. Their gradient ops walk back through time over what the forward op kept.

What those ops are in basic ops, step by step, stands in ``recurrent_steps``: it is what second derivatives go through.
"""

from ..ops import apply
from . import recurrent_steps, register, through


@register("lstm")
def _lstm(node, grads):
    if any(g is not None for g in grads[3:]):
        return through(recurrent_steps.lstm, node, grads)
    _, h0, c0, kernel, mask, rec_mask = node.inputs
    y, _, _, gates, cells = node.outputs
    saved = [y, gates, cells, h0, c0, kernel, mask, rec_mask]
    dxp, dh0, dc0, dkernel = apply("lstm_grad", [*grads[:3], *saved], **node.attrs)
    return [dxp, dh0, dc0, dkernel, None, None]


@register("lstm_grad")
def _lstm_grad(node, grads):
    return through(recurrent_steps.lstm_grad, node, grads)


@register("gru")
def _gru(node, grads):
    if any(g is not None for g in grads[2:]):
        return through(recurrent_steps.gru, node, grads)
    _, h0, kernel, bias, mask, rec_mask = node.inputs
    y, _, gates, hidden = node.outputs
    saved = [y, gates, hidden, h0, kernel, bias, mask, rec_mask]
    dxp, dh0, dkernel, dbias = apply("gru_grad", [*grads[:2], *saved], **node.attrs)
    return [dxp, dh0, dkernel, dbias, None, None]


@register("gru_grad")
def _gru_grad(node, grads):
    return through(recurrent_steps.gru_grad, node, grads)


@register("simple_rnn")
def _simple_rnn(node, grads):
    _, h0, kernel, mask, rec_mask = node.inputs
    saved = [node.outputs[0], h0, kernel, mask, rec_mask]
    dxp, dh0, dkernel = apply("simple_rnn_grad", [*grads, *saved], **node.attrs)
    return [dxp, dh0, dkernel, None, None]


@register("simple_rnn_grad")
def _simple_rnn_grad(node, grads):
    return through(recurrent_steps.simple_rnn_grad, node, grads)
