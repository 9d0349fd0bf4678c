"""The loops of fit, evaluate and predict over arrays.

A batch costs one call of a Function. Shuffled batches are fed as (array, row indices), gathered in C++;
consecutive ones are views. Logs are made only if a callback looks at batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import callbacks as cbks
from ..utils.generic_utils import slice_arrays, to_list, unpack_singleton
from ..utils.progbar import Progbar
from .training_utils import batch_shuffle, check_num_samples, make_batches, should_run_validation


def scalar(value: Any) -> Any:
    """A zero-dimensional array as the NumPy scalar that Keras users expect of losses and metrics."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def fit_loop(
    model,
    fit_function,
    fit_inputs,
    out_labels=None,
    batch_size=None,
    epochs=100,
    verbose=1,
    callbacks=None,
    val_function=None,
    val_inputs=None,
    shuffle=True,
    initial_epoch=0,
    steps_per_epoch=None,
    validation_steps=None,
    validation_freq=1,
):
    """Train; see :meth:`Model.fit`. ``fit_inputs`` are the feeds of ``fit_function``, for all samples.

    Returns:
        The model's ``History``.
    """
    do_validation = val_function is not None and val_inputs is not None
    if validation_steps:
        do_validation = True
        if steps_per_epoch is None:
            raise ValueError("Can only use `validation_steps` when doing step-wise training, i.e. `steps_per_epoch` "
                             "must be set.")  # fmt: skip
    samples = check_num_samples(fit_inputs, batch_size=batch_size, steps=steps_per_epoch, steps_name="steps_per_epoch")
    if samples == 0:
        raise ValueError("Cannot train on no data: the arrays have 0 samples.")
    if do_validation and verbose and samples is not None and len(val_inputs) and hasattr(val_inputs[0], "shape"):
        print(f"Train on {samples} samples, validate on {val_inputs[0].shape[0]} samples")

    labels = list(out_labels or [])
    model.history = cbks.History()
    base_logger = cbks.BaseLogger(stateful_metrics=model.metrics_names[1:])
    chain: list[cbks.Callback] = [base_logger]
    if verbose:
        count_mode = "steps" if steps_per_epoch is not None else "samples"
        chain.append(cbks.ProgbarLogger(count_mode, stateful_metrics=model.metrics_names[1:]))
    hooks = cbks.CallbackList(chain + list(callbacks or []) + [model.history])
    callback_model = model._get_callback_model()
    hooks.set_model(callback_model)
    hooks.set_params(
        {
            "batch_size": batch_size,
            "epochs": epochs,
            "steps": steps_per_epoch,
            "samples": samples,
            "verbose": verbose,
            "do_validation": do_validation,
            "metrics": labels + ([f"val_{label}" for label in labels] if do_validation else []),
        }
    )
    callback_model.stop_training = False
    for callback in hooks.callbacks:
        callback.validation_data = val_inputs
    hooks._call_begin_hook("train")

    order = _first_order(model, samples, initial_epoch)
    for epoch in range(initial_epoch, epochs):
        model.reset_metrics()
        hooks.on_epoch_begin(epoch)
        if shuffle and order is not None and steps_per_epoch is None:
            order = batch_shuffle(order, batch_size) if shuffle == "batch" else _shuffled(order)
            model._sample_order = order
        batches = (
            _whole(fit_inputs, steps_per_epoch)
            if steps_per_epoch is not None
            else _batches(fit_inputs, order, samples, batch_size, bool(shuffle))
        )
        _train_epoch(fit_function, batches, labels, hooks, base_logger, callback_model)
        epoch_logs: dict[str, Any] = {}
        if do_validation and not callback_model.stop_training and should_run_validation(validation_freq, epoch):
            values = test_loop(
                model,
                val_function,
                val_inputs,
                batch_size=None if validation_steps else batch_size,
                steps=validation_steps,
                callbacks=hooks,
                verbose=0,
            )
            epoch_logs = {f"val_{label}": value for label, value in zip(labels, to_list(values))}
        hooks.on_epoch_end(epoch, epoch_logs)
        if callback_model.stop_training:
            break
    hooks._call_end_hook("train")
    model._sample_order = None
    return model.history


def _first_order(model: Any, samples: int | None, initial_epoch: int) -> np.ndarray | None:
    """The order that the first epoch shuffles: where training is resumed, the one its last epoch left."""
    resumed, model._resume_order = model._resume_order, None
    if samples is None:
        return None
    return resumed if initial_epoch > 0 and resumed is not None and len(resumed) == samples else np.arange(samples)


def _shuffled(order: np.ndarray) -> np.ndarray:
    np.random.shuffle(order)
    return order


def _train_epoch(function: Any, batches: Iterator, labels: list, hooks: Any, base_logger: Any, model: Any) -> None:
    if hooks.watches_batches("train", except_for=base_logger):
        for index, (feeds, size) in enumerate(batches):
            logs = {"batch": index, "size": size}
            hooks._call_batch_hook("train", "begin", index, logs)
            for label, value in zip(labels, function(feeds)):
                logs[label] = scalar(value)
            hooks._call_batch_hook("train", "end", index, logs)
            if model.stop_training:
                return
        return
    # Nobody looks at single batches: keep what BaseLogger would have added up.
    loss_sum, seen, values = 0.0, 0, None
    for feeds, size in batches:
        values = function(feeds)
        loss_sum += float(values[0]) * size
        seen += size
    if values is not None:
        base_logger.set_totals(seen, loss_sum, labels, values)


def _batches(ins: list, order: Any, samples: int, batch_size: int, shuffled: bool) -> Iterator[tuple[list, int]]:
    """Feeds and size of each batch."""
    in_memory = all(isinstance(x, np.ndarray) for x in ins)
    for start, end in make_batches(samples, batch_size):
        if not shuffled:
            yield [x[start:end] for x in ins] if in_memory else slice_arrays(ins, start, end), end - start
        elif in_memory:
            rows = order[start:end]
            yield [(x, rows) for x in ins], end - start
        else:  # data on disk, such as HDF5Matrix
            try:
                yield slice_arrays(ins, order[start:end]), end - start
            except TypeError:
                raise TypeError(
                    'TypeError while preparing batch. If using HDF5 input data, pass shuffle="batch".'
                ) from None


def _whole(ins: list, steps: int) -> Iterator[tuple[list, int]]:
    for _ in range(steps):
        yield ins, 1


def _prepare_hooks(model: Any, callbacks: Any, mode: str, params: dict) -> Any:
    """CallbackList for evaluation or prediction; one that is passed in belongs to a running fit."""
    if isinstance(callbacks, cbks.CallbackList):
        return callbacks
    hooks = cbks.CallbackList(callbacks)
    hooks.set_model(model)
    hooks.set_params(params)
    return hooks


def predict_loop(model, f, ins, batch_size=32, verbose=0, steps=None, callbacks=None):
    """Run ``f`` over all samples of ``ins`` and concatenate what it gives.

    Returns:
        An array, or a list of arrays if there are several outputs.
    """
    samples = check_num_samples(ins, batch_size=batch_size, steps=steps, steps_name="steps")
    hooks = _prepare_hooks(
        model,
        callbacks,
        "predict",
        {"batch_size": batch_size, "steps": steps, "samples": samples, "verbose": verbose},
    )
    progbar = None
    if verbose == 1:
        progbar = Progbar(target=steps if steps is not None else samples)
    hooks._call_begin_hook("predict")
    watched = hooks.watches_batches("predict")
    batches = (
        _whole(ins, steps) if steps is not None else _batches(ins, None, samples, min(batch_size, samples or 1), False)
    )
    results: list[list[np.ndarray]] = []
    done = 0
    for index, (feeds, size) in enumerate(batches):
        logs = {"batch": index, "size": size}
        if watched:
            hooks._call_batch_hook("predict", "begin", index, logs)
        outputs = f(feeds)
        results.append(outputs)
        if watched:
            logs["outputs"] = outputs
            hooks._call_batch_hook("predict", "end", index, logs)
        done += size
        if progbar is not None:
            progbar.update(done)
    hooks._call_end_hook("predict")
    if not results:  # no samples: the shapes of the outputs still hold
        results.append(f([np.asarray(x)[:0] for x in ins]))
    if len(results) == 1:
        return unpack_singleton(list(results[0]))
    return unpack_singleton([np.concatenate(parts) for parts in zip(*results)])


def test_loop(model, f, ins, batch_size=None, verbose=0, steps=None, callbacks=None):
    """Run ``f`` over all samples of ``ins``: the loss is averaged, metrics keep their own count.

    Returns:
        A number, or a list of numbers if there are metrics or several outputs.
    """
    model.reset_metrics()
    samples = check_num_samples(ins, batch_size=batch_size, steps=steps, steps_name="steps")
    if samples == 0:
        raise ValueError("Cannot evaluate on no data: the arrays have 0 samples.")
    hooks = _prepare_hooks(
        model,
        callbacks,
        "test",
        {"batch_size": batch_size, "steps": steps, "samples": samples, "verbose": verbose},
    )
    progbar = None
    if verbose == 1:
        progbar = Progbar(target=steps if steps is not None else samples)
    hooks._call_begin_hook("test")
    watched = hooks.watches_batches("test")
    labels = model.metrics_names
    batches = _whole(ins, steps) if steps is not None else _batches(ins, None, samples, batch_size, False)
    loss_sum, seen, values = 0.0, 0, []
    for index, (feeds, size) in enumerate(batches):
        logs: dict[str, Any] = {"batch": index, "size": size}
        if watched:
            hooks._call_batch_hook("test", "begin", index, logs)
        values = f(feeds)
        loss_sum += float(values[0]) * size
        seen += size
        if watched:
            logs.update(zip(labels, map(scalar, values)))
            hooks._call_batch_hook("test", "end", index, logs)
        if progbar is not None:
            progbar.update(seen)
    hooks._call_end_hook("test")
    return unpack_singleton([loss_sum / seen] + [scalar(value) for value in values[1:]])
