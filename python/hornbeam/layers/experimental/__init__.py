"""Where tf.keras 2.2 to 2.8 had some layers."""

from ..core import Identity
from ..einsum_dense import EinsumDense
from ..kernelized import RandomFourierFeatures
from ..normalization import SyncBatchNormalization
from . import preprocessing
