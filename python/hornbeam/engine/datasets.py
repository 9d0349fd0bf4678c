"""fit, evaluate and predict over data sets (``tf.data``), which end and begin anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..utils.generic_utils import to_list
from ..utils.messages import warn_user
from . import batch_loop
from .data_adapter import unpack_x_y_sample_weight
from .training_utils import should_run_validation


def is_dataset(x: Any) -> bool:
    """Whether ``x`` gives elements as ``tf.data.Dataset`` does."""
    return hasattr(x, "element_spec") and hasattr(x, "as_numpy_iterator")


def check_arguments(method: str, **given: Any) -> None:
    """Raise ValueError where arguments are given that a data set says itself."""
    for name, value in given.items():
        if value is not None:
            raise ValueError(
                f"`{name}` must not be given to `{method}` with a data set: its elements are batches that hold it."
            )


class Passes:
    """The batches of a data set, read ahead of their use.

    Args:
        steps: the batches of an epoch; None for all. With a number, an epoch goes on where the last one ended.

    Attributes:
        steps: the batches of an epoch, as far as it is known.
        ended: whether the data set had fewer batches than the steps asked for.
    """

    def __init__(self, dataset: Any, steps: int | None = None) -> None:
        count = int(dataset.cardinality())
        known = count if count >= 0 else None
        if steps is None and count == -1:
            raise ValueError("An infinite data set, as `repeat()` gives it, needs the number of steps of an epoch.")
        self._wanted = None if steps == known else steps
        self.steps = known if steps is None else steps
        self.ended = False
        self._dataset = dataset.prefetch(2)
        self._running: Iterator | None = None

    def epoch(self) -> Iterator[tuple[tuple, int]]:
        """``(x, y, sample_weight)`` and size of each batch of an epoch."""
        if self._running is None or self._wanted is None:
            self._running = self._dataset.as_numpy_iterator()
        done = 0
        while self._wanted is None or done < self._wanted:
            item = next(self._running, None)
            if item is None:
                break
            done += 1
            data = unpack_x_y_sample_weight(item)
            yield data, _size(data[0])
        if self._wanted is None:
            self._running = None
            self.steps = done
        elif done < self._wanted:
            self.ended = True
            warn_user(
                f"Your input ran out of data after {done} of {self._wanted} steps; interrupting. Give the data set enough "
                "batches for all steps of all epochs, by `repeat()` for example."
            )

    def close(self) -> None:
        """End the thread that reads ahead."""
        self._running = None


def _size(x: Any) -> int:
    while isinstance(x, (dict, tuple)):
        x = next(iter(x.values() if isinstance(x, dict) else x))
    if not len(x.shape):
        raise ValueError("A data set for a model gives batches: call `.batch(n)`, here an element is a number.")
    return int(x.shape[0])


def _as_inputs(x: Any) -> Any:
    return list(x) if isinstance(x, tuple) else x


def fit(
    model: Any, dataset: Any, steps_per_epoch: int | None, epochs: int, verbose: Any, callbacks: Any, validation_data: Any,
    validation_steps: int | None, validation_freq: Any, class_weight: Any, initial_epoch: int,
) -> Any:  # fmt: skip
    """Train on the batches of a data set; arguments as for :meth:`Model.fit`."""
    passes = Passes(dataset, steps_per_epoch)
    validate = None if validation_data is None else Validation(model, validation_data, validation_steps)

    def names() -> list[str]:
        return model.metrics_names

    def set_params() -> None:
        labels = names()
        params = {"epochs": epochs, "steps": passes.steps, "verbose": verbose, "do_validation": validate is not None}
        hooks.set_params({**params, "metrics": [*labels, *(f"val_{label}" for label in labels)]})

    def train(data: tuple) -> list:
        x, y, sample_weight = data
        return to_list(model.train_on_batch(_as_inputs(x), y, sample_weight, class_weight, reset_metrics=False))

    hooks = batch_loop.prepare_fit_hooks(model, callbacks, verbose, "steps", names())
    set_params()
    hooks.model.stop_training = False
    hooks._call_begin_hook("train")
    model._running_fit = running = batch_loop.RunningFit()
    try:
        for epoch in range(hooks.first_epoch(initial_epoch), epochs):
            model.reset_metrics()
            hooks.on_epoch_begin(epoch)
            trained = batch_loop.train_epoch(hooks, epoch, passes.epoch(), passes.steps or 0, train, names, running)
            if not trained.steps:
                if not passes.ended:
                    raise ValueError("Cannot train on no data: the data set has no batches.")
                break
            logs = trained.logs
            if validate is not None and should_run_validation(validation_freq, epoch):
                logs = batch_loop.with_validation(logs, names(), validate(hooks))
            set_params()
            hooks.on_epoch_end(epoch, logs)
            if hooks.model.stop_training or passes.ended:
                break
    finally:
        passes.close()
    history = batch_loop.finish_fit(hooks)
    model._running_fit = None
    return history


class Validation:
    """Evaluates a model on validation data of any kind, within a fit.

    Args:
        data: a data set, generator or Sequence, or a tuple of arrays as ``fit`` takes it.
        steps: the number of batches; None for all.
    """

    def __init__(self, model: Any, data: Any, steps: int | None) -> None:
        self._model = model
        self._steps = steps
        streams = is_dataset(data) or hasattr(data, "__next__") or hasattr(data, "on_epoch_end")
        self._x, self._y, self._weight = unpack_x_y_sample_weight((data,) if streams else data)

    def __call__(self, hooks: Any) -> Any:
        """The loss, or a list of it and the metrics."""
        return self._model.evaluate(
            self._x, self._y, sample_weight=self._weight, steps=self._steps, callbacks=hooks, verbose=0
        )


def evaluate(model: Any, dataset: Any, steps: int | None, verbose: Any, callbacks: Any) -> Any:
    """Loss and metrics on the batches of a data set; see :meth:`Model.evaluate`."""
    model.reset_metrics()
    passes = Passes(dataset, steps)
    hooks = batch_loop.prepare_hooks(
        model, callbacks, steps=passes.steps, verbose=verbose, metrics=list(model.metrics_names)
    )

    def test(data: tuple) -> list:
        x, y, sample_weight = data
        return to_list(model.test_on_batch(_as_inputs(x), y, sample_weight, reset_metrics=False))

    try:
        bar = batch_loop.progress(passes.steps, verbose, by_steps=True)
        return batch_loop.evaluate_batches(hooks, passes.epoch(), test, bar, lambda: model.metrics_names)
    finally:
        passes.close()


def predict(model: Any, dataset: Any, steps: int | None, verbose: Any, callbacks: Any) -> Any:
    """The outputs for the batches of a data set; see :meth:`Model.predict`."""
    passes = Passes(dataset, steps)
    hooks = batch_loop.prepare_hooks(model, callbacks, steps=passes.steps, verbose=verbose)

    def step(data: tuple) -> list:
        return to_list(model.predict_on_batch(_as_inputs(data[0])))

    try:
        bar = batch_loop.progress(passes.steps, verbose, by_steps=True)
        outputs = batch_loop.predict_batches(hooks, passes.epoch(), step, bar)
    finally:
        passes.close()
    if not outputs:
        raise ValueError("There are no batches to predict for: the data set is empty.")
    return batch_loop.concatenate(outputs)
