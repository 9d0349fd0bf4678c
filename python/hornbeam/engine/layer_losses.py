"""What a layer adds to training: losses, updates of state, and metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..graph import Tensor, is_eager, phase_switch
from ..graph.context import context, inside
from ..settings import settings
from ..utils.generic_utils import each_once, to_list


class LossAccess:
    """The part of a :class:`Layer` that is about losses, updates and metrics; mixed into it."""

    if TYPE_CHECKING:  # what a Layer has besides
        trainable: bool
        stateful: bool

        @property
        def _sublayers(self) -> list: ...

    _losses: list
    _updates: list
    _metrics: list
    # From the tuple of input tensors (None: unconditional) to losses and updates that depend on them.
    _per_input_losses: dict[tuple | None, list]
    _per_input_updates: dict[tuple | None, list]
    _penalties: dict[int, Callable]  # from the id of a weight's penalty to what computes it anew
    _call_losses: list  # of the last call on eager tensors
    _reported_in_test: dict  # to add_metric, by the call that is followed by the one for training

    #: the class of the metrics that ``add_metric`` makes. Metrics are layers, so metrics/base.py sets it
    _mean_metric: Any

    @property
    def losses(self):
        """The penalties on weights and what :meth:`add_loss` was given, here and in layers inside.

        Of eager tensors: the penalties on the weights as they are, and what the last call gave.
        """
        if is_eager():
            return self._own_losses_now() + [x for layer in self._sublayers for x in layer.losses]
        return each_once(self._losses, *(layer.losses for layer in self._sublayers))

    def _own_losses_now(self) -> list:
        of_weights = [x for x in self._per_input_losses.get(None, []) if not isinstance(x, Tensor) or x._known]
        return [self._penalties[id(x)]() if id(x) in self._penalties else x for x in of_weights] + self._call_losses

    @property
    def _runs_updates(self) -> bool:
        """Whether training runs the updates. Of frozen layers, too, for TensorFlow 2: batch normalization asks for itself."""
        return self.trainable or self.stateful or settings.dialect.trainable_inside

    @property
    def updates(self):
        """Updates of state to run at each training step (moving averages, recurrent state)."""
        if not self._runs_updates:
            return []
        return each_once(self._updates, *(layer.updates for layer in self._sublayers))

    def add_loss(self, losses, inputs=None):
        """Add tensors to what training minimises.

        Args:
            losses: a tensor, a number, or a list of them.
            inputs: tensors that the losses depend on; None if they hold for all calls (a penalty on weights).
        """
        if is_eager() and context.phase is not None:
            self._call_losses += [loss() if callable(loss) else loss for loss in to_list(losses, allow_tuple=True)]
            return
        _file(losses, inputs, self._losses, self._per_input_losses)

    def add_update(self, updates, inputs=None):
        """Add updates that each training step runs; ``inputs`` as in :meth:`add_loss`.

        Where tensors are eager the assignments were made already, and nothing is to be added.
        """
        if is_eager():
            return
        _file(updates, inputs, self._updates, self._per_input_updates)

    def get_losses_for(self, inputs=None):
        """Losses that depend on ``inputs``, or the unconditional ones for None."""
        own = self._per_input_losses.get(input_key(inputs), [])
        return own + [x for layer in self._sublayers for x in layer.get_losses_for(inputs)]

    def get_updates_for(self, inputs=None):
        """Updates that depend on ``inputs``, or the unconditional ones for None."""
        if not self._runs_updates:
            return []
        own = self._per_input_updates.get(input_key(inputs), [])
        return own + [x for layer in self._sublayers for x in layer.get_updates_for(inputs)]

    @property
    def metrics(self):
        """The metrics of :meth:`add_metric` and those assigned to attributes, here and in layers inside."""
        inside = self._sublayers
        if not inside and not self._metrics:  # as in most layers; a training step asks each of them
            return []
        return each_once(self._metrics, *[layer.metrics for layer in inside])

    def add_metric(self, value, name=None, aggregation="mean"):
        """Report the mean of ``value`` over batches as a metric called ``name``; a second one of that name is ignored.

        Args:
            aggregation: tf.keras's word for that mean, or None for the result of a Metric.

        Raises:
            ValueError: there is no name, or the layer already has several metrics of that name.
        """
        if is_eager() and context.phase is not None:
            known = next((metric for metric in self._metrics if metric.name == name), None)
            if known is None:
                known = self._mean_metric(name=name)
                self._metrics.append(known)
            known.update_state(value)
            return
        if context.phase == 0:  # of a layer that is called for each phase, the call for inference comes first
            self._reported_in_test[name] = value
            return
        if name in self._reported_in_test:
            in_test = self._reported_in_test.pop(name)
            with inside(phase=None):
                value = value if hasattr(value, "_metric_obj") else phase_switch(value, in_test)
        same = sum(metric.name == name for metric in self._metrics)
        if same > 1:
            raise ValueError(
                f"Please provide different names for the metrics you have added. We found {same} metrics with the "
                f'name: "{name}"'
            )
        if same:
            return
        metric = getattr(value, "_metric_obj", None)
        if metric is not None:
            name = metric.name
        if name is None:
            raise ValueError(
                "Please provide a name for your metric like `self.add_metric(tf.reduce_sum(inputs), "
                "name='mean_activation')`"
            )
        if metric is None:
            metric = self._mean_metric(name=name)
            with inside(assigned=[]):  # they are the metric's updates, not the layer's
                metric(value)
        if not any(metric is known for known in self._metrics):
            self._metrics.append(metric)


def input_key(inputs: Any) -> tuple | None:
    """Tensors hash by identity, so a tuple of them is a key that also keeps them alive."""
    return None if inputs is None or inputs == [] else tuple(to_list(inputs, allow_tuple=True))


def _file(items: Any, inputs: Any, flat: list, per_input: dict) -> None:
    if items is None or (isinstance(items, (list, tuple)) and not items):
        return
    items = to_list(items, allow_tuple=True)
    flat.extend(items)
    per_input.setdefault(input_key(inputs), []).extend(items)
