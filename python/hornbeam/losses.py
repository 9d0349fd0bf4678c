"""Losses: functions of targets and predictions that give one number per sample, and classes that reduce them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import backend as K
from . import graph
from .settings import settings
from .utils import losses_utils
from .utils.generic_utils import serialize_keras_object
from .utils.losses_utils import Reduction, as_tensors
from .utils.registry import LOSSES, public_objects


class Loss:
    """Base class of loss objects; subclasses define ``call(y_true, y_pred)``, which gives a loss per sample.

    Args:
        reduction: how the losses of a batch become one number, see ``Reduction``.
        name: for logs and configs.
    """

    def __init__(self, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str | None = None) -> None:
        self.reduction = reduction
        self.name = name

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss.

        Args:
            sample_weight: a scalar, a weight per sample, or a tensor of the losses' shape.

        Raises:
            ValueError: weights that do not fit the losses.
        """
        losses = graph.deciding(self.call)(y_true, y_pred)
        mask = getattr(y_pred, "_keras_mask", None) if settings.dialect.losses_leave_out_masked else None
        is_mean = self.reduction == Reduction.SUM_OVER_BATCH_SIZE
        weights = losses_utils.without_ignored(losses, sample_weight, is_mean, mask)
        return losses_utils.compute_weighted_loss(losses, weights, self.reduction)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        raise NotImplementedError("Must be implemented in subclasses.")

    def get_config(self) -> dict:
        return {"reduction": self.reduction, "name": self.name}

    @classmethod
    def from_config(cls, config: dict) -> Loss:
        return cls(**config)


class LossFunctionWrapper(Loss):
    """A loss object made of a function ``fn(y_true, y_pred, **kwargs)``."""

    def __init__(
        self, fn: Callable, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(reduction, name)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return graph.deciding(self.fn)(y_true, y_pred, **self._fn_kwargs)

    def get_config(self) -> dict:
        kwargs = {k: K.eval(v) if K.is_tensor(v) else v for k, v in self._fn_kwargs.items()}
        return {**super().get_config(), **kwargs}


def _unless(default: Any, **given: Any) -> dict:
    """Arguments that only tf.keras has, without those that are as by default: Keras 2.3.1 reads such a config, too."""
    return {name: value for name, value in given.items() if value != default}


class MeanSquaredError(LossFunctionWrapper):
    """Mean of the squared differences."""

    def __init__(self, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str = "mean_squared_error") -> None:
        super().__init__(mean_squared_error, reduction, name)


class MeanAbsoluteError(LossFunctionWrapper):
    """Mean of the absolute differences."""

    def __init__(self, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str = "mean_absolute_error") -> None:
        super().__init__(mean_absolute_error, reduction, name)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """Mean of the differences relative to the targets, in percent."""

    def __init__(
        self, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str = "mean_absolute_percentage_error"
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """Mean of the squared differences of ``log(1 + y)``."""

    def __init__(
        self, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str = "mean_squared_logarithmic_error"
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name)


class BinaryCrossentropy(LossFunctionWrapper):
    """Cross-entropy of independent yes/no targets.

    Args:
        from_logits: predictions are logits, not probabilities.
        label_smoothing: moves targets this far from 0 and 1 towards 0.5 (1 moves them all the way).
        axis: the one that the mean of a sample is over, or of the classes.
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0,
        reduction: str = Reduction.SUM_OVER_BATCH_SIZE,
        name: str = "binary_crossentropy",
        axis: int = -1,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            reduction,
            name,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            **_unless(-1, axis=axis),
        )
        self.from_logits = from_logits


class CategoricalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of one-hot targets; arguments as for :class:`BinaryCrossentropy`."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0,
        reduction: str = Reduction.SUM_OVER_BATCH_SIZE,
        name: str = "categorical_crossentropy",
        axis: int = -1,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            reduction,
            name,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            **_unless(-1, axis=axis),
        )


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of targets given as class numbers; where they are ``ignore_class``, they do not count."""

    def __init__(
        self,
        from_logits: bool = False,
        reduction: str = Reduction.SUM_OVER_BATCH_SIZE,
        name: str = "sparse_categorical_crossentropy",
        ignore_class: int | None = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            reduction,
            name,
            from_logits=from_logits,
            **_unless(None, ignore_class=ignore_class),
        )


class Hinge(LossFunctionWrapper):
    """``max(1 - y_true * y_pred, 0)``, for targets -1 and 1 (0 and 1 are converted)."""

    def __init__(self, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str = "hinge") -> None:
        super().__init__(hinge, reduction, name)


class SquaredHinge(LossFunctionWrapper):
    """The square of :class:`Hinge`."""

    def __init__(self, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str = "squared_hinge") -> None:
        super().__init__(squared_hinge, reduction, name)


class CategoricalHinge(LossFunctionWrapper):
    """How far the best wrong class comes within 1 of the right one."""

    def __init__(self, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str = "categorical_hinge") -> None:
        super().__init__(categorical_hinge, reduction, name)


class Poisson(LossFunctionWrapper):
    """``y_pred - y_true * log(y_pred)``."""

    def __init__(self, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str = "poisson") -> None:
        super().__init__(poisson, reduction, name)


class LogCosh(LossFunctionWrapper):
    """``log(cosh(y_pred - y_true))``: squared for small differences, absolute for large ones."""

    def __init__(self, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str = "logcosh") -> None:
        super().__init__(logcosh, reduction, name)


class KLDivergence(LossFunctionWrapper):
    """``y_true * log(y_true / y_pred)``."""

    def __init__(
        self, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str = "kullback_leibler_divergence"
    ) -> None:
        super().__init__(kullback_leibler_divergence, reduction, name)


class Huber(LossFunctionWrapper):
    """Squared for differences up to ``delta``, linear beyond."""

    def __init__(
        self, delta: float = 1.0, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str = "huber_loss"
    ) -> None:
        super().__init__(huber_loss, reduction, name, delta=delta)


class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine of the angle between targets and predictions along ``axis``; of tf.keras, beyond Keras 2.3.1."""

    def __init__(
        self, axis: int = -1, reduction: str = Reduction.SUM_OVER_BATCH_SIZE, name: str = "cosine_similarity"
    ) -> None:
        super().__init__(cosine_proximity, reduction, name, axis=axis)


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of yes/no targets in which those that are predicted well count less: https://arxiv.org/abs/1708.02002.
    Of tf.keras, beyond Keras 2.3.1.

    Args:
        apply_class_balancing: whether yes counts ``alpha`` and no ``1 - alpha``.
        gamma: how much less; the factor is ``(1 - p) ** gamma`` for the probability p of what is right.
        from_logits, label_smoothing: as for :class:`BinaryCrossentropy`.
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str = Reduction.SUM_OVER_BATCH_SIZE,
        name: str = "binary_focal_crossentropy",
    ) -> None:
        super().__init__(
            binary_focal_crossentropy, reduction, name, apply_class_balancing=apply_class_balancing, alpha=alpha,
            gamma=gamma, from_logits=from_logits, label_smoothing=label_smoothing, **_unless(-1, axis=axis),
        )  # fmt: skip


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of one-hot targets in which those that are predicted well count less; all counts are multiplied by
    ``alpha``, a number or one per class. Of tf.keras, beyond Keras 2.3.1; see :class:`BinaryFocalCrossentropy`."""

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str = Reduction.SUM_OVER_BATCH_SIZE,
        name: str = "categorical_focal_crossentropy",
    ) -> None:
        super().__init__(
            categorical_focal_crossentropy, reduction, name, alpha=alpha, gamma=gamma, from_logits=from_logits,
            label_smoothing=label_smoothing, **_unless(-1, axis=axis),
        )  # fmt: skip


# -- functions: each gives one number per sample (the last axis is reduced) -----------------------------------
def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """``mean((y_pred - y_true) ** 2)``."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    return K.mean(K.square(y_pred - y_true), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """``mean(abs(y_pred - y_true))``."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    return K.mean(K.abs(y_pred - y_true), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """``100 * mean(abs((y_true - y_pred) / y_true))``; targets smaller than epsilon count as epsilon."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    size = K.clip(K.abs(y_true), K.epsilon(), None)
    return 100.0 * K.mean(K.abs((y_true - y_pred) / size), axis=-1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """``mean((log(1 + y_pred) - log(1 + y_true)) ** 2)``; negative values count as epsilon."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    logs = [K.log(K.clip(y, K.epsilon(), None) + 1.0) for y in (y_pred, y_true)]
    return K.mean(K.square(logs[0] - logs[1]), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """``mean(max(1 - y_true * y_pred, 0) ** 2)``."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    return K.mean(K.square(K.maximum(1.0 - _signs(y_true) * y_pred, 0.0)), axis=-1)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """``mean(max(1 - y_true * y_pred, 0))``."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    return K.mean(K.maximum(1.0 - _signs(y_true) * y_pred, 0.0), axis=-1)


def _signs(y_true: Any) -> Any:
    """Targets as -1 and 1: converted if all of them are 0 or 1."""
    zero_or_one = graph.apply("logical_or", [K.equal(y_true, 0), K.equal(y_true, 1)])
    return K.switch(K.all(zero_or_one), 2.0 * y_true - 1.0, y_true)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """``max(0, 1 + best wrong prediction - right prediction)``."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    right = K.sum(y_true * y_pred, axis=-1)
    wrong = K.max((1.0 - y_true) * y_pred, axis=-1)
    return K.maximum(wrong - right + 1.0, 0.0)


def logcosh(y_true: Any, y_pred: Any) -> Any:
    """``mean(log(cosh(y_pred - y_true)))``, written so that large differences do not overflow."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    error = y_pred - y_true
    return K.mean(error + K.softplus(-2.0 * error) - _LOG_2, axis=-1)


_LOG_2 = 0.6931471805599453


def huber_loss(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Squared up to ``delta``, linear beyond; not reduced over the last axis."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    error = K.abs(y_pred - y_true)
    quadratic = K.minimum(error, delta)
    return 0.5 * K.square(quadratic) + delta * (error - quadratic)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0, axis: int = -1
) -> Any:
    """Cross-entropy of one-hot targets over ``axis``."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    if label_smoothing:
        classes = K.cast(K.shape(y_true)[1 if axis == -1 else axis], K.dtype(y_pred))
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / classes
    return K.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Any:
    """Cross-entropy of class numbers over ``axis``; 0 where they are ``ignore_class``."""
    y_pred = y_pred if K.is_tensor(y_pred) else K.constant(y_pred)
    y_true = y_true if K.is_tensor(y_true) else graph.constant(y_true)
    return K.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis, ignore_class)


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0, axis: int = -1
) -> Any:
    """Mean over ``axis`` of the cross-entropy of yes/no targets."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return K.mean(K.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


def kullback_leibler_divergence(y_true: Any, y_pred: Any) -> Any:
    """``sum(y_true * log(y_true / y_pred))``, both limited to [epsilon, 1]."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    y_true, y_pred = (K.clip(y, K.epsilon(), 1.0) for y in (y_true, y_pred))
    return K.sum(y_true * K.log(y_true / y_pred), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """``mean(y_pred - y_true * log(y_pred + epsilon))``."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    return K.mean(y_pred - y_true * K.log(y_pred + K.epsilon()), axis=-1)


def cosine_proximity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between targets and predictions."""
    y_true, y_pred = (K.l2_normalize(y, axis=axis) for y in as_tensors(y_true, y_pred))
    return -K.sum(y_true * y_pred, axis=axis)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0,
    axis: int = -1,
) -> Any:
    """Mean over ``axis`` of what :class:`BinaryFocalCrossentropy` says."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    loss = K.binary_focal_crossentropy(y_true, y_pred, apply_class_balancing, alpha, gamma, from_logits)
    return K.mean(loss, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0,
    axis: int = -1,
) -> Any:
    """What :class:`CategoricalFocalCrossentropy` says, over ``axis``."""
    y_true, y_pred = as_tensors(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / K.cast(K.shape(y_true)[-1], K.dtype(y_pred))
    return K.categorical_focal_crossentropy(y_true, y_pred, alpha, gamma, from_logits, axis)


mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kl_divergence = kullback_leibler_divergence
log_cosh = logcosh
cosine = cosine_similarity = cosine_proximity


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Mean over the last axis of :func:`huber_loss`, as tf.keras has it."""
    return K.mean(huber_loss(y_true, y_pred, delta), axis=-1)


def is_categorical_crossentropy(loss: Any) -> bool:
    """Whether a loss, in whatever form, is the categorical cross-entropy."""
    name = "categorical_crossentropy"
    function = loss.fn if isinstance(loss, LossFunctionWrapper) else loss
    return function == name or getattr(function, "__name__", None) == name


def serialize(loss: Any, use_legacy_format: bool = False) -> Any:
    """The name of a loss function, or the config of a loss object."""
    return serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: dict | None = None, use_legacy_format: bool = False) -> Any:
    """The loss of a name or config.

    Raises:
        ValueError: an unknown name.
    """
    return LOSSES.deserialize(name, custom_objects)


get = LOSSES.get

LOSSES.register(public_objects(globals()))
