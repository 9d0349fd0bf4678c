"""Residual networks of three kinds: the first version, the second (``v2``), and ResNeXt, and the frame they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import backend as K
from .. import layers
from ..utils.generic_utils import func_dump
from .image_model import Frame, batch_norm, image_model
from .weights import KERAS_TEAM, pair

_EPSILON = 1.001e-5  # of every batch normalization; the published weights were trained with it

# The checksums of each model's files with and without the top.
_PUBLISHED = {
    "resnet50": ("2cb95161c43110f7111970584f804107", "4d473c1dd8becc155b73f8504c6f6626"),
    "resnet101": ("f1aeb4b969a6efcfb50fad2f0c20cfc5", "88cf7a10940856eca736dc7b7e228a21"),
    "resnet152": ("100835be76be38e30d865e96f2aaae62", "ee4c566cf9a93f14d82f913c2dc6dd0c"),
    "resnet50v2": ("3ef43a0b657b3be2300d5770ece849e0", "fac2f116257151a9d068a22e544a4917"),
    "resnet101v2": ("6343647c601c52e1368623803854d971", "c0ed64b8031c3730f411d2eb4eea35b5"),
    "resnet152v2": ("a49b44d1979771252814e80f8ec446f9", "ed17cf2e0169df9d443503ef94b23b33"),
    "resnext50": ("67a5b30d522ed92f75a1f16eef299d1a", "62527c363bdd9ec598bed41947b379fc"),
    "resnext101": ("34fb605428fcc7aa4d62f44404c11509", "0f678c91647380debd923963594981b3"),
}


def _bn(x: Any, name: str) -> Any:
    return batch_norm(x, name, epsilon=_EPSILON)


def _bn_relu(x: Any, bn: str, relu: str) -> Any:
    return layers.Activation("relu", name=relu)(_bn(x, bn))


# -- the first version --------------------------------------------------------------------------------------
def block1(x, filters, kernel_size=3, stride=1, conv_shortcut=True, name=None):
    """Three convolutions, added to x or, with ``conv_shortcut``, to a 1x1 convolution of it.

    Args:
        x: feature maps.
        filters: of the narrow convolutions; the last has four times as many.
        kernel_size: of the middle one.
        stride: of the first one and of the shortcut.
        name: begins the layers' names.
    """
    shortcut = x
    if conv_shortcut:
        shortcut = _bn(layers.Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(x), f"{name}_0_bn")
    x = layers.Conv2D(filters, 1, strides=stride, name=f"{name}_1_conv")(x)
    x = _bn_relu(x, f"{name}_1_bn", f"{name}_1_relu")
    x = layers.Conv2D(filters, kernel_size, padding="same", name=f"{name}_2_conv")(x)
    x = _bn_relu(x, f"{name}_2_bn", f"{name}_2_relu")
    x = _bn(layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x), f"{name}_3_bn")
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.Activation("relu", name=f"{name}_out")(x)


def stack1(x, filters, blocks, stride1=2, name=None):
    """That many :func:`block1`, the first of which projects its shortcut and has the stride."""
    x = block1(x, filters, stride=stride1, name=f"{name}_block1")
    for i in range(2, blocks + 1):
        x = block1(x, filters, conv_shortcut=False, name=f"{name}_block{i}")
    return x


# -- the second version: normalization comes first ----------------------------------------------------------
def block2(x, filters, kernel_size=3, stride=1, conv_shortcut=False, name=None):
    """:func:`block1` with normalization and ReLU before each convolution; the stride is the middle one's."""
    y = _bn_relu(x, f"{name}_preact_bn", f"{name}_preact_relu")
    if conv_shortcut:
        shortcut = layers.Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(y)
    else:
        shortcut = layers.MaxPooling2D(1, strides=stride)(x) if stride > 1 else x
    y = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(y)
    y = _bn_relu(y, f"{name}_1_bn", f"{name}_1_relu")
    y = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(y)
    y = layers.Conv2D(filters, kernel_size, strides=stride, use_bias=False, name=f"{name}_2_conv")(y)
    y = _bn_relu(y, f"{name}_2_bn", f"{name}_2_relu")
    y = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(y)
    return layers.Add(name=f"{name}_out")([shortcut, y])


def stack2(x, filters, blocks, stride1=2, name=None):
    """That many :func:`block2`: the first projects its shortcut, the last has the stride."""
    x = block2(x, filters, conv_shortcut=True, name=f"{name}_block1")
    for i in range(2, blocks):
        x = block2(x, filters, name=f"{name}_block{i}")
    return block2(x, filters, stride=stride1, name=f"{name}_block{blocks}")


# -- ResNeXt: the middle convolution works on groups of channels ----------------------------------------------
def _reduce_groups(x: Any) -> Any:
    """Sum over the channels that a group read; (..., groups, read, written) to (..., groups, written)."""
    return K.sum(x, axis=-2)


func_dump(_reduce_groups)  # remembered: who imports this module can load saved models, whose Lambdas hold this function


def block3(x, filters, kernel_size=3, stride=1, groups=32, conv_shortcut=True, name=None):
    """:func:`block1` whose middle convolution sees, in each group of channels, that group alone.

    It is a depthwise convolution with as many outputs per channel as a group has channels, summed over the group.
    The channels come last.
    """
    wide, size = (64 // groups) * filters, filters // groups
    shortcut = x
    if conv_shortcut:
        shortcut = layers.Conv2D(wide, 1, strides=stride, use_bias=False, name=f"{name}_0_conv")(x)
        shortcut = _bn(shortcut, f"{name}_0_bn")
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(x)
    x = _bn_relu(x, f"{name}_1_bn", f"{name}_1_relu")
    x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    grouped = layers.DepthwiseConv2D(
        kernel_size, strides=stride, depth_multiplier=size, use_bias=False, name=f"{name}_2_conv"
    )
    x = grouped(x)
    image = tuple(n or -1 for n in x.shape[1:3])
    x = layers.Reshape((*image, groups, size, size))(x)
    x = layers.Lambda(_reduce_groups, name=f"{name}_2_reduce")(x)
    x = layers.Reshape((*image, filters))(x)
    x = _bn_relu(x, f"{name}_2_bn", f"{name}_2_relu")
    x = _bn(layers.Conv2D(wide, 1, use_bias=False, name=f"{name}_3_conv")(x), f"{name}_3_bn")
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.Activation("relu", name=f"{name}_out")(x)


def stack3(x, filters, blocks, stride1=2, groups=32, name=None):
    """That many :func:`block3`, the first of which projects its shortcut and has the stride."""
    x = block3(x, filters, stride=stride1, groups=groups, name=f"{name}_block1")
    for i in range(2, blocks + 1):
        x = block3(x, filters, groups=groups, conv_shortcut=False, name=f"{name}_block{i}")
    return x


# -- the frame ----------------------------------------------------------------------------------------------
@image_model()
def ResNet(
    stack_fn,
    preact,
    use_bias,
    model_name="resnet",
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    input_shape=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
):
    """Residual network with the stages that the caller describes.

    Args:
        stack_fn: a function from the stem's feature maps to the last ones.
        preact: whether blocks begin with normalization; the stem then has none, and there is one after the last block.
        use_bias: whether the first convolution has a bias.
        model_name: the model's name; published weights belong to some of them.
    """
    if weights == "imagenet" and model_name not in _PUBLISHED:
        raise ValueError(f"There are no published weights for {model_name!r}: use weights=None.")
    frame = Frame(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    x = layers.ZeroPadding2D(3, name="conv1_pad")(frame.image)
    x = layers.Conv2D(64, 7, strides=2, use_bias=use_bias, name="conv1_conv")(x)
    if not preact:
        x = _bn_relu(x, "conv1_bn", "conv1_relu")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = stack_fn(layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x))
    if preact:
        x = _bn_relu(x, "post_bn", "post_relu")
    x = frame.classify(x, "probs", pool_names=True)
    published = _PUBLISHED.get(model_name)
    return frame.model(x, model_name, published and pair(f"{KERAS_TEAM}/resnet", model_name, *published))


def _stages(stack: Any, filters: int, depths: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    """A ``stack_fn`` of four stages, each with twice the filters of the one before."""

    def stack_fn(x: Any) -> Any:
        for i, (depth, stride) in enumerate(zip(depths, strides)):
            x = stack(x, filters * 2**i, depth, stride1=stride, name=f"conv{i + 2}")
        return x

    return stack_fn


def _variant(
    name: str, summary: str, stack: Any, filters: int, depths: tuple[int, ...], strides: tuple[int, ...],
    preact: bool = False, use_bias: bool = True,
) -> Callable:  # fmt: skip
    def resnet(
        include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000,
        classifier_activation="softmax",
    ):  # fmt: skip
        arguments = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
        return ResNet(_stages(stack, filters, depths, strides), preact, use_bias, name.lower(), *arguments)

    resnet.__doc__ = summary
    return image_model(name=name)(resnet)


_STRIDES, _STRIDES_V2 = (1, 2, 2, 2), (2, 2, 2, 1)
_V1 = "Residual network with {} layers."
_V2 = "Residual network, second version, with {} layers."
_NEXT = "Residual network whose convolutions work on 32 groups, with {} layers (Xie et al., 2016)."
_V1_50 = "Residual network with 50 layers; ``resnet50.ResNet50`` has other names and weights."

ResNet50 = _variant("ResNet50", _V1_50, stack1, 64, (3, 4, 6, 3), _STRIDES)
ResNet101 = _variant("ResNet101", _V1.format(101), stack1, 64, (3, 4, 23, 3), _STRIDES)
ResNet152 = _variant("ResNet152", _V1.format(152), stack1, 64, (3, 8, 36, 3), _STRIDES)
ResNet50V2 = _variant("ResNet50V2", _V2.format(50), stack2, 64, (3, 4, 6, 3), _STRIDES_V2, preact=True)
ResNet101V2 = _variant("ResNet101V2", _V2.format(101), stack2, 64, (3, 4, 23, 3), _STRIDES_V2, preact=True)
ResNet152V2 = _variant("ResNet152V2", _V2.format(152), stack2, 64, (3, 8, 36, 3), _STRIDES_V2, preact=True)
ResNeXt50 = _variant("ResNeXt50", _NEXT.format(50), stack3, 128, (3, 4, 6, 3), _STRIDES, use_bias=False)
ResNeXt101 = _variant("ResNeXt101", _NEXT.format(101), stack3, 128, (3, 4, 23, 3), _STRIDES, use_bias=False)
