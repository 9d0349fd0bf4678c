"""fit, evaluate and predict by ``train_step``, ``test_step`` and ``predict_step``, as tf.keras has had them since 2.2.

A step is a method that takes a batch and returns its results; it is traced into a program (``graph/traced.py``), so that a batch
costs one call into the core. With ``run_eagerly`` it is called itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from .. import callbacks as cbks
from ..graph import Tensor, Traced, constant, nest
from ..utils.generic_utils import unpack_singleton
from . import batch_loop
from .data_adapter import pack_x_y_sample_weight, unpack_x_y_sample_weight
from .step_data import ArrayBatches, Batches, batches_of, with_class_weight
from .training_utils import should_run_validation


def step_function(model: Any, step: Callable) -> Callable:
    """What runs ``step`` on the next batch of an iterator: ``make_train_function`` and its like give it."""
    traced = step if model.run_eagerly or model.dynamic else Traced(step)

    def run(iterator: Iterator) -> Any:
        return traced(_tensors(next(iterator)))

    return run


def _tensors(batch: Any) -> Any:
    """Arrays as eager tensors, floats in floatx, as tf.keras hands them to a step."""

    def tensor(x: Any) -> Any:
        if x is None or isinstance(x, Tensor):
            return x
        array = np.asarray(x.toarray() if hasattr(x, "toarray") else x)
        return constant(array.astype("float32", copy=False) if array.dtype == "float64" else array)

    return nest.map_structure(tensor, batch)


def _numbers(logs: Any) -> dict[str, Any]:
    """What a step reports, as numbers and arrays."""
    if not isinstance(logs, dict):
        raise TypeError(f"a train_step or test_step returns a dict of names and values, got {type(logs).__name__}")
    return {name: _number(value) for name, value in logs.items()}


def _number(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _number(v) for k, v in value.items()}
    return batch_loop.scalar(value.numpy() if isinstance(value, Tensor) else value)


def fit(
    model: Any, x: Any, y: Any, batch_size: int | None, epochs: int, verbose: Any, callbacks: Any, validation_split: float,
    validation_data: Any, shuffle: Any, class_weight: Any, sample_weight: Any, initial_epoch: int,
    steps_per_epoch: int | None, validation_steps: int | None, validation_freq: Any, validation_batch_size: int | None,
) -> cbks.History:  # fmt: skip
    """Train by ``train_step``; arguments as for :meth:`Model.fit`."""
    data = batches_of(x, y, sample_weight, batch_size, steps_per_epoch, shuffle)
    validation: Batches | None = None
    if validation_data is not None:
        val_x, val_y, val_weight = unpack_x_y_sample_weight(validation_data)
        validation = batches_of(val_x, val_y, val_weight, validation_batch_size or batch_size, validation_steps)
    elif validation_split and isinstance(data, ArrayBatches):
        data, validation = data.split(validation_split)
    train = model.make_train_function()
    names: list[str] = []
    hooks = _fit_hooks(model, callbacks, verbose, names)
    params = {"batch_size": batch_size, "epochs": epochs, "verbose": verbose, "do_validation": validation is not None}
    hooks.set_params({**params, "steps": data.steps, "samples": getattr(data, "samples", None), "metrics": names})
    model.stop_training = False
    hooks._call_begin_hook("train")
    for epoch in range(hooks.first_epoch(initial_epoch), epochs):
        model.reset_metrics()
        hooks.on_epoch_begin(epoch)
        logs = _run(
            hooks,
            "train",
            data,
            lambda batches: train(_weighted(batches, class_weight)),
            names,
            model,
            hooks.batches_done(epoch),
        )
        if validation is not None and should_run_validation(validation_freq, epoch):
            values = evaluate_batches(model, validation, hooks)
            logs = batch_loop.with_validation(logs, values, list(values.values()))
        data.end_epoch()
        hooks.params["steps"] = data.steps
        hooks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    return batch_loop.finish_fit(hooks)


def _fit_hooks(model: Any, callbacks: Any, verbose: Any, names: list[str]) -> cbks.CallbackList:
    hooks = batch_loop.prepare_fit_hooks(model, callbacks, verbose, "steps", names)
    for callback in hooks.callbacks:
        if isinstance(callback, cbks.ProgbarLogger):
            callback.stateful_metrics = _Every()
    return hooks


class _Every:
    """Contains every name: what steps report are running means already, and shown as they come."""

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())


def _weighted(batches: Iterator, class_weight: Any) -> Iterator:
    return (with_class_weight(batch, class_weight) for batch in batches) if class_weight else batches


def _run(
    hooks: Any, mode: str, data: Batches, step: Callable, names: list[str], model: Any, done: int = 0
) -> dict[str, Any]:
    """One epoch without its first ``done`` batches; returns what its last step reported."""
    watched = hooks.watches_batches(mode)
    logs: Any = None
    batches = _Peeked(islice(data.epoch(), done, None))
    index = done
    while not batches.at_end():
        if watched:
            hooks._call_batch_hook(mode, "begin", index, {"batch": index, "size": batches.size()})
        size = batches.size()
        logs = step(batches)
        if watched:
            numbers = _numbers(logs)
            names[:] = [*names, *(name for name in numbers if name not in names)]
            hooks._call_batch_hook(mode, "end", index, {"batch": index, "size": size, **numbers})
        index += 1
        if mode == "train" and model.stop_training:
            break
    if logs is None and done:
        return {}
    if logs is None:
        raise ValueError("There are no batches: the data is empty, or a generator has ended.")
    numbers = _numbers(logs)
    names[:] = [*names, *(name for name in numbers if name not in names)]
    return numbers


class _Peeked:
    """An iterator that can tell whether there is more."""

    def __init__(self, batches: Iterator) -> None:
        self._batches = batches
        self._next: list = []

    def at_end(self) -> bool:
        if not self._next:
            for batch in self._batches:
                self._next.append(batch)
                return False
            return True
        return False

    def size(self) -> int:
        """The number of samples in the next batch."""
        first = next(
            (
                x
                for x in nest.flatten(unpack_x_y_sample_weight(self._next[0])[0])
                if hasattr(x, "shape") and len(x.shape)
            ),
            None,
        )
        return 1 if first is None else int(first.shape[0])

    def __iter__(self) -> _Peeked:
        return self

    def __next__(self) -> Any:
        if self.at_end():
            raise StopIteration
        return self._next.pop()


def evaluate_batches(model: Any, data: Batches, hooks: Any) -> dict[str, Any]:
    """What ``test_step`` reports after the last batch."""
    model.reset_metrics()
    test = model.make_test_function()
    hooks._call_begin_hook("test")
    logs = _run(hooks, "test", data, test, [], model)
    hooks._call_end_hook("test")
    return logs


def evaluate(
    model: Any,
    x: Any,
    y: Any,
    batch_size: int | None,
    verbose: Any,
    sample_weight: Any,
    steps: int | None,
    callbacks: Any,
) -> dict[str, Any]:
    """Loss and metrics by ``test_step``, by name."""
    data = batches_of(x, y, sample_weight, batch_size, steps)
    hooks = batch_loop.prepare_hooks(model, callbacks, batch_size=batch_size, steps=data.steps, verbose=verbose)
    return evaluate_batches(model, data, hooks)


def on_batch(
    model: Any, mode: str, x: Any, y: Any, sample_weight: Any, class_weight: Any, reset_metrics: bool
) -> dict[str, Any]:
    """One step of ``mode`` on a batch: what it reports by name, of this batch alone if the metrics are reset."""
    if reset_metrics:
        model.reset_metrics()
    batch = with_class_weight(pack_x_y_sample_weight(x, y, sample_weight), class_weight)
    logs = getattr(model, f"make_{mode}_function")()(iter([batch]))
    return _numbers(logs)


def predict(model: Any, x: Any, batch_size: int | None, verbose: Any, steps: int | None, callbacks: Any) -> Any:
    """The outputs of all batches by ``predict_step``, in the structure in which it gives them."""
    data = batches_of(x, None, None, batch_size, steps)
    hooks = batch_loop.prepare_hooks(model, callbacks, batch_size=batch_size, steps=data.steps, verbose=verbose)
    step = model.make_predict_function()
    hooks._call_begin_hook("predict")
    results: list[list[np.ndarray]] = []
    structure: Any = None
    batches = _Peeked(data.epoch())
    while not batches.at_end():
        index, size = len(results), batches.size()
        hooks._call_batch_hook("predict", "begin", index, {"batch": index, "size": size})
        structure = step(batches)
        results.append([np.asarray(leaf) for leaf in nest.flatten(structure)])
        outputs = unpack_singleton(results[-1])
        hooks._call_batch_hook("predict", "end", index, {"batch": index, "size": size, "outputs": outputs})
    hooks._call_end_hook("predict")
    if not results:
        raise ValueError("There are no batches to predict for.")
    joined = [np.concatenate(parts) for parts in zip(*results)]
    return nest.pack(structure, joined) if isinstance(structure, (list, tuple, dict)) else joined[0]
