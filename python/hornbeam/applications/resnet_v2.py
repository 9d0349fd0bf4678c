"""Residual networks whose blocks begin with normalization (He et al., 2016)."""

from __future__ import annotations

from typing import Any

from .. import layers
from .image_model import Frame, image_model
from .imagenet_utils import decode_predictions, preprocessing
from .residual import bn_relu, residual_network

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]


def _block(x: Any, filters: int, strides: int, project: bool, label: str) -> Any:
    y = bn_relu(x, f"{label}_preact_bn", f"{label}_preact_relu")
    if project:
        shortcut = layers.Conv2D(4 * filters, 1, strides=strides, name=f"{label}_0_conv")(y)
    else:
        shortcut = layers.MaxPooling2D(1, strides=strides)(x) if strides > 1 else x
    y = layers.Conv2D(filters, 1, use_bias=False, name=f"{label}_1_conv")(y)
    y = bn_relu(y, f"{label}_1_bn", f"{label}_1_relu")
    y = layers.ZeroPadding2D(1, name=f"{label}_2_pad")(y)
    y = layers.Conv2D(filters, 3, strides=strides, use_bias=False, name=f"{label}_2_conv")(y)
    y = bn_relu(y, f"{label}_2_bn", f"{label}_2_relu")
    y = layers.Conv2D(4 * filters, 1, name=f"{label}_3_conv")(y)
    return layers.Add(name=f"{label}_out")([shortcut, y])


def _stage(x: Any, index: int, filters: int, blocks: int, label: str) -> Any:
    """The first block projects the shortcut; the last one halves the size, except in the last stage."""
    for i in range(blocks):
        x = _block(x, filters, 2 if i == blocks - 1 and index < 3 else 1, not i, f"{label}_block{i + 1}")
    return x


@image_model()
def ResNet50V2(include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000):
    """Residual network, second version, with 50 layers."""
    frame = Frame(include_top, weights, input_tensor, input_shape, pooling, classes)
    return residual_network(frame, "resnet50v2", _stage, v2=True)


@image_model()
def ResNet101V2(include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000):
    """Residual network, second version, with 101 layers."""
    frame = Frame(include_top, weights, input_tensor, input_shape, pooling, classes)
    return residual_network(frame, "resnet101v2", _stage, v2=True)


@image_model()
def ResNet152V2(include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000):
    """Residual network, second version, with 152 layers."""
    frame = Frame(include_top, weights, input_tensor, input_shape, pooling, classes)
    return residual_network(frame, "resnet152v2", _stage, v2=True)


preprocess_input = preprocessing("tf")
