"""What holds for every layer: weights, shape rule, config, saving, training (see ``layer_test``)."""

import numpy as np
import pytest
from hornbeam import layers as L
from hornbeam.utils.test_utils import layer_test

IMAGE, SEQUENCE, VOLUME, VECTOR = (None, 8, 7, 3), (None, 9, 4), (None, 5, 6, 4, 2), (None, 6)

CASES = [
    (L.Dense, {"units": 4, "activation": "relu", "kernel_regularizer": "l2", "bias_constraint": "non_neg"}, VECTOR),
    (L.Dense, {"units": 4, "use_bias": False}, SEQUENCE),
    (L.Activation, {"activation": "tanh"}, SEQUENCE),
    (L.Dropout, {"rate": 0.3}, VECTOR),
    (L.Dropout, {"rate": 0.3, "noise_shape": (None, 1, 4), "seed": 3}, SEQUENCE),
    (L.SpatialDropout1D, {"rate": 0.3}, SEQUENCE),
    (L.SpatialDropout2D, {"rate": 0.3}, IMAGE),
    (L.SpatialDropout2D, {"rate": 0.3, "data_format": "channels_first"}, IMAGE),
    (L.SpatialDropout3D, {"rate": 0.3}, VOLUME),
    (L.Flatten, {}, IMAGE),
    (L.Flatten, {"data_format": "channels_first"}, IMAGE),
    (L.Reshape, {"target_shape": (-1, 6)}, (None, 4, 3)),
    (L.Reshape, {"target_shape": (2, 3)}, VECTOR),
    (L.Permute, {"dims": (3, 1, 2)}, IMAGE),
    (L.RepeatVector, {"n": 3}, VECTOR),
    (L.Masking, {"mask_value": 1.0}, SEQUENCE),
    (L.ActivityRegularization, {"l1": 0.1, "l2": 0.2}, VECTOR),
    (L.Conv1D, {"filters": 4, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}, SEQUENCE),
    (L.Conv1D, {"filters": 4, "kernel_size": 3, "strides": 2, "data_format": "channels_first"}, SEQUENCE),
    (L.Conv2D, {"filters": 4, "kernel_size": 3, "padding": "same", "strides": (2, 1), "activation": "relu"}, IMAGE),
    (L.Conv2D, {"filters": 4, "kernel_size": (2, 1), "data_format": "channels_first", "use_bias": False}, IMAGE),
    (L.Conv3D, {"filters": 3, "kernel_size": 2, "padding": "same", "strides": 2}, VOLUME),
    (L.Conv2DTranspose, {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}, IMAGE),
    (L.Conv2DTranspose, {"filters": 4, "kernel_size": 3, "strides": 2, "output_padding": 1}, IMAGE),
    (L.Conv2DTranspose, {"filters": 4, "kernel_size": (3, 2), "data_format": "channels_first"}, IMAGE),
    (L.Conv3DTranspose, {"filters": 3, "kernel_size": 2, "strides": (2, 1, 2)}, VOLUME),
    (L.Conv3DTranspose, {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 1}, VOLUME),
    (L.DepthwiseConv2D, {"kernel_size": 3, "depth_multiplier": 2, "padding": "same"}, IMAGE),
    (L.SeparableConv1D, {"filters": 4, "kernel_size": 3, "depth_multiplier": 2}, SEQUENCE),
    (L.SeparableConv2D, {"filters": 4, "kernel_size": 3, "padding": "same", "depthwise_regularizer": "l2"}, IMAGE),
    (L.LocallyConnected1D, {"filters": 4, "kernel_size": 3, "strides": 2}, SEQUENCE),
    (L.LocallyConnected2D, {"filters": 2, "kernel_size": (3, 2), "activation": "tanh"}, IMAGE),
    (L.LocallyConnected2D, {"filters": 2, "kernel_size": 2, "data_format": "channels_first"}, (None, 2, 5, 4)),
    (L.UpSampling1D, {"size": 3}, SEQUENCE),
    (L.UpSampling2D, {"size": (2, 3)}, IMAGE),
    (L.UpSampling2D, {"size": 2, "interpolation": "bilinear", "data_format": "channels_first"}, IMAGE),
    (L.UpSampling3D, {"size": (2, 1, 2)}, VOLUME),
    (L.ZeroPadding1D, {"padding": (1, 2)}, SEQUENCE),
    (L.ZeroPadding2D, {"padding": ((1, 0), (2, 3))}, IMAGE),
    (L.ZeroPadding2D, {"padding": (1, 2), "data_format": "channels_first"}, IMAGE),
    (L.ZeroPadding3D, {"padding": 2}, VOLUME),
    (L.Cropping1D, {"cropping": (1, 2)}, SEQUENCE),
    (L.Cropping2D, {"cropping": ((1, 0), (2, 1))}, IMAGE),
    (L.Cropping2D, {"cropping": 1, "data_format": "channels_first"}, IMAGE),
    (L.Cropping3D, {"cropping": ((1, 0), (2, 1), (0, 1))}, VOLUME),
    (L.MaxPooling1D, {"pool_size": 2, "padding": "same"}, SEQUENCE),
    (L.AveragePooling1D, {"pool_size": 3, "strides": 2, "data_format": "channels_first"}, (None, 4, 9)),
    (L.MaxPooling2D, {}, IMAGE),
    (L.AveragePooling2D, {"pool_size": (2, 3), "strides": 1, "padding": "same"}, IMAGE),
    (L.MaxPooling3D, {"pool_size": 2, "padding": "same"}, VOLUME),
    (L.AveragePooling3D, {}, VOLUME),
    (L.GlobalMaxPooling1D, {}, SEQUENCE),
    (L.GlobalAveragePooling1D, {"data_format": "channels_first"}, SEQUENCE),
    (L.GlobalMaxPooling2D, {}, IMAGE),
    (L.GlobalAveragePooling2D, {"data_format": "channels_first"}, IMAGE),
    (L.GlobalMaxPooling3D, {}, VOLUME),
    (L.GlobalAveragePooling3D, {}, VOLUME),
    (L.BatchNormalization, {"momentum": 0.9}, IMAGE),
    (L.BatchNormalization, {"axis": 1, "center": False}, IMAGE),
    (L.BatchNormalization, {"scale": False, "epsilon": 0.1, "beta_regularizer": "l2"}, VECTOR),
    (L.GaussianNoise, {"stddev": 0.1}, SEQUENCE),
    (L.GaussianDropout, {"rate": 0.1}, SEQUENCE),
    (L.AlphaDropout, {"rate": 0.1}, SEQUENCE),
    (L.LeakyReLU, {"alpha": 0.2}, VECTOR),
    (L.PReLU, {"alpha_regularizer": "l1"}, SEQUENCE),
    (L.PReLU, {"shared_axes": [1, 2]}, IMAGE),
    (L.ELU, {"alpha": 0.5}, VECTOR),
    (L.ThresholdedReLU, {"theta": 3.0}, VECTOR),
    (L.Softmax, {"axis": 1}, SEQUENCE),
    (L.ReLU, {"max_value": 6.0, "negative_slope": 0.1, "threshold": 1.0}, VECTOR),
    (L.Lambda, {"function": lambda x: x * 2.0}, VECTOR),
]


@pytest.mark.parametrize("cls, kwargs, shape", CASES, ids=lambda v: getattr(v, "__name__", None))
def test_layer(cls, kwargs, shape):
    np.random.seed(1)
    batch = (2, *shape[1:])
    layer_test(cls, kwargs, input_shape=shape, input_data=np.random.RandomState(0).randn(*batch).astype("float32"))


def test_embedding():
    data = np.array([[1, 0, 3], [2, 2, 0]], "int32")
    for kwargs in ({}, {"mask_zero": True}, {"input_length": 3}):
        layer_test(
            L.Embedding, {"input_dim": 4, "output_dim": 5, **kwargs}, input_data=data, expected_output_dtype="float32"
        )


def test_unknown_sizes():
    for cls, kwargs, shape in (
        (L.Conv1D, {"filters": 2, "kernel_size": 3}, (None, None, 3)),
        (L.Conv2D, {"filters": 2, "kernel_size": 3, "padding": "same"}, (None, None, None, 3)),
        (L.Conv2DTranspose, {"filters": 2, "kernel_size": 3, "strides": 2}, (None, None, None, 3)),
        (L.UpSampling2D, {}, (None, None, None, 3)),
        (L.MaxPooling2D, {}, (None, None, None, 3)),
        (L.ZeroPadding2D, {}, (None, None, None, 3)),
        (L.GlobalAveragePooling2D, {}, (None, None, None, 3)),
        (L.Cropping1D, {}, (None, None, 3)),
    ):
        data = np.random.RandomState(0).randn(2, *([6] * (len(shape) - 2)), 3).astype("float32")
        layer_test(cls, kwargs, input_shape=shape, input_data=data)
