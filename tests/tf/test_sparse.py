"""Sparse tensors against dense ones in NumPy."""

import numpy as np
import pytest
from hornbeam import graph as G
from hornbeam.tf import NAMES
from hornbeam.tf.eager import GradientTape, function

pytestmark = pytest.mark.usefixtures("eager")
SparseTensor = NAMES["SparseTensor"]

DENSE = np.array([[0, 3, 0, 0], [0, 0, 0, 0], [5, 0, 0, -2], [0, 1, 4, 0]], "float64")
OTHER = np.array([[1, 0, 0, 0], [0, 2, 0, 0], [-5, 0, 0, 7], [0, 1, 0, 0]], "float64")


def of(array):
    """An array's entries, in the order of memory."""
    places = np.argwhere(array)
    return SparseTensor(places, array[tuple(places.T)], array.shape)


def dense(sp):
    return NAMES["sparse.to_dense"](sp).numpy()


def test_from_dense_and_back():
    sp = NAMES["sparse.from_dense"](G.constant(DENSE))
    np.testing.assert_array_equal(sp.indices, np.argwhere(DENSE))
    np.testing.assert_array_equal(sp.values, DENSE[DENSE != 0])
    assert sp.dense_shape.numpy().tolist() == [4, 4] and tuple(sp.shape) == (4, 4) and sp.dtype == "float64"
    np.testing.assert_array_equal(dense(sp), DENSE)
    np.testing.assert_array_equal(NAMES["sparse.to_dense"](sp, -1.0), np.where(DENSE, DENSE, -1))


def test_products(rng):
    b = rng.normal(size=(4, 3))
    product = NAMES["sparse.sparse_dense_matmul"]
    np.testing.assert_allclose(product(of(DENSE), b), DENSE @ b)
    np.testing.assert_allclose(product(of(DENSE), b, adjoint_a=True), DENSE.T @ b)
    np.testing.assert_allclose(product(of(DENSE), b.T, adjoint_b=True), DENSE @ b)
    np.testing.assert_allclose(product(G.constant(b.T), of(DENSE)), b.T @ DENSE)


def test_products_are_differentiated_and_traced(rng):
    b = G.constant(rng.normal(size=(4, 3)))
    sp = of(DENSE)

    def slopes(b):
        with GradientTape() as tape:
            tape.watch([b, sp.values])
            y = NAMES["sparse.sparse_dense_matmul"](sp, b) * 2.0
        return tape.gradient(y, [b, sp.values])

    for run in (slopes, function(slopes)):
        to_b, to_values = run(b)
        np.testing.assert_allclose(to_b, 2 * DENSE.T @ np.ones((4, 3)))
        np.testing.assert_allclose(to_values, 2 * b.numpy().sum(1)[np.argwhere(DENSE)[:, 1]])


#: name, what it takes besides a sparse tensor, what the dense twin does
SAME = {
    "sparse.transpose": ([], lambda x: x.T), "sparse.reshape": ([[2, -1]], lambda x: x.reshape(2, 8)),
    "sparse.expand_dims": ([0], lambda x: x[None]), "sparse.slice": ([[0, 1], [3, 9]], lambda x: x[:3, 1:]),
    "sparse.add": ([of(OTHER)], lambda x: x + OTHER), "sparse.maximum": ([of(OTHER)], lambda x: np.maximum(x, OTHER)),
    "sparse.minimum": ([of(OTHER)], lambda x: np.minimum(x, OTHER)), "sparse.reset_shape": ([[5, 4]], lambda x: np.pad(x, [(0, 1), (0, 0)])),
    "sparse.retain": ([[True, False, True, False, True]], lambda x: x * [[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_sparse_results(name):
    args, twin = SAME[name]
    result = NAMES[name](of(DENSE), *args)
    np.testing.assert_array_equal(dense(result), twin(DENSE))
    flat = np.ravel_multi_index(tuple(result.indices.numpy().T), dense(result).shape)
    assert (np.diff(flat) > 0).all()  # one entry for each place, in order


def test_entries_are_put_in_order():
    sp = SparseTensor([[2, 0], [0, 1], [1, 1]], [1.0, 2.0, 3.0], [3, 2])
    ordered = NAMES["sparse.reorder"](sp)
    assert ordered.indices.numpy().tolist() == [[0, 1], [1, 1], [2, 0]] and ordered.values.numpy().tolist() == [2, 3, 1]


def test_joined_and_split():
    for axis in (0, 1, -1):
        joined = NAMES["sparse.concat"](axis, [of(DENSE), of(OTHER)])
        np.testing.assert_array_equal(dense(joined), np.concatenate([DENSE, OTHER], axis))
        parts = NAMES["sparse.split"](of(DENSE), 3, axis)
        for part, whole in zip(parts, np.array_split(DENSE, 3, axis)):
            np.testing.assert_array_equal(dense(part), whole)


@pytest.mark.parametrize("axis, keepdims", [(None, False), (0, False), (1, True), (-1, False), ((0, 1), False)])
def test_reductions(axis, keepdims):
    got = NAMES["sparse.reduce_sum"](of(DENSE), axis, keepdims)
    np.testing.assert_array_equal(got, DENSE.sum(axis, keepdims=keepdims))
    entries = np.where(DENSE, DENSE, -np.inf).max(axis, keepdims=keepdims)
    np.testing.assert_array_equal(
        NAMES["sparse.reduce_max"](of(DENSE), axis, keepdims), np.where(np.isinf(entries), 0, entries)
    )


def test_softmax_is_of_entries():
    grown = np.where(DENSE, np.exp(DENSE), 0)
    expected = grown / np.maximum(grown.sum(1, keepdims=True), 1e-300)
    np.testing.assert_allclose(dense(NAMES["sparse.softmax"](of(DENSE))), expected)


def test_values_are_mapped_and_empty_rows_filled():
    np.testing.assert_array_equal(
        dense(NAMES["sparse.map_values"](NAMES["add"], of(DENSE), 1.0)), np.where(DENSE, DENSE + 1, 0)
    )
    filled, empty = NAMES["sparse.fill_empty_rows"](of(DENSE), 9.0)
    assert empty.numpy().tolist() == [False, True, False, False] and dense(filled)[1].tolist() == [9, 0, 0, 0]
    np.testing.assert_array_equal(dense(NAMES["sparse.eye"](2, 3)), np.eye(2, 3))
    sp = SparseTensor([[0, 0], [0, 1], [1, 0]], [2, 0, 1], [2, 2])
    assert NAMES["sparse.to_indicator"](sp, 4).numpy().tolist() == [
        [True, False, True, False],
        [False, True, False, False],
    ]


def test_segments_of_rows(rng):
    rows = rng.normal(size=(4, 2))
    taken = rows[[3, 0, 1]]
    for name, twin in (
        ("sum", lambda r: r.sum(0)),
        ("mean", lambda r: r.mean(0)),
        ("sqrt_n", lambda r: r.sum(0) / len(r) ** 0.5),
    ):
        got = NAMES[f"sparse.segment_{name}"](rows, [3, 0, 1], [0, 0, 1])
        np.testing.assert_allclose(got, [twin(taken[:2]), twin(taken[2:])])


@pytest.mark.parametrize(
    "combiner, norm", [("sum", lambda w: 1), ("mean", np.sum), ("sqrtn", lambda w: (w**2).sum() ** 0.5)]
)
def test_embeddings_are_combined(combiner, norm, rng):
    table, weights = rng.normal(size=(5, 3)), np.array([1.0, 2.0, 0.5])
    places = [[0, 0], [0, 1], [1, 0]]
    ids, given = SparseTensor(places, [4, 1, 2], [2, 2]), SparseTensor(places, weights, [2, 2])
    got = NAMES["nn.embedding_lookup_sparse"](table, ids, given, combiner=combiner)
    first = (table[[4, 1]] * weights[:2, None]).sum(0) / norm(weights[:2])
    np.testing.assert_allclose(got, [first, table[2] * 0.5 / norm(weights[2:])])


def test_sets():
    a, b = np.array([[1, 2, 2], [5, 6, 7]]), np.array([[2, 3, 1], [9, 9, 9]])
    union, rest = NAMES["sets.union"](a, b), NAMES["sets.difference"](a, b)
    assert dense(union).tolist() == [[1, 2, 3, 0], [5, 6, 7, 9]] and dense(rest).tolist() == [[0, 0, 0], [5, 6, 7]]
    assert NAMES["sets.size"](union).numpy().tolist() == [3, 4]


def test_edit_distance():
    a = SparseTensor([[0, 0], [0, 1], [1, 0]], [1, 2, 3], [2, 2])
    b = SparseTensor([[0, 0], [1, 0], [1, 1]], [1, 3, 4], [2, 2])
    assert NAMES["edit_distance"](a, b).numpy().tolist() == [1.0, 0.5]
    assert NAMES["edit_distance"](a, b, normalize=False).numpy().tolist() == [1.0, 1.0]


def test_embeddings_in_parts_and_what_is_refused():
    lookup, table = NAMES["nn.embedding_lookup_sparse"], np.arange(8, dtype="float32").reshape(4, 2)
    ids = NAMES["sparse.from_dense"](np.array([[3, 0], [1, 2]]))
    whole = lookup(table, ids, None, combiner="sum").numpy()
    np.testing.assert_array_equal(whole, [table[3], table[1] + table[2]])
    np.testing.assert_array_equal(lookup([table[:2], table[2:]], ids, None, combiner="sum"), whole)
    for how in ({"combiner": "max"}, {"max_norm": 1.0}):
        with pytest.raises(ValueError, match="is not supported"):
            lookup(table, ids, None, **how)


@pytest.mark.parametrize("name, filters", [("conv1d_transpose", (3, 2, 2)), ("conv3d_transpose", (1, 1, 3, 2, 2))])
def test_dilations_are_refused_where_they_would_be_ignored(name, filters):
    rank = len(filters)
    x = np.ones((1, *[1] * (rank - 3), 5, 2), "float32")
    call = NAMES[f"nn.{name}"]
    assert call(x, np.ones(filters, "float32"), x.shape, 1).shape == x.shape
    with pytest.raises(ValueError, match=rf"tf\.nn\.{name} with dilations=2"):
        call(x, np.ones(filters, "float32"), x.shape, 1, dilations=2)


def test_a_traced_function_takes_and_gives_sparse_tensors():
    @function
    def doubled(x, name=None):
        return {"twice": SparseTensor(x["s"].indices, x["s"].values * 2, x["s"].dense_shape), "name": name}

    for k in range(3):
        given = SparseTensor([[0, k], [1, 0]], [1.0, float(k)], [2, 3])
        result = doubled({"s": given}, name="n")
        assert result["name"] == "n"
        np.testing.assert_array_equal(dense(result["twice"]), 2 * given.dense().numpy())
    assert doubled.experimental_get_tracing_count() == 1
