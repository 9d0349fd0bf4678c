"""Data sets of sparse and ragged tensors."""

import numpy as np
import pytest
from hornbeam.backend.sparse import SparseTensor
from hornbeam.graph import RaggedTensor
from hornbeam.layers import Dense, Input
from hornbeam.models import Model
from hornbeam.tf import NAMES as tf
from hornbeam.tf.data.sparse_array import SparseArray

pytestmark = pytest.mark.usefixtures("eager")
Dataset = tf["data.Dataset"]
DENSE = np.array([[0, 1.5, 0, 0], [2, 0, 0, 3], [0, 0, 0, 0]], "float32")


@pytest.fixture
def sparse():
    places = np.argwhere(DENSE)
    return SparseTensor(places, DENSE[tuple(places.T)], DENSE.shape)


@pytest.fixture
def records():
    def record(ids):
        feature = tf["train.Feature"](int64_list=tf["train.Int64List"](value=ids))
        features = tf["train.Features"](feature={"ids": feature})
        return tf["train.Example"](features=features).SerializeToString()

    return Dataset.from_tensor_slices([record(ids) for ids in ([1, 2], [3], [], [4, 5, 6])])


def parts(x):
    """Places, entries and shape of a sparse tensor as lists."""
    assert isinstance(x, SparseTensor)
    return [np.asarray(part).tolist() for part in (x.indices, x.values, x.dense_shape)]


def rows(dataset):
    return [x.to_list() if isinstance(x, RaggedTensor) else np.asarray(x).tolist() for x in dataset]


def parsed(record):
    return tf["io.parse_single_example"](record, {"ids": tf["io.VarLenFeature"]("int64")})["ids"]


def test_rows_of_a_sparse_tensor_are_sparse(sparse):
    dataset = Dataset.from_tensor_slices(sparse)
    assert dataset.element_spec == tf["SparseTensorSpec"]([4], "float32")
    assert [parts(x) for x in dataset] == [[[[1]], [1.5], [4]], [[[0], [3]], [2, 3], [4]], [[], [], [4]]]
    assert parts(next(iter(Dataset.from_tensors(sparse)))) == parts(sparse)
    assert [x.tolist() for x in dataset.as_numpy_iterator()] == DENSE.tolist()


def test_batches_map_and_the_like_keep_them_sparse(sparse):
    dataset = Dataset.from_tensor_slices((sparse, [0, 1, 2]))
    first, second = dataset.batch(2)
    assert parts(first[0]) == [[[0, 1], [1, 0], [1, 3]], [1.5, 2, 3], [2, 4]] and first[1].numpy().tolist() == [0, 1]
    assert parts(second[0]) == [[], [], [1, 4]]
    again = dataset.batch(2).unbatch().shuffle(3).cache().prefetch(1).map(lambda x, n: (tf["sparse.to_dense"](x), n))
    for row, number in again:
        np.testing.assert_array_equal(row, DENSE[int(number)])
    doubled = dataset.map(lambda x, n: tf["SparseTensor"](x.indices, x.values * 2, x.dense_shape))
    assert [tf["sparse.to_dense"](x).numpy().tolist() for x in doubled] == (DENSE * 2).tolist()


def test_features_of_any_length_are_sparse(records):
    single = records.map(parsed)
    assert [parts(x) for x in single.take(2)] == [[[[0], [1]], [1, 2], [2]], [[[0]], [3], [1]]]
    batched = [parts(x) for x in single.batch(2)]
    assert batched == [[[[0, 0], [0, 1], [1, 0]], [1, 2, 3], [2, 2]], [[[1, 0], [1, 1], [1, 2]], [4, 5, 6], [2, 3]]]
    together = records.batch(4).map(
        lambda r: tf["io.parse_example"](r, {"ids": tf["io.VarLenFeature"]("int64")})["ids"]
    )
    (dense,) = rows(together.map(tf["sparse.to_dense"]))
    assert dense == [[1, 2, 0], [3, 0, 0], [0, 0, 0], [4, 5, 6]]
    assert rows(records.map(lambda r: tf["sparse.to_dense"](parsed(r))).padded_batch(4)) == [dense]


def test_text_between_the_entries_is_empty():
    words = SparseTensor([[0, 1], [1, 0]], ["a", "b"], [2, 2])
    assert [x.tolist() for x in Dataset.from_tensor_slices(words).batch(2).as_numpy_iterator()] == [
        [[b"", b"a"], [b"b", b""]]
    ]


def test_a_model_trains_on_them(sparse):
    inputs = Input((4,), sparse=True)
    model = Model(inputs, Dense(1, kernel_initializer="ones", use_bias=False)(inputs))
    model.compile("sgd", "mse")
    targets = DENSE.sum(1, keepdims=True) + 1
    history = model.fit(Dataset.from_tensor_slices((sparse, targets)).batch(3), verbose=0).history
    assert history["loss"] == [pytest.approx(1.0)]


def test_dense_rows_become_a_sparse_batch():
    ranges = Dataset.range(4).map(tf["range"])
    first, second = ranges.apply(tf["data.experimental.dense_to_sparse_batch"](2, [4]))
    assert parts(first) == [[[1, 0]], [0], [2, 4]] and parts(second)[1:] == [[0, 1, 0, 1, 2], [2, 4]]
    with pytest.raises(ValueError, match="no row of shape"):
        list(ranges.sparse_batch(4, [2]))


def test_generators_of_sparse_and_ragged_tensors(sparse):
    spec = (tf["SparseTensorSpec"]([3, 4], "float32"), tf["RaggedTensorSpec"]([2, None], "int32"))
    ragged = RaggedTensor.from_nested([[1, 2], [3]])
    dataset = Dataset.from_generator(lambda: iter([(sparse, ragged)] * 2), output_signature=spec)
    for x, y in dataset:
        assert parts(x) == parts(sparse) and y.to_list() == [[1, 2], [3]]
    assert dataset.element_spec == spec


def test_rows_of_a_ragged_tensor_are_a_ragged_batch_again():
    ragged = RaggedTensor.from_nested([[1, 2], [3], [], [4, 5, 6]])
    dataset = Dataset.from_tensor_slices(ragged)
    assert dataset.element_spec == tf["RaggedTensorSpec"]([None], "int32", 0)
    assert rows(dataset) == [[1, 2], [3], [], [4, 5, 6]]
    assert rows(dataset.batch(2)) == [[[1, 2], [3]], [[], [4, 5, 6]]]
    assert rows(dataset.batch(2).unbatch().batch(4)) == [[[1, 2], [3], [], [4, 5, 6]]]
    padded = [[1, 2, 0], [3, 0, 0], [0, 0, 0], [4, 5, 6]]
    assert rows(dataset.padded_batch(4)) == rows(dataset.batch(4).map(lambda r: r.to_tensor())) == [padded]
    (pair,) = Dataset.from_tensor_slices((ragged, [0, 1, 2, 3])).batch(4)
    assert pair[0].to_list() == ragged.to_list() and pair[1].numpy().tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 0, 3), (2, 3)], ids=str)
def test_a_dense_array_has_an_entry_for_each_item(shape):
    array = np.arange(np.prod(shape, dtype=int), dtype="float32").reshape(shape)
    found = SparseArray.of_dense(array)
    assert found.indices.shape == (array.size, array.ndim) and found.values.shape == (array.size,)
    assert [array[tuple(place)] for place in found.indices] == found.values.tolist()
