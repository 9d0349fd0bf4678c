"""Densely connected networks: each block sees the feature maps of all before it (Huang et al., 2016)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import layers
from .image_model import Frame, batch_norm, channels, concatenate, image_model
from .imagenet_utils import decode_predictions, preprocessing
from .weights import KERAS_TEAM, pair

__all__ = [
    "DenseNet", "DenseNet121", "DenseNet169", "DenseNet201", "conv_block", "decode_predictions", "dense_block",
    "preprocess_input", "transition_block",
]  # fmt: skip

_GROWTH = 32  # feature maps that a block adds

# For each model: blocks in each of its stages, then the checksums of its files with and without the top.
_MODELS = {
    "densenet121": ((6, 12, 24, 16), "9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    "densenet169": ((6, 12, 32, 32), "d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    "densenet201": ((6, 12, 48, 32), "1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
}


def _bn_relu(x: Any, bn: str, relu: str) -> Any:
    return layers.Activation("relu", name=relu)(batch_norm(x, bn, epsilon=1.001e-5))


def conv_block(x, growth_rate, name):
    """A 1x1 and a 3x3 convolution, whose ``growth_rate`` feature maps are put beside x."""
    y = _bn_relu(x, f"{name}_0_bn", f"{name}_0_relu")
    y = layers.Conv2D(4 * growth_rate, 1, use_bias=False, name=f"{name}_1_conv")(y)
    y = _bn_relu(y, f"{name}_1_bn", f"{name}_1_relu")
    y = layers.Conv2D(growth_rate, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(y)
    return concatenate([x, y], f"{name}_concat")


def dense_block(x, blocks, name):
    """That many :func:`conv_block` after each other."""
    for i in range(1, blocks + 1):
        x = conv_block(x, _GROWTH, f"{name}_block{i}")
    return x


def transition_block(x, reduction, name):
    """That share of the feature maps, half the size."""
    x = _bn_relu(x, f"{name}_bn", f"{name}_relu")
    x = layers.Conv2D(int(channels(x) * reduction), 1, use_bias=False, name=f"{name}_conv")(x)
    return layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


@image_model()
def DenseNet(
    blocks, include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000,
    classifier_activation="softmax",
):  # fmt: skip
    """Densely connected network.

    Args:
        blocks: four numbers of blocks, one for each stage. There are published weights for (6, 12, 24, 16),
            (6, 12, 32, 32) and (6, 12, 48, 32) alone.
    """
    name, checksums = next(
        ((n, sums) for n, (known, *sums) in _MODELS.items() if known == tuple(blocks)), ("densenet", ())
    )
    if weights == "imagenet" and not checksums:
        raise ValueError(
            f"There are no published weights for a DenseNet with blocks {tuple(blocks)}: use weights=None."
        )
    frame = Frame(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    x = layers.ZeroPadding2D(3)(frame.image)
    x = layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1/conv")(x)
    x = _bn_relu(x, "conv1/bn", "conv1/relu")
    x = layers.ZeroPadding2D(1)(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for stage, depth in enumerate(blocks, 2):
        if stage > 2:
            x = transition_block(x, 0.5, f"pool{stage - 1}")
        x = dense_block(x, depth, f"conv{stage}")
    x = frame.classify(_bn_relu(x, "bn", "relu"), "fc1000", pool_names=True)
    return frame.model(x, name, pair(f"{KERAS_TEAM}/densenet", name, *checksums) if checksums else None)


def _variant(depth: int) -> Callable:
    blocks, *_ = _MODELS[f"densenet{depth}"]

    @image_model(name=f"DenseNet{depth}")
    def dense_net(
        include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000,
        classifier_activation="softmax",
    ):  # fmt: skip
        """{name}, a densely connected network."""
        arguments = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
        return DenseNet(blocks, *arguments)

    return dense_net


DenseNet121 = _variant(121)
DenseNet169 = _variant(169)
DenseNet201 = _variant(201)

preprocess_input = preprocessing("torch")
