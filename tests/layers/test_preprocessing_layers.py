"""Preprocessing inside models: rescaling, learnt and given means, sizes, categories."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam.models import Model, Sequential, load_model, model_from_json

IMAGES = np.random.RandomState(0).rand(3, 6, 5, 3).astype("float32") * 255


def output(layer, x):
    """What a model of the layer, and one made from its description, predict; they must agree."""
    inputs = L.Input(x.shape[1:], dtype=x.dtype.name)
    model = Model(inputs, layer(inputs))
    got = model.predict(x)
    again = model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(x), got)
    return got


def test_rescaling():
    np.testing.assert_allclose(
        output(L.Rescaling(1 / 127.5, offset=-1), IMAGES), IMAGES / 127.5 - 1, rtol=1e-5, atol=1e-6
    )
    scale = {
        "class_name": "__tensor__",
        "config": {"dtype": "float32", "value": [0.5, 1.0, 2.0]},
    }  # as `.keras` files have it
    np.testing.assert_allclose(output(L.Rescaling(scale), IMAGES), IMAGES * [0.5, 1.0, 2.0], rtol=1e-6)
    pixels = IMAGES.astype("uint8")
    assert output(L.Rescaling(2.0), pixels).dtype == "float32"


@pytest.mark.parametrize("axis, reduced", [(-1, (0, 1, 2)), ((1, 3), (0, 2)), (None, (0, 1, 2, 3))])
def test_normalization_learns(axis, reduced, tmp_path):
    layer = L.Normalization(axis=axis)
    layer.adapt(IMAGES)
    shape = IMAGES.mean(reduced, keepdims=True).shape
    expected = (IMAGES - IMAGES.mean(reduced).reshape(shape)) / IMAGES.std(reduced).reshape(shape)
    np.testing.assert_allclose(output(layer, IMAGES), expected, rtol=1e-4, atol=1e-5)
    in_batches = L.Normalization(axis=axis)
    in_batches.adapt(iter([IMAGES[:1], IMAGES[1:]]))
    for a, b in zip(layer.get_weights(), in_batches.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-5)
    assert not layer.trainable_weights and layer.get_weights()[2] == IMAGES.size / max(layer.get_weights()[0].size, 1)
    mean, variance = (w.tolist() for w in layer.get_weights()[:2])
    given = L.Normalization(axis=axis, mean=mean, variance=variance)
    np.testing.assert_allclose(output(given, IMAGES), expected, rtol=1e-4, atol=1e-5)
    assert not given.weights
    back = L.Normalization(axis=axis, mean=mean, variance=variance, invert=True)
    np.testing.assert_allclose(output(back, expected.astype("float32")), IMAGES, rtol=1e-4, atol=1e-3)
    model = Sequential([L.InputLayer((6, 5, 3)), layer])
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(loaded.predict(IMAGES), model.predict(IMAGES))


def test_mistakes_of_normalization():
    with pytest.raises(ValueError, match="both `mean` and `variance`"):
        L.Normalization(mean=1.0)
    with pytest.raises(ValueError, match="cannot be adapted"):
        L.Normalization(mean=1.0, variance=1.0).adapt(IMAGES)
    with pytest.raises(ValueError, match="must have a defined length"):
        L.Normalization(axis=1)(L.Input((None, 3)))
    with pytest.raises(ValueError, match="got no data"):
        L.Normalization().adapt(iter([]))


def resized(x, size, axis, nearest):
    """Half-pixel interpolation in plain NumPy."""
    n = x.shape[axis]
    at = (np.arange(size) + 0.5) * n / size
    if nearest:
        return x.take(np.floor(at).astype(int), axis)
    low = np.floor(at - 0.5)
    share = (at - 0.5 - low).reshape([-1 if a == axis else 1 for a in range(x.ndim)])
    low, high = (np.clip(v, 0, n - 1).astype(int) for v in (low, low + 1))
    return x.take(low, axis) * (1 - share) + x.take(high, axis) * share


@pytest.mark.parametrize("nearest", [False, True])
@pytest.mark.parametrize("size", [(6, 5), (9, 11), (3, 2), (1, 13)])
def test_resizing(size, nearest):
    interpolation = "nearest" if nearest else "bilinear"
    expected = resized(resized(IMAGES, size[0], 1, nearest), size[1], 2, nearest)
    layer = L.Resizing(*size, interpolation=interpolation)
    np.testing.assert_allclose(output(layer, IMAGES), expected, rtol=1e-4, atol=1e-3)
    anywhere = L.Input((None, None, 3))
    np.testing.assert_allclose(Model(anywhere, layer(anywhere)).predict(IMAGES), expected, rtol=1e-4, atol=1e-3)


def test_proportions_are_kept():
    middle = resized(resized(IMAGES[:, 2:4], 4, 1, False), 10, 2, False)
    np.testing.assert_allclose(
        output(L.Resizing(4, 10, crop_to_aspect_ratio=True), IMAGES), middle, rtol=1e-4, atol=1e-3
    )
    np.testing.assert_allclose(output(L.CenterCrop(4, 10), IMAGES), middle, rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(output(L.CenterCrop(3, 4), IMAGES), IMAGES[:, 1:4, :4])
    with pytest.raises(ValueError, match="known height and width"):
        L.CenterCrop(3, 4)(L.Input((None, None, 3)))
    with pytest.raises(ValueError, match="not 'bicubic'"):
        L.Resizing(3, 3, interpolation="bicubic")


NUMBERS = np.array([[0.1, 0.5, 3.0], [-1.0, 1.0, 2.0]], "float32")


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
def test_discretization(mode):
    bins = np.digitize(NUMBERS, [0.5, 1.0, 2.5])
    eye = np.eye(4)[bins]
    expected = {"int": bins, "one_hot": eye, "multi_hot": eye.max(1), "count": eye.sum(1)}[mode]
    np.testing.assert_array_equal(output(L.Discretization([0.5, 1.0, 2.5], output_mode=mode), NUMBERS), expected)
    if mode != "int":
        layer = L.CategoryEncoding(4, output_mode=mode)
        np.testing.assert_array_equal(output(layer, bins), expected)
        assert layer.compute_output_shape((None, 3)) == (None, *expected.shape[1:])


def test_counts_with_weights():
    tokens, weights = L.Input((3,), dtype="int32"), L.Input((3,))
    model = Model(
        [tokens, weights], L.CategoryEncoding(max_tokens=3, output_mode="count")(tokens, count_weights=weights)
    )
    got = K.function(model.inputs[:1] + [weights], model.outputs)([[[0, 2, 2]], [[0.5, 1.0, 2.0]]])[0]
    np.testing.assert_array_equal(got, [[0.5, 0.0, 3.0]])


def test_integer_lookup():
    tokens = np.array([[3], [9], [7], [0]], "int64")
    np.testing.assert_array_equal(output(L.IntegerLookup(vocabulary=[3, 5, 7]), tokens).ravel(), [1, 0, 3, 0])
    np.testing.assert_array_equal(
        output(L.IntegerLookup(vocabulary=[3, 5, 7], mask_token=0), tokens).ravel(), [2, 1, 4, 0]
    )
    with_all = L.IntegerLookup(vocabulary=[0, -1, 3, 5, 7], mask_token=0)
    np.testing.assert_array_equal(output(with_all, tokens).ravel(), [2, 1, 4, 0])
    hot = output(L.IntegerLookup(vocabulary=[3, 5, 7], mask_token=0, output_mode="one_hot"), tokens)
    np.testing.assert_array_equal(hot, [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]])
    places = np.array([[2, 1, 4, 0, 5]], "int64")
    back = output(L.IntegerLookup(vocabulary=[3, 5, 7], mask_token=0, invert=True), places)
    np.testing.assert_array_equal(back, [[3, -1, 7, 0, -1]])


@pytest.mark.parametrize("make, message", [
    (lambda: output(L.Discretization(), np.ones((1, 1))), "has no boundaries"), (L.CategoryEncoding, "needs the number of categories"),
    (lambda: output(L.IntegerLookup(), np.ones((1, 1), "int64")), "has no vocabulary yet"),
    (lambda: L.Discretization([1.0], num_bins=2), "Both `num_bins` and"),
    (lambda: L.CategoryEncoding(3, output_mode="tf_idf"), "not 'tf_idf'"),
    (lambda: L.CategoryEncoding(3, sparse=True), "no sparse outputs"),
])  # fmt: skip
def test_what_cannot_be(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_names_of_earlier_years():
    from hornbeam.layers.experimental import preprocessing

    assert preprocessing.Rescaling is L.Rescaling and L.experimental.preprocessing.RandomFlip is L.RandomFlip
    assert L.experimental.SyncBatchNormalization is L.SyncBatchNormalization
