"""The recurrent ops and their gradient ops in basic ops: one step as a formula, a scan over the steps.

Each function takes an op's inputs and attributes (docs/ops.md, "recurrent") and gives its outputs.
"""

from functools import partial

from ..ops import apply, cast, constant
from ..scan import scan
from . import activated, zeros_like

#: an activation's derivative, from its result: for those of `_core.activations()` whose result tells it
SLOPES = {
    "linear": lambda y: y * 0.0 + 1.0,
    "relu": lambda y: cast(y > 0.0, y.dtype),
    "sigmoid": lambda y: y * (1.0 - y),
    "hard_sigmoid": lambda y: cast(apply("logical_and", [y > 0.0, y < 1.0]), y.dtype) * 0.2,
    "tanh": lambda y: 1.0 - y * y,
    "softplus": lambda y: 1.0 - apply("exp", [-y]),
    "softsign": lambda y: apply("square", [1.0 - apply("abs", [y])]),
    "elu": lambda y: _where(y > 0.0, y * 0.0 + 1.0, y + 1.0),
    "selu": lambda y: _where(y > 0.0, y * 0.0 + 1.0507009873554805, y + 1.0507009873554805 * 1.6732632423543772),
    "exponential": lambda y: y,
}


def lstm(xp, h0, c0, kernel, mask, rec_mask, **attrs):
    act, rec = _activations(attrs)

    def step(x, keep, states):
        h, c = states
        z = x + _product(h, kernel, rec_mask, 4)
        i, f, g, o = (fn(part) for fn, part in zip((rec, rec, act, rec), _parts(z, 4)))
        c_next = _where(keep, f * c + i * g, c)
        h_next = _where(keep, o * act(c_next), h)
        return [h_next, _joined([i, f, g, o]), c_next], [h_next, c_next]

    start = _start(xp, kernel)
    (y, gates, cells), (h, c) = _forward(step, xp, mask, [_or(h0, start), _or(c0, start)], attrs)
    return y, h, c, gates, cells


def lstm_grad(dy, dh, dc, y, gates, cells, h0, c0, kernel, mask, rec_mask, **attrs):
    slope, rec_slope, act = _slope(attrs, "activation"), _slope(attrs, "recurrent_activation"), _activations(attrs)[0]

    def step(rows, keep, states):
        dh, dc = states
        i, f, g, o = _parts(rows["gates"], 4)
        a = act(rows["cells"])
        dc_here = dc + dh * o * slope(a)
        parts = [dc_here * g * rec_slope(i), dc_here * rows["c"] * rec_slope(f), dc_here * i * slope(g)]
        dz = _where(keep, _joined([*parts, dh * a * rec_slope(o)]), zeros_like(rows["gates"]))
        dh_before = _product_back(dz, kernel, rec_mask, 4)
        return [dz], [_where(keep, dh_before, dh), _where(keep, dc_here * f, dc)]

    zero = zeros_like(y[:, 0])
    before = _before(y, h0)
    rows = {"gates": _defined(gates, mask, attrs), "cells": cells, "c": _before(cells, c0)}
    (dz,), (dh0, dc0) = _backward(step, dy, rows, mask, [_or(dh, zero), _or(dc, zero)], attrs)
    return _in_input_order(dz, attrs), dh0, dc0, _kernel_grad(before, dz, rec_mask, 4)


def gru(xp, h0, kernel, bias, mask, rec_mask, **attrs):
    act, rec = _activations(attrs)
    reset_after = attrs.get("reset_after", False)

    def step(x, keep, states):
        (h,) = states
        hz, hr, hk = (_masked(h, rec_mask, gate) for gate in range(3))
        kz, kr, kk = _parts(kernel, 3)
        xz, xr, xk = _parts(x, 3)
        bz, br, bk = [0.0] * 3 if bias is None else _parts(bias, 3)
        z, r = rec(xz + _dot(hz, kz) + bz), rec(xr + _dot(hr, kr) + br)
        hidden = _dot(hk, kk) + bk if reset_after else r * hk
        k = act(xk + (r * hidden if reset_after else _dot(hidden, kk)))
        carried = hz if attrs.get("drop_carry", False) else h
        h_next = _where(keep, z * carried + (1.0 - z) * k, h)
        return [h_next, _joined([z, r, k]), hidden], [h_next]

    (y, gates, hidden), (h,) = _forward(step, xp, mask, [_or(h0, _start(xp, kernel))], attrs)
    return y, h, gates, hidden


def gru_grad(dy, dh, y, gates, hidden, h0, kernel, bias, mask, rec_mask, **attrs):
    slope, rec_slope = _slope(attrs, "activation"), _slope(attrs, "recurrent_activation")
    reset_after = attrs.get("reset_after", False)
    carry_mask = rec_mask if attrs.get("drop_carry", False) else None

    def step(rows, keep, states):
        (dh,) = states
        h, seen = rows["h"], rows["hidden"]
        z, r, k = _parts(rows["gates"], 3)
        kz, kr, kk = _parts(kernel, 3)
        dz = dh * (_masked(h, carry_mask, 0) - k) * rec_slope(z)
        dk = dh * (1.0 - z) * slope(k)
        through_kernel = dk * r if reset_after else dk  # what meets R_h
        d_hidden = _dot(through_kernel, kk, transpose_b=True)
        dr = (dk * seen if reset_after else d_hidden * _masked(h, rec_mask, 2)) * rec_slope(r)
        dh_before = _masked(dh * z, carry_mask, 0) + _masked(d_hidden if reset_after else d_hidden * r, rec_mask, 2)
        for gate, (d, weights) in enumerate(((dz, kz), (dr, kr))):
            dh_before = dh_before + _masked(_dot(d, weights, transpose_b=True), rec_mask, gate)
        nothing = zeros_like(rows["gates"])
        dxp = _where(keep, _joined([dz, dr, dk]), nothing)
        return [dxp, _where(keep, _joined([dz, dr, through_kernel]), nothing)], [_where(keep, dh_before, dh)]

    before, hidden = _before(y, h0), _defined(hidden, mask, attrs)
    rows = {"gates": _defined(gates, mask, attrs), "hidden": hidden, "h": before}
    (dxp, dproduct), (dh0,) = _backward(step, dy, rows, mask, [_or(dh, zeros_like(y[:, 0]))], attrs)
    dkernel = _kernel_grad(before, dproduct, rec_mask, 3)
    if not reset_after:
        kept = _parts(dkernel, 3)[:2]
        dkernel = _joined([*kept, _kernel_grad(hidden, _parts(dproduct, 3)[2], None, 1)])
    dbias = apply("reduce_sum", [dproduct], axes=[0, 1], keepdims=False)
    return _in_input_order(dxp, attrs), dh0, dkernel, dbias


def simple_rnn_grad(dy, dh, y, h0, kernel, mask, rec_mask, **attrs):
    slope = _slope(attrs, "activation")

    def step(rows, keep, states):
        (dh,) = states
        dz = _where(keep, dh * slope(rows["y"]), zeros_like(dh))
        return [dz], [_where(keep, _product_back(dz, kernel, rec_mask, 1), dh)]

    (dz,), (dh0,) = _backward(step, dy, {"y": y}, mask, [_or(dh, zeros_like(y[:, 0]))], attrs)
    return _in_input_order(dz, attrs), dh0, _kernel_grad(_before(y, h0), dz, rec_mask, 1)


# -- walking over the steps --------------------------------------------------------------------------------
def _forward(step, xp, mask, initial, attrs):
    """``step(x, keep, states) -> outputs, states`` in the order of running; outputs come in that order, too."""
    reverse = attrs.get("go_backwards", False)
    sequences = [_by_time(xp)] if mask is None else [_by_time(xp), _by_time(mask)]

    def body(states, rows):
        return step(rows[0], _column(rows[1]) if mask is not None else None, states)

    run = scan(body, initial, sequences, reverse=reverse)
    outputs = [_by_time(t) for t in run.outputs]
    return [_reversed(t) if reverse else t for t in outputs], run.finals


def _backward(step, dy, named, mask, initial, attrs):
    """``step(rows, keep, states) -> outputs, states`` from the last step to the first.

    All that is named lies in the order of running. The first state is the gradient of the output, to which dy adds.
    """
    names = list(named)
    sequences = [_by_time(t) for t in named.values()]
    if mask is not None:
        sequences.append(_by_time(_in_input_order(mask, attrs)))
    if dy is not None:
        sequences.append(_by_time(dy))

    def body(states, rows):
        keep = _column(rows[len(names)]) if mask is not None else None
        dh = states[0] if dy is None else states[0] + rows[-1]
        return step(dict(zip(names, rows)), keep, [dh, *states[1:]])

    run = scan(body, initial, sequences, reverse=True)
    return [_by_time(t) for t in run.outputs], run.finals


def _by_time(x):
    """Samples and time exchanged."""
    return apply("transpose", [x], perm=[1, 0, *range(2, x.ndim)])


def _reversed(x):
    return apply("reverse", [x], axes=[1])


def _in_input_order(x, attrs):
    """From the order of running to that of the input, or back."""
    return _reversed(x) if attrs.get("go_backwards", False) else x


def _before(sequence, first):
    """The value one step before each."""
    first = zeros_like(sequence[:, :1]) if first is None else apply("expand_dims", [first], axis=1)
    return apply("concat", [first, sequence[:, :-1]], axis=1)


def _defined(kept, mask, attrs):
    """What the forward op kept, with zeros at masked steps, where it is not defined."""
    if mask is None:
        return kept
    return _where(apply("expand_dims", [_in_input_order(mask, attrs)], axis=2), kept, zeros_like(kept))


# -- parts of a step -----------------------------------------------------------------------------------------
def _activations(attrs):
    return [partial(activated, attrs.get(name, default)) for name, default in _DEFAULTS.items()]


_DEFAULTS = {"activation": "tanh", "recurrent_activation": "sigmoid"}


def _slope(attrs, name):
    return SLOPES[attrs.get(name, _DEFAULTS[name])]


def _where(condition, a, b):
    return a if condition is None else apply("select", [condition, a, b])


def _or(state, zero):
    return zero if state is None else state


def _start(xp, kernel):
    """The state of zeros, made from shapes alone."""
    dims = apply("concat", [apply("shape", [xp])[:1], apply("shape", [kernel])[:1]], axis=0)
    return apply("fill", [dims], value=0.0, dtype=xp.dtype)


def _column(mask):
    return apply("expand_dims", [mask], axis=1)


def _parts(x, count):
    """Cut the last axis into gates."""
    units = x.shape[-1] // count
    return [x[..., g * units : (g + 1) * units] for g in range(count)]


def _joined(parts):
    return parts[0] if len(parts) == 1 else apply("concat", parts, axis=parts[0].ndim - 1)


def _dot(a, b, **attrs):
    return apply("matmul", [a, b], **attrs)


def _masked(h, rec_mask, gate):
    return h if rec_mask is None else h * rec_mask[gate]


def _product(h, kernel, rec_mask, gates):
    if rec_mask is None:
        return _dot(h, kernel)
    return _joined([_dot(_masked(h, rec_mask, g), part) for g, part in enumerate(_parts(kernel, gates))])


def _product_back(dz, kernel, rec_mask, gates):
    if rec_mask is None:
        return _dot(dz, kernel, transpose_b=True)
    parts = [_dot(d, k, transpose_b=True) for d, k in zip(_parts(dz, gates), _parts(kernel, gates))]
    total, *others = (_masked(part, rec_mask, g) for g, part in enumerate(parts))
    for other in others:
        total = total + other
    return total


def _kernel_grad(before, dz, rec_mask, gates):
    """Summed over samples and steps: ``before^T dz``, gate by gate where each has a mask of its own."""
    rows = -1 if before.shape[-1] else 0  # without units both are empty
    flat = [apply("reshape", [t, constant([rows, t.shape[-1]], "int64")]) for t in (before, dz)]
    if rec_mask is None:
        return _dot(*flat, transpose_a=True)
    parts = []
    for g, d in enumerate(_parts(dz, gates)):
        masked = before * apply("expand_dims", [rec_mask[g]], axis=1)
        parts.append(_kernel_grad(masked, d, None, 1))
    return _joined(parts)
