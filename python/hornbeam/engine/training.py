"""Models that train: compile, fit, evaluate, predict, and their batch and generator forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray  # one look-up less in predict_on_batch, which takes a microsecond

from .. import backend as K
from .. import optimizers
from ..backend.session import RUN_OPTIONS
from ..graph import Function, Tensor, as_integer, symbolic
from ..legacy import interfaces
from ..legacy.appended import Appended
from ..mixed_precision import scaling_losses
from ..settings import settings
from ..utils.generic_utils import each_once, slice_arrays, to_list, unpack_singleton
from ..utils.messages import argument_names, did_you_mean, warn_user
from ..utils.overriding import default
from . import datasets, feeding, functions, step_loops, training_arrays, training_generator, training_utils
from .base_layer import one_at_a_time
from .batch_loop import scalar
from .compiled import Arguments, Compiled, compile_model
from .later_model import LaterModel
from .network import Network
from .parts import OfArguments, OfCompiled, derived, of_endpoints
from .steps import Steps
from .training_arrays import feedable


class Model(Steps, LaterModel, Network):
    """A network with what it takes to train it.

    Made from tensors, ``Model(inputs, outputs)``, or by subclassing: make layers in ``__init__``, use them in
    ``call(self, inputs)``.

    Example:
        >>> a = Input(shape=(32,))
        >>> model = Model(inputs=a, outputs=Dense(32)(a))

    Attributes:
        optimizer, loss, loss_weights, sample_weight_mode: what :meth:`compile` was given.
        total_loss: the scalar that training minimises.
        targets, sample_weights: placeholders, one per output.
        train_function, test_function, predict_function: None until first used.
    """

    # Keras's names of what compile was given and of what it made, which is one value: ``model._compiled``.
    optimizer = OfArguments("optimizer")
    loss = OfArguments("loss")
    loss_weights = OfArguments("loss_weights")
    sample_weight_mode = OfArguments("sample_weight_mode")
    _compile_metrics = OfArguments("metrics")
    _compile_weighted_metrics = OfArguments("weighted_metrics")

    total_loss = OfCompiled("total_loss")
    train_function = OfCompiled("train_function")
    test_function = OfCompiled("test_function")
    predict_function = OfCompiled("predict_function")
    _collected_trainable_weights = OfCompiled("trained_weights")
    _compile_metric_functions = OfCompiled("metrics")

    loss_functions = of_endpoints("loss")
    loss_weights_list = of_endpoints("loss_weight")
    targets = of_endpoints("target")
    sample_weights = of_endpoints("sample_weight")
    sample_weight_modes = of_endpoints("sample_weight_mode")
    _per_output_metrics = of_endpoints("metrics")
    _per_output_weighted_metrics = of_endpoints("weighted_metrics")
    _feed_outputs = of_endpoints("tensor", fed=True)
    _feed_output_names = of_endpoints("name", fed=True)
    _feed_output_shapes = of_endpoints("shape", fed=True)
    _feed_loss_fns = of_endpoints("loss", fed=True)
    _feed_targets = of_endpoints("target", fed=True)
    _feed_sample_weights = of_endpoints("sample_weight", fed=True)
    _feed_sample_weight_modes = of_endpoints("sample_weight_mode", fed=True)

    @derived
    def skip_target_indices(self):
        """The indices of outputs that are not trained."""
        return [i for i, end in enumerate(self._compiled.endpoints) if end.loss is None]

    @derived
    def _output_loss_metrics(self):
        ends = self._compiled.endpoints
        return [end.mean_loss for end in ends] if len(ends) > 1 else None

    @property
    def _is_compiled(self):
        return self._compiled.total_loss is not None

    def _base_init(self, **kwargs):
        super()._base_init(**kwargs)
        self._compiled = Compiled()
        self._running_fit = None  # what callbacks and checkpoints ask about a fit
        self._resume_order = None  # in which the last epoch before a file was saved saw the samples

    def _forget_compilation(self):
        """After the graph has changed: what ``compile`` was given holds for the next one, too."""
        self._compiled = Compiled(self._compiled.arguments)

    # -- compiling ----------------------------------------------------------------------------------------
    @default
    @one_at_a_time
    def compile(
        self,
        optimizer="rmsprop",
        loss=None,
        metrics=None,
        loss_weights=None,
        sample_weight_mode=None,
        weighted_metrics=None,
        target_tensors=None,
        run_eagerly=None,
        steps_per_execution=None,
        jit_compile=None,
        auto_scale_loss=None,
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
            run_eagerly, steps_per_execution, jit_compile, auto_scale_loss: how tf.keras runs a step. They change no
                result, and nothing here: a step is one call in any case. ``pss_evaluation_shards``, of clusters, too.

        Raises:
            ValueError: an unknown name, or an argument that does not fit the outputs.
        """
        if unknown := kwargs.keys() - {*RUN_OPTIONS, "pss_evaluation_shards"}:
            name = min(unknown)
            guess = did_you_mean(name, argument_names(type(self).compile))
            raise ValueError(f"Invalid argument {name!r} passed to `compile`.{guess}")
        self.autotune_steps_per_execution = steps_per_execution == "auto"
        self.steps_per_execution = 1 if steps_per_execution in (None, "auto") else as_integer(steps_per_execution)
        self.run_eagerly, self.jit_compile = bool(run_eagerly), bool(jit_compile)
        self._compile(
            Arguments(
                scaling_losses(optimizers.get(optimizer)),
                loss or {},
                metrics or [],
                loss_weights,
                sample_weight_mode,
                weighted_metrics,
            ),
            target_tensors,
        )

    def _compile(self, arguments: Arguments, target_tensors: Any = None, weight_modes: Any = None) -> None:
        compiled = Compiled(arguments, layers_assign=any(layer._assigns_in_call for layer in self.submodules))
        try:
            by_steps = compiled.layers_assign or self._by_steps("train")
            if self.outputs and not by_steps:  # else when the model first sees data, or by steps
                compiled = compile_model(self, arguments, target_tensors, weight_modes)
        finally:
            self._compiled = compiled

    def _check_compiled(self) -> None:
        if not self._compiled.is_complete:
            raise RuntimeError(
                "You must compile a model before training/testing. Use `model.compile(optimizer, loss)`."
            )

    def _check_trainable_weights_consistency(self):
        """Warn where ``trainable`` was changed since ``compile``: training goes on with what held then."""
        collected = self._compiled.trained_weights
        if collected is not None and set(map(id, self.trainable_weights)) != set(map(id, collected)):
            warn_user(
                "Discrepancy between trainable weights and collected trainable weights, did you set "
                "`model.trainable` without calling `model.compile` after ?"
            )

    # -- metrics ------------------------------------------------------------------------------------------
    @property
    @one_at_a_time
    def metrics(self):
        """The metrics of ``compile`` and of ``add_metric``, here and in the layers."""
        by_steps = [m for part in self._compiled.step_parts or () for m in part.metrics]
        return each_once(by_steps, self._compiled.metrics, self._added_metrics())

    def _added_metrics(self) -> list:
        """Those of ``add_metric``; a nested model's own compilation is not part of this model."""
        layers = self.layers
        return each_once(
            self._metrics,
            *(la._added_metrics() if isinstance(la, Model) else la.metrics for la in layers),
        )

    @property
    @one_at_a_time
    def metrics_names(self):
        """Names of what training reports: ``'loss'``, the outputs' losses if several, then the metrics."""
        if not self._is_compiled:
            return ["loss"]
        names = ["loss", *(metric.name for metric in self._compiled.mean_losses + self.metrics)]
        return Appended(names, lambda name: self._show_appended(self._compiled.appended_names, name))

    @property
    @one_at_a_time
    def metrics_tensors(self):
        """What training reports behind the loss, as tensors.

        Scripts of Keras 2.0 to 2.2 append one to it, and its name to ``metrics_names``, to be shown its mean.
        """
        tensors = [result for result, _ in self._compiled.reports_of(self.metrics)]
        return Appended(tensors, lambda tensor: self._show_appended(self._compiled.appended_tensors, tensor))

    @one_at_a_time
    def _show_appended(self, waiting: list, item: Any) -> None:
        """Make a metric of a name and a tensor, once both were appended."""
        waiting.append(item)
        compiled = self._compiled
        while compiled.appended_names and compiled.appended_tensors:
            self.add_metric(compiled.appended_tensors.pop(0), name=compiled.appended_names.pop(0))
            compiled.train_function = compiled.test_function = None

    def reset_metrics(self):
        """Start the metrics anew; done at the start of each epoch."""
        for metric in self.metrics + self._compiled.mean_losses:
            metric.reset_states()

    # -- functions ----------------------------------------------------------------------------------------
    def _uses_dynamic_learning_phase(self):
        """Whether the functions below can be fed the learning phase behind their inputs."""
        return bool(functions.fed_phase(self))

    def _make_train_function(self):
        with self._lock:
            self._check_compiled()
            self._check_trainable_weights_consistency()
            if self._compiled.train_function is None:
                for layer in self._layers_that_set_weights():
                    raise NotImplementedError(
                        f"The layer {layer.name} ({type(layer).__name__}) sets weights while it is called for training, which "
                        "is possible where steps are eager: run the script by `hornbeam run --tf 2`."
                    )
                self.train_function = functions.train_function(self)

    def _make_test_function(self):
        with self._lock:
            self._check_compiled()
            if self._compiled.test_function is None:
                self.test_function = functions.test_function(self)

    def _make_predict_function(self):
        with self._lock:
            if self._compiled.predict_function is None:
                self.predict_function = functions.predict_function(self)

    def _predicting(self) -> Function:
        """The Function for predictions; without the lock once it is made, so that no compilation holds up predictions."""
        function = self._compiled.predict_function
        if function is None:
            with self._lock:
                self._make_predict_function()
                function = self._compiled.predict_function
        return function

    # -- data ---------------------------------------------------------------------------------------------
    _standardize_user_data = feeding.standardize_user_data
    _training_data = feeding.training_data

    def _compile_built(self) -> None:
        """A model that was compiled before it was built knows its outputs now."""
        arguments = self._compiled.arguments
        if arguments is None or not arguments.optimizer:
            self._check_compiled()
        elif not self._is_compiled:
            with self._lock:
                if not self._is_compiled:
                    self._compile(arguments)

    def _set_inputs(self, inputs: Any, outputs: Any = None) -> None:
        """Build a subclassed model for inputs like these: arrays, or tensors to start from."""
        if self.inputs:
            raise ValueError("Model inputs are already set.")
        tensors = []
        for i, v in enumerate(inputs if isinstance(inputs, (list, tuple)) else [inputs]):
            if not isinstance(v, Tensor):
                shape = v.shape if v.ndim > 1 else (*v.shape, 1)  # as standardize_single_array will feed it
                text = getattr(v.dtype, "kind", "f") in "OUS"
                v = K.placeholder(shape=(None, *shape[1:]), dtype="string" if text else None, name=f"input_{i + 1}")
            tensors.append(v)
        with symbolic():
            self._set_call(tensors, outputs)

    # -- training, evaluating, predicting ---------------------------------------------------------------------
    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose=1,
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_freq=1,
        max_queue_size=10,
        workers=1,
        use_multiprocessing=False,
        validation_batch_size=None,
        **kwargs,
    ):
        """Train for a number of epochs.

        Args:
            x: inputs: an array, a list of arrays, a dict by input name, or a generator, ``Sequence`` or data set
                (``tf.data``) that yields ``(x, y)`` or ``(x, y, sample_weight)``.
            y: targets in the same forms.
            batch_size: samples per step, 32 by default.
            epochs: index of the epoch at which to stop (counting from ``initial_epoch``).
            verbose: 0 silent, 1 (or ``'auto'``) a progress bar, 2 one line per epoch.
            callbacks: list of ``keras.callbacks.Callback``.
            validation_split: the fraction at the data's end that is held back for validation.
            validation_data: ``(x, y)`` or ``(x, y, sample_weight)``, or a generator or ``Sequence``.
            shuffle: whether to shuffle the samples in each epoch; ``'batch'`` shuffles whole batches.
            class_weight: dict from class to factor.
            sample_weight: one weight per sample (or per sample and time step).
            initial_epoch: epoch to begin with, when training is resumed.
            steps_per_epoch, validation_steps: number of batches, for generators and tensors.
            validation_freq: validate every that many epochs, or in the epochs listed.
            max_queue_size, workers, use_multiprocessing: how a generator is run.
            validation_batch_size: samples per step of validation, ``batch_size`` by default.

        Returns:
            A ``History``, whose ``history`` is a dict from metric name to the list of its values by epoch.
        """
        if "nb_epoch" in kwargs:
            warn_user("The `nb_epoch` argument in `fit` has been renamed `epochs`.")
            epochs = kwargs.pop("nb_epoch")
        if verbose == "auto":
            verbose = 1 if settings.interactive_logging else 2
        if kwargs:
            guess = did_you_mean(next(iter(kwargs)), argument_names(type(self).fit))
            raise TypeError(f"Unrecognized keyword arguments: {kwargs}.{guess}")
        if x is None and y is None and steps_per_epoch is None:
            raise ValueError("If fitting from data tensors, you should specify the `steps_per_epoch` argument.")
        if self._by_steps("train"):
            return step_loops.fit(
                self, x, y, batch_size, epochs, verbose, callbacks, validation_split, validation_data, shuffle,
                class_weight, sample_weight, initial_epoch, steps_per_epoch, validation_steps, validation_freq,
                validation_batch_size,
            )  # fmt: skip
        if datasets.is_dataset(x):
            datasets.check_arguments("fit", y=y, batch_size=batch_size, sample_weight=sample_weight)
            return datasets.fit(
                self, x, steps_per_epoch, epochs, verbose, callbacks, validation_data, validation_steps, validation_freq,
                class_weight, initial_epoch,
            )  # fmt: skip
        batch_size = self._validate_or_infer_batch_size(batch_size, steps_per_epoch, x)
        if training_utils.is_generator_or_sequence(x):
            training_utils.check_generator_arguments(y, sample_weight, validation_split=validation_split)
            return self.fit_generator(
                x,
                steps_per_epoch=steps_per_epoch,
                epochs=epochs,
                verbose=verbose,
                callbacks=callbacks,
                validation_data=validation_data,
                validation_steps=validation_steps,
                validation_freq=validation_freq,
                class_weight=class_weight,
                max_queue_size=max_queue_size,
                workers=workers,
                use_multiprocessing=use_multiprocessing,
                shuffle=shuffle,
                initial_epoch=initial_epoch,
                validation_batch_size=validation_batch_size,
            )
        with self._lock:  # one compilation, which another thread may follow with the next
            x, y, sample_weights = self._training_data(x, y, sample_weight, class_weight, batch_size)
            val_inputs, validate = None, None
            if datasets.is_dataset(validation_data):
                validate = datasets.Validation(self, validation_data, validation_steps)
            elif training_utils.is_generator_or_sequence(validation_data):
                validate = self._validation_by_steps(validation_data, validation_steps, workers, use_multiprocessing)
            elif validation_data is not None and len(validation_data):
                val_inputs = self._validation_inputs(validation_data, batch_size)
            elif validation_split and 0.0 < validation_split < 1.0:
                if any(K.is_tensor(array) for array in x):
                    raise ValueError(
                        "If your data is in the form of symbolic tensors, you cannot use `validation_split`."
                    )
                split_at = int(x[0].shape[0] * (1.0 - validation_split))
                if not 0 < split_at < x[0].shape[0]:
                    raise ValueError(
                        f"validation_split={validation_split} leaves nothing to train or to validate on, given "
                        f"{x[0].shape[0]} samples."
                    )
                val_inputs = [part for data in (x, y, sample_weights) for part in slice_arrays(data, split_at)]
                x, y, sample_weights = (slice_arrays(data, 0, split_at) for data in (x, y, sample_weights))
            elif validation_steps:
                val_inputs = []
            self._make_train_function()
            if val_inputs is not None or validate is not None:
                self._make_test_function()
            compiled, labels = self._compiled, self.metrics_names
        return training_arrays.fit_loop(
            self,
            compiled.train_function,
            x + y + sample_weights,
            out_labels=labels,
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            val_function=None if val_inputs is None else compiled.test_function,
            val_inputs=val_inputs,
            shuffle=shuffle,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=None if validate is not None else validation_steps,
            validation_freq=validation_freq,
            validation_batch_size=validation_batch_size,
            validate=validate,
        )

    def _validation_by_steps(self, data: Any, steps: Any, workers: int, use_multiprocessing: bool) -> Callable:
        """A function of the callbacks that evaluates the model on batches that come from a generator or Sequence."""
        return lambda hooks: self.evaluate_generator(
            data, steps, callbacks=hooks, workers=workers, use_multiprocessing=use_multiprocessing
        )

    def _validation_inputs(self, validation_data: Any, batch_size: int | None) -> list:
        if len(validation_data) not in (2, 3):
            raise ValueError(
                "When passing validation_data, it must contain 2 (x_val, y_val) or 3 (x_val, y_val, "
                f"val_sample_weights) items, however it contains {len(validation_data)} items"
            )
        x, y, *weight = validation_data
        x, y, weights = self._training_data(x, y, weight[0] if weight else None, batch_size=batch_size)
        return x + y + weights

    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose=1,
        sample_weight=None,
        steps=None,
        callbacks=None,
        max_queue_size=10,
        workers=1,
        use_multiprocessing=False,
        return_dict=False,
    ):
        """Compute loss and metrics on data; arguments as for :meth:`fit`.

        Returns:
            The loss, or a list in the order of ``metrics_names``; with ``return_dict`` a dict by these names.
        """
        if self._by_steps("test"):
            logs = step_loops.evaluate(self, x, y, batch_size, verbose, sample_weight, steps, callbacks)
            return logs if return_dict else unpack_singleton(list(logs.values()))
        if return_dict:
            values = self.evaluate(
                x, y, batch_size, verbose, sample_weight, steps, callbacks, max_queue_size, workers, use_multiprocessing
            )
            return dict(zip(self.metrics_names, to_list(values)))
        if datasets.is_dataset(x):
            datasets.check_arguments("evaluate", y=y, batch_size=batch_size, sample_weight=sample_weight)
            return datasets.evaluate(self, x, steps, verbose, callbacks)
        batch_size = self._validate_or_infer_batch_size(batch_size, steps, x)
        if training_utils.is_generator_or_sequence(x):
            training_utils.check_generator_arguments(y, sample_weight)
            return self.evaluate_generator(
                x,
                steps=steps,
                verbose=verbose,
                callbacks=callbacks,
                max_queue_size=max_queue_size,
                workers=workers,
                use_multiprocessing=use_multiprocessing,
            )
        if x is None and y is None and steps is None:
            raise ValueError("If evaluating from data tensors, you should specify the `steps` argument.")
        with self._lock:
            x, y, sample_weights = self._training_data(x, y, sample_weight, batch_size=batch_size)
            self._make_test_function()
            step, labels = self._compiled.test_function, self.metrics_names
        return training_arrays.test_loop(
            self,
            step,
            x + y + sample_weights,
            batch_size=batch_size,
            verbose=verbose,
            steps=steps,
            callbacks=callbacks,
            out_labels=labels,
        )

    def predict(
        self,
        x,
        batch_size=None,
        verbose=0,
        steps=None,
        callbacks=None,
        max_queue_size=10,
        workers=1,
        use_multiprocessing=False,
    ):
        """Compute the outputs for ``x``, in batches; arguments as for :meth:`fit`.

        Returns:
            An array, or a list of arrays if the model has several outputs.
        """
        if self._by_steps("predict"):
            return step_loops.predict(self, x, batch_size, verbose, steps, callbacks)
        if datasets.is_dataset(x):
            datasets.check_arguments("predict", batch_size=batch_size)
            return datasets.predict(self, x, steps, verbose, callbacks)
        batch_size = self._validate_or_infer_batch_size(batch_size, steps, x)
        if training_utils.is_generator_or_sequence(x):
            return self.predict_generator(
                x,
                steps=steps,
                verbose=verbose,
                callbacks=callbacks,
                max_queue_size=max_queue_size,
                workers=workers,
                use_multiprocessing=use_multiprocessing,
            )
        if x is None and steps is None:
            raise ValueError(
                "There is nothing to predict for: x is None. If predicting from data tensors, you should specify the "
                "`steps` argument."
            )
        x, _, _ = self._standardize_user_data(x, batch_size=batch_size)
        outputs = training_arrays.predict_loop(
            self, self._predicting(), x, batch_size=batch_size, verbose=verbose, steps=steps, callbacks=callbacks
        )
        return self._packed(outputs)

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, reset_metrics=True, return_dict=False):
        """Make one training step.

        Args:
            reset_metrics: whether the metrics returned are of this batch alone.

        Returns:
            The loss, or a list in the order of ``metrics_names``; with ``return_dict`` a dict by these names.
        """
        if self._by_steps("train"):
            logs = step_loops.on_batch(self, "train", x, y, sample_weight, class_weight, reset_metrics)
            return logs if return_dict else unpack_singleton(list(logs.values()))
        with self._lock:
            x, y, sample_weights = self._training_data(x, y, sample_weight, class_weight)
            self._make_train_function()
            step = self._compiled.train_function
        outputs = step(feedable(x + y + sample_weights))
        if reset_metrics:
            self.reset_metrics()
        values = [scalar(value) for value in outputs]
        return dict(zip(self.metrics_names, values)) if return_dict else unpack_singleton(values)

    def test_on_batch(self, x, y=None, sample_weight=None, reset_metrics=True, return_dict=False):
        """Compute loss and metrics on one batch; see :meth:`train_on_batch`."""
        if self._by_steps("test"):
            logs = step_loops.on_batch(self, "test", x, y, sample_weight, None, reset_metrics)
            return logs if return_dict else unpack_singleton(list(logs.values()))
        with self._lock:
            x, y, sample_weights = self._training_data(x, y, sample_weight)
            self._make_test_function()
            step = self._compiled.test_function
        outputs = step(feedable(x + y + sample_weights))
        if reset_metrics:
            self.reset_metrics()
        values = [scalar(value) for value in outputs]
        return dict(zip(self.metrics_names, values)) if return_dict else unpack_singleton(values)

    def predict_on_batch(self, x, on_device=False):
        """Compute the outputs for one batch, with as little around it as possible.

        Args:
            x: as for :meth:`predict`; a :class:`hornbeam.DeviceArray` or another library's array that lies on the device
                which this thread runs on is read there.
            on_device: whether results stay there, as DeviceArrays; on the CPU they are NumPy's arrays either way.
        """
        function = self._compiled.predict_function
        if function is not None and type(x) is ndarray and not on_device:
            try:
                outputs = function([x])
                return outputs[0] if len(outputs) == 1 else outputs
            except (ValueError, TypeError):
                pass  # what is wrong with x is said below, in the model's terms
        if self._by_steps("predict"):
            return step_loops.predict(self, x, None, 0, None, None)
        x, _, _ = self._standardize_user_data(x)
        function = self._predicting()
        outputs = function.run_there(feedable(x)) if on_device else function(feedable(x))
        return self._packed(unpack_singleton(outputs))

    fit_generator = interfaces.legacy_generator_methods_support(training_generator.fit_generator)
    evaluate_generator = interfaces.legacy_generator_methods_support(training_generator.evaluate_generator)
    predict_generator = interfaces.legacy_generator_methods_support(training_generator.predict_generator)

    def _validate_or_infer_batch_size(self, batch_size, steps, x):
        """The batch size to use: the one given, the one that the inputs fix, or 32."""
        if batch_size is not None and training_utils.is_generator_or_sequence(x):
            raise ValueError(
                "The `batch_size` argument must not be specified when using a generator or Sequence as an input."
            )
        if batch_size is not None and not (isinstance(batch_size, (int, np.integer)) and batch_size > 0):
            raise ValueError(f"`batch_size` should be a positive integer. Received: {batch_size}")
        fixed = None
        if self.layers:
            fixed = training_utils.get_static_batch_size(self)
            if fixed is not None and batch_size is not None and batch_size != fixed:
                raise ValueError(
                    f"The `batch_size` argument value {batch_size} is incompatible with the specified batch size of "
                    f"your Input Layer: {fixed}"
                )
        if batch_size is None and steps is None:
            return fixed if fixed is not None else 32
        return batch_size

    def _get_callback_model(self):
        """The model that callbacks are given."""
        return getattr(self, "callback_model", None) or self
