"""Residual networks whose blocks begin with normalization (He et al., 2016)."""

from .imagenet_utils import decode_predictions, preprocessing
from .resnet_common import ResNet50V2, ResNet101V2, ResNet152V2

__all__ = ["ResNet50V2", "ResNet101V2", "ResNet152V2", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("tf")
