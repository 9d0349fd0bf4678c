"""Recurrent cells in NumPy, step by step and row by row: the oracle of the whole-sequence kernels."""

import numpy as np
import reference_elementwise
from hornbeam import _core

_SLOPELESS = {name for name, _, has_slope in _core.activations() if not has_slope}
ACTIVATIONS = {name: f for name, f in reference_elementwise.ACTIVATIONS.items() if name not in _SLOPELESS}


def _walk(cell, xp, states, mask, go_backwards):
    """Run ``cell(x, states, row) -> new states`` over all rows and steps: each state's sequence, and the last states."""
    batch, steps, _ = xp.shape
    states = [np.array(s, "float64") for s in states]
    order = range(steps - 1, -1, -1) if go_backwards else range(steps)
    sequences = [np.zeros((batch, steps, s.shape[1])) for s in states]
    for row in range(batch):
        for i, t in enumerate(order):
            new = cell(xp[row, t], [s[row] for s in states], row)
            for s, sequence, value in zip(states, sequences, new):
                if mask is None or mask[row, t]:
                    s[row] = value
                sequence[row, i] = s[row]
    return sequences, states


def _masked(h, rec_mask, row, gates):
    return [h if rec_mask is None else h * rec_mask[g, row] for g in range(gates)]


def _zeros(state, xp, units):
    return np.zeros((xp.shape[0], units)) if state is None else state


def lstm(
    xp, h0, c0, kernel, mask=None, rec_mask=None, activation="tanh", recurrent_activation="sigmoid", go_backwards=False
):
    """Return y, h, c, cells."""
    act, rec = ACTIVATIONS[activation], ACTIVATIONS[recurrent_activation]
    kernels = np.split(kernel, 4, axis=1)

    def cell(x, states, row):
        h, c = states
        zi, zf, zc, zo = (xg + hg @ k for xg, hg, k in zip(np.split(x, 4), _masked(h, rec_mask, row, 4), kernels))
        c = rec(zf) * c + rec(zi) * act(zc)
        return [rec(zo) * act(c), c]

    units = kernel.shape[0]
    (y, cells), (h, c) = _walk(cell, xp, [_zeros(h0, xp, units), _zeros(c0, xp, units)], mask, go_backwards)
    return y, h, c, cells


def gru(
    xp, h0, kernel, bias=None, mask=None, rec_mask=None,
    activation="tanh", recurrent_activation="sigmoid", reset_after=False, go_backwards=False, drop_carry=False,
):  # fmt: skip
    """Return y, h."""
    act, rec = ACTIVATIONS[activation], ACTIVATIONS[recurrent_activation]
    units = kernel.shape[0]
    kz, kr, kh = np.split(kernel, 3, axis=1)
    bz, br, bh = np.split(np.zeros(3 * units) if bias is None else bias, 3)

    def cell(x, states, row):
        (h,) = states
        xz, xr, xh = np.split(x, 3)
        hz, hr, hh = _masked(h, rec_mask, row, 3)
        z = rec(xz + hz @ kz + bz)
        r = rec(xr + hr @ kr + br)
        inner = r * (hh @ kh + bh) if reset_after else (r * hh) @ kh
        return [z * (hz if drop_carry else h) + (1 - z) * act(xh + inner)]

    (y,), (h,) = _walk(cell, xp, [_zeros(h0, xp, units)], mask, go_backwards)
    return y, h


def simple_rnn(xp, h0, kernel, mask=None, rec_mask=None, activation="tanh", go_backwards=False):
    """Return y, h."""
    act = ACTIVATIONS[activation]

    def cell(x, states, row):
        (h,) = _masked(states[0], rec_mask, row, 1)
        return [act(x + h @ kernel)]

    (y,), (h,) = _walk(cell, xp, [_zeros(h0, xp, kernel.shape[0])], mask, go_backwards)
    return y, h
