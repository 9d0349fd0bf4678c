"""The frame of the residual networks in ``resnet`` and ``resnet_v2``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import layers
from ..models import Model
from .image_model import Frame, batch_norm
from .weights import KERAS_TEAM, pair

EPSILON = 1.001e-5  # of every batch normalization; the published weights were trained with it

# For each model: blocks in each of its stages, then the checksums of its files with and without the top.
_MODELS = {
    "resnet50": ((3, 4, 6, 3), "2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    "resnet101": ((3, 4, 23, 3), "f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    "resnet152": ((3, 8, 36, 3), "100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    "resnet50v2": ((3, 4, 6, 3), "3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"),
    "resnet101v2": ((3, 4, 23, 3), "6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5"),
    "resnet152v2": ((3, 8, 36, 3), "a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33"),
}


def bn_relu(x: Any, bn: str, relu: str) -> Any:
    """Batch normalization and ReLU, each with its name."""
    return layers.Activation("relu", name=relu)(batch_norm(x, bn, epsilon=EPSILON))


def residual_network(frame: Frame, name: str, stage: Callable[[Any, int, int, int, str], Any], v2: bool) -> Model:
    """Build a residual network.

    Args:
        frame: what it is built into.
        name: which one.
        stage: a function (feature maps, index of the stage, filters, blocks, label) that adds a stage.
        v2: whether blocks begin with normalization; the stem then has none, and there is one after the last block.
    """
    blocks, *checksums = _MODELS[name]
    x = layers.ZeroPadding2D(3, name="conv1_pad")(frame.image)
    x = layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    if not v2:
        x = bn_relu(x, "conv1_bn", "conv1_relu")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for i, depth in enumerate(blocks):
        x = stage(x, i, 64 * 2**i, depth, f"conv{i + 2}")
    if v2:
        x = bn_relu(x, "post_bn", "post_relu")
    x = frame.classify(x, "probs", pool_names=True)
    return frame.model(x, name, pair(f"{KERAS_TEAM}/resnet", name, *checksums))
