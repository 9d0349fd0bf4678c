"""Densely connected networks: each block sees the feature maps of all before it (Huang et al., 2016)."""

from __future__ import annotations

from typing import Any

from .. import layers
from ..models import Model
from .image_model import Frame, batch_norm, channels, concatenate, image_model
from .imagenet_utils import decode_predictions, preprocessing
from .weights import KERAS_TEAM, pair

__all__ = ["DenseNet121", "DenseNet169", "DenseNet201", "decode_predictions", "preprocess_input"]

_GROWTH = 32  # feature maps that a block adds

# For each model: blocks in each of its stages, then the checksums of its files with and without the top.
_MODELS = {
    "densenet121": ((6, 12, 24, 16), "9d60b8095a5708f2dcce2bca79d332c7", "30ee3e1110167f948a6b9946edeeb738"),
    "densenet169": ((6, 12, 32, 32), "d699b8f76981ab1b30698df4c175e90b", "b8c4d4c20dd625c148057b9ff1c1176b"),
    "densenet201": ((6, 12, 48, 32), "1ceb130c1ea1b78c3bf6114dbdfd8807", "c13680b51ded0fb44dff2d8f86ac8bb1"),
}


def _bn_relu(x: Any, bn: str, relu: str) -> Any:
    return layers.Activation("relu", name=relu)(batch_norm(x, bn, epsilon=1.001e-5))


def _block(x: Any, label: str) -> Any:
    y = _bn_relu(x, f"{label}_0_bn", f"{label}_0_relu")
    y = layers.Conv2D(4 * _GROWTH, 1, use_bias=False, name=f"{label}_1_conv")(y)
    y = _bn_relu(y, f"{label}_1_bn", f"{label}_1_relu")
    y = layers.Conv2D(_GROWTH, 3, padding="same", use_bias=False, name=f"{label}_2_conv")(y)
    return concatenate([x, y], f"{label}_concat")


def _transition(x: Any, label: str) -> Any:
    """Half the feature maps, half the size."""
    x = _bn_relu(x, f"{label}_bn", f"{label}_relu")
    x = layers.Conv2D(channels(x) // 2, 1, use_bias=False, name=f"{label}_conv")(x)
    return layers.AveragePooling2D(2, strides=2, name=f"{label}_pool")(x)


def _densenet(frame: Frame, name: str) -> Model:
    stages, *checksums = _MODELS[name]
    x = layers.ZeroPadding2D(3)(frame.image)
    x = layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1/conv")(x)
    x = _bn_relu(x, "conv1/bn", "conv1/relu")
    x = layers.ZeroPadding2D(1)(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for stage, blocks in enumerate(stages, 2):
        if stage > 2:
            x = _transition(x, f"pool{stage - 1}")
        for i in range(1, blocks + 1):
            x = _block(x, f"conv{stage}_block{i}")
    x = frame.classify(_bn_relu(x, "bn", "relu"), "fc1000", pool_names=True)
    return frame.model(x, name, pair(f"{KERAS_TEAM}/densenet", name, *checksums))


@image_model()
def DenseNet121(include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000):
    """Densely connected network with 121 layers."""
    return _densenet(Frame(include_top, weights, input_tensor, input_shape, pooling, classes), "densenet121")


@image_model()
def DenseNet169(include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000):
    """Densely connected network with 169 layers."""
    return _densenet(Frame(include_top, weights, input_tensor, input_shape, pooling, classes), "densenet169")


@image_model()
def DenseNet201(include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000):
    """Densely connected network with 201 layers."""
    return _densenet(Frame(include_top, weights, input_tensor, input_shape, pooling, classes), "densenet201")


preprocess_input = preprocessing("torch")
