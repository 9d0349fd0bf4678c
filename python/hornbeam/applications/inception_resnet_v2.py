"""Inception-ResNet v2: Inception blocks whose scaled output is added to their input (Szegedy et al., 2016)."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from .. import layers
from ..utils.generic_utils import func_dump
from .image_model import Frame, batch_norm, channels, concatenate, image_model
from .imagenet_utils import decode_predictions, preprocessing
from .weights import CHOLLET, pair

__all__ = [
    "InceptionResNetV2", "conv2d_bn", "decode_predictions", "inception_resnet_block", "preprocess_input",
]  # fmt: skip

_PUBLISHED = pair(
    f"{CHOLLET}/v0.7", "inception_resnet_v2", "e693bd0210a403b3192acc6073ad2e96", "d19885ff4a710c122648d3b5c3b684e4"
)

Chain = tuple[tuple[int, Any], ...]  # convolutions after each other: filters, kernel size

# The branches of each kind of residual block.
_BRANCHES: dict[str, tuple[Chain, ...]] = {
    "block35": (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3))),
    "block17": (((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1)))),
    "block8": (((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1)))),
}


def conv2d_bn(x, filters, kernel_size, strides=1, padding="same", activation="relu", use_bias=False, name=None):
    """A convolution, batch normalization without scale where it has no bias, and an activation (None for none).

    Args:
        x: feature maps.
        filters, kernel_size, strides, padding, use_bias: of the convolution.
        name: of the convolution; the layers behind it have it with ``_bn`` and ``_ac``.
    """
    x = layers.Conv2D(filters, kernel_size, strides=strides, padding=padding, use_bias=use_bias, name=name)(x)
    if not use_bias:
        x = batch_norm(x, name and f"{name}_bn", scale=False)
    return x if activation is None else layers.Activation(activation, name=name and f"{name}_ac")(x)


def _chain(x: Any, chain: Chain, halve: bool = False) -> Any:
    """Convolutions after each other; with ``halve`` the last one halves the size."""
    for i, (filters, size) in enumerate(chain):
        last = halve and i == len(chain) - 1
        x = conv2d_bn(x, filters, size, strides=2, padding="valid") if last else conv2d_bn(x, filters, size)
    return x


def _reduce(x: Any, name: str, *chains: Chain) -> Any:
    """Branches that halve the size, the last one a maximum pooling."""
    branches = [_chain(x, chain, halve=True) for chain in chains]
    return concatenate([*branches, layers.MaxPooling2D(3, strides=2)(x)], name)


def _add_scaled(inputs: Any, scale: float) -> Any:
    return inputs[0] + inputs[1] * scale


func_dump(_add_scaled)  # remembered: who imports this module can load saved models, whose Lambdas hold this function


def inception_resnet_block(x, scale, block_type, block_idx, activation="relu"):
    """Branches whose output, times ``scale``, is added to x.

    Args:
        x: feature maps.
        scale: a number.
        block_type: ``'block35'``, ``'block17'`` or ``'block8'``.
        block_idx: for the layers' names.
        activation: behind the sum, or None.

    Raises:
        ValueError: another block_type.
    """
    if block_type not in _BRANCHES:
        raise ValueError(f"Unknown Inception-ResNet block type {block_type!r}: it is one of {', '.join(_BRANCHES)}.")
    name = f"{block_type}_{block_idx}"
    mixed = concatenate([_chain(x, chain) for chain in _BRANCHES[block_type]], f"{name}_mixed")
    change = conv2d_bn(mixed, channels(x), 1, activation=None, use_bias=True, name=f"{name}_conv")
    x = layers.Lambda(
        _add_scaled,
        output_shape=K.int_shape(x)[1:],
        arguments={"scale": scale},
        name=name,
    )([x, change])
    return x if activation is None else layers.Activation(activation, name=f"{name}_ac")(x)


def _features(x: Any) -> Any:
    x = conv2d_bn(x, 32, 3, strides=2, padding="valid")
    x = conv2d_bn(x, 32, 3, padding="valid")
    x = conv2d_bn(x, 64, 3)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = conv2d_bn(x, 80, 1, padding="valid")
    x = conv2d_bn(x, 192, 3, padding="valid")
    x = layers.MaxPooling2D(3, strides=2)(x)

    branches = [_chain(x, c) for c in (((96, 1),), ((48, 1), (64, 5)), ((64, 1), (96, 3), (96, 3)))]
    pooled = layers.AveragePooling2D(3, strides=1, padding="same")(x)
    x = concatenate([*branches, conv2d_bn(pooled, 64, 1)], "mixed_5b")
    for i in range(1, 11):
        x = inception_resnet_block(x, 0.17, "block35", i)
    x = _reduce(x, "mixed_6a", ((384, 3),), ((256, 1), (256, 3), (384, 3)))
    for i in range(1, 21):
        x = inception_resnet_block(x, 0.1, "block17", i)
    x = _reduce(x, "mixed_7a", ((256, 1), (384, 3)), ((256, 1), (288, 3)), ((256, 1), (288, 3), (320, 3)))
    for i in range(1, 10):
        x = inception_resnet_block(x, 0.2, "block8", i)
    x = inception_resnet_block(x, 1.0, "block8", 10, activation=None)
    return conv2d_bn(x, 1536, 1, name="conv_7b")


@image_model(size=299, minimum=75)
def InceptionResNetV2(
    include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000,
    classifier_activation="softmax",
):  # fmt: skip
    """Inception-ResNet v2."""
    frame = Frame(
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, size=299, minimum=75
    )
    return frame.model(frame.classify(_features(frame.image)), "inception_resnet_v2", _PUBLISHED)


preprocess_input = preprocessing("tf")
