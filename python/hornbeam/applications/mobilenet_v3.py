"""MobileNet v3: MobileNet v2 with squeeze and excitation and hard swish, arranged by search (Howard et al., 2019)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .. import layers
from ..legacy.tf_op_layers import TFOpLambda
from .image_model import Frame, batch_norm, channels, halving_padding, image_model
from .imagenet_utils import decode_predictions, preprocessing
from .mobilenet_v2 import divisible
from .weights import TF_KERAS, Pair, WeightsFile

__all__ = ["decode_predictions", "preprocess_input"]  # the models are in hornbeam.applications, as with tf.keras


class _Block(NamedTuple):
    expansion: float
    filters: int
    kernel_size: int
    strides: int
    excite: bool
    hard: bool  # hard swish, otherwise ReLU


_SMALL = (
    _Block(1, 16, 3, 2, True, False), _Block(72 / 16, 24, 3, 2, False, False), _Block(88 / 24, 24, 3, 1, False, False),
    _Block(4, 40, 5, 2, True, True), *[_Block(6, 40, 5, 1, True, True)] * 2, *[_Block(3, 48, 5, 1, True, True)] * 2,
    _Block(6, 96, 5, 2, True, True), *[_Block(6, 96, 5, 1, True, True)] * 2,
)  # fmt: skip
_LARGE = (
    _Block(1, 16, 3, 1, False, False), _Block(4, 24, 3, 2, False, False), _Block(3, 24, 3, 1, False, False),
    _Block(3, 40, 5, 2, True, False), *[_Block(3, 40, 5, 1, True, False)] * 2, _Block(6, 80, 3, 2, False, True),
    _Block(2.5, 80, 3, 1, False, True), *[_Block(2.3, 80, 3, 1, False, True)] * 2,
    *[_Block(6, 112, 3, 1, True, True)] * 2, _Block(6, 160, 5, 2, True, True), *[_Block(6, 160, 5, 1, True, True)] * 2,
)  # fmt: skip

# The checksums of each model's files with and without the top.
_PUBLISHED = {
    "large_224_0.75_float": ("765b44a33ad4005b3ac83185abf1d0eb", "40af19a13ebea4e2ee0c676887f69a2e"),
    "large_224_1.0_float": ("59e551e166be033d707958cf9e29a6a7", "07fb09a5933dd0c8eaafa16978110389"),
    "large_minimalistic_224_1.0_float": ("675e7b876c45c57e9e63e6d90a36599c", "ec5221f64a2f6d1ef965a614bdae7973"),
    "small_224_0.75_float": ("cb65d4e5be93758266aa0a7f2c6708b7", "ebdb5cc8e0b497cd13a7c275d475c819"),
    "small_224_1.0_float": ("8768d4c2e7dee89b9d02b2d03d65d862", "d3e8ec802a04aa4fc771ee12a9a9b836"),
    "small_minimalistic_224_1.0_float": ("99cd97fb2fcdad2bf028eb838de69e37", "cde8136e733e811080d9fcd8a252f7e4"),
}


def _published(kind: str, alpha: float, minimalistic: bool) -> Pair:
    name = f"{kind}{'_minimalistic' if minimalistic else ''}_224_{float(alpha)}_float"
    if name not in _PUBLISHED:
        raise ValueError(
            "The `imagenet` weights are for alpha 0.75 and 1.0, and with minimalistic=True for alpha 1.0 alone. "
            f"Received: alpha={alpha}, minimalistic={minimalistic}"
        )
    top, no_top = _PUBLISHED[name]
    stem = f"{TF_KERAS}/mobilenet_v3/weights_mobilenet_v3_{name}"
    return Pair(WeightsFile(f"{stem}.h5", top), WeightsFile(f"{stem}_no_top_v2.h5", no_top))


def _relu(x: Any) -> Any:
    return layers.ReLU()(x)


def _hard_sigmoid(x: Any) -> Any:
    """``relu6(x + 3) / 6``."""
    x = layers.ReLU(6.0)(TFOpLambda("__operators__.add")(x, y=3.0))
    return TFOpLambda("math.multiply")(x, y=1 / 6)


def _hard_swish(x: Any) -> Any:
    return layers.Multiply()([x, _hard_sigmoid(x)])


def _bn(x: Any, label: str) -> Any:
    return batch_norm(x, f"{label}/BatchNorm", epsilon=1e-3, momentum=0.999)


def _conv(x: Any, filters: int, name: str, **options: Any) -> Any:
    return _bn(layers.Conv2D(filters, padding="same", use_bias=False, name=name, **options)(x), name)


def _excite(x: Any, label: str) -> Any:
    """Squeeze and excitation with a hard sigmoid."""
    filters = channels(x)
    y = layers.GlobalAveragePooling2D(keepdims=True, name=f"{label}/AvgPool")(x)
    y = layers.Conv2D(divisible(filters / 4), 1, padding="same", name=f"{label}/Conv")(y)
    y = layers.ReLU(name=f"{label}/Relu")(y)
    y = _hard_sigmoid(layers.Conv2D(filters, 1, padding="same", name=f"{label}/Conv_1")(y))
    return layers.Multiply(name=f"{label}/Mul")([x, y])


def _bottleneck(x: Any, block: _Block, alpha: float, index: int) -> Any:
    label = f"expanded_conv_{index}" if index else "expanded_conv"
    activation = _hard_swish if block.hard else _relu
    filters = divisible(block.filters * alpha)
    y = x
    if index:  # the first block does not widen
        y = activation(_conv(y, divisible(channels(x) * block.expansion), f"{label}/expand", kernel_size=1))
    padding = "same"
    if block.strides == 2:
        y = layers.ZeroPadding2D(halving_padding(y, block.kernel_size), name=f"{label}/depthwise/pad")(y)
        padding = "valid"
    depthwise = layers.DepthwiseConv2D(
        block.kernel_size, strides=block.strides, padding=padding, use_bias=False, name=f"{label}/depthwise"
    )
    y = activation(_bn(depthwise(y), f"{label}/depthwise"))
    if block.excite:
        y = _excite(y, f"{label}/squeeze_excite")
    y = _conv(y, filters, f"{label}/project", kernel_size=1)
    if block.strides == 1 and channels(x) == filters:
        return layers.Add(name=f"{label}/Add")([x, y])
    return y


def _classify(frame: Frame, x: Any, filters: int, activation: Callable, dropout: float) -> Any:
    """The classifier is two 1x1 convolutions."""
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = activation(layers.Conv2D(filters, 1, padding="same", name="Conv_2")(x))
    if dropout > 0:
        x = layers.Dropout(dropout)(x)
    x = layers.Flatten()(layers.Conv2D(frame.classes, 1, padding="same", name="Logits")(x))
    return layers.Activation(frame.classifier_activation, name="Predictions")(x)


def _variant(kind: str, blocks: tuple[_Block, ...], features: int) -> Callable:
    @image_model(name=f"MobileNetV3{kind.capitalize()}")
    def mobile_net(
        input_shape=None,
        alpha=1.0,
        minimalistic=False,
        include_top=True,
        weights="imagenet",
        input_tensor=None,
        classes=1000,
        pooling=None,
        dropout_rate=0.2,
        classifier_activation="softmax",
        include_preprocessing=True,
    ):
        """{name}. Images may have any size, with its top as well, also with the published weights.

        Args:
            alpha: width: what the number of filters is multiplied by. Weights were published for 0.75 and 1.
            minimalistic: whether to do without squeeze and excitation, hard swish and kernels of 5 x 5.
            dropout_rate: rate of the dropout before the classifier.
        """
        published = _published(kind, alpha, minimalistic) if weights == "imagenet" else None
        arguments = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
        frame = Frame(*arguments, fixed_size=False)
        x = layers.Rescaling(1 / 127.5, -1.0)(frame.image) if include_preprocessing else frame.image
        activation = _relu if minimalistic else _hard_swish
        x = activation(_conv(x, 16, "Conv", kernel_size=3, strides=2))
        for i, block in enumerate(blocks):
            if minimalistic:
                block = block._replace(kernel_size=3, excite=False, hard=False)
            x = _bottleneck(x, block, alpha, i)
        x = activation(_conv(x, divisible(channels(x) * 6), "Conv_1", kernel_size=1))
        if include_top:
            x = _classify(frame, x, divisible(features * max(alpha, 1.0)), activation, dropout_rate)
        else:
            x = frame.pool(x, named=True)
        return frame.model(x, f"MobilenetV3{kind}", published)

    return mobile_net


MobileNetV3Small = _variant("small", _SMALL, 1024)
MobileNetV3Large = _variant("large", _LARGE, 1280)

preprocess_input = preprocessing(None)
