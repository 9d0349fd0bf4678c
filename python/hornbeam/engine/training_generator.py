"""The loops of fit, evaluate and predict over generators and Sequences."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import callbacks as cbks
from ..utils.generic_utils import to_list, unpack_singleton
from ..utils.progbar import Progbar
from .training_utils import is_generator_or_sequence, is_sequence, iter_sequence_infinite, should_run_validation


def fit_generator(
    model,
    generator,
    steps_per_epoch=None,
    epochs=1,
    verbose=1,
    callbacks=None,
    validation_data=None,
    validation_steps=None,
    validation_freq=1,
    class_weight=None,
    max_queue_size=10,
    workers=1,
    use_multiprocessing=False,
    shuffle=True,
    initial_epoch=0,
):
    """Train on what ``generator`` yields; see :meth:`Model.fit_generator`."""
    steps = _steps(generator, steps_per_epoch, "steps_per_epoch")
    recount = steps_per_epoch is None  # a Sequence may change its length from epoch to epoch
    do_validation = validation_data is not None and (
        is_generator_or_sequence(validation_data) or len(validation_data) > 0
    )
    if getattr(model, "optimizer", None) is None or (model.outputs and not model._is_compiled):
        model._check_compiled()

    model.history = cbks.History()
    hooks = _fit_hooks(model, callbacks, verbose)
    callback_model = model._get_callback_model()
    hooks.set_model(callback_model)

    def params() -> dict:
        labels = model.metrics_names
        metrics = labels + [f"val_{label}" for label in labels]
        return {
            "epochs": epochs,
            "steps": steps,
            "verbose": verbose,
            "do_validation": do_validation,
            "metrics": metrics,
        }

    hooks.set_params(params())
    callback_model.stop_training = False
    with (
        _running(generator, workers, max_queue_size, use_multiprocessing, shuffle) as (batches, enqueuer),
        _validation(
            model, hooks, validation_data, validation_steps, workers, max_queue_size, use_multiprocessing, do_validation
        ) as validate,
    ):
        hooks._call_begin_hook("train")
        for epoch in range(initial_epoch, epochs):
            model.reset_metrics()
            hooks.on_epoch_begin(epoch)
            size = 0
            for index in range(steps):
                x, y, sample_weight = _unpack(next(batches))
                size = _batch_size(x)
                logs: dict[str, Any] = {"batch": index, "size": size}
                hooks._call_batch_hook("train", "begin", index, logs)
                values = model.train_on_batch(
                    x, y, sample_weight=sample_weight, class_weight=class_weight, reset_metrics=False
                )
                logs.update(zip(model.metrics_names, to_list(values)))
                hooks._call_batch_hook("train", "end", index, logs)
                if callback_model.stop_training:
                    break
            epoch_logs = {}
            if do_validation and not callback_model.stop_training and should_run_validation(validation_freq, epoch):
                epoch_logs = {f"val_{k}": v for k, v in zip(model.metrics_names, to_list(validate(size)))}
            if epoch == initial_epoch:
                hooks.set_params(params())  # a model built on its first batch knows its metrics only now
            hooks.on_epoch_end(epoch, epoch_logs)
            if callback_model.stop_training:
                break
            if is_sequence(generator) and workers == 0:
                generator.on_epoch_end()
            if recount:
                if enqueuer is not None:
                    enqueuer.join_end_of_epoch()
                steps = len(generator)
                hooks.set_params(params())
    hooks._call_end_hook("train")
    return model.history


def evaluate_generator(
    model,
    generator,
    steps=None,
    callbacks=None,
    max_queue_size=10,
    workers=1,
    use_multiprocessing=False,
    verbose=0,
):
    """Loss and metrics over what ``generator`` yields; see :meth:`Model.evaluate_generator`."""
    model.reset_metrics()
    steps = _steps(generator, steps, "steps")
    hooks = _hooks(model, callbacks, {"steps": steps, "verbose": verbose})
    progbar = Progbar(target=steps) if verbose == 1 else None
    loss_sum, seen, values = 0.0, 0, []
    with _running(generator, workers, max_queue_size, use_multiprocessing) as (batches, _):
        hooks._call_begin_hook("test")
        for index in range(steps):
            x, y, sample_weight = _unpack(next(batches))
            size = _batch_size(x)
            if size == 0:
                raise ValueError("Received an empty batch. Batches should contain at least one item.")
            logs: dict[str, Any] = {"batch": index, "size": size}
            hooks._call_batch_hook("test", "begin", index, logs)
            values = to_list(model.test_on_batch(x, y, sample_weight=sample_weight, reset_metrics=False))
            loss_sum += float(values[0]) * size
            seen += size
            logs.update(zip(model.metrics_names, values))
            hooks._call_batch_hook("test", "end", index, logs)
            if progbar is not None:
                progbar.update(index + 1)
        hooks._call_end_hook("test")
    return unpack_singleton([loss_sum / seen] + [float(value) for value in values[1:]])


def predict_generator(
    model,
    generator,
    steps=None,
    callbacks=None,
    max_queue_size=10,
    workers=1,
    use_multiprocessing=False,
    verbose=0,
):
    """Outputs for what ``generator`` yields; see :meth:`Model.predict_generator`."""
    steps = _steps(generator, steps, "steps")
    hooks = _hooks(model, callbacks, {"steps": steps, "verbose": verbose})
    progbar = Progbar(target=steps) if verbose == 1 else None
    results = []
    with _running(generator, workers, max_queue_size, use_multiprocessing) as (batches, _):
        hooks._call_begin_hook("predict")
        for index in range(steps):
            item = next(batches)
            x = _unpack(item)[0] if isinstance(item, tuple) else item
            size = _batch_size(x)
            if size == 0:
                raise ValueError("Received an empty batch. Batches should contain at least one item.")
            logs: dict[str, Any] = {"batch": index, "size": size}
            hooks._call_batch_hook("predict", "begin", index, logs)
            outputs = to_list(model.predict_on_batch(x))
            results.append(outputs)
            logs["outputs"] = outputs
            hooks._call_batch_hook("predict", "end", index, logs)
            if progbar is not None:
                progbar.update(index + 1)
        hooks._call_end_hook("predict")
    return unpack_singleton([np.concatenate(parts) if steps > 1 else parts[0] for parts in zip(*results)])


def _steps(generator: Any, steps: int | None, name: str) -> int:
    if steps is not None:
        return steps
    if is_sequence(generator):
        return len(generator)
    raise ValueError(
        f"`{name}=None` is only valid for a generator based on the `keras.utils.Sequence` class. Please specify "
        f"`{name}` or use the `keras.utils.Sequence` class."
    )


def _unpack(item: Any) -> tuple:
    if not isinstance(item, (tuple, list)) or len(item) not in (2, 3):
        raise ValueError(
            f"Output of generator should be a tuple `(x, y, sample_weight)` or `(x, y)`. Found: {str(item)[:200]}"
        )
    x, y, *weight = item
    return x, y, weight[0] if weight else None


def _batch_size(x: Any) -> int:
    if isinstance(x, dict):
        x = next(iter(x.values()))
    elif isinstance(x, (list, tuple)) and len(x) and hasattr(x[0], "shape"):
        x = x[0]
    return x.shape[0] if hasattr(x, "shape") else len(x)


def _fit_hooks(model: Any, callbacks: Any, verbose: int) -> Any:
    stateful = model.metrics_names[1:]
    chain: list[cbks.Callback] = [cbks.BaseLogger(stateful_metrics=stateful)]
    if verbose:
        chain.append(cbks.ProgbarLogger("steps", stateful_metrics=stateful))
    return cbks.CallbackList(chain + list(callbacks or []) + [model.history])


def _hooks(model: Any, callbacks: Any, params: dict) -> Any:
    if isinstance(callbacks, cbks.CallbackList):
        return callbacks
    hooks = cbks.CallbackList(callbacks)
    hooks.set_model(model)
    hooks.set_params(params)
    return hooks


@contextmanager
def _running(
    generator: Any, workers: int, max_queue_size: int, use_multiprocessing: bool, shuffle: bool = False
) -> Iterator[tuple[Iterator, Any]]:
    """Yield an endless iterator over the batches, and the enqueuer that produces them beside the training, if any."""
    sequence = is_sequence(generator)
    if workers == 0:
        yield (iter_sequence_infinite(generator) if sequence else generator), None
        return
    if not sequence and use_multiprocessing and workers > 1:
        warnings.warn(
            "Using a generator with `use_multiprocessing=True` and multiple workers may duplicate your data. Please "
            "consider using the `keras.utils.Sequence class.",
            stacklevel=5,
        )
    from ..utils.enqueuers import GeneratorEnqueuer, OrderedEnqueuer  # multiprocessing takes a while to import

    if sequence:
        enqueuer: Any = OrderedEnqueuer(generator, use_multiprocessing=use_multiprocessing, shuffle=shuffle)
    else:
        enqueuer = GeneratorEnqueuer(generator, use_multiprocessing=use_multiprocessing)
    enqueuer.start(workers=workers, max_queue_size=max_queue_size)
    try:
        yield enqueuer.get(), enqueuer if sequence else None
    finally:
        enqueuer.stop()


@contextmanager
def _validation(
    model: Any,
    hooks: Any,
    data: Any,
    steps: int | None,
    workers: int,
    max_queue_size: int,
    use_multiprocessing: bool,
    wanted: bool,
) -> Iterator[Any]:
    """Yield a function of the batch size that evaluates the model on the validation data."""
    if not wanted:
        yield None
    elif is_generator_or_sequence(data):
        steps = _steps(data, steps or None, "validation_steps")
        with _running(data, workers, max_queue_size, use_multiprocessing) as (batches, _):
            yield lambda _: model.evaluate_generator(batches, steps, callbacks=hooks, workers=0)
    else:
        if len(data) not in (2, 3):
            raise ValueError(
                "`validation_data` should be a tuple `(val_x, val_y, val_sample_weight)` or `(val_x, val_y)`. "
                f"Found: {str(data)[:200]}"
            )
        x, y, *weight = data
        weight = weight[0] if weight else None
        if model.outputs:
            arrays = [part for parts in model._standardize_user_data(x, y, weight) for part in parts]
            for callback in hooks.callbacks:
                callback.validation_data = arrays
        yield lambda size: model.evaluate(x, y, batch_size=size, sample_weight=weight, callbacks=hooks, verbose=0)
