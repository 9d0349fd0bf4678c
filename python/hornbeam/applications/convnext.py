"""ConvNeXt: a convolutional network with the proportions of a vision transformer (Liu et al., 2022)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import backend as K
from .. import layers
from ..legacy.convnext import LayerScale
from ..legacy.tf_op_layers import TFOpLambda
from ..models import Sequential
from .image_model import Frame, channels, image_model, normalize_pixels
from .imagenet_utils import decode_predictions, preprocessing
from .weights import TF_KERAS, tf_keras_pair

__all__ = [
    "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall", "ConvNeXtTiny", "ConvNeXtXLarge", "decode_predictions",
    "preprocess_input",
]  # fmt: skip

# For each model: blocks in each of its stages, filters of the first (each stage has twice those of the one before), then
# the checksums of its files with and without the top.
_VARIANTS = {
    "Tiny": (
        (3, 3, 9, 3), 96,
        "8ae6e78ce2933352b1ef4008e6dd2f17bc40771563877d156bc6426c7cf503ff",
        "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
    ),
    "Small": (
        (3, 3, 27, 3), 96,
        "ce1277d8f1ee5a0ef0e171469089c18f5233860ceaf9b168049cb9263fd7483c",
        "6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab",
    ),
    "Base": (
        (3, 3, 27, 3), 128,
        "52cbb006d3dadd03f6e095a8ca1aca47aecdd75acb4bc74bce1f5c695d0086e6",
        "40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45",
    ),
    "Large": (
        (3, 3, 27, 3), 192,
        "070c5ed9ed289581e477741d3b34beffa920db8cf590899d6d2c67fba2a198a6",
        "96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd",
    ),
    "XLarge": (
        (3, 3, 27, 3), 256,
        "c1f5ccab661354fc3a79a10fa99af82f0fbf10ec65cb894a3ae0815f17a889ee",
        "de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05",
    ),
}  # fmt: skip


def _layer_norm(name: str | None = None) -> Any:
    return layers.LayerNormalization(epsilon=1e-6, name=name)


def _halve(filters: int, number: int, label: str) -> Any:
    """Normalization and a convolution of stride 2, as one layer of the model."""
    conv = layers.Conv2D(filters, 2, strides=2, name=f"{label}_downsampling_conv_{number}")
    parts = [_layer_norm(f"{label}_downsampling_layernorm_{number}"), conv]
    return Sequential(parts, name=f"{label}_downsampling_block_{number}")


def _block(x: Any, label: str) -> Any:
    """A depthwise convolution, and a network of two layers at each place."""
    filters = channels(x)
    y = layers.Conv2D(filters, 7, padding="same", groups=filters, name=f"{label}_depthwise_conv")(x)
    y = _layer_norm(f"{label}_layernorm")(y)
    y = layers.Dense(4 * filters, name=f"{label}_pointwise_conv_1")(y)
    y = layers.Activation("gelu", name=f"{label}_gelu")(y)
    y = layers.Dense(filters, name=f"{label}_pointwise_conv_2")(y)
    y = LayerScale(1e-6, filters, name=f"{label}_layer_scale")(y)
    y = layers.Activation("linear", name=f"{label}_identity")(y)  # stochastic depth would be here
    return TFOpLambda("__operators__.add")(x, y=y)


def _variant(size: str) -> Callable:
    depths, width, *checksums = _VARIANTS[size]
    own_name = f"convnext_{size.lower()}"

    @image_model(name=f"ConvNeXt{size}")
    def conv_next(
        model_name=own_name,
        include_top=True,
        include_preprocessing=True,
        weights="imagenet",
        input_tensor=None,
        input_shape=None,
        pooling=None,
        classes=1000,
        classifier_activation="softmax",
    ):
        """{name}. Its images are channels-last.

        Args:
            model_name: the model's name, with which its layers' names begin.
        """
        if K.image_data_format() != "channels_last":
            raise ValueError("ConvNeXt is made for channels-last images: keras.backend.set_image_data_format.")
        frame = Frame(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
        x = frame.image
        if include_preprocessing and channels(x) == 3:
            x = normalize_pixels(x, 255, f"{model_name}_prestem_normalization")
        conv = layers.Conv2D(width, 4, strides=4, name=f"{model_name}_stem_conv")
        x = Sequential([conv, _layer_norm(f"{model_name}_stem_layernorm")], name=f"{model_name}_stem")(x)
        for stage, blocks in enumerate(depths):
            if stage:
                x = _halve(width * 2**stage, stage - 1, model_name)(x)
            for i in range(blocks):
                x = _block(x, f"{model_name}_stage_{stage}_block_{i}")
        if include_top:
            x = _layer_norm(f"{model_name}_head_layernorm")(
                layers.GlobalAveragePooling2D(name=f"{model_name}_head_gap")(x)
            )
            x = layers.Dense(classes, activation=classifier_activation, name=f"{model_name}_head_dense")(x)
        else:
            x = _layer_norm()(frame.pool(x))
        return frame.model(x, model_name, tf_keras_pair(f"{TF_KERAS}/convnext", own_name, *checksums))

    return conv_next


ConvNeXtTiny = _variant("Tiny")
ConvNeXtSmall = _variant("Small")
ConvNeXtBase = _variant("Base")
ConvNeXtLarge = _variant("Large")
ConvNeXtXLarge = _variant("XLarge")

preprocess_input = preprocessing(None)
