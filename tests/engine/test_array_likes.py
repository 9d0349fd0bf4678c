"""What holds numbers is read as numbers: by functions, variables and models."""

import array
import ctypes

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam import models
from hornbeam.graph import as_array

X = np.arange(12, dtype="float32").reshape(3, 4)


class Dlpack:
    """Nothing but the protocol."""

    def __init__(self, x):
        self._x = x

    def __dlpack__(self, **options):
        return self._x.__dlpack__(**options)

    def __dlpack_device__(self):
        return self._x.__dlpack_device__()


class Arraylike:
    def __init__(self, x):
        self._x = x

    def __array__(self, dtype=None, copy=None):
        return self._x if dtype is None else self._x.astype(dtype)


class Sparse:
    """As SciPy's matrices present themselves."""

    shape = X.shape

    def tocoo(self):
        return self

    def toarray(self):
        return X


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


def spread(x):
    """The same numbers with gaps between them, on both axes."""
    wide = np.zeros((6, 8), x.dtype)
    wide[::2, ::2] = x
    return wide[::2, ::2]


LIKES = {
    "dlpack": Dlpack(X),
    "__array__": Arraylike(X),
    "memoryview": memoryview(X),
    "read-only": read_only(X),
    "read-only memoryview": memoryview(read_only(X)),
    "ctypes": (ctypes.c_float * 4 * 3)(*(tuple(row) for row in X)),
    "gaps": spread(X),
    "backwards": X[::-1, ::-1].copy()[::-1, ::-1],
    "columns first": np.asfortranarray(X),
    "transposed": X.T.copy().T,
    "repeated": np.broadcast_to(X[None], (2, 3, 4))[1],
    "unaligned": np.frombuffer(b"x" + X.tobytes(), "uint8")[1:].view("float32").reshape(3, 4),
    "byte-swapped": X.astype(">f4"),
    "byte-swapped integers": X.astype(">i8"),
    "python numbers": X.astype(object),
    "lists": X.tolist(),
    "float16": X.astype("float16"),
    "long double": X.astype("longdouble"),
    "uint64": X.astype("uint64"),
    "int16": X.astype("int16"),
    "sparse": Sparse(),
}
each_like = pytest.mark.parametrize("like", LIKES.values(), ids=LIKES.keys())


@each_like
def test_functions_and_variables_read_it(like):
    x = K.placeholder((None, 4))
    np.testing.assert_array_equal(K.function([x], [x * 2])([like])[0], X * 2)
    np.testing.assert_array_equal(K.eval(K.constant(like)), X)
    variable = K.variable(like)
    np.testing.assert_array_equal(K.get_value(variable), X)
    K.set_value(variable, np.zeros((3, 4)))
    K.set_value(variable, like)
    np.testing.assert_array_equal(K.get_value(variable), X)


@pytest.mark.parametrize("name", sorted(set(LIKES) - {"sparse"}))  # of which SciPy itself takes the batches' rows
def test_models_read_it(name):
    like = LIKES[name]
    model = models.Sequential([L.Dense(4, use_bias=False, kernel_initializer="identity", input_dim=4)])
    model.compile("sgd", "mse")
    np.testing.assert_array_equal(model.predict(like), X)
    np.testing.assert_array_equal(model.predict_on_batch(like), X)
    assert model.evaluate(like, like, verbose=0) == model.train_on_batch(like, like) == 0
    assert model.fit(like, like, batch_size=2, verbose=0).history["loss"] == [0]


def test_numbers_are_read_where_they_lie():
    shared = [X, memoryview(X), Dlpack(X), Arraylike(X), spread(X), read_only(X), array.array("d", [1, 2])]
    for like in shared:
        assert np.shares_memory(as_array(like), as_array(like))


def test_numbers_of_several_kinds_get_a_dtype_that_holds_them():
    assert as_array(np.array([1, 2], object)).dtype == np.int64
    assert as_array(np.array([1, 2.5], object)).dtype == np.float64
    assert as_array(np.array([True, False], object)).dtype == bool
    assert as_array(np.array([1, None], object)).dtype == object


@pytest.mark.parametrize("bad", [np.array(["1"]), np.array([[1], [1, 2]], object), object(), np.array([1 + 2j])])
def test_what_is_no_number_is_refused(bad):
    x = K.placeholder((None,))
    with pytest.raises(TypeError, match="placeholder"):
        K.function([x], [x * 2])([bad])


def test_results_are_arrays_that_others_can_read():
    x = K.placeholder((None, 4))
    (y,) = K.function([x], [x * 2])([X])
    assert y.flags.owndata and y.flags.writeable and y.flags.c_contiguous
    np.testing.assert_array_equal(np.from_dlpack(y), X * 2)
    assert memoryview(y).tolist() == (X * 2).tolist()
