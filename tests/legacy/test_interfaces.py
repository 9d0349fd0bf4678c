"""Keras 1 code: old names and orders of arguments make the layer that the new ones make, with a warning."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam.legacy import interfaces
from hornbeam.models import Model

SAME = [
    (
        lambda: L.Dense(output_dim=3, init="he_normal", bias=False),
        lambda: L.Dense(3, kernel_initializer="he_normal", use_bias=False),
    ),
    (
        lambda: L.Dense(3, W_regularizer="l2", b_regularizer="l1", W_constraint="non_neg", b_constraint="unit_norm"),
        lambda: L.Dense(
            3, kernel_regularizer="l2", bias_regularizer="l1", kernel_constraint="non_neg", bias_constraint="unit_norm"
        ),
    ),
    (lambda: L.Dropout(p=0.3), lambda: L.Dropout(0.3)),
    (lambda: L.GaussianDropout(p=0.3), lambda: L.GaussianDropout(0.3)),
    (lambda: L.GaussianNoise(sigma=0.3), lambda: L.GaussianNoise(0.3)),
    (
        lambda: L.SpatialDropout2D(p=0.3, dim_ordering="th"),
        lambda: L.SpatialDropout2D(0.3, data_format="channels_first"),
    ),
    (lambda: L.Embedding(5, 3, init="zeros"), lambda: L.Embedding(5, 3, embeddings_initializer="zeros")),
    (lambda: L.PReLU(init="ones"), lambda: L.PReLU("ones")),
    (
        lambda: L.BatchNormalization(mode=0, beta_init="ones", gamma_init="zeros"),
        lambda: L.BatchNormalization(beta_initializer="ones", gamma_initializer="zeros"),
    ),
    (
        lambda: L.Conv1D(nb_filter=3, filter_length=2, subsample_length=2, border_mode="same", input_dim=4),
        lambda: L.Conv1D(3, 2, strides=2, padding="same", input_shape=(None, 4)),
    ),
    (
        lambda: L.Convolution2D(8, 3, 2, border_mode="same", subsample=(2, 1), dim_ordering="th"),
        lambda: L.Conv2D(8, (3, 2), padding="same", strides=(2, 1), data_format="channels_first"),
    ),
    (lambda: L.Convolution2D(8, 3, nb_col=2), lambda: L.Conv2D(8, (3, 2))),
    (lambda: L.Convolution2D(8, nb_row=3, nb_col=2), lambda: L.Conv2D(8, (3, 2))),
    (lambda: L.Convolution2D(nb_filter=8, nb_row=3, nb_col=2), lambda: L.Conv2D(8, (3, 2))),
    (lambda: L.Convolution3D(8, 3, 2, 1), lambda: L.Conv3D(8, (3, 2, 1))),
    (lambda: L.Convolution3D(nb_filter=8, kernel_dim1=3, kernel_dim2=2, kernel_dim3=1), lambda: L.Conv3D(8, (3, 2, 1))),
    (
        lambda: L.Deconvolution2D(8, 3, 2, (None, 9, 9, 8), subsample=(2, 2)),
        lambda: L.Conv2DTranspose(8, (3, 2), strides=(2, 2)),
    ),
    (lambda: L.Deconvolution2D(8, 3, 2, output_shape=(None, 9, 9, 8)), lambda: L.Conv2DTranspose(8, (3, 2))),
    (
        lambda: L.SeparableConvolution2D(8, 3, 3, init="ones"),
        lambda: L.SeparableConv2D(8, (3, 3), depthwise_initializer="ones", pointwise_initializer="ones"),
    ),
    (lambda: L.MaxPooling1D(pool_length=3, stride=2, border_mode="same"), lambda: L.MaxPooling1D(3, 2, "same")),
    (
        lambda: L.AveragePooling2D(border_mode="same", dim_ordering="th"),
        lambda: L.AveragePooling2D(padding="same", data_format="channels_first"),
    ),
    (lambda: L.MaxPooling3D(dim_ordering="th"), lambda: L.MaxPooling3D(data_format="channels_first")),
    (lambda: L.GlobalMaxPooling2D(dim_ordering="th"), lambda: L.GlobalMaxPooling2D(data_format="channels_first")),
    (lambda: L.UpSampling1D(length=3), lambda: L.UpSampling1D(3)),
    (lambda: L.UpSampling2D(dim_ordering="tf"), lambda: L.UpSampling2D(data_format="channels_last")),
    (lambda: L.ZeroPadding3D(dim_ordering="th"), lambda: L.ZeroPadding3D(data_format="channels_first")),
    (lambda: L.Cropping2D(dim_ordering="th"), lambda: L.Cropping2D(data_format="channels_first")),
    (lambda: L.ZeroPadding2D({"top_pad": 1, "right_pad": 2}), lambda: L.ZeroPadding2D(((1, 0), (0, 2)))),
    (lambda: L.ZeroPadding2D(padding={"left_pad": 3}), lambda: L.ZeroPadding2D(((0, 0), (3, 0)))),
]


@pytest.mark.parametrize("old, new", SAME)
def test_old_arguments_make_the_same_layer(old, new):
    with pytest.warns(UserWarning, match="Keras 2 API"):
        layer = old()
    expected = new()
    configs = [{**x.get_config(), "name": None} for x in (layer, expected)]
    assert type(layer) is type(expected) and configs[0] == configs[1]


def test_the_warning_shows_the_new_call():
    with pytest.warns(UserWarning, match=r"`Dense\(units=3, kernel_initializer=\"he_normal\"\)`"):
        L.Dense(output_dim=3, init="he_normal")


def test_both_names_are_refused():
    with pytest.raises(TypeError, match="Stick to the latter"):
        L.Dense(output_dim=3, units=3)


def test_what_is_gone():
    with pytest.raises(TypeError, match="no longer exists"):
        L.BatchNormalization(mode=1)
    with pytest.warns(UserWarning, match="SpatialDropout1D"):
        L.Embedding(5, 3, dropout=0.3)
    with pytest.raises(ValueError, match="For safety reasons"):
        L.Conv2D(8, 3, 3, padding="same")


def test_new_code_gives_no_warning(recwarn):
    L.Conv2D(8, 3)
    L.Conv2D(8, (3, 3), activation="relu", padding="same")
    L.Dense(4, "relu")
    L.Embedding(5, 3)
    assert not recwarn


def test_an_interface_of_ones_own():
    class Thing:
        @interfaces.generate_legacy_interface(
            allowed_positional_args=["size"], conversions=[("old", "new")], value_conversions={"old": {"a": "b"}}
        )
        def __init__(self, size, new=None):
            self.size, self.new = size, new

    with pytest.warns(UserWarning, match="Thing"):
        assert Thing(3, old="a").new == "b"
    with pytest.raises(TypeError, match="only 1 positional"):
        Thing(3, 4)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_layers_of_keras_1():
    x = np.random.RandomState(0).randn(3, 5).astype("float32")
    t = K.placeholder((None, 5))
    maxout = L.MaxoutDense(4, nb_feature=2)
    y = K.function([t], [maxout(t)])([x])[0]
    w, b = maxout.get_weights()
    np.testing.assert_allclose(y, (np.einsum("bi,fio->bfo", x, w) + b).max(1), rtol=1e-4, atol=1e-5)
    highway = L.Highway(activation="relu")
    y = K.function([t], [highway(t)])([x])[0]
    w, wc, b, bc = highway.get_weights()
    gate = 1 / (1 + np.exp(-(x @ wc + bc)))
    np.testing.assert_allclose(y, gate * np.maximum(x @ w + b, 0) + (1 - gate) * x, rtol=1e-4, atol=1e-5)
    for layer in (maxout, highway):
        again = L.deserialize(L.serialize(layer))
        assert again.get_config() == layer.get_config()
    assert L.AtrousConvolution2D(3, 2, atrous_rate=(2, 2)).dilation_rate == (2, 2)


def test_models_and_generators():
    x = L.Input((3,))
    with pytest.warns(UserWarning, match=r"`Model\(inputs="):
        model = Model(input=x, output=L.Dense(1)(x))
    assert model.inputs == [x]
    model.compile("sgd", "mse")

    def batches():
        while True:
            yield np.ones((4, 3)), np.ones((4, 1))

    with pytest.warns(UserWarning, match="steps_per_epoch"):
        history = model.fit_generator(batches(), samples_per_epoch=2, nb_epoch=3, verbose=0)
    assert len(history.history["loss"]) == 3
    with pytest.warns(UserWarning, match="steps"):
        model.evaluate_generator(batches(), val_samples=2)
