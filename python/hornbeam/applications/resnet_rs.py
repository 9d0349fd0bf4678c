"""ResNet-RS: residual networks with squeeze and excitation, scaled and trained anew (Bello et al., 2021)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .. import backend as K
from .. import layers
from .efficient_blocks import KERNELS, drop_samples, squeeze_and_excite
from .image_model import Frame, batch_norm, channels, image_model, normalize_pixels
from .imagenet_utils import decode_predictions, preprocessing
from .weights import TF_KERAS, tf_keras_pair

__all__ = [
    "ResNetRS50", "ResNetRS101", "ResNetRS152", "ResNetRS200", "ResNetRS270", "ResNetRS350", "ResNetRS420",
    "decode_predictions", "preprocess_input",
]  # fmt: skip


class _Variant(NamedTuple):
    blocks: tuple[int, int, int, int]  # of each stage
    drop_rate: float  # how many samples skip the last block in training; earlier stages are skipped by fewer
    dropout: float
    checksums: dict[int, tuple[str, str]]  # by the size of the images for which weights were published


_VARIANTS = {
    50: _Variant((3, 4, 6, 3), 0.0, 0.25, {
        160: ("69d9d925319f00a8bdd4af23c04e4102", "90daa68cd26c95aa6c5d25451e095529"),
    }),
    101: _Variant((3, 4, 23, 3), 0.0, 0.25, {
        160: ("544b3434d00efc199d66e9058c7f3379", "82d5b90c5ce9d710da639d6216d0f979"),
        192: ("eb285be29ab42cf4835ff20a5e3b5d23", "f9a0f6b85faa9c3db2b6e233c4eebb5b"),
    }),
    152: _Variant((3, 8, 36, 3), 0.0, 0.25, {
        192: ("8d72a301ed8a6f11a47c4ced4396e338", "5fbf7ac2155cb4d5a6180ee9e3aa8704"),
        224: ("31a46a92ab21b84193d0d71dd8c3d03b", "dc8b2cba2005552eafa3167f00dc2133"),
        256: ("ba6271b99bdeb4e7a9b15c05964ef4ad", "fa79794252dbe47c89130f65349d654a"),
    }),
    200: _Variant((3, 24, 36, 3), 0.1, 0.25, {
        256: ("a76930b741884e09ce90fa7450747d5f", "bbdb3994718dfc0d1cd45d7eff3f3d9c"),
    }),
    270: _Variant((4, 29, 53, 4), 0.1, 0.25, {
        256: ("20d575825ba26176b03cb51012a367a8", "2c42ecb22e35f3e23d2f70babce0a2aa"),
    }),
    350: _Variant((4, 36, 72, 4), 0.1, 0.4, {
        256: ("f4a039dc3c421321b7fc240494574a68", "6e44b55025bbdff8f51692a023143d66"),
        320: ("7ccb858cc738305e8ceb3c0140bee393", "ab0c1f9079d2f85a9facbd2c88aa6079"),
    }),
    420: _Variant((4, 44, 87, 4), 0.1, 0.4, {
        320: ("ae0eb9bed39e64fc8d7e0db4018dc7e8", "fe6217c32be8305b1889657172b98884"),
    }),
}  # fmt: skip


def _conv(x: Any, filters: int, kernel_size: int, name: str, strides: int = 1) -> Any:
    if strides > 1:
        x = layers.ZeroPadding2D(kernel_size // 2)(x)
    options = {"strides": strides, "padding": "same" if strides == 1 else "valid", "use_bias": False}
    return layers.Conv2D(filters, kernel_size, kernel_initializer=KERNELS, name=name, **options)(x)


def _bn(x: Any, name: str) -> Any:
    # Without momentum, as in tf.keras: after training the averages are those of the last batch.
    return batch_norm(x, name, momentum=0.0, epsilon=1e-5)


def _conv_bn_relu(x: Any, filters: int, kernel_size: int, label: str, number: int, strides: int = 1) -> Any:
    x = _bn(_conv(x, filters, kernel_size, f"{label}_conv_{number}", strides), f"{label}_batch_norm_{number}")
    return layers.Activation("relu", name=f"{label}_act_{number}")(x)


def _stem(x: Any) -> Any:
    """Four convolutions in place of one of 7 x 7 and pooling."""
    label = f"stem_{K.get_uid('stem_')}_stem"
    for number, (filters, strides) in enumerate(((32, 2), (32, 1), (64, 1), (64, 2)), 1):
        x = _conv_bn_relu(x, filters, 3, label, number, strides)
    return x


def _block(x: Any, filters: int, strides: int, project: bool, drop_rate: float, label: str) -> Any:
    shortcut = x
    if project:
        if strides == 2:
            shortcut = layers.AveragePooling2D(2, strides=2, padding="same", name=f"{label}_projection_pooling")(x)
        shortcut = _conv(shortcut, 4 * filters, 1, f"{label}_projection_conv")
        shortcut = _bn(shortcut, f"{label}_projection_batch_norm")
    y = _bn(_conv(x, filters, 1, f"{label}_conv_1"), f"{label}batch_norm_1")  # without the underscore, as published
    y = layers.Activation("relu", name=f"{label}_act_1")(y)
    y = _conv_bn_relu(y, filters, 3, label, 2, strides)
    y = _bn(_conv(y, 4 * filters, 1, f"{label}_conv_3"), f"{label}_batch_norm_3")
    y = drop_samples(squeeze_and_excite(y, filters, f"{label}_se_", "relu"), drop_rate, f"{label}_drop")
    return layers.Activation("relu", name=f"{label}_output_act")(layers.Add()([y, shortcut]))


def _size_of_weights(weights: Any, sizes: list[int]) -> int | None:
    """The size that ``'imagenet'`` or ``'imagenet-i224'`` means; None if ``weights`` is something else."""
    if weights == "imagenet":
        return max(sizes)
    return next((size for size in sizes if weights == f"imagenet-i{size}"), None)


def _variant(depth: int) -> Callable:
    blocks, drop_rate, dropout, checksums = _VARIANTS[depth]

    @image_model(name=f"ResNetRS{depth}")
    def resnet(
        include_top=True,
        weights="imagenet",
        classes=1000,
        input_shape=None,
        input_tensor=None,
        pooling=None,
        classifier_activation="softmax",
        include_preprocessing=True,
    ):
        """{name}. Images may have any size, also with the published weights.

        ``weights`` may say for images of which size they were trained, as ``'imagenet-i160'``; ``'imagenet'`` stands for the
        largest of these sizes.
        """
        size = _size_of_weights(weights, list(checksums))
        if include_top and not input_shape:
            input_shape = (3, 224, 224) if K.image_data_format() == "channels_first" else (224, 224, 3)
        weights = "imagenet" if size else weights
        arguments = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
        frame = Frame(*arguments, fixed_size=False)
        x = frame.image
        if include_preprocessing:
            x = layers.Rescaling(1 / 255)(x)
            x = normalize_pixels(x) if channels(x) == 3 else x
        x = _stem(x)
        for stage, count in enumerate(blocks):
            rate = drop_rate * (stage + 2) / 5
            for i in range(count):
                strides = 2 if stage and not i else 1
                x = _block(x, 64 * 2**stage, strides, not i, rate, f"BlockGroup{stage + 2}__block_{i}_")
        x = frame.classify(x, pool_names=True, dropout=dropout)
        name = f"resnet-rs-{depth}"
        published = tf_keras_pair(f"{TF_KERAS}/resnet_rs", f"{name}-i{size}", *checksums[size]) if size else None
        return frame.model(x, name, published)

    return resnet


ResNetRS50 = _variant(50)
ResNetRS101 = _variant(101)
ResNetRS152 = _variant(152)
ResNetRS200 = _variant(200)
ResNetRS270 = _variant(270)
ResNetRS350 = _variant(350)
ResNetRS420 = _variant(420)

preprocess_input = preprocessing(None)
