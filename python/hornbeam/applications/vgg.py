"""VGG: stages of 3x3 convolutions, each stage half the size of the one before (Simonyan and Zisserman, 2014)."""

from __future__ import annotations

from .. import layers
from ..models import Model
from .image_model import Frame
from .weights import Pair


def vgg(frame: Frame, name: str, depths: tuple[int, ...], published: Pair) -> Model:
    """Build a VGG whose stages have ``depths`` convolutions."""
    x = frame.image
    for stage, (depth, filters) in enumerate(zip(depths, (64, 128, 256, 512, 512)), 1):
        for i in range(1, depth + 1):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"block{stage}_conv{i}")(x)
        x = layers.MaxPooling2D(2, strides=2, name=f"block{stage}_pool")(x)
    if not frame.include_top:
        return frame.model(frame.pool(x), name, published)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(4096, activation="relu", name="fc1")(x)
    x = layers.Dense(4096, activation="relu", name="fc2")(x)
    x = layers.Dense(frame.classes, activation=frame.classifier_activation, name="predictions")(x)
    return frame.model(x, name, published)
