"""All layers, under all their names."""

from __future__ import annotations

import importlib
import sys
from typing import Any

# Until Keras 2.2, `from keras.layers import *` gave these too.
from .. import activations, constraints, initializers, regularizers
from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..engine.input_layer import Input, InputLayer
from ..utils import registry
from ..utils.generic_utils import serialize_keras_object
from .abstract_cell import AbstractRNNCell
from .advanced_activations import ELU, LeakyReLU, PReLU, ReLU, Softmax, ThresholdedReLU
from .attention import AdditiveAttention, Attention, MultiHeadAttention
from .augmentation import (
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomFlip,
    RandomHeight,
    RandomRotation,
    RandomTranslation,
    RandomWidth,
    RandomZoom,
)
from .convolutional import (
    AtrousConv1D,
    AtrousConv2D,
    AtrousConvolution1D,
    AtrousConvolution2D,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    Convolution1D,
    Convolution2D,
    Convolution2DTranspose,
    Convolution3D,
    Convolution3DTranspose,
    Cropping1D,
    Cropping2D,
    Cropping3D,
    Deconv2D,
    Deconv3D,
    Deconvolution2D,
    Deconvolution3D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
    SeparableConvolution1D,
    SeparableConvolution2D,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from .convolutional_1d import Conv1DTranspose, Convolution1DTranspose, DepthwiseConv1D
from .convolutional_recurrent import ConvLSTM2D, ConvLSTM2DCell, ConvRNN2D
from .convolutional_recurrent_1d_3d import ConvLSTM1D, ConvLSTM3D
from .core import (
    Activation,
    ActivityRegularization,
    Dense,
    Dropout,
    Flatten,
    Identity,
    Lambda,
    Masking,
    Permute,
    RepeatVector,
    Reshape,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from .cudnn_recurrent import CuDNNGRU, CuDNNLSTM
from .einsum_dense import EinsumDense
from .embeddings import Embedding
from .hashing import HashedCrossing, Hashing
from .local import LocallyConnected1D, LocallyConnected2D
from .lookup import IntegerLookup, StringLookup
from .merge import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)
from .noise import AlphaDropout, GaussianDropout, GaussianNoise
from .normalization import BatchNormalization, SyncBatchNormalization
from .pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalAvgPool1D,
    GlobalAvgPool2D,
    GlobalAvgPool3D,
    GlobalMaxPool1D,
    GlobalMaxPool2D,
    GlobalMaxPool3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from .preprocessing import (
    CategoryEncoding,
    CenterCrop,
    Discretization,
    Normalization,
    Rescaling,
    Resizing,
)
from .recurrent import GRU, LSTM, RNN, GRUCell, LSTMCell, SimpleRNN, SimpleRNNCell, StackedRNNCells
from .sample_normalization import GroupNormalization, LayerNormalization, UnitNormalization
from .spectral_normalization import SpectralNormalization
from .text_vectorization import TextVectorization
from .wrappers import Bidirectional, TimeDistributed, Wrapper


def serialize(layer: Layer, use_legacy_format: bool = False) -> dict:
    """The config ``{class_name, config}`` of a layer."""
    return serialize_keras_object(layer)


deserialize = registry.LAYERS.deserialize

registry.LAYERS.register({n: v for n, v in globals().items() if isinstance(v, type) and issubclass(v, Layer)})

_LEGACY = ("ConvRecurrent2D", "Highway", "MaxoutDense", "Recurrent")

# For `from keras.layers import *`: what is asked for later is listed, too.
_OURS = ("annotations", "importlib", "Any", "registry")
__all__ = [*_LEGACY, *(n for n in globals() if not n.startswith("_") and n not in _OURS)]


def __getattr__(name: str) -> Any:
    if name == "experimental":
        return importlib.import_module(f"{__name__}.experimental")
    if name in _LEGACY:
        from ..legacy import layers

        return getattr(layers, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=sys.modules[__name__])
