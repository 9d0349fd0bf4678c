"""Tensors in Python: operators, evaluation on demand, what is refused."""

import gc
import weakref

import numpy as np
import pytest
from hornbeam import graph as G


def test_identity_decides_equality():
    a, b = G.constant(1.0), G.constant(1.0)
    assert a == a and a != b and len({a, b, a}) == 2


@pytest.mark.parametrize("use", [bool, len, iter, float, np.asarray])
def test_a_placeholder_has_no_value(use):
    x = G.placeholder((3,), name="features")
    with pytest.raises(TypeError) as error:
        use(x)
    assert "features" in str(error.value)


def test_arrays_and_numbers_take_the_tensors_dtype():
    x = G.constant(np.ones(3, "float32"))
    for y in (x + 1, 1 + x, x * np.float64(2), np.arange(3) + x, x - [1, 2, 3]):
        assert isinstance(y, G.Tensor) and y.dtype == "float32"
    np.testing.assert_array_equal((np.arange(3) - x).numpy(), [-1, 0, 1])
    np.testing.assert_array_equal((2 / (x + 1)).numpy(), [1, 1, 1])
    np.testing.assert_array_equal((x < 2).numpy(), [True] * 3)


def test_two_tensors_of_different_dtypes_are_refused():
    with pytest.raises(TypeError, match=r"different dtypes, float32 and int32.*K.cast"):
        G.constant(np.ones(3, "float32")) + G.constant(np.ones(3, "int32"))


def test_shapes_that_do_not_broadcast_are_refused_where_they_are_written():
    with pytest.raises(ValueError, match=r"\[add\] shapes \(2, 3\) and \(4,\) cannot be broadcast"):
        G.placeholder((2, 3)) + G.placeholder((4,))


def test_evaluation_on_demand():
    v = G.Variable(np.array([1.0, 2.0], "float32"))
    y = v * 2 + np.array([10, 20])
    np.testing.assert_array_equal(y.numpy(), [12, 24])
    v.set_value([0.0, 0.0])
    np.testing.assert_array_equal(np.asarray(y), [10, 20])  # never remembered
    assert float(G.constant(2.0) * 3) == 6 and int(G.constant(7)) == 7


def test_random_tensors_change_at_each_evaluation():
    r = G.apply("random_normal", [G.constant([5])], mean=0.0, stddev=1.0, seed=3, dtype="float32")
    first = r.numpy()
    assert not np.array_equal(first, r.numpy())
    again = G.apply("random_normal", [G.constant([5])], mean=0.0, stddev=1.0, seed=3, dtype="float32")
    np.testing.assert_array_equal(first, again.numpy())


@pytest.mark.parametrize(
    "key",
    [
        0, -1, slice(1, None), slice(None, None, -1), (slice(None), 1), (..., 0), (None, 2), (slice(0, 2), None, -2),
        (slice(3, 0, -2), slice(-2, None)), (Ellipsis, None), slice(5, 9), (1, ..., slice(None, -1)),
    ],
)  # fmt: skip
def test_indexing_is_numpys(key):
    a = np.arange(24.0, dtype="float32").reshape(4, 3, 2)
    np.testing.assert_array_equal(G.constant(a)[key].numpy(), a[key])
    x = G.placeholder((None, 3, 2))
    np.testing.assert_array_equal(G.Function([x], [x[key]])([a])[0], a[key])


def test_indexing_with_a_tensor_and_errors():
    a = np.arange(12.0).reshape(4, 3)
    np.testing.assert_array_equal(G.constant(a)[G.constant(2)].numpy(), a[2])
    i, x = G.placeholder((), "int32"), G.placeholder((4, 3), "float64")
    f = G.Function([x, i], [x[i], x[1:, i], x[None, i, ::-1], *G.gradients([x[:, i] * 2.0], [x])])
    for at in (0, 2, -1):
        row, column, turned, slope = f([a, at])
        np.testing.assert_array_equal(row, a[at])
        np.testing.assert_array_equal(column, a[1:, at])
        np.testing.assert_array_equal(turned, a[None, at, ::-1])
        np.testing.assert_array_equal(slope, np.where(np.arange(3) == at % 3, 2, 0) * np.ones((4, 1)))
    with pytest.raises(IndexError, match="too many indices"):
        G.constant(a)[0, 0, 0]
    with pytest.raises(IndexError, match="out of bounds"):
        G.constant(a)[4]
    with pytest.raises(TypeError, match=r"K\.gather"):
        G.constant(a)[[0, 1]]


def test_unknown_dims_have_an_identity():
    x, y = G.placeholder((None, 3)), G.placeholder((None, 3))
    assert G.apply("relu", [x * 2.0]).dims == x.dims
    assert (x + G.constant(np.ones((1, 3), "float32"))).dims == x.dims
    assert (x + y).dims not in (x.dims, y.dims)  # either may be 1


def test_a_dropped_graph_is_freed():
    x = G.placeholder((3,))
    v = G.Variable(np.zeros(3, "float32"))
    y = x * v
    G.Function([x], [y])([np.zeros(3)])
    watch = weakref.ref(v)
    del x, v, y
    gc.collect()
    assert watch() is None


def test_variable_initial_value_is_computed_at_first_read():
    calls = []

    def initial():
        calls.append(1)
        return np.full((2, 2), 3.0)

    v = G.Variable(initial, shape=(2, 2))
    assert not calls
    np.testing.assert_array_equal(v.get_value(), np.full((2, 2), 3.0))
    w = G.Variable(initial, shape=(2, 2))
    w.set_value(np.zeros((2, 2)))
    np.testing.assert_array_equal(w.get_value(), np.zeros((2, 2)))
    assert len(calls) == 1
    with pytest.raises(ValueError, match=r"shape \(2, 2\) to a value of shape \(3,\)"):
        v.set_value(np.zeros(3))


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_indices_that_are_known_only_while_running(dtype):
    x, i = G.placeholder((None, 3, None)), G.placeholder((), dtype)
    f = G.Function([x, i], [x[i], x[:, i, 1:], x[0, :, i], *G.gradients([x[i] * x[i]], [x])])
    a = np.arange(27.0).reshape(3, 3, 3)
    for k in (0, 2) if dtype == "uint8" else (0, 2, -1):
        row, inner, last, gradient = f([a, k])
        np.testing.assert_array_equal(row, a[k])
        np.testing.assert_array_equal(inner, a[:, k, 1:])
        np.testing.assert_array_equal(last, a[0, :, k])
        want = np.zeros_like(a)
        want[k] = 2 * a[k]
        np.testing.assert_array_equal(gradient, want)


def test_a_scan_may_index_what_is_outside():
    x = G.constant(np.arange(12.0).reshape(4, 3))
    rows = G.apply("arange", [G.constant(n, "int32") for n in (0, 4, 1)], dtype="int32")
    out = G.scan(lambda _, row: ([x[row[0]] * 2.0], []), [], [rows]).outputs[0]
    np.testing.assert_array_equal(out.numpy(), np.arange(12.0).reshape(4, 3) * 2)


@pytest.mark.parametrize(
    ("given", "name"),
    [("float", "float32"), ("double", "float64"), ("half", "float16"), (float, "float32"), (np.int64, "int64")],
)
def test_dtypes_by_the_other_names_that_tensorflow_takes(given, name):
    assert G.cast(G.constant([1, 2]), given).dtype == name
    assert G.constant([1, 2], given).dtype == name
    assert G.placeholder((2,), given).dtype == name


def test_names_of_ops_are_those_of_their_outputs_without_the_index():
    with G.name_scope("dense_9"):
        x = G.placeholder((None, 4), name="given:0")
        activated = G.apply("relu", [x])
        again = G.apply("relu", [x])
    assert (x.op.name, x.op.type) == ("given", "Placeholder")
    assert (activated.op.name, activated.name, activated.op.type) == ("dense_9/relu", "dense_9/relu:0", "Relu")
    assert again.name == "dense_9/relu_1:0" and [t.name for t in again.op.inputs] == ["given:0"]
    values, indices = G.apply("top_k", [activated], k=2)
    assert values.op is indices.op and values.name == f"{values.op.name}:0" and indices.name == f"{values.op.name}:1"


@pytest.mark.parametrize("name", ["\ud800", "half \udfff", "a\0b"])
def test_names_that_no_file_can_hold(name):
    import hornbeam as keras
    from hornbeam import backend as K

    for make in (
        lambda: K.placeholder((2,), name=name),
        lambda: K.variable(1.0, name=name),
        lambda: K.name_scope(name).__enter__(),
        lambda: keras.Input((2,), name=name),
        lambda: keras.layers.Dense(2, name=name),
        lambda: keras.models.Sequential(name=name),
    ):
        with pytest.raises(ValueError, match="a name must be text"):
            make()


def test_bools_are_no_dims_and_no_axes():
    from hornbeam import backend as K
    from hornbeam import layers as L

    x, image = K.zeros((3, 4)), K.zeros((1, 4, 4, 2))
    for make in (
        lambda: K.sum(x, axis=True),
        lambda: K.expand_dims(x, False),
        lambda: K.one_hot(K.constant([1], "int32"), True),
        lambda: K.slice(x, (True, 0), (1, 1)),
        lambda: K.pool2d(image, (True, 2)),
        lambda: K.conv2d(image, K.zeros((2, 2, 2, 2)), strides=(True, 1)),
        lambda: K.zeros((True, 2)),
        lambda: L.Conv2D(2, True),
        lambda: L.Dense(True)(x),
        lambda: L.Dense(2, batch_input_shape=(True, 3)),
        lambda: L.RepeatVector(True)(x),
    ):
        with pytest.raises((ValueError, TypeError), match=r"bool|cannot be|must be"):
            make()
