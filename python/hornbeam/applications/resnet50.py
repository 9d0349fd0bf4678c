"""The ResNet50 of 2015, which strides in the first convolution of a block; ``resnet`` has the later one."""

from __future__ import annotations

from typing import Any

from .. import layers
from .image_model import Frame, batch_norm, image_model
from .imagenet_utils import decode_predictions, preprocess_input
from .weights import CHOLLET, pair

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]

_PUBLISHED = pair(f"{CHOLLET}/v0.2", "resnet50", "a7b3fe01876f51b976af0dea6bc144eb", "a268eb855778b3df3c7506639542a6af")
_STAGES = ((2, 64, 3), (3, 128, 4), (4, 256, 6), (5, 512, 3))  # number, filters, blocks


def _conv_bn(x: Any, filters: int, size: int, label: str, **options: Any) -> Any:
    x = layers.Conv2D(filters, size, kernel_initializer="he_normal", name=f"res{label}", **options)(x)
    return batch_norm(x, f"bn{label}")


def _block(x: Any, filters: int, label: str, strides: int, project: bool) -> Any:
    y = _conv_bn(x, filters, 1, f"{label}_branch2a", strides=strides)
    y = layers.Activation("relu")(y)
    y = _conv_bn(y, filters, 3, f"{label}_branch2b", padding="same")
    y = layers.Activation("relu")(y)
    y = _conv_bn(y, 4 * filters, 1, f"{label}_branch2c")
    shortcut = _conv_bn(x, 4 * filters, 1, f"{label}_branch1", strides=strides) if project else x
    return layers.Activation("relu")(layers.add([y, shortcut]))


@image_model()
def ResNet50(include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000):
    """Residual network with 50 layers (He et al., 2015)."""
    frame = Frame(include_top, weights, input_tensor, input_shape, pooling, classes)
    x = layers.ZeroPadding2D(3, name="conv1_pad")(frame.image)
    x = layers.Conv2D(64, 7, strides=2, kernel_initializer="he_normal", name="conv1")(x)
    x = layers.Activation("relu")(batch_norm(x, "bn_conv1"))
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2)(x)
    for stage, filters, blocks in _STAGES:
        for block in range(blocks):
            strides = 2 if stage > 2 and block == 0 else 1
            x = _block(x, filters, f"{stage}{'abcdef'[block]}", strides, project=block == 0)
    return frame.model(frame.classify(x, "fc1000"), "resnet50", _PUBLISHED)
