"""``compile``: targets, weights, losses and metrics join the model's graph; Functions are made of it when needed."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from .. import metrics as metrics_module
from .. import optimizers
from ..backend.session import RUN_OPTIONS
from ..graph import Function, Tensor, name_scope
from ..utils.generic_utils import to_list
from ..utils.messages import argument_names, did_you_mean, warn_user
from . import compile_arguments as arguments
from .base_layer import _unique, one_at_a_time
from .network import Network
from .standardize import expects_shape_of_output


class Compiling(Network):
    """The part of :class:`Model` that prepares training; the rest of it runs what is prepared here.

    Attributes:
        optimizer, loss, loss_functions, loss_weights, sample_weight_mode: what ``compile`` was given.
        targets, sample_weights: placeholders, one per output.
        total_loss: the scalar that training minimises.
        train_function, test_function, predict_function: None until first used.
    """

    _bookkeeping = Network._bookkeeping | {
        "_collected_trainable_weights", "_compile_metric_functions", "_compile_metrics", "_compile_weighted_metrics",
        "_feed_loss_fns", "_feed_output_names", "_feed_output_shapes", "_feed_outputs", "_feed_sample_weight_modes",
        "_feed_sample_weights", "_feed_targets", "_output_loss_metrics", "_per_output_metrics",
        "_per_output_weighted_metrics", "_reports",
    }  # fmt: skip

    def _base_init(self, **kwargs):
        super()._base_init(**kwargs)
        self._clear_functions()

    def _set_graph(self, inputs, outputs):
        super()._set_graph(inputs, outputs)
        self._clear_functions()

    def _clear_functions(self):
        self.train_function = None
        self.test_function = None
        self.predict_function = None
        self._predict_single = None

    @one_at_a_time
    def compile(
        self,
        optimizer,
        loss=None,
        metrics=None,
        loss_weights=None,
        sample_weight_mode=None,
        weighted_metrics=None,
        target_tensors=None,
        **kwargs,
    ):
        """Configure the model for training.

        Args:
            optimizer: an optimizer or its name.
            loss: a loss, its name, or a list or dict of them for several outputs.
            metrics: list of metrics (names, functions, Metric objects), a list of such lists, or a dict by output.
            loss_weights: list or dict of factors of the outputs' losses in the total loss.
            sample_weight_mode: ``'temporal'`` for weights per time step; or a list or dict of modes.
            weighted_metrics: metrics that count each sample by its weight.
            target_tensors: tensors to use as targets instead of fed ones.

        Raises:
            ValueError: an unknown name, or an argument that does not fit the outputs.
        """
        if unknown := kwargs.keys() - set(RUN_OPTIONS):
            name = min(unknown)
            guess = did_you_mean(name, argument_names(type(self).compile))
            raise ValueError(f"Invalid argument {name!r} passed to `compile`.{guess}")
        self.optimizer = optimizers.get(optimizer)
        self.loss = loss or {}
        self._compile_metrics = metrics or []
        self.loss_weights = loss_weights
        self.sample_weight_mode = sample_weight_mode
        self._compile_weighted_metrics = weighted_metrics
        if not self.outputs:
            return  # the outputs are not known yet; done when the model first sees data
        self._is_compiled = False  # stays so if anything below raises
        self._clear_functions()
        self._collect_losses(target_tensors)
        self._is_compiled = True
        try:
            self._collect_metrics(metrics, weighted_metrics)
            masks = self._output_mask_list()
            self._call_metrics(masks)
            self.total_loss = self._prepare_total_loss(masks)
        except Exception:
            self._is_compiled = False
            raise
        self._collected_trainable_weights = self.trainable_weights

    # -- losses, targets and weights --------------------------------------------------------------------
    def _collect_losses(self, target_tensors: Any) -> None:
        self.loss_functions = arguments.prepare_loss_functions(self.loss, self.output_names)
        self.skip_target_indices = [i for i, fn in enumerate(self.loss_functions) if fn is None]
        self.loss_weights_list = arguments.prepare_loss_weights(self.output_names, self.loss_weights)
        given = self._target_tensor_list(target_tensors)
        unfed = list(self.skip_target_indices)
        self.targets: list[Tensor | None] = []
        for i, (output, name, fn) in enumerate(zip(self.outputs, self.output_names, self.loss_functions)):
            target = None
            if fn is not None:
                target = given[i]
                if target is None:
                    target = self._target_placeholder(output, name, fn)
                elif not K.is_placeholder(target):
                    unfed.append(i)
            self.targets.append(target)
        self._feed_targets = [t for i, t in enumerate(self.targets) if i not in unfed]
        self._feed_outputs = [x for i, x in enumerate(self.outputs) if i not in unfed]
        self._feed_output_names = [n for i, n in enumerate(self.output_names) if i not in unfed]
        self._feed_output_shapes = [K.int_shape(x) for x in self._feed_outputs]
        self._feed_loss_fns = [fn for i, fn in enumerate(self.loss_functions) if i not in unfed]

        self.sample_weights, self.sample_weight_modes = arguments.prepare_sample_weights(
            self.output_names, self.sample_weight_mode, unfed
        )
        self._feed_sample_weights = [w for i, w in enumerate(self.sample_weights) if i not in unfed]
        self._feed_sample_weight_modes = [m for i, m in enumerate(self.sample_weight_modes) if i not in unfed]

    def _target_placeholder(self, output: Tensor, name: str, loss: Any) -> Tensor:
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
            same_batch = len(declared) == output.ndim and all(x.dims[0] == output.dims[0] for x in self.inputs)
        target = K.placeholder(shape=shape, name=f"{name}_target", dtype=K.dtype(output))
        if same_batch:
            target.dims = (output.dims[0], *target.dims[1:])
        return target

    def _target_tensor_list(self, target_tensors: Any) -> list:
        names = self.output_names
        if target_tensors is None or (isinstance(target_tensors, list) and not target_tensors):
            return [None] * len(names)
        if isinstance(target_tensors, dict):
            unknown = set(target_tensors) - set(names)
            if unknown:
                raise ValueError(
                    f'Unknown entry in `target_tensors` dictionary: "{unknown}". Only expected the following keys: '
                    f"{names}"
                )
            return [target_tensors.get(name) for name in names]
        if isinstance(target_tensors, Tensor):
            if len(names) > 1:
                raise ValueError(
                    f"The model has {len(names)} outputs, but you passed a single tensor as `target_tensors`. Expected "
                    "a list or a dict of tensors."
                )
            target_tensors = [target_tensors]
        if not isinstance(target_tensors, (list, tuple)):
            raise TypeError(f"Expected `target_tensors` to be a tensor, a list or dict of them, got: {target_tensors}")
        if len(target_tensors) != len(names):
            raise ValueError(
                "When passing a list as `target_tensors`, it should have one entry per model output. The model has "
                f"{len(names)} outputs, but you passed target_tensors={target_tensors}"
            )
        return list(target_tensors)

    def _output_mask_list(self) -> list:
        masks = self.compute_mask(self.inputs if len(self.inputs) > 1 else self.inputs[0], mask=None)
        return [None] * len(self.outputs) if masks is None else to_list(masks, allow_tuple=True)

    def _prepare_total_loss(self, masks: list) -> Tensor:
        """The weighted sum of the outputs' losses, plus penalties and what layers added."""
        total = None
        with name_scope("loss"):
            for i, fn in enumerate(self.loss_functions):
                if fn is None:
                    continue
                y_true, y_pred = self.targets[i], self.outputs[i]
                weights = arguments.masked_weights(self.sample_weights[i], masks[i], K.dtype(y_pred))
                with name_scope(f"{self.output_names[i]}_loss"):
                    loss = fn(y_true, y_pred, sample_weight=weights)
                if self._output_loss_metrics:
                    self._report(self._output_loss_metrics[i], loss)
                factor = self.loss_weights_list[i]
                weighted = loss if _is_one(factor) else factor * loss
                total = weighted if total is None else total + weighted
            added = self.losses
            if total is None:
                if not added:
                    raise ValueError("The model cannot be compiled because it has no loss to optimize.")
                total = 0.0
            for loss in added:
                total = total + loss
        return K.mean(total)

    # -- metrics ------------------------------------------------------------------------------------------
    def _collect_metrics(self, metrics: Any, weighted_metrics: Any) -> None:
        self._compile_metric_functions: list[Any] = []
        self._reports: dict[Any, tuple[Tensor, list]] = {}
        shapes = [list(K.int_shape(x)) for x in self.outputs]
        names, fns = self.output_names, self.loss_functions
        plain = arguments.collect_per_output_metric_info(metrics, names, shapes, fns)
        weighted = arguments.collect_per_output_metric_info(weighted_metrics, names, shapes, fns, is_weighted=True)
        for i in range(len(self.outputs)):
            if i not in self.skip_target_indices:
                plain[i] = self._with_unique_names(plain[i], i)
                weighted[i] = self._with_unique_names(weighted[i], i)
        self._per_output_metrics, self._per_output_weighted_metrics = plain, weighted
        # The mean of each output's loss over batches, however it is reduced within a batch.
        self._output_loss_metrics = (
            [metrics_module.Mean(name=f"{name}_loss") for name in names] if len(self.outputs) > 1 else None
        )

    def _with_unique_names(self, metrics: dict, output_index: int) -> dict:
        renamed = {}
        for name, metric in metrics.items():
            if len(self.output_names) > 1:
                name = f"{self.output_names[output_index]}_{name}"
            base, count, taken = name, 1, self.metrics_names
            while name in taken:
                name = f"{base}_{count}"
                count += 1
            metric.name = name
            renamed[name] = metric
            self._compile_metric_functions.append(metric)
        return renamed

    def _call_metrics(self, masks: list) -> None:
        with name_scope("metrics"):
            for i, (y_true, y_pred, mask) in enumerate(zip(self.targets, self.outputs, masks)):
                if i in self.skip_target_indices:
                    continue
                for name, metric in self._per_output_metrics[i].items():
                    with name_scope(name):
                        self._report(metric, y_true, y_pred, mask=mask)
                for name, metric in self._per_output_weighted_metrics[i].items():
                    with name_scope(name):
                        self._report(metric, y_true, y_pred, weights=self.sample_weights[i], mask=mask)

    def _report(self, metric: Any, *args: Any, **kwargs: Any) -> None:
        """Call a metric on tensors of the graph; what it adds to itself now is what this model runs.

        A metric object may have been compiled before: its older updates belong to another graph.
        """
        with metric._lock:
            known = len(metric.updates)
            arguments.call_metric_function(metric, *args, **kwargs)
            self._reports[metric] = (metric._call_result, metric.updates[known:])

    @property
    @one_at_a_time
    def metrics(self):
        """The metrics of ``compile`` and of ``add_metric``, here and in the layers."""
        compiled = self._compile_metric_functions if self._is_compiled else []
        return _unique(compiled, self._added_metrics())

    def _added_metrics(self) -> list:
        """Those of ``add_metric``; a nested model's own compilation is not part of this model."""
        layers = self.layers
        return _unique(
            self._metrics,
            *(la._added_metrics() if isinstance(la, Compiling) else la.metrics for la in layers),
        )

    @property
    @one_at_a_time
    def metrics_names(self):
        """Names of what training reports: ``'loss'``, the outputs' losses if several, then the metrics."""
        names = ["loss"]
        if self._is_compiled:
            if len(self.outputs) > 1:
                skipped = self.skip_target_indices
                names += [f"{name}_loss" for i, name in enumerate(self.output_names) if i not in skipped]
            names += [metric.name for metric in self.metrics]
        return names

    def _metric_reports(self) -> list[tuple[Tensor, list]]:
        """Pairs of result and updates, in the order of ``metrics_names``."""
        losses = self._output_loss_metrics or []
        metrics = [m for i, m in enumerate(losses) if i not in self.skip_target_indices] + self.metrics
        added = {m: (m._call_result, m.updates) for m in metrics if hasattr(m, "_call_result")}
        return [self._reports.get(m) or added[m] for m in metrics if m in self._reports or m in added]

    def reset_metrics(self):
        """Start the metrics anew; done at the start of each epoch."""
        for metric in self.metrics:
            metric.reset_states()
        for metric in getattr(self, "_output_loss_metrics", None) or []:
            metric.reset_states()

    # -- functions ----------------------------------------------------------------------------------------
    def _check_compiled(self) -> None:
        if not getattr(self, "optimizer", None) or not self._is_compiled:
            raise RuntimeError(
                "You must compile a model before training/testing. Use `model.compile(optimizer, loss)`."
            )

    def _check_trainable_weights_consistency(self):
        """Warn where ``trainable`` was changed since ``compile``: training goes on with what held then."""
        collected = getattr(self, "_collected_trainable_weights", None)
        if collected is not None and set(map(id, self.trainable_weights)) != set(map(id, collected)):
            warn_user(
                "Discrepancy between trainable weights and collected trainable weights, did you set "
                "`model.trainable` without calling `model.compile` after ?"
            )

    def _uses_dynamic_learning_phase(self):
        """Whether the functions below can be fed the learning phase behind their inputs."""
        return bool(self._fed_phase())

    def _fed_phase(self) -> list[Tensor]:
        phase = K.learning_phase()
        return [phase] if self.uses_learning_phase and isinstance(phase, Tensor) else []

    def _make_train_function(self):
        with self._lock:
            self._check_compiled()
            self._check_trainable_weights_consistency()
            if self.train_function is None:
                with name_scope("training"), name_scope(type(self.optimizer).__name__):
                    steps = self.optimizer.get_updates(params=self._collected_trainable_weights, loss=self.total_loss)
                reports = self._metric_reports()
                self.train_function = Function(
                    self._feed_inputs + self._feed_targets + self._feed_sample_weights + self._fed_phase(),
                    [self.total_loss] + [result for result, _ in reports],
                    updates=self.updates + steps + _all_updates(reports),
                    name="train_function",
                    counter=self._run_counter,
                    phase=1,
                )

    def _make_test_function(self):
        with self._lock:
            self._check_compiled()
            if self.test_function is None:
                reports = self._metric_reports()
                self.test_function = Function(
                    self._feed_inputs + self._feed_targets + self._feed_sample_weights + self._fed_phase(),
                    [self.total_loss] + [result for result, _ in reports],
                    updates=self.state_updates + _all_updates(reports),
                    name="test_function",
                    counter=self._run_counter,
                )

    def _make_predict_function(self):
        with self._lock:
            if self.predict_function is None:
                function = Function(
                    self._feed_inputs + self._fed_phase(),
                    self.outputs,
                    updates=self.state_updates,
                    name="predict_function",
                    counter=self._run_counter,
                )
                self._predict_single = function if len(self._feed_inputs) == len(self.outputs) == 1 else None
                self.predict_function = function

    def _predicting(self) -> Function:
        """The Function for predictions; without the lock once it is made, so that no compilation holds up predictions."""
        function = self.predict_function
        if function is None:
            with self._lock:
                self._make_predict_function()
                function = self.predict_function
        return function


def _all_updates(reports: list[tuple[Tensor, list]]) -> list:
    return [update for _, updates in reports for update in updates]


def _is_one(factor: Any) -> bool:
    return isinstance(factor, (int, float)) and factor == 1
