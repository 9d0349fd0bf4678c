"""Masked means, and arguments of convolutions that do not fit."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L


def test_global_average_skips_masked_steps():
    x = L.Input((3, 2))
    y = L.GlobalAveragePooling1D()(L.Masking()(x))
    a = np.array([[[1, 2], [0, 0], [3, 6]]], "float32")
    np.testing.assert_allclose(K.function([x], [y])([a])[0], [[2, 4]])
    assert y._keras_mask is None


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: L.Conv2D(3, (1, 2, 3)), "`kernel_size` argument must be a tuple of 2 integers"),
        (lambda: L.Conv2D(3, 2, strides="a"), "`strides`"),
        (lambda: L.Conv2D(3, 2, padding="full"), "`padding`"),
        (lambda: L.Conv2D(3, 2, data_format="last"), "`data_format`"),
        (lambda: L.Conv1D(3, 2, padding="causal", data_format="channels_first"), "causal"),
        (lambda: L.Conv2D(3, 2)(L.Input((4, 4))), "ndim=4"),
        (lambda: L.Conv2D(3, 2)(L.Input((4, 4, None))), "channel dimension"),
        (lambda: L.DepthwiseConv2D(2)(L.Input((4, 4, None))), "channel dimension"),
        (lambda: L.Conv2DTranspose(3, 2, strides=2, output_padding=2), "greater than output padding"),
        (lambda: L.LocallyConnected2D(3, 2, padding="same"), "border mode"),
        (lambda: L.LocallyConnected1D(3, 2)(L.Input((None, 3))), "fully-defined"),
        (lambda: L.LocallyConnected1D(3, 2, padding="same"), 'Only "valid" is supported'),
        (lambda: L.LocallyConnected2D(3, 2, implementation=3), "1 or 2, not 3"),
        (lambda: L.UpSampling2D(interpolation="cubic"), "interpolation"),
        (lambda: L.ZeroPadding2D((1, 2, 3)), "2 elements"),
        (lambda: L.Cropping3D(1.5), "cropping"),
        (lambda: L.ReLU(max_value=-1), "max_value"),
        (lambda: L.ReLU(negative_slope=-1), "negative_slope"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_local_connections_as_one_matrix(padding):
    """``implementation=2`` computes what 1 does: its kernel has each place's window where that lies in the input."""
    (height, width), (down, right), channels, filters = (3, 2), (2, 1), 2, 4
    x = np.random.RandomState(0).randn(3, 5, 4, channels).astype("float32")
    whole = L.LocallyConnected2D(filters, (height, width), strides=(down, right), padding=padding, implementation=2)
    y = np.asarray(whole(x))
    # 'same' pads one row above and below and one column on the right
    pad = ((0, 0), (1, 1), (0, 1), (0, 0)) if padding == "same" else ((0, 0),) * 4
    padded = np.pad(x, pad)
    windows = L.LocallyConnected2D(filters, (height, width), strides=(down, right))
    windows.build(padded.shape)
    kernel, bias = whole.get_weights()
    assert kernel.shape == (5, 4, channels, *y.shape[1:])
    kernel = np.pad(kernel, (*pad[1:3], *((0, 0),) * 4))
    places = [
        kernel[i * down : i * down + height, j * right : j * right + width, :, i, j].reshape(-1, filters)
        for i in range(y.shape[1])
        for j in range(y.shape[2])
    ]
    windows.set_weights([np.stack(places), bias])
    np.testing.assert_allclose(y, np.asarray(windows(padded)), rtol=1e-5, atol=1e-5)
    assert "implementation" not in windows.get_config(), "Keras 2.3.1 has no such argument"


def test_parameters_of_convolutions():
    x = L.Input((9, 9, 3))
    layer = L.Conv2D(8, (3, 2))
    layer(x)
    assert [w.shape for w in layer.get_weights()] == [(3, 2, 3, 8), (8,)] and layer.count_params() == 152
    layer = L.SeparableConv2D(8, 3, depth_multiplier=2)
    layer(x)
    assert [w.shape for w in layer.get_weights()] == [(3, 3, 3, 2), (1, 1, 6, 8), (8,)]
    layer = L.Conv2DTranspose(8, 3)
    layer(x)
    assert [w.shape for w in layer.get_weights()] == [(3, 3, 8, 3), (8,)]
    layer = L.LocallyConnected2D(2, 3)
    layer(x)
    assert [w.shape for w in layer.get_weights()] == [(49, 27, 2), (7, 7, 2)]


def test_aliases():
    assert L.MaxPool2D is L.MaxPooling2D and L.Convolution2D is L.Conv2D and L.AvgPool1D is L.AveragePooling1D
    assert L.Deconvolution2D is L.Deconv2D is L.Convolution2DTranspose is L.Conv2DTranspose
    assert L.GlobalAvgPool3D is L.GlobalAveragePooling3D


def pooled(layer, x):
    given = L.Input(x.shape[1:])
    return K.function([given], [layer(given)])([x])[0]


@pytest.mark.parametrize("rank, axes", [(1, (2,)), (2, (2, 4)), (3, (2, 4, 6))])
def test_a_subclass_may_define_how_windows_are_pooled(rank, axes):
    class Smallest(getattr(L, f"MaxPooling{rank}D")):
        def _pooling_function(self, inputs, pool_size, strides, padding, data_format):
            pool = K.pool3d if rank == 3 else K.pool2d
            return -pool(-inputs, pool_size, strides, padding, data_format, pool_mode="max")

    x = np.random.RandomState(0).rand(2, *[4] * rank, 3).astype("float32")
    windows = x.reshape(2, *[2, 2] * rank, 3)
    np.testing.assert_array_equal(pooled(Smallest(2), x), windows.min(axis=axes))
    np.testing.assert_array_equal(pooled(getattr(L, f"MaxPooling{rank}D")(2), x), windows.max(axis=axes))


def test_global_pooling_of_ones_own():
    class Spread(L.pooling._GlobalPooling2D):
        def call(self, inputs):
            return K.std(inputs, axis=[1, 2])

    x = np.random.RandomState(0).rand(2, 4, 5, 3).astype("float32")
    np.testing.assert_allclose(pooled(Spread(), x), x.std(axis=(1, 2)), rtol=1e-5)
    assert Spread("channels_first").compute_output_shape((None, 3, 4, 5)) == (None, 3)
    assert issubclass(L.GlobalMaxPooling1D, L.pooling._GlobalPooling1D)
    assert issubclass(L.GlobalAveragePooling3D, L.pooling._GlobalPooling3D)


@pytest.mark.parametrize("name", ["MaxPooling1D", "AveragePooling2D", "MaxPooling3D"])
def test_pooling_where_keras_1_had_it(name):
    assert getattr(L.convolutional, name) is getattr(L, name)


def test_local_1d_has_steps_first_whatever_images_have():
    K.set_image_data_format("channels_first")
    try:
        layer = L.LocallyConnected1D(2, 3)
    finally:
        K.set_image_data_format("channels_last")
    assert layer.compute_output_shape((None, 7, 5)) == (None, 5, 2)
