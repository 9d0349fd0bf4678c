"""Image classifiers known from the literature, with their published ImageNet weights.

Layers, their names and their order are those of keras_applications 1.0.8 and, for networks from 2019 on, of tf.keras, so
the weight files that they published load.
"""

from __future__ import annotations

from ..lazy import lazy_attributes

_REGNETS = (2, 4, 6, 8, 16, 32, 40, 64, 80, 120, 160, 320)  # hundred million multiplications
_WHERE = {
    "convnext": ("ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall", "ConvNeXtTiny", "ConvNeXtXLarge"),
    "densenet": ("DenseNet121", "DenseNet169", "DenseNet201"),
    "efficientnet": tuple(f"EfficientNetB{i}" for i in range(8)),
    "efficientnet_v2": tuple(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    "inception_resnet_v2": ("InceptionResNetV2",),
    "inception_v3": ("InceptionV3",),
    "mobilenet": ("MobileNet",),
    "mobilenet_v2": ("MobileNetV2",),
    "mobilenet_v3": ("MobileNetV3Large", "MobileNetV3Small"),
    "nasnet": ("NASNetLarge", "NASNetMobile"),
    "regnet": tuple(f"RegNet{kind}{size:03}" for kind in "XY" for size in _REGNETS),
    "resnet": ("ResNet101", "ResNet152"),
    "resnet50": ("ResNet50",),
    "resnet_rs": tuple(f"ResNetRS{depth}" for depth in (50, 101, 152, 200, 270, 350, 420)),
    "resnet_v2": ("ResNet50V2", "ResNet101V2", "ResNet152V2"),
    "vgg16": ("VGG16",),
    "vgg19": ("VGG19",),
    "xception": ("Xception",),
}
_NAMES = {name: module for module, names in _WHERE.items() for name in names}

__all__ = sorted(_NAMES)

_OF_KERAS_APPLICATIONS = dict.fromkeys(
    ("get_submodules_from_kwargs", "keras_modules_injection", "set_keras_submodules"), "modules"
)

__getattr__, __dir__ = lazy_attributes(
    globals(), _NAMES | _OF_KERAS_APPLICATIONS, (*_WHERE, "imagenet_utils", "resnet_common", "resnext")
)
