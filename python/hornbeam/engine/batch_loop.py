"""The loop over batches that fit, evaluate and predict share, whatever the batches come from.

A batch is a pair of what the step takes and the number of samples in it. The step gives the loss first, then values of
metrics, which keep their own count. Names of these are asked for after a step, as a model that is built on its first batch
knows its metrics only then. Logs of batches are made only if a callback looks at them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from .. import callbacks as cbks
from ..settings import settings
from ..utils.generic_utils import to_list, unpack_singleton
from ..utils.messages import warn_user
from ..utils.progbar import Progbar

Batches = Iterable[tuple[Any, int]]
Names = Callable[[], list[str]]


@dataclass
class RunningFit:
    """What callbacks and checkpoints ask about a fit: ``model._running_fit``.

    Attributes:
        order: in which an epoch sees the samples; saved, so that training can be resumed.
        batch: what the step is given now, where a callback looks at batches.
    """

    order: np.ndarray | None = None
    batch: Any = None


@dataclass
class Epoch:
    """What came of an epoch of training.

    Attributes:
        complete: whether all batches were used.
        steps: the number of batches that were used.
        size: the number of samples in the last batch.
        logs: the mean loss over the samples, and the metrics after the last batch, by name.
    """

    complete: bool
    steps: int
    size: int
    logs: dict[str, Any]


def scalar(value: Any) -> Any:
    """A loss or metric without dims as the number that the dialect has: NumPy's, or Python's. Others stay arrays."""
    if not isinstance(value, (np.ndarray, np.generic)) or value.ndim:
        return value
    return value.item() if settings.dialect.python_numbers else np.asarray(value)[()]


def prepare_fit_hooks(
    model: Any, callbacks: Any, verbose: Any, count_mode: str, labels: list[str]
) -> cbks.CallbackList:
    """The callbacks of a fit in the order in which they are called: the bar first, ``model.history`` last."""
    chain: list[cbks.Callback] = []
    if verbose:
        chain.append(cbks.ProgbarLogger(count_mode, stateful_metrics=labels[1:]))
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


def train_epoch(
    hooks: cbks.CallbackList,
    epoch: int,
    batches: Batches,
    count: int | None,
    step: Callable,
    names: Names,
    fit: RunningFit,
) -> Epoch:
    """Train on the ``count`` batches of an epoch, or on all that there are, until a callback stops the training."""
    watched = hooks if hooks.watches_batches("train") else None
    done = hooks.batches_done(epoch)
    loss_sum, seen, size = 0.0, 0, 0
    values: list = []
    try:
        for size, values in _steps(watched, "train", islice(batches, done, None), step, names, fit, done):
            loss_sum += float(values[0]) * size
            seen += size
            done += 1
            if watched and watched.model.stop_training:
                break
    finally:
        fit.batch = None
    stopped = watched is not None and watched.model.stop_training
    complete = done > 0 and not stopped if count is None else done == count
    logs = dict(zip(names(), [loss_sum / seen, *map(scalar, values[1:])])) if seen else {}
    return Epoch(complete, done, size, logs)


def with_validation(logs: dict[str, Any], names: Iterable[str], values: Any) -> dict[str, Any]:
    """The logs of an epoch: those of training, and loss and metrics of validation, in the order that the dialect says."""
    validated = {f"val_{name}": value for name, value in zip(names, to_list(values))}
    return {**logs, **validated} if settings.dialect.validation_comes_last else {**validated, **logs}


def finish_fit(hooks: cbks.CallbackList) -> cbks.History:
    """End a fit: the last hook, and a word about a loss that became nan, unless a callback has said so.

    The weights become their moving averages, if the optimizer keeps any.
    """
    optimizer: Any = getattr(hooks.model, "optimizer", None)
    if getattr(optimizer, "use_ema", False):
        optimizer.finalize_variable_values(hooks.model.trainable_weights)
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


def evaluate_batches(hooks: cbks.CallbackList, batches: Batches, step: Callable, bar: Any, names: Names) -> Any:
    """The mean loss over the batches' samples, and the metrics after the last batch.

    Returns:
        A number, or a list of numbers if there are metrics or several outputs.

    Raises:
        ValueError: there are no samples.
    """
    hooks._call_begin_hook("test")
    watched = hooks if hooks.watches_batches("test") else None
    values: list = []
    loss_sum, seen = 0.0, 0
    for size, values in _steps(watched, "test", batches, step, names):
        loss_sum += float(values[0]) * size
        seen += size
        bar(size)
    if not seen:
        raise ValueError("Cannot evaluate on no data: there are 0 samples.")
    hooks._call_end_hook("test")
    return unpack_singleton([loss_sum / seen] + [float(v) if np.ndim(v) == 0 else v for v in values[1:]])


def predict_batches(hooks: cbks.CallbackList, batches: Batches, step: Callable, bar: Any) -> list:
    """The outputs of all batches, as one list per output of the model."""
    hooks._call_begin_hook("predict")
    watched = hooks if hooks.watches_batches("predict") else None
    results: list[list] = []
    for size, outputs in _steps(watched, "predict", batches, step):
        results.append(outputs)
        bar(size)
    hooks._call_end_hook("predict")
    return [list(parts) for parts in zip(*results)]


def _steps(
    hooks: cbks.CallbackList | None,
    mode: str,
    batches: Batches,
    step: Callable,
    names: Names | None = None,
    fit: RunningFit | None = None,
    first: int = 0,
) -> Iterator[tuple[int, list]]:
    """Make the step for every batch, between its hooks if there are any; yield its size and results.

    Args:
        first: the number of the first batch.
    """
    if hooks is None:
        for batch, size in batches:
            yield size, step(batch)
        return
    labels: list[str] | None = None
    for index, (batch, size) in enumerate(batches, first):
        logs: dict[str, Any] = {"batch": index, "size": size}
        hooks._call_batch_hook(mode, "begin", index, logs)
        if fit is not None:
            fit.batch = batch
        values = step(batch)
        if names is None:
            logs["outputs"] = values
        else:
            labels = labels or names()
            logs.update(zip(labels, map(scalar, values)))
        hooks._call_batch_hook(mode, "end", index, logs)
        yield size, values


def concatenate(outputs: list[list]) -> Any:
    """Predictions of batches as one array, or a list of arrays if there are several outputs."""
    return unpack_singleton([parts[0] if len(parts) == 1 else np.concatenate(parts) for parts in outputs])


def progress(target: int | None, verbose: Any, by_steps: bool) -> Callable[[int], None]:
    """A function to call with the size of each batch that is done; it moves a progress bar, if ``verbose`` asks for one."""
    if verbose not in (1, "auto"):
        return lambda size: None
    bar = Progbar(target=target)
    return lambda size: bar.add(1 if by_steps else size)
