"""fit, evaluate and predict over generators and Sequences."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..settings import settings
from ..utils.generic_utils import to_list
from ..utils.messages import describe, warn_user
from . import batch_loop
from .datasets import Validation, is_dataset
from .feeding import check_class_numbers, check_stateful_batches
from .training_arrays import test_loop
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
    validation_batch_size=None,
):
    """Train on batches from a generator or ``Sequence``, produced beside the training; see :meth:`Model.fit`."""
    steps = _steps(generator, steps_per_epoch, "steps_per_epoch")
    recount = steps_per_epoch is None and steps is not None  # a Sequence may change its length from epoch to epoch
    do_validation = validation_data is not None and (
        is_dataset(validation_data) or is_generator_or_sequence(validation_data) or len(validation_data) > 0
    )
    if getattr(model, "optimizer", None) is None or (model.outputs and not model._is_compiled):
        model._check_compiled()

    def names() -> list[str]:
        return model.metrics_names  # one that is built on its first batch knows them only then

    hooks = batch_loop.prepare_fit_hooks(model, callbacks, verbose, "steps", names())

    def set_params() -> None:
        labels = names()
        hooks.set_params(
            {
                "epochs": epochs,
                "steps": steps,
                "verbose": verbose,
                "do_validation": do_validation,
                "metrics": labels + [f"val_{label}" for label in labels],
            }
        )

    def train(data: tuple) -> list:
        x, y, sample_weight = data
        return to_list(model.train_on_batch(x, y, sample_weight, class_weight, reset_metrics=False))

    set_params()
    hooks.model.stop_training = False
    hooks._call_begin_hook("train")  # before workers ask for batches, which a callback may have to prepare
    with (
        _running(generator, workers, max_queue_size, use_multiprocessing, shuffle) as (batches, enqueuer),
        _validation(
            model, hooks, validation_data, validation_steps, workers, max_queue_size, use_multiprocessing, do_validation
        ) as validate,
    ):
        model._running_fit = fit = batch_loop.RunningFit()
        for epoch in range(hooks.first_epoch(initial_epoch), epochs):
            model.reset_metrics()
            hooks.on_epoch_begin(epoch)
            trained = batch_loop.train_epoch(hooks, epoch, _take(batches, steps), steps, train, names, fit)
            if not trained.steps:
                break  # the generator has ended, and the script is one that may let it
            logs = trained.logs
            if trained.complete and do_validation and should_run_validation(validation_freq, epoch):
                logs = batch_loop.with_validation(logs, names(), validate(validation_batch_size or trained.size))
            if len(hooks.params["metrics"]) < 2 * len(names()):
                set_params()
            hooks.on_epoch_end(epoch, logs)
            if hooks.model.stop_training or (steps is not None and trained.steps < steps):
                break
            if steps is None:
                steps = trained.steps
                set_params()
            if is_sequence(generator) and workers == 0:
                generator.on_epoch_end()
            if recount:
                if enqueuer is not None:
                    enqueuer.join_end_of_epoch()
                steps = len(generator)
                set_params()
    history = batch_loop.finish_fit(hooks)
    model._running_fit = None
    return history


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
    """Compute loss and metrics on batches from a generator or ``Sequence``; see :meth:`Model.evaluate`."""
    model.reset_metrics()
    steps = _steps(generator, steps, "steps")
    hooks = batch_loop.prepare_hooks(model, callbacks, steps=steps, verbose=verbose, metrics=list(model.metrics_names))

    def test(data: tuple) -> list:
        x, y, sample_weight = data
        return to_list(model.test_on_batch(x, y, sample_weight, reset_metrics=False))

    with _running(generator, workers, max_queue_size, use_multiprocessing) as (batches, _):
        bar = batch_loop.progress(steps, verbose, by_steps=True)
        data = _take(batches, steps, empty=False)
        return batch_loop.evaluate_batches(hooks, data, test, bar, lambda: model.metrics_names)


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
    """Compute the outputs for batches from a generator or ``Sequence``; see :meth:`Model.predict`."""
    steps = _steps(generator, steps, "steps")
    hooks = batch_loop.prepare_hooks(model, callbacks, steps=steps, verbose=verbose)

    def predict(data: tuple) -> list:
        return to_list(model.predict_on_batch(data[0]))

    with _running(generator, workers, max_queue_size, use_multiprocessing) as (batches, _):
        inputs = (item if isinstance(item, tuple) else (item, None) for item in batches)
        bar = batch_loop.progress(steps, verbose, by_steps=True)
        return batch_loop.concatenate(
            batch_loop.predict_batches(hooks, _take(inputs, steps, empty=False), predict, bar)
        )


def _steps(generator: Any, steps: float | None, name: str) -> int | None:
    """The number of batches to take; None for all that there are."""
    if steps is not None:
        return math.ceil(steps)  # scripts of Python 2 times say `len(x) / batch_size`
    if is_sequence(generator):
        return len(generator)
    if settings.dialect.generators_end:
        return None
    raise ValueError(
        f"`{name}=None` is only valid for a generator based on the `keras.utils.Sequence` class. Please specify "
        f"`{name}` or use the `keras.utils.Sequence` class."
    )


def _unpack(item: Any) -> tuple:
    if not isinstance(item, (tuple, list)) or len(item) not in (2, 3):
        raise ValueError(
            f"Output of generator should be a tuple `(x, y, sample_weight)` or `(x, y)`. Found: {describe(item)}"
        )
    x, y, *weight = item
    return x, y, weight[0] if weight else None


def _take(batches: Iterator, count: int | None, empty: bool = True) -> Iterator[tuple[tuple, int]]:
    """``(x, y, sample_weight)`` and size of the next ``count`` batches, or of all that come.

    Raises:
        ValueError: the generator ends before, and in the script's dialect none may; or it yields an empty batch and
            ``empty`` is False.
    """
    for done in itertools.count() if count is None else range(count):
        try:
            data = _unpack(next(batches))
        except StopIteration:
            if count is None:
                return
            told = (
                f"The generator ended after {done} of {count} batches. It has to yield a batch for every step of every "
                "epoch: let it loop over the data for ever, or pass fewer steps."
            )
            if not settings.dialect.generators_end:
                raise ValueError(told) from None
            warn_user(told)
            return
        size = _batch_size(data[0])
        if size == 0 and not empty:
            raise ValueError("Received an empty batch. Batches should contain at least one item.")
        yield data, size


def _batch_size(x: Any) -> int:
    if isinstance(x, dict):
        x = next(iter(x.values()))
    elif isinstance(x, (list, tuple)) and len(x) and hasattr(x[0], "shape"):
        x = x[0]
    if x is None or (isinstance(x, (list, tuple)) and not x):
        return 1  # a model that is fed by tensors of its own
    return x.shape[0] if hasattr(x, "shape") else len(x)


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
        warn_user(
            "Using a generator with `use_multiprocessing=True` and multiple workers may duplicate your data. Please "
            "consider using the `keras.utils.Sequence class."
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
    elif is_dataset(data):
        validate_on = Validation(model, data, steps)
        yield lambda _: validate_on(hooks)
    elif is_generator_or_sequence(data):
        steps = _steps(data, steps or None, "validation_steps")
        with _running(data, workers, max_queue_size, use_multiprocessing) as (batches, _):
            yield lambda _: model.evaluate_generator(batches, steps, callbacks=hooks, workers=0)
    else:
        if len(data) not in (2, 3):
            raise ValueError(
                "`validation_data` should be a tuple `(val_x, val_y, val_sample_weight)` or `(val_x, val_y)`. "
                f"Found: {describe(data)}"
            )
        x, y, *weight = data
        feeds: list = []

        def standardize() -> None:
            arrays = model._training_data(x, y, *weight)
            check_class_numbers(model, arrays[1])
            feeds[:] = [part for parts in arrays for part in parts]

        def validate(size: int) -> Any:
            if not feeds:
                standardize()
            with model._lock:
                size = model._validate_or_infer_batch_size(size, None, x)
                check_stateful_batches(model, feeds, size)
                model._make_test_function()
                step, labels = model.test_function, model.metrics_names
            return test_loop(model, step, feeds, batch_size=size, callbacks=hooks, out_labels=labels)

        if model.outputs:  # else it is built on its first batch
            standardize()
            for callback in hooks.callbacks:
                callback.validation_data = feeds
        yield validate
