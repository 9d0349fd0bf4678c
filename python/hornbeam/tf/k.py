"""K's functions from where they are defined: scripts put others in their places in ``keras.backend``."""

from ..backend.control import gradients, switch
from ..backend.conv import bias_add, conv1d, conv2d, conv2d_transpose, conv3d, depthwise_conv2d, pool2d
from ..backend.creation import arange, ones_like, zeros_like
from ..backend.linalg import gather, matrix_product
from ..backend.loops import foldl, foldr, map_fn
from ..backend.math import (
    abs,
    all,
    any,
    argmax,
    log,
    logsumexp,
    max,
    maximum,
    mean,
    min,
    minimum,
    prod,
    square,
    std,
    sum,
    var,
)
from ..backend.nn import (
    batch_normalization,
    binary_crossentropy,
    categorical_crossentropy,
    dropout,
    elu,
    in_top_k,
    relu,
    sigmoid,
    softmax,
    sparse_categorical_crossentropy,
)
from ..backend.random import random_normal, random_uniform, truncated_normal
from ..backend.shapes import concatenate, expand_dims, permute_dimensions, reshape, reverse, slice, squeeze, stack, tile
from ..backend.variables import cast, constant, placeholder, to_dense, update, update_add, update_sub

__all__ = ["abs", "all", "any", "arange", "argmax", "batch_normalization", "bias_add", "binary_crossentropy", "cast", "categorical_crossentropy", "concatenate", "constant", "conv1d", "conv2d", "conv2d_transpose", "conv3d", "depthwise_conv2d", "dropout", "elu", "expand_dims", "foldl", "foldr", "gather", "gradients", "in_top_k", "log", "logsumexp", "map_fn", "matrix_product", "max", "maximum", "mean", "min", "minimum", "ones_like", "permute_dimensions", "placeholder", "pool2d", "prod", "random_normal", "random_uniform", "relu", "reshape", "reverse", "sigmoid", "slice", "softmax", "sparse_categorical_crossentropy", "square", "squeeze", "stack", "std", "sum", "switch", "tile", "to_dense", "truncated_normal", "update", "update_add", "update_sub", "var", "zeros_like"]  # fmt: skip
