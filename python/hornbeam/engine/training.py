"""Models that train: compile, fit, evaluate, predict, and their batch and generator forms."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend as K
from ..legacy import interfaces
from ..utils.generic_utils import slice_arrays, unpack_singleton
from ..utils.messages import argument_names, did_you_mean, warn_user
from . import training_arrays, training_generator, training_utils
from .batch_loop import scalar
from .feeding import Feeding
from .training_arrays import feedable


class Model(Feeding):
    """A network with what it takes to train it.

    Made from tensors, ``Model(inputs, outputs)``, or by subclassing: make layers in ``__init__``, use them in
    ``call(self, inputs)``.

    Example:
        >>> a = Input(shape=(32,))
        >>> model = Model(inputs=a, outputs=Dense(32)(a))
    """

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose=1,
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_freq=1,
        max_queue_size=10,
        workers=1,
        use_multiprocessing=False,
        **kwargs,
    ):
        """Train for a number of epochs.

        Args:
            x: inputs: an array, a list of arrays, a dict by input name, or a generator or ``Sequence`` that yields
                ``(x, y)`` or ``(x, y, sample_weight)``.
            y: targets in the same forms.
            batch_size: samples per step, 32 by default.
            epochs: index of the epoch at which to stop (counting from ``initial_epoch``).
            verbose: 0 silent, 1 a progress bar, 2 one line per epoch.
            callbacks: list of ``keras.callbacks.Callback``.
            validation_split: the fraction at the data's end that is held back for validation.
            validation_data: ``(x, y)`` or ``(x, y, sample_weight)``, or a generator or ``Sequence``.
            shuffle: whether to shuffle the samples in each epoch; ``'batch'`` shuffles whole batches.
            class_weight: dict from class to factor.
            sample_weight: one weight per sample (or per sample and time step).
            initial_epoch: epoch to begin with, when training is resumed.
            steps_per_epoch, validation_steps: number of batches, for generators and tensors.
            validation_freq: validate every that many epochs, or in the epochs listed.
            max_queue_size, workers, use_multiprocessing: how a generator is run.

        Returns:
            A ``History``, whose ``history`` is a dict from metric name to the list of its values by epoch.
        """
        if "nb_epoch" in kwargs:
            warn_user("The `nb_epoch` argument in `fit` has been renamed `epochs`.")
            epochs = kwargs.pop("nb_epoch")
        if kwargs:
            guess = did_you_mean(next(iter(kwargs)), argument_names(type(self).fit))
            raise TypeError(f"Unrecognized keyword arguments: {kwargs}.{guess}")
        if x is None and y is None and steps_per_epoch is None:
            raise ValueError("If fitting from data tensors, you should specify the `steps_per_epoch` argument.")
        batch_size = self._validate_or_infer_batch_size(batch_size, steps_per_epoch, x)
        if training_utils.is_generator_or_sequence(x):
            training_utils.check_generator_arguments(y, sample_weight, validation_split=validation_split)
            return self.fit_generator(
                x,
                steps_per_epoch=steps_per_epoch,
                epochs=epochs,
                verbose=verbose,
                callbacks=callbacks,
                validation_data=validation_data,
                validation_steps=validation_steps,
                validation_freq=validation_freq,
                class_weight=class_weight,
                max_queue_size=max_queue_size,
                workers=workers,
                use_multiprocessing=use_multiprocessing,
                shuffle=shuffle,
                initial_epoch=initial_epoch,
            )
        with self._lock:  # one compilation, which another thread may follow with the next
            x, y, sample_weights = self._training_data(x, y, sample_weight, class_weight, batch_size)
            val_inputs = None
            if validation_data is not None and len(validation_data):
                val_inputs = self._validation_inputs(validation_data, batch_size)
            elif validation_split and 0.0 < validation_split < 1.0:
                if any(K.is_tensor(array) for array in x):
                    raise ValueError(
                        "If your data is in the form of symbolic tensors, you cannot use `validation_split`."
                    )
                split_at = int(x[0].shape[0] * (1.0 - validation_split))
                if not 0 < split_at < x[0].shape[0]:
                    raise ValueError(
                        f"validation_split={validation_split} leaves nothing to train or to validate on, given "
                        f"{x[0].shape[0]} samples."
                    )
                val_inputs = [part for data in (x, y, sample_weights) for part in slice_arrays(data, split_at)]
                x, y, sample_weights = (slice_arrays(data, 0, split_at) for data in (x, y, sample_weights))
            elif validation_steps:
                val_inputs = []
            self._make_train_function()
            if val_inputs is not None:
                self._make_test_function()
            step, test_step, labels = self.train_function, self.test_function, self.metrics_names
        return training_arrays.fit_loop(
            self,
            step,
            x + y + sample_weights,
            out_labels=labels,
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            val_function=test_step if val_inputs is not None else None,
            val_inputs=val_inputs,
            shuffle=shuffle,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_freq=validation_freq,
        )

    def _validation_inputs(self, validation_data: Any, batch_size: int | None) -> list:
        if len(validation_data) not in (2, 3):
            raise ValueError(
                "When passing validation_data, it must contain 2 (x_val, y_val) or 3 (x_val, y_val, "
                f"val_sample_weights) items, however it contains {len(validation_data)} items"
            )
        x, y, *weight = validation_data
        x, y, weights = self._training_data(x, y, weight[0] if weight else None, batch_size=batch_size)
        return x + y + weights

    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose=1,
        sample_weight=None,
        steps=None,
        callbacks=None,
        max_queue_size=10,
        workers=1,
        use_multiprocessing=False,
    ):
        """Compute loss and metrics on data; arguments as for :meth:`fit`.

        Returns:
            The loss, or a list in the order of ``metrics_names``.
        """
        batch_size = self._validate_or_infer_batch_size(batch_size, steps, x)
        if training_utils.is_generator_or_sequence(x):
            training_utils.check_generator_arguments(y, sample_weight)
            return self.evaluate_generator(
                x,
                steps=steps,
                verbose=verbose,
                callbacks=callbacks,
                max_queue_size=max_queue_size,
                workers=workers,
                use_multiprocessing=use_multiprocessing,
            )
        if x is None and y is None and steps is None:
            raise ValueError("If evaluating from data tensors, you should specify the `steps` argument.")
        with self._lock:
            x, y, sample_weights = self._training_data(x, y, sample_weight, batch_size=batch_size)
            self._make_test_function()
            step = self.test_function
        return training_arrays.test_loop(
            self,
            step,
            x + y + sample_weights,
            batch_size=batch_size,
            verbose=verbose,
            steps=steps,
            callbacks=callbacks,
        )

    def predict(
        self,
        x,
        batch_size=None,
        verbose=0,
        steps=None,
        callbacks=None,
        max_queue_size=10,
        workers=1,
        use_multiprocessing=False,
    ):
        """Compute the outputs for ``x``, in batches; arguments as for :meth:`fit`.

        Returns:
            An array, or a list of arrays if the model has several outputs.
        """
        batch_size = self._validate_or_infer_batch_size(batch_size, steps, x)
        if training_utils.is_generator_or_sequence(x):
            return self.predict_generator(
                x,
                steps=steps,
                verbose=verbose,
                callbacks=callbacks,
                max_queue_size=max_queue_size,
                workers=workers,
                use_multiprocessing=use_multiprocessing,
            )
        if x is None and steps is None:
            raise ValueError(
                "There is nothing to predict for: x is None. If predicting from data tensors, you should specify the "
                "`steps` argument."
            )
        x, _, _ = self._standardize_user_data(x, batch_size=batch_size)
        return training_arrays.predict_loop(
            self, self._predicting(), x, batch_size=batch_size, verbose=verbose, steps=steps, callbacks=callbacks
        )

    def train_on_batch(self, x, y, sample_weight=None, class_weight=None, reset_metrics=True):
        """Make one training step.

        Args:
            reset_metrics: whether the metrics returned are of this batch alone.

        Returns:
            The loss, or a list in the order of ``metrics_names``.
        """
        with self._lock:
            x, y, sample_weights = self._training_data(x, y, sample_weight, class_weight)
            self._make_train_function()
            step = self.train_function
        outputs = step(feedable(x + y + sample_weights))
        if reset_metrics:
            self.reset_metrics()
        return unpack_singleton([scalar(value) for value in outputs])

    def test_on_batch(self, x, y, sample_weight=None, reset_metrics=True):
        """Compute loss and metrics on one batch; see :meth:`train_on_batch`."""
        with self._lock:
            x, y, sample_weights = self._training_data(x, y, sample_weight)
            self._make_test_function()
            step = self.test_function
        outputs = step(feedable(x + y + sample_weights))
        if reset_metrics:
            self.reset_metrics()
        return unpack_singleton([scalar(value) for value in outputs])

    def predict_on_batch(self, x):
        """Compute the outputs for one batch, with as little around it as possible."""
        function = self._predict_single
        if function is not None and type(x) is np.ndarray:
            try:
                return function([x])[0]
            except (ValueError, TypeError):
                pass  # what is wrong with x is said below, in the model's terms
        x, _, _ = self._standardize_user_data(x)
        return unpack_singleton(self._predicting()(feedable(x)))

    fit_generator = interfaces.legacy_generator_methods_support(training_generator.fit_generator)
    evaluate_generator = interfaces.legacy_generator_methods_support(training_generator.evaluate_generator)
    predict_generator = interfaces.legacy_generator_methods_support(training_generator.predict_generator)

    def _validate_or_infer_batch_size(self, batch_size, steps, x):
        """The batch size to use: the one given, the one that the inputs fix, or 32."""
        if batch_size is not None and training_utils.is_generator_or_sequence(x):
            raise ValueError(
                "The `batch_size` argument must not be specified when using a generator or Sequence as an input."
            )
        if batch_size is not None and not (isinstance(batch_size, (int, np.integer)) and batch_size > 0):
            raise ValueError(f"`batch_size` should be a positive integer. Received: {batch_size}")
        fixed = None
        if self.layers:
            fixed = training_utils.get_static_batch_size(self)
            if fixed is not None and batch_size is not None and batch_size != fixed:
                raise ValueError(
                    f"The `batch_size` argument value {batch_size} is incompatible with the specified batch size of "
                    f"your Input Layer: {fixed}"
                )
        if batch_size is None and steps is None:
            return fixed if fixed is not None else 32
        return batch_size

    def _get_callback_model(self):
        """The model that callbacks are given."""
        return getattr(self, "callback_model", None) or self
