"""slice and slice_grad: NumPy's meaning of begin, end and strides."""

import numpy as np
import pytest
from checks import check_gradients, run_op
from hornbeam import graph as G
from hypothesis import given, settings
from hypothesis import strategies as st


def slice_inputs(keys):
    """begin, end and attributes for a tuple of Python slices."""
    begin = np.array([k.start or 0 for k in keys], "int64")
    end = np.array([k.stop or 0 for k in keys], "int64")
    masks = {
        "begin_mask": sum(1 << i for i, k in enumerate(keys) if k.start is None),
        "end_mask": sum(1 << i for i, k in enumerate(keys) if k.stop is None),
    }
    return begin, end, {"strides": [1 if k.step is None else k.step for k in keys], **masks}


bounds = st.none() | st.integers(-9, 9)
steps = st.sampled_from([None, 1, 2, 3, -1, -2, -5])


@st.composite
def cases(draw):
    shape = draw(st.lists(st.integers(0, 7), max_size=4))
    keys = [slice(draw(bounds), draw(bounds), draw(steps)) for _ in range(draw(st.integers(0, len(shape))))]
    return tuple(shape), tuple(keys), draw(st.sampled_from(["uint8", "int16", "float32", "float64"]))


@settings(max_examples=300, deadline=None)
@given(cases())
def test_slice_and_its_gradient_follow_numpy(case):
    shape, keys, dtype = case
    x = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    begin, end, attrs = slice_inputs(keys)
    want = x[keys]
    np.testing.assert_array_equal(run_op("slice", [x, begin, end], **attrs)[0], want)
    back = np.zeros_like(x)
    back[keys] = want
    # The cotangent as a matrix: a short integer vector would be taken for a constant.
    got = run_op("slice_grad", [want, np.array(shape, "int64"), begin, end], **attrs)[0]
    np.testing.assert_array_equal(got, back)


@pytest.mark.parametrize("key", [np.s_[1:-1, 2:40], np.s_[:, 3:4], np.s_[::-1, ::2], np.s_[5:2:-2], np.s_[:0]])
def test_slice_under_every_instruction_set(target, key):
    keys = key if isinstance(key, tuple) else (key,)
    x = np.random.RandomState(0).randn(33, 50, 3).astype("float32")
    begin, end, attrs = slice_inputs(keys)
    np.testing.assert_array_equal(run_op("slice", [x, begin, end], **attrs)[0], x[keys])


def test_lengths_known_while_building():
    x = G.placeholder((None, 10))

    def shape(*keys):
        begin, end, attrs = slice_inputs(keys)
        return G.apply("slice", [x, G.constant(begin), G.constant(end)], **attrs).shape

    assert shape(slice(None), slice(2, 5)) == (None, 3)
    assert shape(slice(None, None, -1), slice(None, None, -3)) == (None, 4)
    assert shape(slice(1, None)) == (None, 10)
    sizes = G.apply("shape", [x])
    assert G.apply("slice", [sizes, G.constant(np.array([1])), G.constant(np.array([2]))]).ints == (10,)
    assert sizes[0].ints == (x.dims[:1],)  # a dim, by its identity only


def test_bounds_computed_when_run():
    x = G.placeholder((None, 3))
    half = G.apply("slice", [G.apply("shape", [x]), G.constant([0]), G.constant([1])]) // 2
    y = G.apply("slice", [x, half, half], end_mask=1)
    value = np.arange(15, dtype="float32").reshape(5, 3)
    np.testing.assert_array_equal(G.Function([x], [y])([value])[0], value[2:])


def test_slice_refuses():
    x = np.zeros((2, 3), "float32")
    with pytest.raises(ValueError, match=r"\[slice\] a stride cannot be 0"):
        run_op("slice", [x, np.array([0]), np.array([1])], strides=[0])
    with pytest.raises(ValueError, match=r"\[slice\] 3 begins, 3 ends and 0 strides for a tensor of shape \(2, 3\)"):
        run_op("slice", [x, np.zeros(3, int), np.ones(3, int)])
    with pytest.raises(ValueError, match=r"\[slice_grad\] dy has shape \(2, 3\), the slice has \(1, 3\)"):
        run_op("slice_grad", [x, np.array([2, 3]), np.array([0]), np.array([1])])


@pytest.mark.parametrize("key", [np.s_[1:, ::2], np.s_[::-1, 1:3], np.s_[0:0]])
def test_gradients(key):
    keys = key if isinstance(key, tuple) else (key,)
    begin, end, attrs = slice_inputs(keys)
    x = np.random.RandomState(0).randn(4, 5, 2)
    cut = lambda t: G.apply("slice", [t, G.constant(begin), G.constant(end)], **attrs)  # noqa: E731
    check_gradients(cut, [x])
    back = lambda t: G.apply(  # noqa: E731
        "slice_grad", [t, G.constant(np.array(x.shape)), G.constant(begin), G.constant(end)], **attrs
    )
    check_gradients(back, [x[keys]])


@pytest.mark.parametrize("begin", [np.zeros(2, "uint8"), np.zeros(2, "float32")])
def test_begins_are_integers_of_the_two_usual_sizes(begin):
    with pytest.raises(TypeError, match="slice"):
        run_op("slice", [np.ones((3, 3), "float32"), begin, np.ones(2, "int64")])
