"""EfficientNetV2: the early blocks of an EfficientNet are made of full convolutions (Tan and Le, 2021)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from .. import layers
from .efficient_blocks import CLASSIFIER, Blocks
from .image_model import Frame, channels, image_model, normalize_pixels
from .imagenet_utils import decode_predictions, preprocessing
from .weights import TF_KERAS, tf_keras_pair

__all__ = [
    "EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3", "EfficientNetV2L",
    "EfficientNetV2M", "EfficientNetV2S", "decode_predictions", "preprocess_input",
]  # fmt: skip

_DROP_RATE = 0.2  # how many samples skip the last block in training; earlier blocks are skipped by fewer


class _Stage(NamedTuple):
    blocks: int
    filters: int
    expansion: int
    strides: int  # of the first block
    fused: bool = False


_B = (_Stage(1, 16, 1, 1, True), _Stage(2, 32, 4, 2, True), _Stage(2, 48, 4, 2, True), _Stage(3, 96, 4, 2),
      _Stage(5, 112, 6, 1), _Stage(8, 192, 6, 2))  # fmt: skip
_S = (_Stage(2, 24, 1, 1, True), _Stage(4, 48, 4, 2, True), _Stage(4, 64, 4, 2, True), _Stage(6, 128, 4, 2),
      _Stage(9, 160, 6, 1), _Stage(15, 256, 6, 2))  # fmt: skip
_M = (_Stage(3, 24, 1, 1, True), _Stage(5, 48, 4, 2, True), _Stage(5, 80, 4, 2, True), _Stage(7, 160, 4, 2),
      _Stage(14, 176, 6, 1), _Stage(18, 304, 6, 2), _Stage(5, 512, 6, 1))  # fmt: skip
_L = (_Stage(4, 32, 1, 1, True), _Stage(7, 64, 4, 2, True), _Stage(7, 96, 4, 2, True), _Stage(10, 192, 4, 2),
      _Stage(19, 224, 6, 1), _Stage(25, 384, 6, 2), _Stage(7, 640, 6, 1))  # fmt: skip


class _Variant(NamedTuple):
    stages: tuple[_Stage, ...]
    stem: int
    width: float
    depth: float
    size: int
    checksums: tuple[str, str]


_VARIANTS = {
    "B0": _Variant(_B, 32, 1.0, 1.0, 224, ("21ecbf6da12460d5c40bb2f29ceb2188", "893217f2bb855e2983157299931e43ff")),
    "B1": _Variant(_B, 32, 1.0, 1.1, 240, ("069f0534ff22adf035c89e2d9547a9dc", "0e80663031ca32d657f9caa404b6ec37")),
    "B2": _Variant(_B, 32, 1.1, 1.2, 260, ("424e49f28180edbde1e94797771950a7", "1dfe2e7a5d45b6632553a8961ea609eb")),
    "B3": _Variant(_B, 32, 1.2, 1.4, 300, ("1f1fc43bd98a6e4fd8fdfd551e02c7a0", "f6abf7b5849ac99a89b50dd3fd532856")),
    "S": _Variant(_S, 24, 1.0, 1.0, 384, ("e1d88a8495beba45748fedd0cecbe016", "af0682fb74e8c54910f2d4393339c070")),
    "M": _Variant(_M, 24, 1.0, 1.0, 480, ("a3bf6aa3276309f4fc6a34aa114c95cd", "1b8dc055df72dde80d614482840fe342")),
    "L": _Variant(_L, 32, 1.0, 1.0, 480, ("27e6d408b53c7ebc868fefa357689935", "b0b66b5c863aef5b46e8608fe1711615")),
}


def _rounded(filters: float) -> int:
    """The nearest multiple of 8; unlike version 1 it may be less than nine tenths of what was asked for."""
    return max(8, int(filters + 4) // 8 * 8)


def _scale_pixels(x: Any, variant: str) -> Any:
    if variant[0] == "B" and channels(x) == 3:
        return normalize_pixels(layers.Rescaling(1 / 255)(x))
    return layers.Rescaling(1 / 128, -1)(x)


def _fused(block: Blocks, x: Any, filters: int, expansion: int, strides: int, drop_rate: float, label: str) -> Any:
    """An inverted bottleneck whose widening and depthwise convolutions are one; without expansion it is all."""
    if expansion == 1:
        y = block.convolve(x, filters, 3, f"{label}project_", strides)
    else:
        y = block.widen(x, expansion, 3, label, strides)
        y = block.convolve(y, filters, 1, f"{label}project_", activate=False)
    return block.residual(x, y, strides, drop_rate, label)


def _variant(variant: str) -> Callable:
    stages, stem, width, depth, size, checksums = _VARIANTS[variant]

    @image_model(size, name=f"EfficientNetV2{variant}")
    def efficient_net(
        include_top=True,
        weights="imagenet",
        input_tensor=None,
        input_shape=None,
        pooling=None,
        classes=1000,
        classifier_activation="softmax",
        include_preprocessing=True,
    ):
        """{name}."""
        frame = Frame(
            include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, size=size
        )
        block = Blocks(2)
        x = _scale_pixels(frame.image, variant) if include_preprocessing else frame.image
        x = block.convolve(x, _rounded(stem * width), 3, "stem_", strides=2)
        count = 0
        total = sum(stage.blocks for stage in stages)  # before they are multiplied: the deepest blocks are dropped more
        for number, stage in enumerate(stages, 1):
            filters = _rounded(stage.filters * width)
            for i in range(math.ceil(depth * stage.blocks)):
                arguments = (stage.expansion, 1 if i else stage.strides, _DROP_RATE * count / total)
                label = f"block{number}{chr(ord('a') + i)}_"
                if stage.fused:
                    x = _fused(block, x, filters, *arguments, label)
                else:
                    x = block.inverted_bottleneck(x, filters, 3, *arguments, label)
                count += 1
        x = block.convolve(x, _rounded(1280 * width), 1, "top_")
        x = frame.classify(x, pool_names=True, dropout=0.2, kernel_initializer=CLASSIFIER)
        name = f"efficientnetv2-{variant.lower()}"
        return frame.model(x, name, tf_keras_pair(f"{TF_KERAS}/efficientnet_v2", name, *checksums))

    return efficient_net


EfficientNetV2B0 = _variant("B0")
EfficientNetV2B1 = _variant("B1")
EfficientNetV2B2 = _variant("B2")
EfficientNetV2B3 = _variant("B3")
EfficientNetV2S = _variant("S")
EfficientNetV2M = _variant("M")
EfficientNetV2L = _variant("L")

preprocess_input = preprocessing(None)
