"""Dense, shapes, masks, dropout and Lambda in numbers."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam.models import Model, Sequential, load_model
from hornbeam.utils.generic_utils import CustomObjectScope

X = np.random.RandomState(0).randn(3, 4, 5).astype("float32")


def call(layer, *arrays, phase=0, **kwargs):
    inputs = [L.Input(a.shape[1:]) for a in arrays]
    y = layer(inputs if len(inputs) > 1 else inputs[0], **kwargs)
    return K.function([*inputs, K.learning_phase()], [y])([*arrays, phase])[0]


def test_dense_works_on_the_last_axis():
    layer = L.Dense(6, activation="tanh")
    got = call(layer, X)
    kernel, bias = layer.get_weights()
    assert kernel.shape == (5, 6) and bias.shape == (6,)
    np.testing.assert_allclose(got, np.tanh(X @ kernel + bias), rtol=1e-4, atol=1e-5)
    assert [w.name for w in layer.weights] == [f"{layer.name}/kernel:0", f"{layer.name}/bias:0"]


def test_dense_input_dim_and_errors():
    assert L.Dense(3, input_dim=7).batch_input_shape == (None, 7)
    with pytest.raises(ValueError, match="last dimension"):
        L.Dense(3)(L.Input((None,)))
    with pytest.raises(ValueError, match="expected min_ndim=2"):
        L.Dense(3)(K.placeholder((5,)))
    layer = L.Dense(3)
    layer(L.Input((5,)))
    with pytest.raises(ValueError, match="expected axis -1 of input shape to have value 5"):
        layer(L.Input((6,)))


def test_losses_of_a_layer():
    layer = L.Dense(2, kernel_regularizer="l2", activity_regularizer="l1")
    x = L.Input((3,))
    layer(x)
    assert len(layer.losses) == 2 and len(layer.get_losses_for(None)) == 1 and len(layer.get_losses_for(x)) == 1


@pytest.mark.parametrize(
    "layer, expected",
    [
        (L.Reshape((-1, 2)), X.reshape(3, -1, 2)),
        (L.Reshape((20,)), X.reshape(3, 20)),
        (L.Permute((2, 1)), X.transpose(0, 2, 1)),
        (L.Flatten(), X.reshape(3, -1)),
        (L.Flatten("channels_first"), X.transpose(0, 2, 1).reshape(3, -1)),
        (L.Cropping1D((1, 1)), X[:, 1:-1]),
        (L.Cropping1D((0, 0)), X),
        (L.Activation("relu"), np.maximum(X, 0)),
    ],
    ids=lambda v: type(v).__name__,
)
def test_shapes(layer, expected):
    np.testing.assert_allclose(call(layer, X), expected)


def test_shape_errors():
    x = L.Input((4, 5))
    with pytest.raises(ValueError, match="total size"):
        L.Reshape((3, 7))(x)
    with pytest.raises(ValueError, match="one unknown"):
        L.Reshape((-1, -1))(x)
    with pytest.raises(ValueError, match="count from 1"):
        L.Permute((0, 1))
    with pytest.raises(ValueError, match="not fully defined"):
        L.Flatten()(L.Input((None, 5)))
    with pytest.raises(ValueError, match="expected ndim=2"):
        L.RepeatVector(3)(x)


def test_masking():
    x = np.array([[[1, 0], [0, 0], [0, 2]]], "float32")
    inputs = L.Input((3, 2))
    y = L.Masking()(inputs)
    out, mask = K.function([inputs], [y, y._keras_mask])([x])
    np.testing.assert_array_equal(mask, [[True, False, True]])
    np.testing.assert_array_equal(out, x)
    passed = L.Dropout(0.5)(L.Activation("tanh")(y))
    np.testing.assert_array_equal(K.function([inputs], [passed._keras_mask])([x])[0], mask)
    with pytest.raises(TypeError, match="does not support masking"):
        L.Flatten()(y)


def test_dropout_is_for_training():
    ones = np.ones((50, 40), "float32")
    np.testing.assert_array_equal(call(L.Dropout(0.5), ones), ones)
    got = call(L.Dropout(0.5, seed=1), ones, phase=1)
    assert set(np.unique(got)) == {0, 2} and abs(got.mean() - 1) < 0.1
    np.testing.assert_array_equal(call(L.Dropout(0.0), ones, phase=1), ones)
    assert (call(L.Dropout(0.5), ones, training=True) == 0).any()


@pytest.mark.parametrize(
    "layer, shape, axes",
    [
        (L.SpatialDropout1D(0.5), (6, 5, 8), (1,)),
        (L.SpatialDropout2D(0.5), (6, 3, 4, 8), (1, 2)),
        (L.SpatialDropout2D(0.5, "channels_first"), (6, 8, 3, 4), (2, 3)),
        (L.SpatialDropout3D(0.5), (6, 2, 3, 4, 8), (1, 2, 3)),
    ],
)
def test_spatial_dropout_drops_whole_features(layer, shape, axes):
    got = call(layer, np.ones(shape, "float32"), phase=1)
    assert (got.max(axes) == got.min(axes)).all() and 0 < (got == 0).mean() < 1


@pytest.mark.parametrize("layer", [L.GaussianNoise(0.5), L.GaussianDropout(0.2), L.AlphaDropout(0.2)])
def test_noise_is_for_training_and_keeps_the_mean(layer):
    x = np.random.RandomState(0).randn(200, 300).astype("float32")
    np.testing.assert_array_equal(call(layer, x), x)
    noisy = call(layer, x, phase=1)
    assert (noisy != x).any() and abs(noisy.mean() - x.mean()) < 0.02
    if isinstance(layer, L.AlphaDropout):
        assert abs(noisy.var() - x.var()) < 0.03
        lowest = np.unique(noisy[noisy < -1.2], return_counts=True)
        assert lowest[1].max() > 0.15 * x.size, "dropped values all become the same"


def test_lambda_shapes():
    double = L.Lambda(lambda x: K.concatenate([x, x], axis=-1))
    assert K.int_shape(double(L.Input((4,)))) == (None, 8)
    assert double.compute_output_shape((None, 4, 3)) == (None, 4, 6)
    assert L.Lambda(lambda x: x, output_shape=(7,)).compute_output_shape((2, 3)) == (2, 7)
    assert L.Lambda(lambda x: x, output_shape=lambda s: [s[0], 9]).compute_output_shape((2, 3)) == (2, 9)
    with pytest.raises(TypeError, match="output_shape"):
        L.Lambda(lambda x: x, output_shape=3)
    two = L.Lambda(lambda x: [x, x + 1])(L.Input((4,)))
    assert len(two) == 2


def test_a_list_of_one_output_is_the_output():
    x = L.Input((3,))
    slope = L.Lambda(lambda x: K.gradients(K.sum(x**2), x))(x)
    assert K.int_shape(slope) == (None, 3)
    np.testing.assert_allclose(Model(x, L.add([slope, x])).predict(X[:, 0, :3]), 3 * X[:, 0, :3], rtol=1e-6)


def test_lambda_infers_shapes_for_the_dtype_it_was_called_on():
    pick = L.Lambda(lambda x: K.gather(K.variable(np.ones((5, 3))), x))
    pick(L.Input((4,), dtype="int32"))
    assert pick.compute_output_shape((None, 7)) == (None, 7, 3), "integers, though this shape is new"
    rows = L.Lambda(lambda xs: xs[0] + K.gather(K.variable(np.ones((5, 3))), xs[1]))
    rows([L.Input((4, 3)), L.Input((4,), dtype="int64")])
    assert rows.compute_output_shape([(None, 7, 3), (None, 7)]) == (None, 7, 3)


def test_lambda_arguments_and_mask():
    layer = L.Lambda(lambda x, factor: x * factor, arguments={"factor": 3.0})
    np.testing.assert_allclose(call(layer, X), 3 * X, rtol=1e-6)
    masked = L.Masking()(L.Input((4, 5)))
    seen = []
    L.Lambda(lambda x, mask=None: seen.append(mask) or x, mask=lambda x, m: m)(masked)
    assert seen == [masked._keras_mask]


def scaled(x):
    return x * 5.0


def test_lambda_of_this_process_loads(tmp_path):
    model = Sequential([L.Lambda(lambda x: x * 4.0, input_shape=(2,))])
    model.save(tmp_path / "m.h5")
    x = np.ones((1, 2), "float32")
    np.testing.assert_array_equal(load_model(tmp_path / "m.h5", compile=False).predict(x), model.predict(x))


def test_lambda_of_a_stranger_does_not_load(tmp_path, monkeypatch):
    from hornbeam.utils import generic_utils

    model = Sequential([L.Lambda(lambda x: x * 4.0, input_shape=(2,))])
    model.save(tmp_path / "m.h5")
    monkeypatch.setattr(generic_utils, "_own_functions", {})
    with pytest.raises(ValueError, match="safe_mode=False"):
        load_model(tmp_path / "m.h5", compile=False)
    x = np.ones((1, 2), "float32")
    trusted = load_model(tmp_path / "m.h5", compile=False, safe_mode=False)
    np.testing.assert_array_equal(trusted.predict(x), 4 * x)


def test_lambda_by_name():
    config = {**L.Lambda(lambda x: x).get_config(), "function": "scaled", "function_type": "function"}
    with CustomObjectScope({"scaled": scaled}):
        np.testing.assert_allclose(call(L.Lambda.from_config(config), X), 5 * X, rtol=1e-6)
    with pytest.raises(ValueError, match="Unknown function in Lambda layer"):
        L.Lambda.from_config(config)


def test_embedding():
    layer = L.Embedding(7, 3, mask_zero=True, input_length=4)
    inputs = L.Input((4,))
    y = layer(inputs)
    ids = np.array([[1, 6, 0, 2]])
    out, mask = K.function([inputs], [y, y._keras_mask])([ids])
    np.testing.assert_array_equal(out, layer.get_weights()[0][ids])
    np.testing.assert_array_equal(mask, [[True, True, False, True]])
    with pytest.raises(ValueError, match='"input_length" is 4'):
        L.Embedding(7, 3, input_length=4)(L.Input((5,)))


def test_deserialize_names_what_it_does_not_know():
    with pytest.raises(ValueError, match="Unknown layer: Mystery"):
        L.deserialize({"class_name": "Mystery", "config": {}})
    assert isinstance(L.deserialize(L.serialize(L.Dense(3))), L.Dense)
    inner = Model(*(lambda x: (x, L.Dense(2)(x)))(L.Input((3,))))
    again = L.deserialize({"class_name": "Functional", "config": inner.get_config()})
    assert isinstance(again, Model) and len(again.layers) == 2
