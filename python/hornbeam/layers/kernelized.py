"""Kernels of support vector machines as layers, as tf.keras has them."""

from __future__ import annotations

import math

from .. import backend as K
from .. import initializers
from ..engine.base_layer import InputSpec, Layer
from ..graph import Tensor
from ..utils.registry import LAYERS

_KERNELS = ("gaussian", "laplacian")


class RandomFourierFeatures(Layer):
    """Random features whose scalar products are about a shift-invariant kernel (Rahimi and Recht, 2007): (batch, dim) to
    (batch, output_dim).

    ``cos(x @ W / scale + b)``, where the kernel says how W is distributed. W and b are not trained.

    Args:
        output_dim: the number of features.
        kernel_initializer: ``'gaussian'``, ``'laplacian'``, or an initializer of W.
        scale: a positive number; ``sqrt(dim / 2)`` by default for the Gaussian kernel, 1 for others.
        trainable: whether training changes the scale.

    Weights: kernel_scale (1,), unscaled_kernel (dim, output_dim), bias (output_dim,).

    Raises:
        ValueError: sizes that are not positive, an unknown kernel, or inputs of another rank.
    """

    def __init__(
        self, output_dim, kernel_initializer="gaussian", scale=None, trainable=False, name=None, **kwargs
    ):  # fmt: skip
        if output_dim <= 0:
            raise ValueError(f"`output_dim` should be a positive integer. Received: {output_dim}")
        if isinstance(kernel_initializer, str) and kernel_initializer.lower() not in _KERNELS:
            raise ValueError(f"Unsupported `kernel_initializer`: {kernel_initializer}. Expected one of: {_KERNELS}")
        if scale is not None and scale <= 0.0:
            raise ValueError(f"When provided, `scale` should be a positive float. Received: {scale}")
        super().__init__(trainable=trainable, name=name, **kwargs)
        self.output_dim = output_dim
        named = isinstance(kernel_initializer, str)
        self.kernel_initializer = kernel_initializer if named else initializers.get(kernel_initializer)
        self.scale = scale

    def build(self, input_shape):
        if len(input_shape) != 2 or input_shape[1] is None:
            raise ValueError(f"RandomFourierFeatures takes inputs of shape (batch, dim), got {tuple(input_shape)}.")
        size = input_shape[1]
        self.input_spec = InputSpec(ndim=2, axes={1: size})
        kernel = self.kernel_initializer.lower() if isinstance(self.kernel_initializer, str) else None
        if self.scale is None:
            self.scale = math.sqrt(size / 2) if kernel == "gaussian" else 1.0
        initial = self.kernel_initializer
        if kernel == "gaussian":
            initial = initializers.RandomNormal(stddev=1.0)
        elif kernel == "laplacian":
            initial = _cauchy
        self.unscaled_kernel = self.add_weight(
            name="unscaled_kernel", shape=(size, self.output_dim), initializer=initial, trainable=False
        )
        uniform = initializers.RandomUniform(minval=0.0, maxval=2 * math.pi)
        self.bias = self.add_weight(name="bias", shape=(self.output_dim,), initializer=uniform, trainable=False)
        self.kernel_scale = self.add_weight(
            name="kernel_scale", shape=(1,), initializer=initializers.Constant(self.scale), constraint="non_neg"
        )
        super().build(input_shape)

    def call(self, inputs):
        return K.cos(K.bias_add(K.dot(inputs, self.unscaled_kernel / self.kernel_scale), self.bias))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.output_dim)

    def get_config(self):
        named = isinstance(self.kernel_initializer, str)
        kernel = self.kernel_initializer if named else initializers.serialize(self.kernel_initializer)
        own = {"output_dim": self.output_dim, "kernel_initializer": kernel, "scale": self.scale}
        return {**super().get_config(), **own}


def _cauchy(shape: tuple, dtype: str | None = None) -> Tensor:
    """Numbers of the standard Cauchy distribution."""
    angles = K.random_uniform(shape, -math.pi / 2, math.pi / 2, dtype=dtype)
    return K.sin(angles) / K.cos(angles)


LAYERS.register({"RandomFourierFeatures": RandomFourierFeatures})
