"""Functions that move values without computing, with known and unknown dims."""

import numpy as np
import pytest
from hornbeam import backend as K

X = np.arange(2 * 4 * 6, dtype="float64").reshape(2, 4, 6)


def both(f, array=X):
    """The value of f for a tensor of known shape, and for one whose every dim is unknown (they must agree)."""
    known = K.eval(f(K.constant(array, dtype=array.dtype.name)))
    x = K.placeholder(ndim=array.ndim, dtype=array.dtype.name)
    unknown = K.function([x], [f(x)])([array])[0]
    np.testing.assert_array_equal(known, unknown)
    return known


@pytest.mark.parametrize(
    "f, expected",
    [
        (lambda x: K.reshape(x, (-1, 12)), X.reshape(-1, 12)),
        (lambda x: K.reshape(x, (K.shape(x)[0], -1, 3)), X.reshape(2, -1, 3)),
        (lambda x: K.permute_dimensions(x, (2, 0, 1)), X.transpose(2, 0, 1)),
        (lambda x: K.flatten(x), X.reshape(-1)),
        (lambda x: K.batch_flatten(x), X.reshape(2, -1)),
        (lambda x: K.expand_dims(x, 1), X[:, None]),
        (lambda x: K.expand_dims(x), X[..., None]),
        (lambda x: K.squeeze(K.expand_dims(x, -2), -2), X),
        (lambda x: K.concatenate([x, x], axis=-2), np.concatenate([X, X], axis=-2)),
        (lambda x: K.stack([x, x + 1], axis=1), np.stack([X, X + 1], axis=1)),
        (lambda x: K.stack([x, x], axis=-1), np.stack([X, X], axis=-1)),
        (lambda x: K.reverse(x, (0, -1)), X[::-1, :, ::-1]),
        (lambda x: K.tile(x, (1, 2, 3)), np.tile(X, (1, 2, 3))),
        (lambda x: K.tile(x, 2), np.tile(X, 2)),
        (lambda x: K.tile(x, [3, 2]), np.tile(X, (3, 2))),
        (lambda x: K.repeat_elements(x, 3, axis=1), np.repeat(X, 3, axis=1)),
        (lambda x: K.repeat_elements(x, 1, axis=1), X),
        (lambda x: K.temporal_padding(x, (2, 1)), np.pad(X, ((0, 0), (2, 1), (0, 0)))),
        (lambda x: K.slice(x, (0, 1, 2), (2, 2, -1)), X[:, 1:3, 2:]),
        (lambda x: K.slice(x, K.constant([1, 0, 0], dtype="int32"), [1, 4, 6]), X[1:]),
        (lambda x: K.zeros_like(x), np.zeros_like(X)),
        (lambda x: K.ones_like(x, dtype="int32"), np.ones_like(X, "int32")),
        (lambda x: K.identity(x), X),
    ],
)
def test_layout(f, expected):
    got = both(f)
    assert got.shape == expected.shape
    np.testing.assert_array_equal(got, expected)


def test_repeat():
    a = X[0]
    np.testing.assert_array_equal(both(lambda x: K.repeat(x, 3), a), np.repeat(a[:, None], 3, axis=1))
    with pytest.raises(ValueError, match="2 axes"):
        K.repeat(K.constant(X), 2)


def test_slice_wants_one_entry_per_axis():
    with pytest.raises(ValueError, match="should match"):
        K.slice(K.constant(X), (0, 1), (1, 1))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("n, pad", [(2, K.spatial_2d_padding), (3, K.spatial_3d_padding)])
def test_spatial_padding(data_format, n, pad):
    first = 1 if data_format == "channels_last" else 2
    a = np.random.RandomState(0).rand(*range(2, n + 4))
    pairs = [(1, 0), (0, 2), (3, 1)][:n]
    widths = [(0, 0)] * a.ndim
    widths[first : first + n] = pairs
    np.testing.assert_array_equal(both(lambda x: pad(x, pairs, data_format), a), np.pad(a, widths))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_nearest_resizing_repeats(data_format):
    first = 1 if data_format == "channels_last" else 2
    image = np.random.RandomState(0).rand(2, 3, 4, 5)
    expected = image.repeat(2, axis=first).repeat(3, axis=first + 1)
    np.testing.assert_array_equal(both(lambda x: K.resize_images(x, 2, 3, data_format), image), expected)
    volume = np.random.RandomState(0).rand(1, 2, 3, 2, 2)
    expected = volume.repeat(2, axis=first).repeat(1, axis=first + 1).repeat(3, axis=first + 2)
    np.testing.assert_array_equal(both(lambda x: K.resize_volumes(x, 2, 1, 3, data_format), volume), expected)


def test_bilinear_resizing_puts_pixel_i_at_i_times_the_factor():
    row = np.array([0.0, 2.0, 6.0]).reshape(1, 1, 3, 1)
    got = K.eval(K.resize_images(K.constant(row), 1, 2, "channels_last", "bilinear"))
    np.testing.assert_allclose(got.ravel(), [0, 1, 2, 4, 6, 6])
    with pytest.raises(ValueError, match="bilinear"):
        K.resize_images(K.constant(row), 1, 2, "channels_last", "cubic")


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_images_of_unknown_size_are_resized(interpolation):
    image = np.random.RandomState(0).rand(2, 3, 4, 5).astype("float32")
    t = K.placeholder((None, None, None, 5))
    y = K.resize_images(t, 2, 3, "channels_last", interpolation)
    assert K.int_shape(y) == (None, None, None, 5)
    got = K.function([t], [y])([image])[0]
    np.testing.assert_array_equal(got, K.eval(K.resize_images(K.constant(image), 2, 3, "channels_last", interpolation)))
    assert got.shape == (2, 6, 12, 5)


def test_one_hot_and_ranges():
    np.testing.assert_array_equal(
        K.eval(K.one_hot(K.constant([[1, 0], [3, 2]], dtype="int32"), 4)), np.eye(4)[[[1, 0], [3, 2]]]
    )
    np.testing.assert_array_equal(K.eval(K.arange(5)), np.arange(5, dtype="int32"))
    np.testing.assert_array_equal(K.eval(K.arange(2, 9, 3, dtype="int64")), np.arange(2, 9, 3))
    np.testing.assert_allclose(K.eval(K.arange(0, 1, 0.25, dtype="float32")), np.arange(0, 1, 0.25))
    np.testing.assert_allclose(K.eval(K.arange(0, 1, 0.25)), np.arange(0, 1, 0.25))
    assert K.dtype(K.arange(0.0, 3)) == "float32"
    np.testing.assert_array_equal(K.eval(K.arange(0, 4, 0.75, dtype="int64")), [0, 0, 1, 2, 3, 3])


def test_contents():
    np.testing.assert_array_equal(K.get_value(K.zeros((2, 3))), np.zeros((2, 3)))
    np.testing.assert_array_equal(K.get_value(K.ones((2,), dtype="int32")), [1, 1])
    np.testing.assert_array_equal(K.get_value(K.eye(2)), np.eye(2))
    np.testing.assert_array_equal(K.get_value(K.eye((2, 3))), np.eye(2, 3))
    assert K.is_variable(K.zeros((2,)))
    x = K.placeholder((None, 3))
    assert K.function([x], [K.zeros(K.shape(x))])([np.ones((4, 3))])[0].tolist() == np.zeros((4, 3)).tolist()
    np.testing.assert_array_equal(K.eval(K.constant(3, shape=(2, 2))), [[3, 3], [3, 3]])


def test_a_list_of_tensors_is_stacked_where_one_is_wanted():
    a, b = K.placeholder((2,), dtype="float64"), K.variable([3.0, 4.0], dtype="float64")
    total, rows = K.function([a], [K.sum([a, b, 1.0 + b]), K.max([a, [9, 0], b], axis=0)])([[1, 2]])
    assert total == 19
    assert rows.tolist() == [9, 4]
