"""What EfficientNets of both versions are made of; ResNet-RS has some of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from .. import backend as K
from .. import layers
from .image_model import batch_norm, channels, halving_padding

#: How all their convolutions begin, and the layer that classifies.
KERNELS = {
    "class_name": "VarianceScaling",
    "config": {"scale": 2.0, "mode": "fan_out", "distribution": "truncated_normal"},
}
CLASSIFIER = {"class_name": "VarianceScaling", "config": {"scale": 1 / 3, "mode": "fan_out", "distribution": "uniform"}}


def squeeze_and_excite(x: Any, reduced: int, label: str, activation: Any) -> Any:
    """Multiply each feature map by a number in (0, 1) that two small layers make of the means of all (Hu et al., 2017).

    Args:
        x: feature maps.
        reduced: how many numbers the means are reduced to.
        label: begins the layers' names.
        activation: of the reduced ones.
    """
    filters = channels(x)
    first = K.image_data_format() == "channels_first"
    y = layers.GlobalAveragePooling2D(name=f"{label}se_squeeze")(x)
    y = layers.Reshape((filters, 1, 1) if first else (1, 1, filters), name=f"{label}se_reshape")(y)
    options = {"padding": "same", "kernel_initializer": KERNELS}
    y = layers.Conv2D(reduced, 1, activation=activation, name=f"{label}se_reduce", **options)(y)
    y = layers.Conv2D(filters, 1, activation="sigmoid", name=f"{label}se_expand", **options)(y)
    return layers.Multiply(name=f"{label}se_excite")([x, y])


def drop_samples(x: Any, rate: float, name: str) -> Any:
    """Stochastic depth (Huang et al., 2016): in training, all feature maps of some samples become 0."""
    return layers.Dropout(rate, noise_shape=(None, 1, 1, 1), name=name)(x) if rate > 0 else x


class Blocks(NamedTuple):
    """The blocks of one EfficientNet.

    Attributes:
        version: 1 or 2; they differ in some names, in padding and in the moving averages' momentum.
        activation: after the convolutions.
    """

    version: int
    activation: Any = "swish"

    def _normalize(self, x: Any, label: str, activate: bool = True) -> Any:
        x = batch_norm(x, f"{label}bn", momentum=0.99 if self.version == 1 else 0.9)
        return layers.Activation(self.activation, name=f"{label}activation")(x) if activate else x

    def _pad(self, x: Any, kernel_size: int, strides: int, name: str) -> tuple[Any, str]:
        """Version 1 pads before it strides, which differs from ``'same'`` where images of any size are odd."""
        if self.version == 2 or strides == 1:
            return x, "same"
        return layers.ZeroPadding2D(halving_padding(x, kernel_size), name=name)(x), "valid"

    def convolve(
        self, x: Any, filters: int, kernel_size: int, label: str, strides: int = 1, activate: bool = True
    ) -> Any:
        """A convolution, normalization and, if wanted, the activation."""
        x, padding = self._pad(x, kernel_size, strides, f"{label}conv_pad")
        options = {"strides": strides, "padding": padding, "use_bias": False, "kernel_initializer": KERNELS}
        return self._normalize(layers.Conv2D(filters, kernel_size, name=f"{label}conv", **options)(x), label, activate)

    def widen(self, x: Any, expansion: int, kernel_size: int, label: str, strides: int = 1) -> Any:
        """``expansion`` times as many feature maps."""
        return self.convolve(x, channels(x) * expansion, kernel_size, f"{label}expand_", strides)

    def inverted_bottleneck(
        self, x: Any, filters: int, kernel_size: int, expansion: int, strides: int, drop_rate: float, label: str
    ) -> Any:
        """Widen, convolve depthwise, squeeze and excite, and narrow to ``filters``."""
        y = self.widen(x, expansion, 1, label) if expansion > 1 else x
        name = f"{label}dwconv" if self.version == 1 else f"{label}dwconv2"
        y, padding = self._pad(y, kernel_size, strides, f"{label}dwconv_pad")
        options = {"strides": strides, "padding": padding, "use_bias": False, "depthwise_initializer": KERNELS}
        y = self._normalize(layers.DepthwiseConv2D(kernel_size, name=name, **options)(y), label)
        y = squeeze_and_excite(y, max(1, channels(x) // 4), label, self.activation)
        y = self.convolve(y, filters, 1, f"{label}project_", activate=False)
        return self.residual(x, y, strides, drop_rate, label)

    def residual(self, x: Any, y: Any, strides: int, drop_rate: float, label: str) -> Any:
        """``y``, and added to it what the block was made of, if that has its shape."""
        if strides > 1 or channels(x) != channels(y):
            return y
        return layers.Add(name=f"{label}add")([drop_samples(y, drop_rate, f"{label}drop"), x])
