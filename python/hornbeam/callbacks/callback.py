"""The base of callbacks."""

from __future__ import annotations


class Callback:
    """Something that is told how training goes, and may act on it.

    Attributes:
        params: dict with ``verbose``, ``batch_size``, ``epochs``, ``steps``, ``samples``, ``metrics`` …
        model: the model being trained. Setting ``model.stop_training`` ends the training.

    ``logs`` is a dict: at the end of an epoch it holds the values of the metrics, at the end of a batch also
    ``batch`` and ``size``.
    """

    def __init__(self):
        self.validation_data = None
        self.model = None

    def set_params(self, params):
        """Take the dict ``params`` (see above) of a run; called before it begins."""
        self.params = params

    def set_model(self, model):
        """Take the model of a run; called before it begins."""
        self.model = model

    def on_batch_begin(self, batch, logs=None):
        """Older name of :meth:`on_train_batch_begin`."""

    def on_batch_end(self, batch, logs=None):
        """Older name of :meth:`on_train_batch_end`."""

    def on_epoch_begin(self, epoch, logs=None):
        """Called at the start of an epoch of training."""

    def on_epoch_end(self, epoch, logs=None):
        """Called at the end of an epoch of training, with training and validation metrics in ``logs``."""

    def on_train_batch_begin(self, batch, logs=None):
        """Called before a training step."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch, logs=None):
        """Called after a training step."""
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch, logs=None):
        """Called before a batch of evaluation, also of validation inside fit."""

    def on_test_batch_end(self, batch, logs=None):
        """Called after a batch of evaluation."""

    def on_predict_batch_begin(self, batch, logs=None):
        """Called before a batch of prediction."""

    def on_predict_batch_end(self, batch, logs=None):
        """Called after a batch of prediction."""

    def on_train_begin(self, logs=None):
        """Called once when training starts."""

    def on_train_end(self, logs=None):
        """Called once when training ends."""

    def on_test_begin(self, logs=None):
        """Called when an evaluation starts."""

    def on_test_end(self, logs=None):
        """Called when an evaluation ends."""

    def on_predict_begin(self, logs=None):
        """Called when a prediction starts."""

    def on_predict_end(self, logs=None):
        """Called when a prediction ends."""
