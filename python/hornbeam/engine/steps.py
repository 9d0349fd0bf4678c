"""Steps that users may write: ``train_step``, ``test_step`` and ``predict_step``, and what they are made of.

A model whose class says nothing of them trains by the Functions of ``engine/functions.py``, which cost less to make.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..graph import Tape, Tensor
from ..optimizers import Optimizer
from ..settings import settings
from .calling import _with_inner_layers
from .data_adapter import unpack_x_y_sample_weight
from .step_loops import step_function
from .step_losses import CompiledLoss, CompiledMetrics

#: what a class may define to train, evaluate or predict in its own way
_TRAINS = ("train_step", "make_train_function", "compute_loss", "compute_metrics")
_BY_STEPS = {
    "train": _TRAINS,
    "test": ("test_step", "make_test_function", *_TRAINS),  # a model that trains by steps has no targets in its graph
    "predict": ("predict_step", "make_predict_function"),
}


class Steps:
    """The part of a Model that runs by steps on eager tensors."""

    run_eagerly = jit_compile = False

    if TYPE_CHECKING:  # what a Model has besides
        optimizer: Any
        dynamic: bool
        trainable_weights: list
        losses: list
        metrics: list
        output_names: list
        _compiled: Any
        __call__: Callable

    def _by_steps(self, mode: str) -> bool:
        """Whether the model trains, tests or predicts by a step of its own, or has no other way to."""
        if settings.recorder is None:
            return False
        own = any(getattr(type(self), name) is not getattr(Steps, name) for name in _BY_STEPS[mode])
        if own or bool(self.run_eagerly) or self.dynamic or not getattr(self, "_is_graph_network", True):
            return True
        if mode != "predict" and (self._compiled.layers_assign or (self._is_new() and self._layers_that_set_weights())):
            return True
        return mode == "train" and self._optimizer_looks_at_values()

    def _is_new(self) -> bool:
        """Whether the model has not run by formulas since it was compiled; after that, no layer needs to be looked at again."""
        return self._compiled.train_function is None and self._compiled.test_function is None

    def _layers_that_set_weights(self) -> list:
        """The layers that set weights in a call for training, which training then goes on from: formulas cannot say that."""
        return [layer for layer in _with_inner_layers(self) if getattr(layer, "sets_weights", False)]

    def _optimizer_looks_at_values(self) -> bool:
        given = self._compiled.arguments
        optimizer = None if given is None else given.optimizer
        return isinstance(optimizer, Optimizer) and optimizer.looks_at_values(self.trainable_weights)

    # -- steps ------------------------------------------------------------------------------------
    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of training on a batch; returns loss and metrics by name."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        tape = Tape()
        with tape.recording():
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight)
        self.optimizer.minimize(loss, self.trainable_weights, tape=tape)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Loss and metrics of a batch, by name."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        self.compute_loss(x, y, y_pred, sample_weight)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data: Any) -> Any:
        """The outputs for a batch."""
        return self(unpack_x_y_sample_weight(data)[0], training=False)

    def make_train_function(self, force: bool = False) -> Callable:
        """What trains on the next batch of an iterator, made once per compilation."""
        return self._step_function("train", force)

    def make_test_function(self, force: bool = False) -> Callable:
        return self._step_function("test", force)

    def make_predict_function(self, force: bool = False) -> Callable:
        return self._step_function("predict", force)

    def _step_function(self, mode: str, force: bool) -> Callable:
        known = self._compiled.step_functions
        if force or mode not in known:
            known[mode] = step_function(self, getattr(self, f"{mode}_step"))
        return known[mode]

    # -- what steps are made of -------------------------------------------------------------------
    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Tensor:
        """The loss of ``compile`` plus what layers add."""
        return self.compiled_loss(y, y_pred, sample_weight, regularization_losses=self.losses)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Count a batch in the metrics of ``compile``; returns what all metrics are now, by name."""
        self.compiled_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """The results of ``model.metrics`` by name."""
        found: dict[str, Any] = {}
        for metric in self.metrics:
            result = metric.result()
            found.update(result if isinstance(result, dict) else {metric.name: result})
        return found

    @property
    def compiled_loss(self) -> CompiledLoss:
        """The loss of ``compile``, to be called with targets, outputs, and sample weights."""
        return self._step_parts()[0]

    @property
    def compiled_metrics(self) -> CompiledMetrics:
        """The metrics of ``compile``: ``update_state(y_true, y_pred, sample_weight)``."""
        return self._step_parts()[1]

    def _step_parts(self) -> tuple[CompiledLoss, CompiledMetrics]:
        compiled = self._compiled
        if compiled.arguments is None:
            raise RuntimeError(
                "You must compile your model before training/testing. Use `model.compile(optimizer, loss)`."
            )
        if compiled.step_parts is None:
            given = compiled.arguments
            names = list(self.output_names)
            compiled.step_parts = (
                CompiledLoss(given.loss or None, given.loss_weights, names),
                CompiledMetrics(given.metrics, given.weighted_metrics, names),
            )
        return compiled.step_parts
