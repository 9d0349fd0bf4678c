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
from ..utils.generic_utils import deserialize_keras_object, public_objects, serialize_keras_object
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
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
cosine = cosine_similarity = cosine_proximity


def serialize(metric: Any) -> Any:
    """The name of a metric function, or the config of a metric object."""
    return serialize_keras_object(metric)


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The metric of a name or config.

    Raises:
        ValueError: an unknown name.
    """
    return deserialize_keras_object(
        config, module_objects=_METRICS, custom_objects=custom_objects, printable_module_name="metric function"
    )


def get(identifier: Any) -> Any:
    """A metric from its name, config, class, or itself.

    Raises:
        ValueError: anything else.
    """
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    if callable(identifier):
        return identifier() if isinstance(identifier, type) else identifier
    raise ValueError(f"Could not interpret metric function identifier: {identifier}")


# Losses are metrics, too; they are imported, so they are named here.
_METRICS = public_objects(
    globals(),
    "binary_crossentropy", "categorical_crossentropy", "categorical_hinge", "hinge", "kullback_leibler_divergence",
    "logcosh", "binary_focal_crossentropy", "categorical_focal_crossentropy", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
    "mean_squared_logarithmic_error", "poisson", "sparse_categorical_crossentropy", "squared_hinge",
    "mse", "MSE", "mae", "MAE", "mape", "MAPE", "msle", "MSLE",
)  # fmt: skip
