"""Residual networks with 50, 101 and 152 layers (He et al., 2015)."""

from __future__ import annotations

from typing import Any

from .. import layers
from .image_model import Frame, batch_norm, image_model
from .imagenet_utils import decode_predictions, preprocessing
from .residual import EPSILON, bn_relu, residual_network

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]


def _block(x: Any, filters: int, strides: int, project: bool, label: str) -> Any:
    shortcut = x
    if project:
        shortcut = layers.Conv2D(4 * filters, 1, strides=strides, name=f"{label}_0_conv")(x)
        shortcut = batch_norm(shortcut, f"{label}_0_bn", epsilon=EPSILON)
    x = layers.Conv2D(filters, 1, strides=strides, name=f"{label}_1_conv")(x)
    x = bn_relu(x, f"{label}_1_bn", f"{label}_1_relu")
    x = layers.Conv2D(filters, 3, padding="same", name=f"{label}_2_conv")(x)
    x = bn_relu(x, f"{label}_2_bn", f"{label}_2_relu")
    x = layers.Conv2D(4 * filters, 1, name=f"{label}_3_conv")(x)
    x = batch_norm(x, f"{label}_3_bn", epsilon=EPSILON)
    x = layers.Add(name=f"{label}_add")([shortcut, x])
    return layers.Activation("relu", name=f"{label}_out")(x)


def _stage(x: Any, index: int, filters: int, blocks: int, label: str) -> Any:
    """The first block projects the shortcut and, after the first stage, halves the size."""
    for i in range(blocks):
        x = _block(x, filters, 2 if index and not i else 1, not i, f"{label}_block{i + 1}")
    return x


@image_model()
def ResNet50(include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000):
    """Residual network with 50 layers; ``resnet50.ResNet50`` has other names and weights."""
    frame = Frame(include_top, weights, input_tensor, input_shape, pooling, classes)
    return residual_network(frame, "resnet50", _stage, v2=False)


@image_model()
def ResNet101(include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000):
    """Residual network with 101 layers."""
    frame = Frame(include_top, weights, input_tensor, input_shape, pooling, classes)
    return residual_network(frame, "resnet101", _stage, v2=False)


@image_model()
def ResNet152(include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000):
    """Residual network with 152 layers."""
    frame = Frame(include_top, weights, input_tensor, input_shape, pooling, classes)
    return residual_network(frame, "resnet152", _stage, v2=False)


preprocess_input = preprocessing("caffe")
