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


def test_pooling_where_keras_1_had_it():
    for name in ("MaxPooling1D", "AveragePooling2D", "MaxPooling3D"):
        assert getattr(L.convolutional, name) is getattr(L, name)
