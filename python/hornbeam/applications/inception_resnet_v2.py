"""Inception-ResNet v2: Inception blocks whose scaled output is added to their input (Szegedy et al., 2016)."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from .. import layers
from ..utils.generic_utils import func_dump
from .image_model import Frame, batch_norm, channels, concatenate, image_model
from .imagenet_utils import decode_predictions, preprocessing
from .weights import CHOLLET, pair

__all__ = ["InceptionResNetV2", "decode_predictions", "preprocess_input"]

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


def _conv(x: Any, filters: int, size: Any, name: str | None = None, padding: str = "same", strides: int = 1) -> Any:
    x = layers.Conv2D(filters, size, strides=strides, padding=padding, use_bias=False, name=name)(x)
    x = batch_norm(x, name and f"{name}_bn", scale=False)
    return layers.Activation("relu", name=name and f"{name}_ac")(x)


def _chain(x: Any, chain: Chain, halve: bool = False) -> Any:
    """Convolutions after each other; with ``halve`` the last one halves the size."""
    for i, (filters, size) in enumerate(chain):
        last = halve and i == len(chain) - 1
        x = _conv(x, filters, size, strides=2, padding="valid") if last else _conv(x, filters, size)
    return x


def _reduce(x: Any, name: str, *chains: Chain) -> Any:
    """Branches that halve the size, the last one a maximum pooling."""
    branches = [_chain(x, chain, halve=True) for chain in chains]
    return concatenate([*branches, layers.MaxPooling2D(3, strides=2)(x)], name)


def _add_scaled(inputs: Any, scale: float) -> Any:
    return inputs[0] + inputs[1] * scale


func_dump(_add_scaled)  # remembered: who imports this module can load saved models, whose Lambdas hold this function


def _residual(x: Any, kind: str, index: int, scale: float, activate: bool = True) -> Any:
    name = f"{kind}_{index}"
    mixed = concatenate([_chain(x, chain) for chain in _BRANCHES[kind]], f"{name}_mixed")
    change = layers.Conv2D(channels(x), 1, padding="same", name=f"{name}_conv")(mixed)
    x = layers.Lambda(
        _add_scaled,
        output_shape=K.int_shape(x)[1:],
        arguments={"scale": scale},
        name=name,
    )([x, change])
    return layers.Activation("relu", name=f"{name}_ac")(x) if activate else x


def _features(x: Any) -> Any:
    x = _conv(x, 32, 3, strides=2, padding="valid")
    x = _conv(x, 32, 3, padding="valid")
    x = _conv(x, 64, 3)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = _conv(x, 80, 1, padding="valid")
    x = _conv(x, 192, 3, padding="valid")
    x = layers.MaxPooling2D(3, strides=2)(x)

    branches = [_chain(x, c) for c in (((96, 1),), ((48, 1), (64, 5)), ((64, 1), (96, 3), (96, 3)))]
    pooled = layers.AveragePooling2D(3, strides=1, padding="same")(x)
    x = concatenate([*branches, _conv(pooled, 64, 1)], "mixed_5b")
    for i in range(1, 11):
        x = _residual(x, "block35", i, 0.17)
    x = _reduce(x, "mixed_6a", ((384, 3),), ((256, 1), (256, 3), (384, 3)))
    for i in range(1, 21):
        x = _residual(x, "block17", i, 0.1)
    x = _reduce(x, "mixed_7a", ((256, 1), (384, 3)), ((256, 1), (288, 3)), ((256, 1), (288, 3), (320, 3)))
    for i in range(1, 10):
        x = _residual(x, "block8", i, 0.2)
    x = _residual(x, "block8", 10, 1.0, activate=False)
    return _conv(x, 1536, 1, name="conv_7b")


@image_model(size=299, minimum=75)
def InceptionResNetV2(
    include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000
):
    """Inception-ResNet v2."""
    frame = Frame(include_top, weights, input_tensor, input_shape, pooling, classes, size=299, minimum=75)
    return frame.model(frame.classify(_features(frame.image)), "inception_resnet_v2", _PUBLISHED)


preprocess_input = preprocessing("tf")
