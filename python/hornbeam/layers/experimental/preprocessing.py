"""Where tf.keras 2.3 to 2.8 had its preprocessing layers."""

from ..augmentation import (  # noqa: F401
    RandomContrast,
    RandomCrop,
    RandomFlip,
    RandomHeight,
    RandomRotation,
    RandomTranslation,
    RandomWidth,
    RandomZoom,
)
from ..preprocessing import (  # noqa: F401
    CategoryEncoding,
    CenterCrop,
    Discretization,
    IntegerLookup,
    Normalization,
    Rescaling,
    Resizing,
)
