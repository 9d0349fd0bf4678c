"""The loop over batches that fit, evaluate and predict share, whatever the batches come from.

A batch is a pair of what the step takes and the number of samples in it. Logs are made only if a callback looks at
single batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from .. import callbacks as cbks
from ..utils.generic_utils import unpack_singleton
from ..utils.messages import warn_user
from ..utils.progbar import Progbar

Batches = Iterable[tuple[Any, int]]


def scalar(value: Any) -> Any:
    """A zero-dimensional array as the NumPy scalar that Keras users expect of losses and metrics."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def prepare_fit_hooks(model: Any, callbacks: Any, verbose: Any, count_mode: str) -> cbks.CallbackList:
    """The callbacks of a fit in the order in which they are called: averages first, ``model.history`` last."""
    stateful = model.metrics_names[1:]
    chain: list[cbks.Callback] = [cbks.BaseLogger(stateful_metrics=stateful)]
    if verbose:
        chain.append(cbks.ProgbarLogger(count_mode, stateful_metrics=stateful))
    model.history = history = cbks.History()
    hooks = cbks.CallbackList(chain + _as_list(callbacks) + [history])
    hooks.set_model(model._get_callback_model())
    return hooks


def prepare_hooks(model: Any, callbacks: Any, **params: Any) -> cbks.CallbackList:
    """The callbacks of an evaluation or prediction; a CallbackList that is passed in belongs to a running fit."""
    if isinstance(callbacks, cbks.CallbackList):
        return callbacks
    hooks = cbks.CallbackList(_as_list(callbacks))
    hooks.set_model(model._get_callback_model())
    hooks.set_params(params)
    return hooks


def _as_list(callbacks: Any) -> list[cbks.Callback]:
    found = [callbacks] if isinstance(callbacks, cbks.Callback) else list(callbacks or [])
    for callback in found:
        if isinstance(callback, type) or not hasattr(callback, "set_model"):
            raise TypeError(f"`callbacks` holds instances of `keras.callbacks.Callback`, got {callback!r}.")
    return found


def train_epoch(model: Any, hooks: cbks.CallbackList, batches: Batches, count: int, step: Callable) -> tuple[bool, int]:
    """Train on the ``count`` batches of one epoch, until a callback stops the training.

    Returns:
        Whether all batches were used, and the size of the last one.
    """
    base_logger = hooks.callbacks[0]
    watched = hooks.watches_batches("train", except_for=base_logger)
    loss_sum, seen, size, done, values = 0.0, 0, 0, 0, None
    try:
        for size, values in _steps(hooks if watched else None, "train", batches, step, model):
            done += 1
            if watched:
                if hooks.model.stop_training:
                    break
            else:
                loss_sum += float(values[0]) * size
                seen += size
    finally:
        model._training_batch = None
    if not watched and values is not None:  # what BaseLogger would have added up
        base_logger.set_totals(seen, loss_sum, model.metrics_names, values)
    return done == count, size


def finish_fit(model: Any, hooks: cbks.CallbackList) -> cbks.History:
    """End a fit: the last hook, and a word about a loss that became nan, unless a callback has said so."""
    hooks._call_end_hook("train")
    history = next(c for c in reversed(hooks.callbacks) if isinstance(c, cbks.History))
    losses = history.history.get("loss", [])
    first = next((i for i, loss in enumerate(losses) if np.isnan(loss)), None)
    if first is not None and not any(isinstance(callback, cbks.TerminateOnNaN) for callback in hooks.callbacks):
        warn_user(
            f"The loss is nan from epoch {history.epoch[first] + 1} on. With the callback TerminateOnNaN the training "
            "stops there and says where it began; HORNBEAM_CHECK=nan in the environment names the layer and op."
        )
    return history


def evaluate_batches(model: Any, hooks: cbks.CallbackList, batches: Batches, step: Callable, bar: Any) -> Any:
    """The mean loss over the batches' samples, and the metrics, which keep their own count.

    Returns:
        A number, or a list of numbers if there are metrics or several outputs.

    Raises:
        ValueError: there are no samples.
    """
    hooks._call_begin_hook("test")
    watched = hooks if hooks.watches_batches("test") else None
    values: list = []
    loss_sum, seen = 0.0, 0
    for size, values in _steps(watched, "test", batches, step, model):
        loss_sum += float(values[0]) * size
        seen += size
        bar(size)
    if not seen:
        raise ValueError("Cannot evaluate on no data: there are 0 samples.")
    hooks._call_end_hook("test")
    return unpack_singleton([loss_sum / seen] + [float(v) if np.ndim(v) == 0 else v for v in values[1:]])


def predict_batches(model: Any, hooks: cbks.CallbackList, batches: Batches, step: Callable, bar: Any) -> list:
    """The outputs of all batches, as one list per output of the model."""
    hooks._call_begin_hook("predict")
    watched = hooks if hooks.watches_batches("predict") else None
    results: list[list] = []
    for size, outputs in _steps(watched, "predict", batches, step, model):
        results.append(outputs)
        bar(size)
    hooks._call_end_hook("predict")
    return [list(parts) for parts in zip(*results)]


def _steps(
    hooks: cbks.CallbackList | None, mode: str, batches: Batches, step: Callable, model: Any
) -> Iterator[tuple[int, list]]:
    """Make the step for every batch, between its hooks if there are any; yield its size and results."""
    if hooks is None:
        for batch, size in batches:
            yield size, step(batch)
        return
    labels = None
    for index, (batch, size) in enumerate(batches):
        logs: dict[str, Any] = {"batch": index, "size": size}
        hooks._call_batch_hook(mode, "begin", index, logs)
        if mode == "train":
            model._training_batch = batch
        values = step(batch)
        if mode == "predict":
            logs["outputs"] = values
        else:
            if labels is None:  # a model that is built on its first batch knows its metrics only now
                labels = model.metrics_names
            logs.update(zip(labels, map(scalar, values)))
        hooks._call_batch_hook(mode, "end", index, logs)
        yield size, values


def concatenate(outputs: list[list]) -> Any:
    """Predictions of batches as one array, or a list of arrays if there are several outputs."""
    return unpack_singleton([parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in outputs])


def progress(target: int, verbose: Any, by_steps: bool) -> Callable[[int], None]:
    """A function to call with the size of each batch that is done; it moves a progress bar with ``verbose=1``."""
    if verbose != 1:
        return lambda size: None
    bar = Progbar(target=target)
    return lambda size: bar.add(1 if by_steps else size)
