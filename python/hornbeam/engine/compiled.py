"""What ``compile`` makes of a model and its arguments: endpoints, metrics and the total loss, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .. import backend as K
from .. import losses as losses_module
from .. import metrics as metrics_module
from ..graph import Function, Tensor, name_scope, symbolic
from ..settings import settings
from ..utils.generic_utils import each_once, to_list
from . import compile_arguments
from .endpoints import Endpoint
from .standardize import classes_first, expects_shape_of_output


@dataclass
class Arguments:
    """What ``compile`` was given; see :meth:`Model.compile`."""

    optimizer: Any = None
    loss: Any = None
    metrics: Any = None
    loss_weights: Any = None
    sample_weight_mode: Any = None
    weighted_metrics: Any = None


@dataclass(eq=False)
class Compiled:
    """A compilation. A model holds one and replaces it as a whole; only functions are added to it.

    Attributes:
        arguments: what ``compile`` was given; None where it was not called.
        endpoints: one per output of the model.
        metrics: those that ``compile`` was asked for, in the order in which they are reported.
        reports: from a metric to its result and its updates in this model.
        total_loss: the scalar that training minimises; None where the model is not compiled, or not built yet.
        trained_weights: the weights that training changes, as they were when the model was compiled.
        trainable: by layer, whether it was trainable then.
        layers_assign: whether the call of a layer inside assigns variables, so that the model trains by steps.
        train_function, test_function, predict_function: None until first used.
        appended_names, appended_tensors: what was appended to ``metrics_names`` and ``metrics_tensors`` and waits for the
            other half of its pair.
    """

    arguments: Arguments | None = None
    endpoints: list[Endpoint] = field(default_factory=list)
    metrics: list[Any] = field(default_factory=list)
    reports: dict[Any, tuple[Tensor, list]] = field(default_factory=dict)
    total_loss: Tensor | None = None
    trained_weights: list | None = None
    trainable: dict[Any, bool] = field(default_factory=dict)
    layers_assign: bool = False
    train_function: Function | None = None
    test_function: Function | None = None
    predict_function: Function | None = None
    #: loss and metrics for steps on eager tensors (``engine/steps.py``), once they were asked for
    step_parts: Any = None
    step_functions: dict[str, Any] = field(default_factory=dict)
    appended_names: list[str] = field(default_factory=list)
    appended_tensors: list[Tensor] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Whether there is all that training needs."""
        return self.total_loss is not None and self.arguments is not None and bool(self.arguments.optimizer)

    @cached_property
    def fed(self) -> list[Endpoint]:
        """The endpoints whose targets are given as data."""
        return [end for end in self.endpoints if end.fed]

    @property
    def mean_losses(self) -> list[Any]:
        """The Metrics of the outputs' losses, where there are several outputs."""
        return [end.mean_loss for end in self.endpoints if end.mean_loss is not None and end.loss is not None]

    def given(self) -> Arguments:
        """The arguments, to be changed."""
        if self.arguments is None:
            self.arguments = Arguments()
        return self.arguments

    def feeds(self) -> list[Any]:
        """The placeholders of targets and sample weights, in the order in which they are fed."""
        return [end.target for end in self.fed] + [end.sample_weight for end in self.fed]

    def report(self, metric: Any, *args: Any, **kwargs: Any) -> None:
        """Call a metric on tensors of the graph; what it adds to itself now is what this model runs.

        A metric object may have been compiled before: its older updates belong to another graph.
        """
        with metric._lock:
            known = len(metric.updates)
            compile_arguments.call_metric_function(metric, *args, **kwargs)
            self.reports[metric] = (metric._call_result, metric.updates[known:])

    def reports_of(self, metrics: list[Any]) -> list[tuple[Tensor, list]]:
        """Pairs of result and updates of the outputs' losses and of ``metrics``, which are those of ``compile`` and others."""
        metrics = self.mean_losses + metrics
        added = {m: (m._call_result, m.updates) for m in metrics if hasattr(m, "_call_result")}
        return [self.reports.get(m) or added[m] for m in metrics if m in self.reports or m in added]


@symbolic()
def compile_model(model: Any, arguments: Arguments, target_tensors: Any = None, weight_modes: Any = None) -> Compiled:
    """Let targets, weights, losses and metrics join the graph of a model that is built.

    Args:
        weight_modes: modes of sample weights by output, instead of those among the arguments.

    Raises:
        ValueError, TypeError: an argument does not fit the model's outputs.
    """
    made = Compiled(arguments, _endpoints(model, arguments, target_tensors, weight_modes))
    _collect_metrics(made, arguments, model._added_metrics())
    for end, mask in zip(made.endpoints, _masks(model)):
        end.mask = mask
    _call_metrics(made)
    made.total_loss = _total_loss(made, model.losses)
    made.trained_weights = model.trainable_weights
    made.trainable = {layer: layer.trainable for layer in model.submodules}
    return made


# -- losses, targets and weights ----------------------------------------------------------------------------
def _endpoints(model: Any, arguments: Arguments, target_tensors: Any, weight_modes: Any) -> list[Endpoint]:
    names = model.output_names
    losses = compile_arguments.prepare_loss_functions(arguments.loss or {}, names)
    weights = compile_arguments.prepare_loss_weights(names, arguments.loss_weights)
    given = _target_tensors(target_tensors, names)
    fed = [loss is not None and (target is None or K.is_placeholder(target)) for loss, target in zip(losses, given)]
    sample_weights, modes = compile_arguments.prepare_sample_weights(
        names, arguments.sample_weight_mode, [i for i, takes_data in enumerate(fed) if not takes_data], weight_modes
    )
    ends = []
    for i, (name, output, loss) in enumerate(zip(names, model.outputs, losses)):
        target = None if loss is None else given[i]
        if loss is not None and target is None:
            target = _target_placeholder(model, output, name, loss)
        end = Endpoint(name, output, loss, weights[i], target, fed[i], sample_weights[i], modes[i])
        if fed[i] and model._is_graph_network:
            end.target_shape = _target_shape(end.shape, loss)
        ends.append(end)
    return ends


def _target_placeholder(model: Any, output: Tensor, name: str, loss: Any) -> Tensor:
    """Targets have the rank that the output's layer states; their sizes are the data's, checked when data comes.

    Where that check wants the output's sizes they are the output's already here, and so is the batch if it is the
    inputs': what is surely equal is not summed back to shape in the gradient.
    """
    declared = K.int_shape(output)
    rank = len(declared) or 2  # a loss that a layer computed, for which there are targets that nothing reads
    shape: list[int | None] = [None] * rank
    same_batch = False
    if declared and expects_shape_of_output(loss):
        shape[1:] = declared[1:]
        same_batch = len(declared) == output.ndim and all(x.dims[0] == output.dims[0] for x in model.inputs)
    target = K.placeholder(shape=shape, name=f"{name}_target", dtype=K.dtype(output))
    if same_batch:
        target.dims = (output.dims[0], *target.dims[1:])
    return target


def _target_shape(output_shape: tuple, loss: Any) -> tuple | None:
    """The shape that targets must have; None for losses whose meaning only their author knows."""
    fn = getattr(loss, "fn", None)
    if fn is losses_module.sparse_categorical_crossentropy:
        if classes_first(output_shape):
            return (output_shape[0], 1, *output_shape[2:])
        return (*output_shape[:-1], 1)
    if not isinstance(loss, losses_module.Loss):
        return None
    if fn is not None and getattr(losses_module, getattr(fn, "__name__", ""), None) is None:
        return None
    return output_shape


def _target_tensors(given: Any, names: list[str]) -> list:
    if given is None or (isinstance(given, list) and not given):
        return [None] * len(names)
    if isinstance(given, dict):
        unknown = set(given) - set(names)
        if unknown:
            raise ValueError(
                f'Unknown entry in `target_tensors` dictionary: "{unknown}". Only expected the following keys: {names}'
            )
        return [given.get(name) for name in names]
    if isinstance(given, Tensor):
        if len(names) > 1:
            raise ValueError(
                f"The model has {len(names)} outputs, but you passed a single tensor as `target_tensors`. Expected "
                "a list or a dict of tensors."
            )
        given = [given]
    if not isinstance(given, (list, tuple)):
        raise TypeError(f"Expected `target_tensors` to be a tensor, a list or dict of them, got: {given}")
    if len(given) != len(names):
        raise ValueError(
            "When passing a list as `target_tensors`, it should have one entry per model output. The model has "
            f"{len(names)} outputs, but you passed target_tensors={given}"
        )
    return list(given)


def _masks(model: Any) -> list:
    masks = model.compute_mask(model.inputs if len(model.inputs) > 1 else model.inputs[0], mask=None)
    return [None] * len(model.outputs) if masks is None else to_list(masks, allow_tuple=True)


def _total_loss(made: Compiled, added: list) -> Tensor:
    """The weighted sum of the outputs' losses, plus penalties and what layers added."""
    total = None
    by_sample = settings.dialect.output_losses_by_sample
    with name_scope("loss"):
        for end in made.endpoints:
            if end.loss is None:
                continue
            weights = compile_arguments.masked_weights(end.sample_weight, end.mask, K.dtype(end.tensor))
            with name_scope(f"{end.name}_loss"):
                loss = end.loss(end.target, end.tensor, sample_weight=weights)
            if end.mean_loss is not None:
                made.report(end.mean_loss, loss, weights=_samples(end.tensor) if by_sample else None)
            weighted = loss if _is_one(end.loss_weight) else end.loss_weight * loss
            total = weighted if total is None else total + weighted
        if total is None:
            if not added:
                raise ValueError("The model cannot be compiled because it has no loss to optimize.")
            total = 0.0
        for loss in added:
            total = total + loss
    return K.mean(total)


def _samples(output: Tensor) -> Tensor:
    """How many samples a batch has."""
    return K.cast(K.shape(output)[0], K.floatx())


def _is_one(factor: Any) -> bool:
    return isinstance(factor, (int, float)) and factor == 1


# -- metrics --------------------------------------------------------------------------------------------------
def _collect_metrics(made: Compiled, arguments: Arguments, added: list) -> None:
    """Make the metrics of each endpoint, under names that neither each other nor those in ``added`` have."""
    ends = made.endpoints
    names, shapes, losses = [end.name for end in ends], [list(end.shape) for end in ends], [end.loss for end in ends]
    collect = compile_arguments.collect_per_output_metric_info
    plain = collect(arguments.metrics, names, shapes, losses)
    weighted = collect(arguments.weighted_metrics, names, shapes, losses, is_weighted=True)
    several = len(ends) > 1
    of_losses = ["loss"] + [f"{end.name}_loss" for end in ends if several and end.loss is not None]

    def named(end: Endpoint, metrics: dict) -> dict:
        result = {}
        for name, metric in metrics.items():
            base = name = f"{end.name}_{name}" if several else name
            taken = of_losses + [m.name for m in each_once(made.metrics, added)]
            count = 1
            while name in taken:
                name, count = f"{base}_{count}", count + 1
            metric.name = name
            result[name] = metric
            made.metrics.append(metric)
        return result

    for i, end in enumerate(ends):
        end.metrics, end.weighted_metrics = plain[i], weighted[i]
        if end.loss is not None:
            end.metrics, end.weighted_metrics = named(end, plain[i]), named(end, weighted[i])
    if several:  # the mean of each output's loss over batches, however it is reduced within a batch
        for end in ends:
            end.mean_loss = metrics_module.Mean(name=f"{end.name}_loss")


def _call_metrics(made: Compiled) -> None:
    with name_scope("metrics"):
        for end in made.endpoints:
            if end.loss is None:
                continue
            for name, metric in end.metrics.items():
                with name_scope(name):
                    made.report(metric, end.target, end.tensor, mask=end.mask)
            for name, metric in end.weighted_metrics.items():
                with name_scope(name):
                    made.report(metric, end.target, end.tensor, weights=end.sample_weight, mask=end.mask)
