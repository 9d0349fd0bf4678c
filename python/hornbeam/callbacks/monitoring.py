"""Callbacks that watch one metric and act on it."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend as K
from ..graph import Tensor
from ..utils.io_messages import show
from ..utils.messages import warn_user
from .callback import Callback
from .logs import Logs
from .nan_origin import nan_origin


def comparison(mode: str, monitor: str) -> tuple[Any, float]:
    """Return ``better(a, b)`` and the worst value for a metric.

    With mode ``'auto'`` accuracies and F-measures are maximised, everything else is minimised.
    """
    if mode not in ("auto", "min", "max"):
        warn_user(f"mode {mode} is unknown, fallback to auto mode.", RuntimeWarning)
        mode = "auto"
    if mode == "max" or (mode == "auto" and ("acc" in monitor or monitor.startswith("fmeasure"))):
        return np.greater, -np.inf
    return np.less, np.inf


class ModelCheckpoint(Callback):
    """Saves the model after epochs.

    Args:
        filepath: path, in which ``{epoch:02d}`` and metrics as ``{val_loss:.2f}`` are filled in.
        monitor: the metric that decides what is best.
        verbose: 1 to say when something is saved.
        save_best_only: keep a file only where the metric improved.
        save_weights_only: save weights instead of the whole model.
        mode: ``'min'``, ``'max'`` or ``'auto'``.
        period: number of epochs between checks.
        save_freq: ``'epoch'``, or the number of batches between checks, which then see the metrics of the epoch so far.
        options: how tf.keras writes folders; changes nothing.
        initial_value_threshold: the value that the metric has to improve on from the start.
    """

    def __init__(
        self,
        filepath,
        monitor="val_loss",
        verbose=0,
        save_best_only=False,
        save_weights_only=False,
        mode="auto",
        period=1,
        save_freq="epoch",
        options=None,
        initial_value_threshold=None,
    ):
        super().__init__()
        self.monitor = monitor
        self.verbose = verbose
        self.filepath = filepath
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.period = period
        if save_freq != "epoch" and not (isinstance(save_freq, int) and save_freq > 0):
            raise ValueError(f"ModelCheckpoint: save_freq is 'epoch' or a number of batches, got {save_freq!r}.")
        self.save_freq = save_freq
        self.epochs_since_last_save = 0
        self.batches_since_last_save = 0
        self.epoch = 0
        self.monitor_op, self.best = comparison(mode, monitor)
        if initial_value_threshold is not None:
            self.best = initial_value_threshold
        if save_freq != "epoch":  # else no batch needs to be told of
            self.on_train_batch_end = self._count_batch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def _count_batch(self, batch, logs=None):
        self.batches_since_last_save += 1
        if self.batches_since_last_save >= self.save_freq:
            self.batches_since_last_save = 0
            self._check(self.epoch, {**(logs or {}), "batch": batch + 1})

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq != "epoch":
            return
        self.epochs_since_last_save += 1
        if self.epochs_since_last_save >= self.period:
            self.epochs_since_last_save = 0
            self._check(epoch, logs or {})

    def _check(self, epoch: int, logs: dict) -> None:
        path = str(self.filepath).format_map(Logs(logs, epoch=epoch + 1))
        if not self.save_best_only:
            self._save(path, f"\nEpoch {epoch + 1:05d}: saving model to {path}")
            return
        current = logs.get(self.monitor)
        if current is None:
            warn_user(f"Can save best model only with {self.monitor} available, skipping.", RuntimeWarning)
        elif self.monitor_op(current, self.best):
            self._save(
                path,
                f"\nEpoch {epoch + 1:05d}: {self.monitor} improved from {self.best:0.5f} to {current:0.5f}, "
                f"saving model to {path}",
            )
            self.best = current
        elif self.verbose > 0:
            show(f"\nEpoch {epoch + 1:05d}: {self.monitor} did not improve from {self.best:0.5f}\n")

    def _save(self, path: str, message: str) -> None:
        if self.verbose > 0:
            show(f"{message}\n")
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)


class EarlyStopping(Callback):
    """Stops the training when a metric no longer improves.

    Args:
        monitor: the metric.
        min_delta: the least change that counts as an improvement.
        patience: number of epochs without one that are borne.
        verbose: 1 to say when it stops.
        mode: ``'min'``, ``'max'`` or ``'auto'``.
        baseline: value that has to be beaten from the start.
        restore_best_weights: whether to go back to the weights of the best epoch.
        start_from_epoch: the first epoch that counts, from 0.
    """

    def __init__(
        self,
        monitor="val_loss",
        min_delta=0,
        patience=0,
        verbose=0,
        mode="auto",
        baseline=None,
        restore_best_weights=False,
        start_from_epoch=0,
    ):
        super().__init__()
        self.monitor = monitor
        self.start_from_epoch = start_from_epoch
        self.baseline = baseline
        self.patience = patience
        self.verbose = verbose
        self.wait = 0
        self.stopped_epoch = 0
        self.restore_best_weights = restore_best_weights
        self.best_weights = None
        self.monitor_op, self._worst = comparison(mode, monitor)
        self.min_delta = abs(min_delta) if self.monitor_op is np.greater else -abs(min_delta)

    def on_train_begin(self, logs=None):
        self.wait = 0
        self.stopped_epoch = 0
        self.best = self._worst if self.baseline is None else self.baseline

    def on_epoch_end(self, epoch, logs=None):
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.monitor_op(current - self.min_delta, self.best):
            self.best = current
            self.wait = 0
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            return
        self.wait += 1
        if self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True
            if self.restore_best_weights and self.best_weights is not None:
                if self.verbose > 0:
                    show("Restoring model weights from the end of the best epoch\n")
                self.model.set_weights(self.best_weights)

    def on_train_end(self, logs=None):
        if self.stopped_epoch > 0 and self.verbose > 0:
            show(f"Epoch {self.stopped_epoch + 1:05d}: early stopping\n")

    def get_monitor_value(self, logs):
        """The metric's value, or None with a warning where it is not there."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warn_user(
                f"Early stopping conditioned on metric `{self.monitor}` which is not available. Available metrics "
                f"are: {','.join(logs or {})}",
                RuntimeWarning,
            )
        return value


class ReduceLROnPlateau(Callback):
    """Lowers the learning rate when a metric no longer improves.

    Args:
        monitor: the metric.
        factor: what the learning rate is multiplied by; below 1.
        patience: number of epochs without improvement that are borne.
        verbose: 1 to say when it is lowered.
        mode: ``'min'``, ``'max'`` or ``'auto'``.
        min_delta: the least change that counts as an improvement.
        cooldown: number of epochs to wait after a reduction.
        min_lr: lower bound.
    """

    def __init__(
        self,
        monitor="val_loss",
        factor=0.1,
        patience=10,
        verbose=0,
        mode="auto",
        min_delta=1e-4,
        cooldown=0,
        min_lr=0,
        **kwargs,
    ):
        super().__init__()
        if factor >= 1.0:
            raise ValueError("ReduceLROnPlateau does not support a factor >= 1.0.")
        if "epsilon" in kwargs:
            min_delta = kwargs.pop("epsilon")
            warn_user("`epsilon` argument is deprecated and will be removed, use `min_delta` instead.")
        if kwargs:
            raise TypeError(f"Unrecognized keyword arguments: {kwargs}")
        self.monitor = monitor
        self.factor = factor
        self.min_lr = min_lr
        self.min_delta = min_delta
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.mode = mode
        self._reset()

    def _reset(self) -> None:
        self._better, self.best = comparison(self.mode, self.monitor)
        self.cooldown_counter = 0
        self.wait = 0

    def monitor_op(self, current: float, best: float) -> bool:
        delta = self.min_delta if self._better is np.greater else -self.min_delta
        return bool(self._better(current, best + delta))

    def on_train_begin(self, logs=None):
        self._reset()

    def on_epoch_end(self, epoch, logs=None):
        logs = logs if logs is not None else {}
        logs["lr"] = K.get_value(self.model.optimizer.lr)
        current = logs.get(self.monitor)
        if current is None:
            warn_user(
                f"Reduce LR on plateau conditioned on metric `{self.monitor}` which is not available. Available "
                f"metrics are: {','.join(logs)}",
                RuntimeWarning,
            )
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.monitor_op(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        old = float(K.get_value(self.model.optimizer.lr))
        if old > self.min_lr:
            new = max(old * self.factor, self.min_lr)
            K.set_value(self.model.optimizer.lr, new)
            if self.verbose > 0:
                show(f"\nEpoch {epoch + 1:05d}: ReduceLROnPlateau reducing learning rate to {new}.\n")
            self.cooldown_counter = self.cooldown
            self.wait = 0

    def in_cooldown(self):
        return self.cooldown_counter > 0


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch.

    Args:
        schedule: function of the epoch (from 0) and the current learning rate, or of the epoch alone, that returns
            the new one.
        verbose: 1 to print it.
    """

    def __init__(self, schedule, verbose=0):
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch, logs=None):
        if not hasattr(self.model.optimizer, "lr"):
            raise ValueError('Optimizer must have a "lr" attribute.')
        lr = float(K.get_value(self.model.optimizer.lr))
        try:
            lr = self.schedule(epoch, lr)
        except TypeError:  # a schedule with the older signature
            lr = self.schedule(epoch)
        if isinstance(lr, Tensor) and lr.dtype.is_floating:
            lr = float(lr)
        if not isinstance(lr, (float, np.float32, np.float64)):
            raise ValueError('The output of the "schedule" function should be float.')
        K.set_value(self.model.optimizer.lr, lr)
        if self.verbose > 0:
            show(f"\nEpoch {epoch + 1:05d}: LearningRateScheduler setting learning rate to {lr}.\n")

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["lr"] = K.get_value(self.model.optimizer.lr)


class TerminateOnNaN(Callback):
    """Stops the training when the loss is not a number any more, and says in which layer that began.

    To be able to say so it copies the weights before each step.
    """

    def __init__(self):
        super().__init__()
        self._before = {}

    def on_batch_begin(self, batch, logs=None):
        weights = self.model.weights
        self._before = dict(zip(weights, K.batch_get_value(weights)))

    def on_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is not None and not np.isfinite(loss):
            show(f"Batch {batch}: Invalid loss, terminating training\n")
            fit = getattr(self.model, "_running_fit", None)
            if self._before and fit is not None and fit.batch is not None:
                show(f"{nan_origin(self.model, fit.batch, self._before)}\n")
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self._before = {}
