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
from ..hashing import HashedCrossing, Hashing  # noqa: F401
from ..lookup import IntegerLookup, StringLookup  # noqa: F401
from ..preprocessing import (  # noqa: F401
    CategoryEncoding,
    CenterCrop,
    Discretization,
    Normalization,
    PreprocessingLayer,
    Rescaling,
    Resizing,
)
from ..text_vectorization import TextVectorization  # noqa: F401
