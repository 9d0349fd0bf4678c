"""Image classifiers known from the literature, with their published ImageNet weights.

Layers, their names and their order are those of keras_applications 1.0.8, so the weight files it published load.
"""

from __future__ import annotations

from ..lazy import lazy_attributes

_WHERE = {
    "densenet": ("DenseNet121", "DenseNet169", "DenseNet201"),
    "inception_resnet_v2": ("InceptionResNetV2",),
    "inception_v3": ("InceptionV3",),
    "mobilenet": ("MobileNet",),
    "mobilenet_v2": ("MobileNetV2",),
    "nasnet": ("NASNetLarge", "NASNetMobile"),
    "resnet": ("ResNet101", "ResNet152"),
    "resnet50": ("ResNet50",),
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
