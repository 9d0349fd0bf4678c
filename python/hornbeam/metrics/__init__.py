"""Metrics: functions that give a number per sample, and classes that accumulate over batches."""

from __future__ import annotations

from typing import Any

from ..losses import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    hinge,
    kullback_leibler_divergence,
    logcosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from ..utils.generic_utils import serialize_keras_object
from ..utils.registry import METRICS, public_objects
from .base import (
    Mean,
    MeanMetricWrapper,
    Metric,
    Reduce,
    Sum,
    clone_metric,
    clone_metrics,
)
from .confusion import (
    AUC,
    BaseMeanIoU,
    FalseNegatives,
    FalsePositives,
    MeanIoU,
    Precision,
    Recall,
    SensitivityAtSpecificity,
    SensitivitySpecificityBase,
    SpecificityAtSensitivity,
    TrueNegatives,
    TruePositives,
)
from .functions import (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    cosine_proximity,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from .later import (
    BinaryIoU,
    F1Score,
    FBetaScore,
    IoU,
    MeanRelativeError,
    MeanTensor,
    OneHotIoU,
    OneHotMeanIoU,
    PrecisionAtRecall,
    R2Score,
    RecallAtPrecision,
)
from .means import (
    Accuracy,
    BinaryAccuracy,
    BinaryCrossentropy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy,
    SquaredHinge,
    TopKCategoricalAccuracy,
)

mse = MSE = mean_squared_error
kld = KLD = kl_divergence = kullback_leibler_divergence
log_cosh = logcosh
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
cosine = cosine_similarity = cosine_proximity


def serialize(metric: Any, use_legacy_format: bool = False) -> Any:
    """The name of a metric function, or the config of a metric object."""
    return serialize_keras_object(metric)


deserialize = METRICS.deserialize
get = METRICS.get

# Losses are metrics, too; they are imported, so they are named here.
METRICS.register(
    public_objects(
        globals(),
        "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy",
        "categorical_hinge", "hinge", "kullback_leibler_divergence", "logcosh", "mean_absolute_error",
        "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error", "poisson",
        "sparse_categorical_crossentropy", "squared_hinge", "mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE",
    )
)  # fmt: skip
