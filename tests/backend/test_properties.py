"""Shapes, axes, broadcasting, empty and unknown dims, dtypes and memory layouts, as hypothesis finds them."""

import operator

import numpy as np
import pytest
import reference
from hornbeam import backend as K
from hypothesis import assume, given, settings
from hypothesis import strategies as st

few = settings(max_examples=60, deadline=None, derandomize=True)
dims = st.lists(st.integers(0, 4), max_size=4).map(tuple)
dtypes = st.sampled_from(["float32", "float64", "int32", "int64"])
LAYOUTS = {
    "contiguous": np.ascontiguousarray,
    "fortran": np.asfortranarray,
    "reversed": lambda a: a[(np.s_[::-1],) * a.ndim].copy()[(np.s_[::-1],) * a.ndim],
    "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
    "swapped": lambda a: a.astype(a.dtype.newbyteorder()),
}
layouts = st.sampled_from(sorted(LAYOUTS))


def fill(shape, dtype, seed):
    rng = np.random.RandomState(seed)
    if np.dtype(dtype).kind == "i":
        return rng.randint(-3, 4, shape).astype(dtype)
    return rng.uniform(-2, 2, shape).astype(dtype)


@st.composite
def arrays(draw, shapes=dims, kinds=dtypes):
    """An array that lies in memory in some way or other."""
    made = fill(draw(shapes), draw(kinds), draw(st.integers(0, 99)))
    return LAYOUTS[draw(layouts)](made)


@st.composite
def axes_of(draw, rank):
    """None, an axis, or some axes, counted from either end."""
    if not rank:
        return None
    axis = st.integers(-rank, rank - 1)
    several = st.lists(axis, max_size=rank, unique_by=lambda a: a % rank)
    return draw(st.one_of(st.none(), axis, several))


def compute(function, *values, hidden=()):
    """The value of ``function`` of placeholders fed with ``values``; dims where ``hidden`` says so are unknown."""
    inputs = [
        K.placeholder([None if (i, d) in hidden else n for d, n in enumerate(a.shape)], dtype=a.dtype.name)
        for i, a in enumerate(values)
    ]
    out = function(*inputs)
    got = K.function(inputs, [out])(list(values))[0]
    assert got.dtype.name == out.dtype
    assert len(out.shape) == got.ndim and all(n in (None, m) for n, m in zip(out.shape, got.shape))
    return got


def agree(got, wanted):
    wanted = np.asarray(wanted)
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=2e-5 if got.dtype == np.float32 else 1e-9, atol=1e-5)


hiding = st.sets(st.tuples(st.integers(0, 1), st.integers(0, 3)))


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "var", "std", "any", "all"])
@few
@given(data=st.data(), x=arrays(), keepdims=st.booleans(), hidden=hiding)
def test_reductions(name, data, x, keepdims, hidden):
    axis = data.draw(axes_of(x.ndim))
    if name in ("any", "all"):
        x = x > 0
    elif name in ("mean", "var", "std"):
        x = x.astype("float64")
    wanted_axes = tuple(axis) if isinstance(axis, list) else axis
    if not x.size and name not in ("sum", "prod", "any", "all"):
        over = range(x.ndim) if axis is None else np.atleast_1d(axis)
        assume(all(x.shape[int(a)] for a in over))  # the largest of nothing, or its mean, is none
    wanted = getattr(np, name)(x, axis=wanted_axes, keepdims=keepdims)
    got = compute(lambda t: getattr(K, name)(t, axis=axis, keepdims=keepdims), x, hidden=hidden)
    agree(got, wanted)


@st.composite
def broadcastable(draw):
    """Two arrays of one dtype whose shapes broadcast."""
    whole, dtype = draw(dims), draw(dtypes)
    shapes = []
    for _ in range(2):
        shape = tuple(1 if draw(st.booleans()) else n for n in whole)
        shapes.append(shape[draw(st.integers(0, len(shape))) if draw(st.booleans()) else 0 :])
    return tuple(LAYOUTS[draw(layouts)](fill(s, dtype, i)) for i, s in enumerate(shapes))


@pytest.mark.parametrize(
    "function, wanted",
    [
        (operator.add, np.add), (operator.sub, np.subtract), (operator.mul, np.multiply), (K.maximum, np.maximum),
        (K.minimum, np.minimum), (K.equal, np.equal), (K.not_equal, np.not_equal), (operator.gt, np.greater),
        (operator.le, np.less_equal),
    ],
)  # fmt: skip
@few
@given(pair=broadcastable(), hidden=hiding)
def test_two_arguments(function, wanted, pair, hidden):
    a, b = pair
    agree(compute(function, a, b, hidden=hidden), wanted(a, b))
    # An array takes part as it is, on either side.
    agree(compute(lambda x: function(x, b), a), wanted(a, b))
    agree(compute(lambda y: function(a, y), b), wanted(a, b))


@few
@given(data=st.data(), x=arrays(), hidden=hiding)
def test_moving_axes(data, x, hidden):
    order = data.draw(st.permutations(range(x.ndim)))
    agree(compute(lambda t: K.permute_dimensions(t, order), x, hidden=hidden), np.transpose(x, order))
    axis = data.draw(st.integers(-x.ndim - 1, x.ndim))
    agree(compute(lambda t: K.expand_dims(t, axis), x, hidden=hidden), np.expand_dims(x, axis))
    agree(compute(lambda t: K.squeeze(K.expand_dims(t, axis), axis), x, hidden=hidden), x)
    agree(compute(K.flatten, x, hidden=hidden), x.reshape(-1))
    agree(compute(lambda t: K.stack([t, t], axis), x, hidden=hidden), np.stack([x, x], axis))
    if x.ndim:
        axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
        agree(compute(lambda t: K.reverse(t, axis), x, hidden=hidden), np.flip(x, axis))
        agree(compute(lambda t: K.concatenate([t, t], axis), x, hidden=hidden), np.concatenate([x, x], axis))
        agree(compute(lambda t: K.repeat_elements(t, 3, axis), x, hidden=hidden), np.repeat(x, 3, axis))
        agree(compute(lambda t: K.cumsum(t, axis), x, hidden=hidden), np.cumsum(x, axis, dtype=x.dtype))
        if x.shape[axis]:
            agree(compute(lambda t: K.argmax(t, axis), x, hidden=hidden), np.argmax(x, axis))


@few
@given(data=st.data(), x=arrays(), hidden=hiding)
def test_indexing(data, x, hidden):
    bound = st.one_of(st.none(), st.integers(-5, 5))
    parts = st.one_of(
        st.builds(slice, bound, bound, st.sampled_from([None, 1, 2, -1, -2])), st.none(), st.integers(-4, 3)
    )
    key = tuple(data.draw(st.lists(parts, max_size=x.ndim)))
    assume(sum(k is not None for k in key) <= x.ndim)
    try:
        wanted = x[key]
    except IndexError:
        assume(False)
    agree(compute(lambda t: t[key], x, hidden=hidden), wanted)


@few
@given(
    a=arrays(st.lists(st.integers(0, 4), min_size=1, max_size=3).map(tuple), st.just("float64")),
    columns=st.lists(st.integers(0, 4), max_size=2),
    rows=st.integers(0, 3),
    hidden=hiding,
)
def test_dot(a, columns, rows, hidden):
    last = [rows] if columns else []
    b = fill((*columns[1:], a.shape[-1], *last) if columns else (a.shape[-1],), "float64", 1)
    agree(compute(K.dot, a, b, hidden=hidden), np.dot(a, b))


@few
@given(data=st.data(), batch=st.integers(0, 3), inner=st.integers(1, 4), hidden=hiding)
def test_batch_dot(data, batch, inner, hidden):
    def side(seed):
        rest = data.draw(st.lists(st.integers(1, 3), max_size=2))
        axis = data.draw(st.integers(0, len(rest)))
        return fill((batch, *rest[:axis], inner, *rest[axis:]), "float64", seed), axis + 1

    (x, a), (y, b) = side(0), side(1)
    assume(batch)  # the reference stacks samples
    if data.draw(st.booleans()):
        a -= x.ndim
    agree(compute(lambda u, v: K.batch_dot(u, v, (a, b)), x, y, hidden=hidden), reference.batch_dot(x, y, (a, b)))


@few
@given(
    x=arrays(st.tuples(*[st.integers(1, 6)] * 4), st.just("float64")),
    kernel=st.tuples(*[st.integers(1, 3)] * 3),
    strides=st.integers(1, 3),
    dilation=st.integers(1, 2),
    padding=st.sampled_from(["valid", "same"]),
    data_format=st.sampled_from(["channels_first", "channels_last"]),
    hidden=st.sets(st.tuples(st.just(0), st.integers(0, 2))),
)
def test_conv2d(x, kernel, strides, dilation, padding, data_format, hidden):
    assume(strides == 1 or dilation == 1)
    image = x.shape[2:] if data_format == "channels_first" else x.shape[1:3]
    reach = [(k - 1) * dilation + 1 for k in kernel[:2]]
    assume(padding == "same" or all(r <= n for r, n in zip(reach, image)))
    channels = 1 if data_format == "channels_first" else 3
    assume((0, channels) not in hidden)
    w = fill((*kernel[:2], x.shape[channels], kernel[2]), "float64", 1)
    options = dict(strides=(strides,) * 2, dilation_rate=(dilation,) * 2, padding=padding, data_format=data_format)
    agree(
        compute(lambda t: K.conv2d(t, K.constant(w, "float64"), **options), x, hidden=hidden),
        reference.conv2d(x, w, **options),
    )
