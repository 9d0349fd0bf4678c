"""Every layer with arguments that matter, for tests of what holds for all layers."""

import inspect

import numpy as np
from hornbeam import backend as K
from hornbeam import layers as L

IMAGE, SEQUENCE, VOLUME, VECTOR = (None, 8, 7, 3), (None, 9, 4), (None, 5, 6, 4, 2), (None, 6)
FRAMES = (None, 3, 5, 4, 2)

#: layer, arguments, input shape (a list of shapes for layers of several inputs)
CASES = [
    (L.Dense, {"units": 4, "activation": "relu", "kernel_regularizer": "l2", "bias_constraint": "non_neg"}, VECTOR),
    (L.Dense, {"units": 4, "use_bias": False}, SEQUENCE),
    (L.Activation, {"activation": "tanh"}, SEQUENCE),
    (L.Dropout, {"rate": 0.3}, VECTOR),
    (L.Dropout, {"rate": 0.3, "noise_shape": (None, 1, 4), "seed": 3}, SEQUENCE),
    (L.SpatialDropout1D, {"rate": 0.3}, SEQUENCE),
    (L.SpatialDropout2D, {"rate": 0.3}, IMAGE),
    (L.SpatialDropout3D, {"rate": 0.3}, VOLUME),
    (L.Flatten, {}, IMAGE),
    (L.Reshape, {"target_shape": (-1, 6)}, (None, 4, 3)),
    (L.Reshape, {"target_shape": (2, 3)}, VECTOR),
    (L.Permute, {"dims": (3, 1, 2)}, IMAGE),
    (L.RepeatVector, {"n": 3}, VECTOR),
    (L.Masking, {"mask_value": 1.0}, SEQUENCE),
    (L.ActivityRegularization, {"l1": 0.1, "l2": 0.2}, VECTOR),
    (L.Lambda, {"function": lambda x: x * 2.0}, VECTOR),
    (L.Conv1D, {"filters": 4, "kernel_size": 3, "strides": 2}, SEQUENCE),
    (L.Conv2D, {"filters": 4, "kernel_size": 3, "padding": "same", "strides": (2, 1), "activation": "relu"}, IMAGE),
    (L.Conv2D, {"filters": 4, "kernel_size": (2, 1), "use_bias": False, "dilation_rate": (2, 3)}, IMAGE),
    (L.Conv3D, {"filters": 3, "kernel_size": 2, "padding": "same", "strides": 2}, VOLUME),
    (L.Conv3D, {"filters": 3, "kernel_size": 2, "dilation_rate": (1, 2, 1)}, VOLUME),
    (L.Conv2DTranspose, {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}, IMAGE),
    (L.Conv2DTranspose, {"filters": 4, "kernel_size": 3, "strides": 2, "output_padding": 1}, IMAGE),
    (L.Conv2DTranspose, {"filters": 4, "kernel_size": (3, 2), "dilation_rate": 2, "padding": "same"}, IMAGE),
    (L.Conv3DTranspose, {"filters": 3, "kernel_size": 2, "strides": (2, 1, 2)}, VOLUME),
    (L.Conv3DTranspose, {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 1}, VOLUME),
    (L.DepthwiseConv2D, {"kernel_size": 3, "depth_multiplier": 2, "padding": "same"}, IMAGE),
    (L.DepthwiseConv2D, {"kernel_size": (3, 2), "strides": 2}, IMAGE),
    (L.SeparableConv1D, {"filters": 4, "kernel_size": 3, "depth_multiplier": 2}, SEQUENCE),
    (L.SeparableConv2D, {"filters": 4, "kernel_size": 3, "padding": "same", "depthwise_regularizer": "l2"}, IMAGE),
    (L.SeparableConv2D, {"filters": 2, "kernel_size": 2, "dilation_rate": 2, "activation": "tanh"}, IMAGE),
    (L.LocallyConnected1D, {"filters": 4, "kernel_size": 3, "strides": 2}, SEQUENCE),
    (L.LocallyConnected2D, {"filters": 2, "kernel_size": (3, 2), "activation": "tanh"}, (None, 5, 4, 2)),
    (L.LocallyConnected1D, {"filters": 2, "kernel_size": 3, "implementation": 2}, (None, 6, 2)),
    (
        L.LocallyConnected2D,
        {"filters": 2, "kernel_size": (3, 2), "padding": "same", "implementation": 2},
        (None, 4, 3, 2),
    ),
    (L.UpSampling1D, {"size": 3}, SEQUENCE),
    (L.UpSampling2D, {"size": (2, 3)}, IMAGE),
    (L.UpSampling2D, {"size": 2, "interpolation": "bilinear"}, IMAGE),
    (L.UpSampling3D, {"size": (2, 1, 2)}, VOLUME),
    (L.ZeroPadding1D, {"padding": (1, 2)}, SEQUENCE),
    (L.ZeroPadding2D, {"padding": ((1, 0), (2, 3))}, IMAGE),
    (L.ZeroPadding3D, {"padding": 2}, VOLUME),
    (L.Cropping1D, {"cropping": (1, 2)}, SEQUENCE),
    (L.Cropping2D, {"cropping": ((1, 0), (2, 1))}, IMAGE),
    (L.Cropping3D, {"cropping": ((1, 0), (2, 1), (0, 1))}, VOLUME),
    (L.MaxPooling1D, {"pool_size": 2, "padding": "same"}, SEQUENCE),
    (L.AveragePooling1D, {"pool_size": 3, "strides": 2}, SEQUENCE),
    (L.MaxPooling2D, {}, IMAGE),
    (L.AveragePooling2D, {"pool_size": (2, 3), "strides": 1, "padding": "same"}, IMAGE),
    (L.MaxPooling3D, {"pool_size": 2, "padding": "same"}, VOLUME),
    (L.AveragePooling3D, {}, VOLUME),
    (L.GlobalMaxPooling1D, {}, SEQUENCE),
    (L.GlobalAveragePooling1D, {}, SEQUENCE),
    (L.GlobalMaxPooling2D, {}, IMAGE),
    (L.GlobalAveragePooling2D, {}, IMAGE),
    (L.GlobalMaxPooling3D, {}, VOLUME),
    (L.GlobalAveragePooling3D, {}, VOLUME),
    (L.BatchNormalization, {"momentum": 0.9}, IMAGE),
    (L.BatchNormalization, {"axis": 1, "center": False}, IMAGE),
    (L.BatchNormalization, {"axis": 2, "scale": False}, VOLUME),
    (L.BatchNormalization, {"scale": False, "epsilon": 0.1, "beta_regularizer": "l2"}, VECTOR),
    (L.GaussianNoise, {"stddev": 0.1}, SEQUENCE),
    (L.GaussianDropout, {"rate": 0.1}, SEQUENCE),
    (L.AlphaDropout, {"rate": 0.1}, SEQUENCE),
    (L.LeakyReLU, {"alpha": 0.2}, VECTOR),
    (L.PReLU, {"alpha_regularizer": "l1", "alpha_initializer": "uniform"}, SEQUENCE),
    (L.PReLU, {"shared_axes": [1, 2]}, IMAGE),
    (L.ELU, {"alpha": 0.5}, VECTOR),
    (L.ThresholdedReLU, {"theta": 0.5}, VECTOR),
    (L.Softmax, {"axis": 1}, SEQUENCE),
    (L.ReLU, {"max_value": 6.0, "negative_slope": 0.1, "threshold": 0.5}, VECTOR),
    (L.SimpleRNN, {"units": 3, "return_sequences": True}, SEQUENCE),
    (L.GRU, {"units": 3, "go_backwards": True}, SEQUENCE),
    (L.GRU, {"units": 3, "implementation": 1, "activation": "relu"}, SEQUENCE),
    (L.GRU, {"units": 3, "reset_after": True, "recurrent_activation": "hard_sigmoid"}, SEQUENCE),
    (L.LSTM, {"units": 3, "return_sequences": True, "dropout": 0.2, "recurrent_dropout": 0.1}, SEQUENCE),
    (L.LSTM, {"units": 3, "implementation": 1, "recurrent_activation": "hard_sigmoid"}, SEQUENCE),
    (L.CuDNNGRU, {"units": 3, "return_sequences": True}, SEQUENCE),
    (L.CuDNNLSTM, {"units": 3}, SEQUENCE),
    (L.ConvLSTM2D, {"filters": 2, "kernel_size": 2, "padding": "same", "return_sequences": True}, FRAMES),
    (L.ConvLSTM2D, {"filters": 2, "kernel_size": (2, 3), "strides": (1, 2)}, FRAMES),
    (L.TimeDistributed, {"layer": L.Dense(3)}, SEQUENCE),
    (L.TimeDistributed, {"layer": L.Conv2D(2, 2)}, FRAMES),
    (L.Bidirectional, {"layer": L.LSTM(2, return_sequences=True)}, SEQUENCE),
    (L.Bidirectional, {"layer": L.GRU(2), "merge_mode": "sum"}, SEQUENCE),
    (L.Add, {}, [SEQUENCE, SEQUENCE, SEQUENCE]),
    (L.Subtract, {}, [SEQUENCE, SEQUENCE]),
    (L.Multiply, {}, [SEQUENCE, (None, 1, 4)]),
    (L.Average, {}, [VECTOR, VECTOR]),
    (L.Maximum, {}, [VECTOR, VECTOR, VECTOR]),
    (L.Minimum, {}, [VECTOR, VECTOR]),
    (L.Concatenate, {"axis": 1}, [SEQUENCE, (None, 2, 4)]),
    (L.Dot, {"axes": 2, "normalize": True}, [SEQUENCE, (None, 5, 4)]),
    (L.Dot, {"axes": (1, 2)}, [SEQUENCE, (None, 5, 9)]),
    # beyond Keras 2.3.1
    (L.LayerNormalization, {"epsilon": 0.1, "gamma_regularizer": "l2"}, SEQUENCE),
    (L.LayerNormalization, {"axis": [1, 2], "center": False}, (None, 4, 3, 2)),
    (L.LayerNormalization, {"axis": 1, "scale": False}, SEQUENCE),
    (L.GroupNormalization, {"groups": 2}, (None, 3, 4, 6)),
    (L.GroupNormalization, {"groups": -1, "axis": 1}, (None, 4, 5)),
    (L.UnitNormalization, {"axis": [1, 2]}, SEQUENCE),
    (L.EinsumDense, {"equation": "...ab,bc->...ac", "output_shape": [None, 5], "bias_axes": "c"}, SEQUENCE),
    (L.EinsumDense, {"equation": "ab...,bc->ac...", "output_shape": 3, "bias_axes": "c"}, SEQUENCE),
    (L.EinsumDense, {"equation": "abc,cde->abde", "output_shape": (None, 2, 3), "activation": "tanh"}, SEQUENCE),
    (L.Attention, {"use_scale": True}, [SEQUENCE, (None, 5, 4)]),
    (L.Attention, {"score_mode": "concat", "use_scale": True}, [SEQUENCE, (None, 5, 4), (None, 5, 4)]),
    (L.Attention, {"causal": True, "dropout": 0.3}, [SEQUENCE, SEQUENCE]),
    (L.AdditiveAttention, {}, [SEQUENCE, (None, 5, 4)]),
    (L.MultiHeadAttention, {"num_heads": 2, "key_dim": 3}, [SEQUENCE, (None, 5, 3), (None, 5, 2)]),
    (
        L.MultiHeadAttention,
        {"num_heads": 2, "key_dim": 3, "value_dim": 2, "output_shape": 5, "attention_axes": (1,), "use_bias": False},
        [(None, 3, 2, 4)] * 3,
    ),
    (L.Conv1DTranspose, {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}, SEQUENCE),
    (L.Conv1DTranspose, {"filters": 2, "kernel_size": 2, "strides": 3, "output_padding": 1}, SEQUENCE),
    (L.DepthwiseConv1D, {"kernel_size": 3, "depth_multiplier": 2, "strides": 2, "activation": "tanh"}, SEQUENCE),
    (L.DepthwiseConv1D, {"kernel_size": 2, "dilation_rate": 2, "padding": "same"}, SEQUENCE),
    (
        L.ConvLSTM1D,
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "return_sequences": True},
        (None, 3, 6, 2),
    ),
    (L.ConvLSTM1D, {"filters": 2, "kernel_size": 2, "dilation_rate": 2, "go_backwards": True}, (None, 3, 6, 2)),
    (L.ConvLSTM3D, {"filters": 2, "kernel_size": 2, "strides": (1, 2, 1)}, (None, 2, 3, 4, 3, 2)),
    (L.Identity, {}, SEQUENCE),
    (L.SyncBatchNormalization, {}, IMAGE),
    (L.Rescaling, {"scale": [0.1, 0.2, 0.3], "offset": -1}, IMAGE),
    (L.Normalization, {}, IMAGE),
    (L.Normalization, {"axis": (1, -1), "mean": 0.5, "variance": 2.0}, SEQUENCE),
    (L.Normalization, {"axis": None, "mean": 0.5, "variance": 2.0, "invert": True}, SEQUENCE),
    (L.Resizing, {"height": 5, "width": 9}, IMAGE),
    (L.Resizing, {"height": 12, "width": 3, "interpolation": "nearest"}, IMAGE),
    (L.Resizing, {"height": 4, "width": 6, "crop_to_aspect_ratio": True}, IMAGE),
    (L.CenterCrop, {"height": 5, "width": 4}, IMAGE),
    (L.CenterCrop, {"height": 9, "width": 4}, IMAGE),
    (L.RandomFlip, {}, IMAGE),
    (L.RandomTranslation, {"height_factor": 0.2, "width_factor": (-0.3, 0.1)}, IMAGE),
    (L.RandomRotation, {"factor": 0.1, "fill_mode": "wrap"}, IMAGE),
    (L.RandomZoom, {"height_factor": (-0.2, 0.3), "interpolation": "nearest"}, IMAGE),
    (L.RandomContrast, {"factor": 0.5}, IMAGE),
    (L.RandomBrightness, {"factor": 0.2, "value_range": [0, 1]}, IMAGE),
    (L.RandomCrop, {"height": 5, "width": 4, "seed": 3}, IMAGE),
    (L.RandomHeight, {"factor": 0.2}, IMAGE),
    (L.RandomWidth, {"factor": 0.2}, IMAGE),
]


def name(case):
    """What pytest calls a case: the class, numbered."""
    cls = case[0]
    same = [other for other in CASES if other[0] is cls]
    return cls.__name__ if len(same) == 1 else f"{cls.__name__}-{next(i for i, c in enumerate(same) if c is case)}"


def make(case, **more):
    """The layer; a layer inside a wrapper is a new one each time."""
    cls, kwargs, _ = case
    inner = kwargs.get("layer")
    if inner is not None:
        config = {**inner.get_config(), "dtype": K.floatx()}
        kwargs = {**kwargs, "layer": type(inner).from_config(config)}
    return cls(**kwargs, **more)


def shapes(case):
    """The input shapes, always a list."""
    return case[2] if isinstance(case[2], list) else [case[2]]


def arrays(case, batch=2, dtype="float32"):
    """Random inputs, a list; all different, so that no maximum is shared."""
    rng = np.random.RandomState(0)
    return [rng.randn(batch, *shape[1:]).astype(dtype) for shape in shapes(case)]


def has_formats(cls):
    """Whether the layer takes ``data_format``."""
    return "data_format" in inspect.signature(cls.__init__).parameters
