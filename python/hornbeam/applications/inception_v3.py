"""Inception v3: blocks of parallel branches, 7x7 convolutions as 1x7 and 7x1 (Szegedy et al., 2015)."""

from __future__ import annotations

from typing import Any

from .. import layers
from .image_model import Frame, batch_norm, concatenate, image_model
from .imagenet_utils import decode_predictions, preprocessing
from .weights import CHOLLET, pair

__all__ = ["InceptionV3", "conv2d_bn", "decode_predictions", "preprocess_input"]

_PUBLISHED = pair(
    f"{CHOLLET}/v0.5", "inception_v3", "9a0d58056eeedaa3f26cb7ebd46da564", "bcbd6486424b2319ff4ef7d526e38f63"
)

Chain = tuple[tuple[int, int, int], ...]  # convolutions after each other: filters, height and width of the kernel


def conv2d_bn(x, filters, num_row, num_col, padding="same", strides=(1, 1), name=None):
    """A convolution without bias, batch normalization without scale, ReLU.

    Args:
        x: feature maps.
        filters, num_row, num_col, padding, strides: of the convolution.
        name: of the activation; the layers before it have it with ``_conv`` and ``_bn``.
    """
    kernel, conv_name = (num_row, num_col), name and f"{name}_conv"
    x = layers.Conv2D(filters, kernel, strides=strides, padding=padding, use_bias=False, name=conv_name)(x)
    return layers.Activation("relu", name=name)(batch_norm(x, name and f"{name}_bn", scale=False))


def _chain(x: Any, chain: Chain, halve: bool = False) -> Any:
    """Convolutions after each other; with ``halve`` the last one halves the size."""
    for i, conv in enumerate(chain):
        last = halve and i == len(chain) - 1
        x = conv2d_bn(x, *conv, **({"strides": 2, "padding": "valid"} if last else {}))
    return x


def _mix(x: Any, name: str, pool_filters: int, *chains: Chain) -> Any:
    """Branches that keep the size, the last one an average pooling with a 1x1 convolution."""
    branches = [_chain(x, chain) for chain in chains]
    pooled = layers.AveragePooling2D(3, strides=1, padding="same")(x)
    return concatenate([*branches, conv2d_bn(pooled, pool_filters, 1, 1)], name)


def _reduce(x: Any, name: str, *chains: Chain) -> Any:
    """Branches that halve the size, the last one a maximum pooling."""
    branches = [_chain(x, chain, halve=True) for chain in chains]
    return concatenate([*branches, layers.MaxPooling2D(3, strides=2)(x)], name)


def _wide_mix(x: Any, index: int) -> Any:
    """The last blocks, whose branches fork once more."""

    def fork(y: Any, name: str | None) -> Any:
        return concatenate([_chain(y, ((384, 1, 3),)), _chain(y, ((384, 3, 1),))], name)

    single = _chain(x, ((320, 1, 1),))
    forked = fork(_chain(x, ((384, 1, 1),)), f"mixed9_{index}")
    deeper = fork(_chain(x, ((448, 1, 1), (384, 3, 3))), None)
    pooled = layers.AveragePooling2D(3, strides=1, padding="same")(x)
    pooled = _chain(pooled, ((192, 1, 1),))
    return concatenate([single, forked, deeper, pooled], f"mixed{9 + index}")


def _features(x: Any) -> Any:
    x = conv2d_bn(x, 32, 3, 3, "valid", 2)
    x = conv2d_bn(x, 32, 3, 3, "valid")
    x = conv2d_bn(x, 64, 3, 3)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = conv2d_bn(x, 80, 1, 1, "valid")
    x = conv2d_bn(x, 192, 3, 3, "valid")
    x = layers.MaxPooling2D(3, strides=2)(x)
    for i, pool_filters in enumerate((32, 64, 64)):
        chains = ((64, 1, 1),), ((48, 1, 1), (64, 5, 5)), ((64, 1, 1), (96, 3, 3), (96, 3, 3))
        x = _mix(x, f"mixed{i}", pool_filters, *chains)
    x = _reduce(x, "mixed3", ((384, 3, 3),), ((64, 1, 1), (96, 3, 3), (96, 3, 3)))
    for i, n in enumerate((128, 160, 160, 192), 4):
        single = ((n, 1, 1), (n, 1, 7), (192, 7, 1))
        double = ((n, 1, 1), (n, 7, 1), (n, 1, 7), (n, 7, 1), (192, 1, 7))
        x = _mix(x, f"mixed{i}", 192, ((192, 1, 1),), single, double)
    x = _reduce(x, "mixed8", ((192, 1, 1), (320, 3, 3)), ((192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3)))
    return _wide_mix(_wide_mix(x, 0), 1)


@image_model(size=299, minimum=75)
def InceptionV3(
    include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000,
    classifier_activation="softmax",
):  # fmt: skip
    """Inception v3."""
    frame = Frame(
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, size=299, minimum=75
    )
    return frame.model(frame.classify(_features(frame.image)), "inception_v3", _PUBLISHED)


preprocess_input = preprocessing("tf")
