"""fit, evaluate and predict over arrays.

A batch costs one call of a Function. Shuffled batches are fed as (array, row indices), gathered in C++;
consecutive ones are views.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import backend as K
from .._core import DeviceArray
from ..graph import as_array
from ..utils.generic_utils import slice_arrays
from ..utils.io_messages import show
from . import batch_loop
from .prefetching import overlapping
from .training_utils import batch_shuffle, check_num_samples, make_batches, should_run_validation


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
    validation_batch_size=None,
    validate=None,
):
    """Train; see :meth:`Model.fit`. ``fit_inputs`` are the feeds of ``fit_function``, for all samples.

    Args:
        validate: what gives the values of validation, from the callbacks; by default they are computed of ``val_inputs``.

    Returns:
        The model's ``History``.
    """
    do_validation = validate is not None or (val_function is not None and val_inputs is not None)
    if validation_steps:
        if steps_per_epoch is None:
            raise ValueError("Can only use `validation_steps` when doing step-wise training, i.e. `steps_per_epoch` "
                             "must be set.")  # fmt: skip
        do_validation = True
    elif do_validation and steps_per_epoch and validate is None:
        raise ValueError("Must specify `validation_steps` to perform validation when doing step-wise training.")
    samples = check_num_samples(fit_inputs, batch_size=batch_size, steps=steps_per_epoch, steps_name="steps_per_epoch")
    if samples == 0:
        raise ValueError("Cannot train on no data: the arrays have 0 samples.")
    if do_validation and verbose and samples is not None and val_inputs and hasattr(val_inputs[0], "shape"):
        show(f"Train on {samples} samples, validate on {val_inputs[0].shape[0]} samples\n")

    labels = list(out_labels or model.metrics_names)
    count_mode = "samples" if steps_per_epoch is None else "steps"
    hooks = batch_loop.prepare_fit_hooks(model, callbacks, verbose, count_mode, labels)
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
    hooks.model.stop_training = False
    for callback in hooks.callbacks:
        callback.validation_data = val_inputs
    hooks._call_begin_hook("train")

    if shuffle and steps_per_epoch is None:  # batches are gathered from the host's memory
        fit_inputs = [as_array(x) if isinstance(x, DeviceArray) else x for x in fit_inputs]
    step, through = overlapping(fit_function, fit_inputs, hooks, "train")
    model._running_fit = fit = batch_loop.RunningFit()
    first_epoch = hooks.first_epoch(initial_epoch)
    within = hooks.batches_done(first_epoch) > 0
    order, resumed = _first_order(model, samples, first_epoch > 0 or within)
    for epoch in range(first_epoch, epochs):
        model.reset_metrics()
        hooks.on_epoch_begin(epoch)
        if steps_per_epoch is not None:
            batches, count = through(_whole(fit_inputs, steps_per_epoch)), steps_per_epoch
        else:
            if shuffle:
                if not (resumed and within and epoch == first_epoch):  # an epoch that was begun keeps its order
                    order = batch_shuffle(order, batch_size) if shuffle == "batch" else _shuffled(order)
                fit.order = order
            batches = through(_batches(fit_inputs, order if shuffle else None, samples, batch_size))
            count = -(-samples // batch_size)
        trained = batch_loop.train_epoch(hooks, epoch, batches, count, step, lambda: labels, fit)
        logs = trained.logs
        if trained.complete and do_validation and should_run_validation(validation_freq, epoch):
            values = (
                validate(hooks)
                if validate is not None
                else test_loop(
                    model,
                    val_function,
                    val_inputs,
                    batch_size=None if validation_steps else validation_batch_size or batch_size,
                    steps=validation_steps,
                    callbacks=hooks,
                    out_labels=labels,
                )
            )
            logs = batch_loop.with_validation(logs, labels, values)
        hooks.on_epoch_end(epoch, logs)
        if hooks.model.stop_training:
            break
    history = batch_loop.finish_fit(hooks)
    model._running_fit = None
    return history


def _first_order(model: Any, samples: int | None, resumes: bool) -> tuple[np.ndarray | None, bool]:
    """The order that the first epoch begins with, and whether a file had it: where training is resumed, that of its last epoch."""
    stored, model._resume_order = model._resume_order, None
    if samples is None:
        return None, False
    if resumes and stored is not None and len(stored) == samples:
        return stored, True
    return np.arange(samples), False


def _shuffled(order: np.ndarray) -> np.ndarray:
    np.random.shuffle(order)
    return order


def predict_loop(model, f, ins, batch_size=32, verbose=0, steps=None, callbacks=None):
    """Run ``f`` over all samples of ``ins`` and concatenate what it gives.

    Returns:
        An array, or a list of arrays if there are several outputs.
    """
    results = batch_loop.predict_batches(*_one_pass(model, f, ins, "predict", batch_size, verbose, steps, callbacks))
    if not results:  # no samples: the shapes of the outputs still hold
        results = [[output] for output in f([x[:0] for x in ins])]
    return batch_loop.concatenate(results)


def test_loop(model, f, ins, batch_size=None, verbose=0, steps=None, callbacks=None, out_labels=None):
    """Run ``f`` over all samples of ``ins``: the loss is averaged, metrics keep their own count.

    Args:
        out_labels: the names of what ``f`` gives; ``model.metrics_names`` by default.

    Returns:
        A number, or a list of numbers if there are metrics or several outputs.
    """
    model.reset_metrics()
    labels = list(out_labels or model.metrics_names)
    one_pass = _one_pass(model, f, ins, "test", batch_size, verbose, steps, callbacks, metrics=labels)
    return batch_loop.evaluate_batches(*one_pass, lambda: labels)


def _one_pass(
    model: Any,
    f: Any,
    ins: list,
    mode: str,
    batch_size: int | None,
    verbose: Any,
    steps: int | None,
    callbacks: Any,
    **params: Any,
) -> tuple:
    """Hooks, batches, step and progress bar of one pass over all samples, or of ``steps`` over tensors."""
    samples = check_num_samples(ins, batch_size=batch_size, steps=steps, steps_name="steps")
    hooks = batch_loop.prepare_hooks(
        model, callbacks, batch_size=batch_size, steps=steps, samples=samples, verbose=verbose, **params
    )
    step, through = overlapping(f, ins, hooks, mode)
    if steps is not None:
        return hooks, through(_whole(ins, steps)), step, batch_loop.progress(steps, verbose, by_steps=True)
    batches = through(_batches(ins, None, samples, batch_size))
    return hooks, batches, step, batch_loop.progress(samples, verbose, by_steps=False)


def _batches(ins: list, order: Any, samples: Any, batch_size: Any) -> Iterator[tuple[list, int]]:
    """Feeds and size of each batch, in the order given or as the data are."""
    in_memory = all(isinstance(x, np.ndarray) for x in ins)
    for start, end in make_batches(samples, batch_size):
        if in_memory:
            if order is None:
                yield [x[start:end] for x in ins], end - start
            else:
                rows = order[start:end]
                yield [(x, rows) for x in ins], end - start
            continue
        try:  # data on disk, such as HDF5Matrix, or sparse matrices
            parts = slice_arrays(ins, start, end) if order is None else slice_arrays(ins, order[start:end])
        except TypeError:
            raise TypeError(
                'TypeError while preparing batch. If using HDF5 input data, pass shuffle="batch".'
            ) from None
        yield feedable(parts), end - start


def _whole(ins: list, steps: int) -> Iterator[tuple[list, int]]:
    """All data in each step; tensors are evaluated each time, since they may hold random numbers."""
    for _ in range(steps):
        yield feedable(ins), 1


def feedable(values: list) -> list:
    """Arrays that a Function takes, from arrays, tensors and SciPy's sparse matrices."""
    if all(type(x) is np.ndarray for x in values):
        return values
    return [x.numpy() if K.is_tensor(x) else x.toarray() if hasattr(x, "toarray") else x for x in values]
