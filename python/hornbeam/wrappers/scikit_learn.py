"""Keras models as scikit-learn estimators: in cross validation, grid searches and pipelines.

Example:
    >>> def build(units=16):
    ...     model = Sequential([Dense(units, activation="relu", input_shape=(4,)), Dense(3, activation="softmax")])
    ...     model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    ...     return model
    >>> search = GridSearchCV(KerasClassifier(build, epochs=20, verbose=0), {"units": [8, 16], "batch_size": [16, 32]})
    >>> search.fit(x, y).best_params_
"""

from __future__ import annotations

import copy
import types
from collections.abc import Callable

import numpy as np

from ..models import Sequential
from ..utils.generic_utils import has_arg, to_list
from ..utils.np_utils import to_categorical

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    raise ImportError("keras.wrappers.scikit_learn needs scikit-learn: pip install scikit-learn") from error


def _samples(x):
    """Rows of numbers as an array, as scikit-learn takes them; a list of arrays stays: the inputs of a model."""
    if isinstance(x, (list, tuple)):
        return x if any(hasattr(part, "ndim") for part in x) else np.asarray(x)
    if hasattr(x, "tocsr"):
        return x.tocsr()  # other sparse formats have no slices
    return np.asarray(x) if hasattr(x, "__array__") else x


class BaseWrapper(BaseEstimator):
    """What the classifier and the regressor share.

    Args:
        build_fn: a function, a method or an object with ``__call__`` that returns a compiled model. A subclass may
            define ``__call__`` itself and leave this None.
        **sk_params: arguments of ``build_fn`` and of the model's ``fit``, ``predict``, ``predict_classes`` and
            ``evaluate`` (``epochs``, ``batch_size``, ``verbose``, ...). Those of ``build_fn`` must have defaults, so
            that an estimator can be made without them. scikit-learn searches over them.

    Raises:
        ValueError: a parameter is an argument of none of those.
    """

    def __init__(self, build_fn=None, **sk_params):
        self.build_fn = build_fn
        self.sk_params = sk_params
        self.check_params(sk_params)

    def _builder(self) -> Callable:
        """The function whose arguments are looked at and which makes the model."""
        if self.build_fn is None:
            return self.__call__
        if isinstance(self.build_fn, (types.FunctionType, types.MethodType)) or not callable(self.build_fn):
            return self.build_fn  # what cannot be called is an error when it is called
        return self.build_fn.__call__

    def check_params(self, params):
        """Raise ValueError if a name in ``params`` is an argument of no function that would get it."""
        takers = [Sequential.fit, Sequential.predict, Sequential.predict_classes, Sequential.evaluate]
        takers += [builder] if callable(builder := self._builder()) else []
        for name in params:
            if name != "nb_epoch" and not any(has_arg(fn, name) for fn in takers):
                raise ValueError(f"{name} is not a legal parameter")

    def get_params(self, deep=True, **params):
        """The parameters and ``build_fn``: themselves and no copies, which is how ``sklearn.clone`` checks its work.

        Arguments change nothing.
        """
        return {**self.sk_params, "build_fn": self.build_fn}

    def set_params(self, **params):
        """Change parameters, ``build_fn`` too; raises ValueError as the constructor does."""
        params = dict(params)
        if "build_fn" in params:
            self.build_fn = params.pop("build_fn")
        self.check_params(params)
        self.sk_params.update(params)
        return self

    def fit(self, x, y, **kwargs):
        """Build a model and train it.

        Args:
            x: samples, of shape (n, features...).
            y: targets, of shape (n,) or (n, outputs).
            **kwargs: arguments of ``Sequential.fit``, which override ``sk_params``.

        Returns:
            The ``History`` of the training.

        Raises:
            ValueError: there are no targets or no samples, or the samples are complex numbers.
        """
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        x, y = _samples(x), _samples(y)
        shape = getattr(x, "shape", (1,))
        if 0 in shape:
            raise ValueError(
                f"Found array with {shape[0]} sample(s) and 0 feature(s) (shape={shape}) while a minimum of 1 is required."
                if shape[0]
                else f"Found array with 0 sample(s) (shape={shape}) while a minimum of 1 is required."
            )
        if getattr(getattr(x, "dtype", None), "kind", "") == "c":
            raise ValueError("Complex data not supported")
        if len(shape) == 2:
            self.n_features_in_ = shape[1]
        builder = self._builder()
        self.model = builder(**self.filter_sk_params(builder))
        fit_args = copy.deepcopy(self.filter_sk_params(Sequential.fit))
        fit_args.update(kwargs)
        return self.model.fit(x, self._targets(y), **fit_args)

    def _known(self, x):
        """Samples to predict for, if the model is fitted and they have as many features as those that it was fitted to."""
        check_is_fitted(self)
        x = _samples(x)
        expected = getattr(self, "n_features_in_", None)
        if expected is not None and getattr(x, "ndim", 0) == 2 and x.shape[1] != expected:
            raise ValueError(
                f"X has {x.shape[1]} features, but {type(self).__name__} is expecting {expected} features as input"
            )
        return x

    def _targets(self, y):
        """One-hot rows where the model's loss wants them and ``y`` holds labels."""
        loss = getattr(self.model.loss, "__name__", self.model.loss)
        return to_categorical(y) if loss == "categorical_crossentropy" and y.ndim != 2 else y

    def filter_sk_params(self, fn, override=None):
        """Those of ``sk_params`` that are arguments of ``fn``, and all of ``override``."""
        return {**{name: value for name, value in self.sk_params.items() if has_arg(fn, name)}, **(override or {})}

    def __sklearn_is_fitted__(self):
        return hasattr(self, "model")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True  # initial weights and the order of the samples are drawn
        tags.input_tags.allow_nan = True  # a Masking layer may stand for it
        tags.input_tags.sparse = True  # batches are made dense
        return tags


class KerasClassifier(ClassifierMixin, BaseWrapper):
    """A model as a scikit-learn classifier.

    After ``fit``, ``classes_`` holds the labels (of any type) in the order of the model's outputs, ``n_classes_`` their
    number, and ``model`` the model.
    """

    def fit(self, x, y, sample_weight=None, **kwargs):
        """As :meth:`BaseWrapper.fit`; ``y`` holds labels, of shape (n,) or (n, 1), or one-hot rows."""
        if y is None:
            return super().fit(x, y)
        y = np.array(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        elif y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1):
            check_classification_targets(y)
            self.classes_ = np.unique(y)
            y = np.searchsorted(self.classes_, y)
        else:
            raise ValueError(f"Invalid shape for y: {y.shape}")
        self.n_classes_ = len(self.classes_)
        if sample_weight is not None:
            kwargs["sample_weight"] = sample_weight
        return super().fit(x, y, **kwargs)

    def predict(self, x, **kwargs):
        """Labels: of shape (n,), or (n, 1) where the model has a single output unit, as in Keras."""
        x = self._known(x)
        # Not through predict_classes, which only a Sequential has: build_fn may return any model.
        outputs = self.model.predict(x, **self.filter_sk_params(Sequential.predict_classes, kwargs))
        classes = outputs.argmax(axis=-1) if outputs.shape[-1] > 1 else (outputs > 0.5).astype("int32")
        return self.classes_[np.minimum(classes, self.n_classes_ - 1)]  # of one class alone, whatever the outputs say

    def predict_proba(self, x, **kwargs):
        """Probabilities of shape (n, classes); a single output unit gives the columns 1 - p and p."""
        x = self._known(x)
        probabilities = self.model.predict(x, **self.filter_sk_params(Sequential.predict_proba, kwargs))
        if probabilities.shape[1] == 1:
            probabilities = np.hstack([1 - probabilities, probabilities])
        return probabilities

    def score(self, x, y, **kwargs):
        """Accuracy, as the model's own metric computes it.

        Raises:
            ValueError: the model was compiled without ``metrics=["accuracy"]``.
        """
        x = self._known(x)
        y = np.asarray(y)
        if not (y.ndim == 2 and y.shape[1] > 1):
            y = np.searchsorted(self.classes_, y)
        kwargs = self.filter_sk_params(Sequential.evaluate, kwargs)
        values = to_list(self.model.evaluate(x, self._targets(y), **kwargs))
        for name, value in zip(self.model.metrics_names, values):
            if name in ("accuracy", "acc"):
                return value
        raise ValueError(
            'The model is not configured to compute accuracy. You should pass `metrics=["accuracy"]` to the '
            "`model.compile()` method."
        )


class KerasRegressor(RegressorMixin, BaseWrapper):
    """A model as a scikit-learn regressor. ``score`` is Keras's: minus the loss."""

    def predict(self, x, **kwargs):
        """Predictions of shape (n,)."""
        x = self._known(x)
        return np.squeeze(self.model.predict(x, **self.filter_sk_params(Sequential.predict, kwargs)), axis=-1)

    def score(self, x, y, **kwargs):
        """Minus the loss, so that more is better."""
        x, y = self._known(x), _samples(y)
        return -to_list(self.model.evaluate(x, y, **self.filter_sk_params(Sequential.evaluate, kwargs)))[0]
