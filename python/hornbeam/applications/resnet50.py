"""The ResNet50 of 2015, which strides in the first convolution of a block; ``resnet`` has the later one."""

from __future__ import annotations

from typing import Any

from .. import layers
from .image_model import Frame, batch_norm, image_model
from .imagenet_utils import decode_predictions, preprocess_input
from .weights import CHOLLET, pair

__all__ = ["ResNet50", "conv_block", "decode_predictions", "identity_block", "preprocess_input"]

_PUBLISHED = pair(f"{CHOLLET}/v0.2", "resnet50", "a7b3fe01876f51b976af0dea6bc144eb", "a268eb855778b3df3c7506639542a6af")
_STAGES = ((2, 64, 3), (3, 128, 4), (4, 256, 6), (5, 512, 3))  # number, filters, blocks


def _conv_bn(x: Any, filters: int, size: Any, label: str, **options: Any) -> Any:
    x = layers.Conv2D(filters, size, kernel_initializer="he_normal", name=f"res{label}", **options)(x)
    return batch_norm(x, f"bn{label}")


def _three_convolutions(x: Any, kernel_size: Any, filters: Any, label: str, strides: Any) -> Any:
    first, second, third = filters
    x = layers.Activation("relu")(_conv_bn(x, first, 1, f"{label}_branch2a", strides=strides))
    x = layers.Activation("relu")(_conv_bn(x, second, kernel_size, f"{label}_branch2b", padding="same"))
    return _conv_bn(x, third, 1, f"{label}_branch2c")


def identity_block(input_tensor, kernel_size, filters, stage, block):
    """Three convolutions, added to what they get.

    Args:
        input_tensor: feature maps, as many as the last of ``filters``.
        kernel_size: of the middle convolution.
        filters: three numbers.
        stage, block: a number and a letter, for the layers' names.
    """
    y = _three_convolutions(input_tensor, kernel_size, filters, f"{stage}{block}", 1)
    return layers.Activation("relu")(layers.add([y, input_tensor]))


def conv_block(input_tensor, kernel_size, filters, stage, block, strides=(2, 2)):
    """:func:`identity_block` with a convolution in the shortcut too; both stride."""
    label = f"{stage}{block}"
    y = _three_convolutions(input_tensor, kernel_size, filters, label, strides)
    shortcut = _conv_bn(input_tensor, filters[2], 1, f"{label}_branch1", strides=strides)
    return layers.Activation("relu")(layers.add([y, shortcut]))


@image_model()
def ResNet50(
    include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000,
    classifier_activation="softmax",
):  # fmt: skip
    """Residual network with 50 layers (He et al., 2015)."""
    frame = Frame(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    x = layers.ZeroPadding2D(3, name="conv1_pad")(frame.image)
    x = layers.Conv2D(64, 7, strides=2, kernel_initializer="he_normal", name="conv1")(x)
    x = layers.Activation("relu")(batch_norm(x, "bn_conv1"))
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2)(x)
    for stage, filters, blocks in _STAGES:
        sizes = (filters, filters, 4 * filters)
        x = conv_block(x, 3, sizes, stage, "a", strides=2 if stage > 2 else 1)
        for block in "bcdef"[: blocks - 1]:
            x = identity_block(x, 3, sizes, stage, block)
    return frame.model(frame.classify(x, "fc1000"), "resnet50", _PUBLISHED)
