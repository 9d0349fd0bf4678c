"""The three Functions of a model: a step of training, one of evaluation, one of prediction."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..graph import Function, Tensor, name_scope, symbolic


@symbolic()
def train_function(model: Any) -> Function:
    """From feeds to the loss and the metrics; it changes the weights."""
    compiled = model._compiled
    optimizer = compiled.arguments.optimizer
    with name_scope("training"), name_scope(type(optimizer).__name__):
        steps = optimizer.training_updates(compiled.total_loss, compiled.trained_weights)
    optimizer.take_awaited()
    reports = compiled.reports_of(model.metrics)
    return _function(
        model,
        "train_function",
        compiled.feeds(),
        [compiled.total_loss] + [result for result, _ in reports],
        model.updates + steps + _all_updates(reports),
        phase=1,
    )


@symbolic()
def test_function(model: Any) -> Function:
    """From feeds to the loss and the metrics."""
    compiled = model._compiled
    reports = compiled.reports_of(model.metrics)
    outputs = [compiled.total_loss] + [result for result, _ in reports]
    return _function(model, "test_function", compiled.feeds(), outputs, model.state_updates + _all_updates(reports))


@symbolic()
def predict_function(model: Any) -> Function:
    """From inputs to outputs."""
    return _function(model, "predict_function", [], model.outputs, model.state_updates)


def fed_phase(model: Any) -> list[Tensor]:
    """The learning phase, where the model's functions can be fed it behind their other feeds."""
    phase = K.learning_phase()
    return [phase] if model.uses_learning_phase and isinstance(phase, Tensor) else []


def _function(model: Any, name: str, feeds: list[Tensor], outputs: list, updates: list, phase: int = 0) -> Function:
    inputs = [end.tensor for end in model._fed_inputs] + feeds + fed_phase(model)
    counter, trainable = model._run_counter, model._compiled.trainable
    return Function(inputs, outputs, updates=updates, name=name, counter=counter, phase=phase, trainable=trainable)


def _all_updates(reports: list[tuple[Tensor, list]]) -> list:
    return [update for _, updates in reports for update in updates]
