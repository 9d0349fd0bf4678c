"""Xception: residual blocks of depthwise separable convolutions (Chollet, 2016)."""

from __future__ import annotations

from typing import Any

from .. import layers
from .image_model import Frame, batch_norm, image_model
from .imagenet_utils import decode_predictions, preprocessing
from .weights import CHOLLET, pair

__all__ = ["Xception", "decode_predictions", "preprocess_input"]

_PUBLISHED = pair(f"{CHOLLET}/v0.4", "xception", "0a58e3b7378bc2990ea3b43d5981f1f6", "b0042744bf5b25fce3cb969f33bebb97")


def _relu(x: Any, label: str) -> Any:
    return layers.Activation("relu", name=f"{label}_act")(x)


def _conv(x: Any, filters: int, strides: int, label: str) -> Any:
    x = layers.Conv2D(filters, 3, strides=strides, use_bias=False, name=label)(x)
    return _relu(batch_norm(x, f"{label}_bn"), label)


def _separable(x: Any, filters: int, label: str) -> Any:
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=label)(x)
    return batch_norm(x, f"{label}_bn")


def _halving_block(x: Any, first: int, filters: int, label: str, activate: bool = True) -> Any:
    """Two convolutions and a pooling beside a projection with stride 2."""
    shortcut = layers.Conv2D(filters, 1, strides=2, padding="same", use_bias=False)(x)
    shortcut = batch_norm(shortcut)
    if activate:
        x = _relu(x, f"{label}_sepconv1")
    x = _separable(x, first, f"{label}_sepconv1")
    x = _separable(_relu(x, f"{label}_sepconv2"), filters, f"{label}_sepconv2")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{label}_pool")(x)
    return layers.add([x, shortcut])


def _features(x: Any) -> Any:
    x = _conv(x, 32, 2, "block1_conv1")
    x = _conv(x, 64, 1, "block1_conv2")
    x = _halving_block(x, 128, 128, "block2", activate=False)  # what comes in has just been activated
    x = _halving_block(x, 256, 256, "block3")
    x = _halving_block(x, 728, 728, "block4")
    for block in range(5, 13):
        shortcut = x
        for i in (1, 2, 3):
            label = f"block{block}_sepconv{i}"
            x = _separable(_relu(x, label), 728, label)
        x = layers.add([x, shortcut])
    x = _halving_block(x, 728, 1024, "block13")
    for i, filters in enumerate((1536, 2048), 1):
        label = f"block14_sepconv{i}"
        x = _relu(_separable(x, filters, label), label)
    return x


@image_model(size=299, minimum=71)
def Xception(
    include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000,
    classifier_activation="softmax",
):  # fmt: skip
    """Xception."""
    frame = Frame(
        include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, size=299, minimum=71
    )
    return frame.model(frame.classify(_features(frame.image)), "xception", _PUBLISHED)


preprocess_input = preprocessing("tf")
