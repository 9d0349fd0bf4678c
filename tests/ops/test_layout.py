"""transpose, reverse, concat, tile, broadcast_to, pad, and the views."""

import itertools

import numpy as np
import pytest
from checks import check_gradients, run_op
from hornbeam import graph as G

DTYPES = ["bool", "uint8", "int16", "float16", "int32", "float32", "int64", "float64"]


def numbers(shape, dtype="float32", seed=0):
    return np.random.RandomState(seed).randint(0, 100, shape).astype(dtype)


def ints(*values):
    return np.array(values, "int64")


def constant(*values):
    return G.constant(np.array(values, "int64"))


def known_ints(t):
    """The integers known of a tensor while building, None where only a dim's identity is known."""
    return tuple(v if isinstance(v, int) else None for v in t.ints)


def same(got, want):
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)


# -- transpose ---------------------------------------------------------------------------------------
# Sizes around a block (4 to 16 rows), one-sided narrow ones, and several pieces.
MATRICES = [(0, 5), (1, 7), (2, 33), (3, 40), (33, 3), (5, 17), (15, 16), (16, 16), (17, 15), (31, 70), (200, 129)]


@pytest.mark.parametrize("shape", MATRICES)
def test_transpose_matrix(target, shape):
    for dtype in DTYPES:
        x = numbers(shape, dtype)
        same(run_op("transpose", [x], perm=[1, 0])[0], x.T)


@pytest.mark.parametrize("shape", [(2, 3, 5), (1, 4, 1, 3), (2, 9, 10, 3), (2, 3, 9, 20), (3, 17, 1, 16)])
def test_transpose_every_permutation(shape):
    for dtype in ("uint8", "float32", "float64"):
        x = numbers(shape, dtype)
        for perm in itertools.permutations(range(len(shape))):
            same(run_op("transpose", [x], perm=list(perm))[0], x.transpose(perm))


def test_transpose_of_many_pieces_is_the_same_for_any_number_of_threads(threads):
    x = numbers((3, 100, 90, 20))
    for n in (1, 2, 5):
        threads(n)
        same(run_op("transpose", [x], perm=[0, 3, 1, 2])[0], x.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("perm", [[0], [0, 0], [0, 2], [1, -1], [0, 1, 2]])
def test_transpose_wants_a_permutation(perm):
    with pytest.raises(ValueError, match=r"\[transpose\] .* does not permute the axes of \(2, 3\)"):
        run_op("transpose", [numbers((2, 3))], perm=perm)


# -- reverse -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("shape", [(0, 3), (1,), (70,), (4, 5, 3), (3, 1, 33)])
def test_reverse(target, shape):
    for dtype in DTYPES:
        x = numbers(shape, dtype)
        for count in range(len(shape) + 1):
            for axes in itertools.combinations(range(len(shape)), count):
                same(run_op("reverse", [x], axes=list(axes))[0], np.flip(x, axes))
        same(run_op("reverse", [x], axes=[-1])[0], x[..., ::-1])


# -- concat ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("sizes", [[1], [1, 1], [3, 0, 2], [5, 17, 64], [0, 0]])
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_concat(target, sizes, axis):
    for dtype in DTYPES:
        shape = [4, 3, 5]
        parts = []
        for i, n in enumerate(sizes):
            shape[axis] = n
            parts.append(numbers(shape, dtype, seed=i))
        same(run_op("concat", parts, axis=axis)[0], np.concatenate(parts, axis))


def test_concat_of_rows_longer_than_a_piece():
    parts = [numbers((2, n)) for n in (30001, 1, 70002)]
    same(run_op("concat", parts, axis=1)[0], np.concatenate(parts, 1))


def test_concat_refuses_shapes_that_differ_elsewhere():
    with pytest.raises(ValueError, match=r"\[concat\] shapes \(2, 3\) and \(3, 4\) differ elsewhere than on axis 1"):
        run_op("concat", [numbers((2, 3)), numbers((3, 4))], axis=1)
    with pytest.raises(ValueError, match="differ"):
        run_op("concat", [numbers((2, 3)), numbers((2, 3, 1))], axis=0)
    with pytest.raises(TypeError, match="different dtypes"):
        run_op("concat", [numbers((2, 3)), numbers((2, 3), "float64")], axis=0)


def test_concat_merges_what_is_known_of_the_shapes():
    a, b = G.placeholder((None, 3, None)), G.placeholder((2, None, None))
    assert G.apply("concat", [a, b], axis=2).shape == (2, 3, None)
    assert G.apply("concat", [a, b], axis=0).shape == (None, 3, None)


# -- tile, broadcast_to, pad -------------------------------------------------------------------------
@pytest.mark.parametrize(
    "shape, times", [((), ()), ((3,), (0,)), ((3,), (4,)), ((1, 5), (3, 1)), ((2, 1, 3), (2, 33, 2))]
)
def test_tile(target, shape, times):
    for dtype in DTYPES:
        x = numbers(shape, dtype)
        same(run_op("tile", [x, ints(*times)])[0], np.tile(x, times))


def test_tile_wants_one_multiple_per_axis():
    with pytest.raises(ValueError, match=r"\[tile\] 1 multiples for a tensor of shape \(2, 3\)"):
        run_op("tile", [numbers((2, 3)), ints(2)])
    with pytest.raises(ValueError, match="cannot be -1"):
        run_op("tile", [numbers((2, 3)), ints(2, -1)])


@pytest.mark.parametrize(
    "shape, to", [((), (3, 2)), ((1,), (0,)), ((5, 1), (2, 5, 33)), ((1, 7), (40, 7)), ((2, 1, 3), (2, 4, 3))]
)
def test_broadcast_to(target, shape, to):
    for dtype in DTYPES:
        x = numbers(shape, dtype)
        same(run_op("broadcast_to", [x, ints(*to)])[0], np.broadcast_to(x, to))


@pytest.mark.parametrize("shape, to", [((3,), (2,)), ((2, 3), (3,)), ((0,), (2,))])
def test_broadcast_to_refuses(shape, to):
    with pytest.raises(ValueError, match=r"\[broadcast_to\] .* does not broadcast to"):
        run_op("broadcast_to", [numbers(shape), ints(*to)])


@pytest.mark.parametrize(
    "before, after", [([0, 0, 0], [0, 0, 0]), ([1, 2, 0], [0, 3, 0]), ([0, 0, 1], [0, 0, 0]), ([0, 1, 2], [5, 0, 1])]
)
@pytest.mark.parametrize("shape", [(2, 3, 4), (0, 3, 1), (3, 20, 33)])
def test_pad(target, shape, before, after):
    for dtype in DTYPES:
        x = numbers(shape, dtype)
        want = np.pad(x, list(zip(before, after)), constant_values=np.array(7).astype(dtype))
        same(run_op("pad", [x], before=before, after=after, value=7.0)[0], want)


def test_pad_refuses_negative_amounts_and_wrong_ranks():
    with pytest.raises(ValueError, match="negative"):
        run_op("pad", [numbers((2,))], before=[-1], after=[0])
    with pytest.raises(ValueError, match=r"one entry per axis of \(2,\)"):
        run_op("pad", [numbers((2,))], before=[1, 1], after=[0, 0])


# -- views -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "shape, to, want",
    [
        ((6,), (2, 3), (2, 3)),
        ((4, 6), (-1, 8), (3, 8)),
        ((), (1, 1), (1, 1)),
        ((0, 3), (-1, 3), (0, 3)),
        ((2, 2), (-1,), (4,)),
    ],
)
def test_reshape(shape, to, want):
    x = numbers(shape)
    same(run_op("reshape", [x, ints(*to)])[0], x.reshape(want))


@pytest.mark.parametrize(
    "shape, to, why",
    [
        ((2, 3), (4, 2), "the element counts are 6 and 8"),
        ((2, 3), (-1, 4), "6 elements are not a multiple of 4"),
        ((2, 3), (-1, -1), "only one dimension can be -1"),
        ((2, 3), (-2, 3), "a dimension cannot be -2"),
        ((0, 3), (0, -1), "-1 could be anything beside a dimension of 0"),
    ],
)
def test_reshape_names_both_shapes_when_it_refuses(shape, to, why):
    with pytest.raises(ValueError) as error:
        run_op("reshape", [numbers(shape), ints(*to)])
    assert f"[reshape] cannot reshape ({', '.join(map(str, shape))})" in str(error.value)
    assert f"to ({', '.join(map(str, to))}): {why}" in str(error.value)


def test_reshape_with_a_shape_computed_from_the_input():
    """An unknown batch keeps its identity through shape arithmetic, so -1 is known while building."""
    x = G.placeholder((None, 4, 5))
    batch = G.shape_of(x)[0]
    y = G.reshape(x, (batch, 2, -1))
    assert y.shape == (None, 2, 10)
    assert y.dims[0] == x.dims[0]
    assert G.reshape(x, (-1, 20)).dims[0] == x.dims[0]
    assert G.reshape(x, (batch, -1)).shape == (None, 20)
    assert G.reshape(x, (batch * 2, -1)).shape == (None, None)
    other = G.shape_of(G.placeholder((None,)))[0]
    assert G.reshape(x, (other, -1)).shape == (None, None)
    value = numbers((3, 4, 5))
    same(G.Function([x], [y])([value])[0], value.reshape(3, 2, 10))


def test_dims_made_from_dims_keep_their_identity():
    x = G.placeholder((None, 3))
    batch = G.shape_of(x)[0]
    zeros = G.apply("fill", [G.shape_tensor((batch, 7))], value=0.0)
    rows = G.apply("arange", [constant(0)[0], G.cast(batch, "int64"), constant(1)[0]], dtype="int32")
    tiled = G.apply("tile", [G.apply("expand_dims", [zeros], axis=1), constant(1, 5, 1)])
    assert zeros.dims[0] == rows.dims[0] == tiled.dims[0] == x.dims[0]
    assert G.apply("concat", [x, zeros], axis=1).shape == (None, 10)


def test_expand_dims_and_squeeze():
    x = numbers((2, 1, 3))
    for axis in range(-4, 4):
        same(run_op("expand_dims", [x], axis=axis)[0], np.expand_dims(x, axis))
    same(run_op("squeeze", [x], axes=[1])[0], x[:, 0])
    same(run_op("squeeze", [x[:1]], axes=[0, -2])[0], x[0, 0])
    with pytest.raises(ValueError, match=r"\[squeeze\] axis 0 of \(2, 1, 3\) is not 1"):
        run_op("squeeze", [x], axes=[0])
    with pytest.raises(ValueError, match="out of range"):
        run_op("expand_dims", [x], axis=4)
    assert G.apply("squeeze", [G.placeholder((None, 3))], axes=[0]).shape == (3,)


def test_identity_and_stop_gradient():
    x = numbers((2, 3))
    same(run_op("identity", [x])[0], x)
    same(run_op("stop_gradient", [x])[0], x)
    t = G.placeholder((2, 3), "float64")
    (grad,) = G.gradients([G.apply("stop_gradient", [t]) * t], [t])
    value = x.astype("float64")
    same(G.Function([t], [grad])([value])[0], value)


# -- integers known while building ----------------------------------------------------------------------
def test_integers_flow_through_layout_ops():
    x = G.placeholder((None, 4, 5))
    shape = G.apply("shape", [x])
    assert known_ints(shape) == (None, 4, 5)
    assert known_ints(G.apply("reverse", [shape], axes=[0])) == (5, 4, None)
    assert known_ints(G.apply("concat", [shape, G.constant(np.array([7], "int32"))], axis=0)) == (None, 4, 5, 7)
    assert known_ints(G.apply("tile", [shape, constant(2)])) == (None, 4, 5, None, 4, 5)
    assert known_ints(G.apply("expand_dims", [shape], axis=0)) == (None, 4, 5)
    assert known_ints(G.apply("reshape", [shape, constant(3, 1)])) == (None, 4, 5)
    assert known_ints(G.apply("identity", [shape])) == (None, 4, 5)
    assert known_ints(G.apply("broadcast_to", [G.constant(np.array(3, "int32")), constant(2)])) == (3, 3)


# -- gradients ---------------------------------------------------------------------------------------
GRADIENTS = {
    "reshape": lambda x: G.apply("reshape", [x, constant(4, -1)]),
    "expand_dims": lambda x: G.apply("expand_dims", [x], axis=1),
    "squeeze": lambda x: G.apply("squeeze", [G.apply("expand_dims", [x], axis=1)], axes=[1]),
    "identity": lambda x: G.apply("identity", [x]),
    "transpose": lambda x: G.apply("transpose", [x], perm=[1, 2, 0]),
    "reverse": lambda x: G.apply("reverse", [x], axes=[0, 2]),
    "tile": lambda x: G.apply("tile", [x, constant(2, 1, 3)]),
    "broadcast_to": lambda x: G.apply("broadcast_to", [G.apply("expand_dims", [x], axis=1), constant(5, 2, 3, 3, 4)]),
    "pad": lambda x: G.apply("pad", [x], before=[1, 0, 2], after=[0, 0, 3]),
}


@pytest.mark.parametrize("op", GRADIENTS)
def test_gradient(op):
    check_gradients(GRADIENTS[op], [np.random.RandomState(1).randn(2, 3, 4)])


def test_tile_gradient_of_the_highest_rank():
    """Splitting an axis may not need a ninth one (UpSampling3D of channels_first has eight)."""
    x = np.random.RandomState(1).randn(1, 2, 1, 1, 2, 1, 1, 1)
    check_gradients(lambda x: G.apply("tile", [x, constant(2, 1, 1, 3, 2, 1, 1, 2)]), [x])


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_concat_gradient(axis):
    shapes = [[2, 3, 4] for _ in range(3)]
    for n, shape in enumerate(shapes):
        shape[axis] = n + 1
    arrays = [np.random.RandomState(i).randn(*s) for i, s in enumerate(shapes)]
    check_gradients(lambda *xs: G.apply("concat", list(xs), axis=axis), arrays)


def test_gradients_where_the_batch_is_unknown():
    """The rules may use no dim that is only known when run."""
    x, z = G.placeholder((None, 3), "float64"), G.placeholder((None, 2), "float64")
    y = G.apply("tile", [G.apply("concat", [x, z], axis=1), constant(2, 3)])
    w = np.random.RandomState(0).randn(8, 15)
    dx, dz = G.gradients([y], [x, z], [G.constant(w)])
    got = G.Function([x, z], [dx, dz])([np.zeros((4, 3)), np.zeros((4, 2))])
    want = w.reshape(2, 4, 3, 5).sum((0, 2))
    np.testing.assert_allclose(got[0], want[:, :3])
    np.testing.assert_allclose(got[1], want[:, 3:])
