"""What op tests share: run an op on arrays, compare with an oracle, check gradients by finite differences."""

import numpy as np
from hornbeam import graph as G


def as_placeholder(array, dtype=None, shape=None):
    array = np.asarray(array)
    return G.placeholder(array.shape if shape is None else shape, dtype or array.dtype.name)


def run_op(op, arrays, **attrs):
    """The outputs of one op on concrete arrays (None for an absent input), as a list.

    Small integer vectors become constants, because they may be shape arguments whose values must be known.
    """
    inputs, placeholders, feeds = [], [], []
    for a in arrays:
        if a is None:
            inputs.append(None)
            continue
        a = np.asarray(a)
        if a.dtype.kind in "iu" and a.ndim <= 1 and a.size <= 64:
            inputs.append(G.constant(a))
        else:
            inputs.append(as_placeholder(a))
            placeholders.append(inputs[-1])
            feeds.append(a)
    out = G.apply(op, inputs, **attrs)
    outs = list(out) if isinstance(out, tuple) else [out]
    return G.Function(placeholders, outs)(feeds)


def check_gradients(build, arrays, eps=1e-5, rtol=1e-5, atol=1e-7, seed=0, unconnected=False):
    """Compare symbolic gradients with central differences in float64.

    ``build`` maps tensors to one output tensor; the scalar checked is ``sum(output * w)`` with random ``w``.
    With ``unconnected``, None is a gradient of zeros: of what is linear, or pieces of it.
    """
    rng = np.random.RandomState(seed)
    arrays = [np.array(a, "float64") for a in arrays]
    inputs = [as_placeholder(a) for a in arrays]
    out = build(*inputs)
    value = G.Function(inputs, [out])
    w = rng.uniform(-1, 1, value(arrays)[0].shape)
    grads = G.gradients([out], inputs, [G.constant(w)])
    assert unconnected or all(g is not None for g in grads)
    grads = [G.apply("mul", [x, 0.0]) if g is None else g for x, g in zip(inputs, grads)]
    got = G.Function(inputs, grads)(arrays)
    for i, (a, g) in enumerate(zip(arrays, got)):
        assert g.shape == a.shape
        numeric = np.zeros_like(a)
        flat = a.reshape(-1)
        for k in range(flat.size):
            keep = flat[k]
            sums = []
            for delta in (eps, -eps):
                flat[k] = keep + delta
                sums.append(float((value(arrays)[0] * w).sum()))
            flat[k] = keep
            numeric.reshape(-1)[k] = (sums[0] - sums[1]) / (2 * eps)
        np.testing.assert_allclose(g, numeric, rtol=rtol, atol=atol, err_msg=f"gradient of input {i}")
