"""``keras.experimental``: what tf.keras 2.0 had there, and moved since."""

from .optimizers.schedules import CosineDecay, CosineDecayRestarts
from .premade import LinearModel, WideDeepModel

__all__ = ["CosineDecay", "CosineDecayRestarts", "LinearModel", "WideDeepModel"]
