"""From users' data to feeds: building and compiling on first sight of data, checks, weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend as K
from .. import losses
from ..graph import Tensor
from ..utils.generic_utils import has_arg, to_list, unpack_singleton
from . import standardize
from .compiling import Compiling


class Feeding(Compiling):
    """The part of :class:`Model` that turns ``x``, ``y`` and weights into lists of arrays."""

    def _standardize_user_data(
        self,
        x,
        y=None,
        sample_weight=None,
        class_weight=None,
        check_array_lengths=True,
        batch_size=None,
    ):
        """Return inputs, targets and sample weights as lists of arrays that fit the model.

        Raises:
            ValueError: shapes or numbers of arrays are wrong.
            RuntimeError: targets are given but the model is not compiled.
        """
        if not (self.built and self.outputs):
            with self._lock:  # built here, or by another thread meanwhile
                if not self.outputs:
                    self._build_on(x)
        if y is not None:
            self._compile_on(y)
        shapes = self._feed_input_shapes if self._is_graph_network else None
        x = standardize.standardize_input_data(
            x, self._feed_input_names, shapes, check_batch_axis=False, exception_prefix="input"
        )
        if any(array is None for array in x):
            raise ValueError(f"No data provided for the inputs {self._feed_input_names}.")
        if y is None:
            y, sample_weights = [], []
        else:
            y, sample_weights = self._standardize_targets(y, sample_weight, class_weight)
            if check_array_lengths:
                standardize.check_array_length_consistency(x, y, sample_weights)
        if self.stateful and batch_size and x and x[0].shape[0] % batch_size != 0:
            raise ValueError(
                "In a stateful network, you should only pass inputs with a number of samples that can be divided by "
                f"the batch size. Found: {x[0].shape[0]} samples"
            )
        return x, y, sample_weights

    def _training_data(self, x, y, sample_weight=None, class_weight=None, batch_size=None):
        """As :meth:`_standardize_user_data`, for what needs targets and a compiled model."""
        data = self._standardize_user_data(
            x, y, sample_weight=sample_weight, class_weight=class_weight, batch_size=batch_size
        )
        if y is None:
            self._compile_on(y)
        self._check_compiled()
        if y is None and self._feed_targets:
            names = self._feed_output_names
            raise ValueError(f'No data provided for "{names[0]}". Need data for each key in: {names}')
        if batch_size is not None:  # for all samples at once, and not in each step
            standardize.check_class_numbers(data[1], self._feed_loss_fns, self._feed_output_shapes)
        return data

    def _standardize_targets(self, y: Any, sample_weight: Any, class_weight: Any) -> tuple[list, list]:
        names = self._feed_output_names
        shapes = [_target_shape(s, fn) for s, fn in zip(self._feed_output_shapes, self._feed_loss_fns)]
        y = standardize.standardize_input_data(
            y, names, shapes if self._is_graph_network else None, check_batch_axis=False, exception_prefix="target"
        )
        weights = [
            standardize.standardize_weights(target, weight, by_class, mode)
            for target, weight, by_class, mode in zip(
                y,
                standardize.standardize_sample_weights(sample_weight, names),
                standardize.standardize_class_weights(class_weight, names),
                self._feed_sample_weight_modes,
            )
        ]
        if self._is_graph_network:
            standardize.check_loss_and_target_compatibility(y, self._feed_loss_fns, self._feed_output_shapes)
        return y, weights

    def _build_on(self, x: Any) -> None:
        if isinstance(x, dict):
            raise ValueError("Please do not pass a dictionary as model inputs: a model that is built on first sight "
                             "of data does not know their names yet.")  # fmt: skip
        arrays = to_list(x, allow_tuple=True)
        if not all(isinstance(v, (np.ndarray, Tensor)) for v in arrays):
            if isinstance(x, (list, tuple)) and len(x) and np.ndim(x) and np.asarray(x).dtype != object:
                arrays = [np.asarray(x)]
            else:
                raise ValueError(
                    "Please provide as model inputs either a single array or a list of arrays. "
                    f"You passed: x={str(x)[:200]}"
                )
        self._set_inputs(unpack_singleton(arrays))

    def _compile_on(self, y: Any) -> None:
        """A model that was compiled before it was built knows its outputs now."""
        if not getattr(self, "optimizer", None):
            self._check_compiled()
        if not self._is_compiled:
            self.compile(
                self.optimizer,
                loss=self.loss,
                metrics=self._compile_metrics,
                loss_weights=self.loss_weights,
                sample_weight_mode=self.sample_weight_mode,
                weighted_metrics=self._compile_weighted_metrics,
            )

    def _set_inputs(self, inputs: Any, outputs: Any = None) -> None:
        """Build a subclassed model for inputs like these: arrays, or tensors to start from."""
        if self.inputs:
            raise ValueError("Model inputs are already set.")
        tensors = []
        for i, v in enumerate(to_list(inputs, allow_tuple=True)):
            if not isinstance(v, Tensor):
                shape = v.shape if v.ndim > 1 else (*v.shape, 1)  # as standardize_single_array will feed it
                v = K.placeholder(shape=(None, *shape[1:]), name=f"input_{i + 1}")
            tensors.append(v)
        self._run_call(tensors, outputs)

    def _run_call(self, tensors: list, outputs: Any = None) -> None:
        if outputs is None:
            training = {"training": None} if has_arg(self.call, "training") else {}
            outputs = self.call(unpack_singleton(tensors), **training)
        self.inputs = tensors
        self.outputs = to_list(outputs, allow_tuple=True)
        self.input_names = [f"input_{i + 1}" for i in range(len(tensors))]
        self.output_names = [f"output_{i + 1}" for i in range(len(self.outputs))]
        fed = [(x, name) for x, name in zip(tensors, self.input_names) if K.is_placeholder(x)]
        self._feed_inputs = [x for x, _ in fed]
        self._feed_input_names = [name for _, name in fed]
        self._feed_input_shapes = [K.int_shape(x) for x, _ in fed]
        self.built = True


def _target_shape(output_shape: tuple, loss: Any) -> tuple | None:
    """The shape that targets must have; None for losses whose meaning only their author knows."""
    fn = getattr(loss, "fn", None)
    if fn is losses.sparse_categorical_crossentropy:
        if standardize.classes_first(output_shape):
            return (output_shape[0], 1, *output_shape[2:])
        return (*output_shape[:-1], 1)
    if not isinstance(loss, losses.Loss):
        return None
    if fn is not None and getattr(losses, getattr(fn, "__name__", ""), None) is None:
        return None
    return output_shape
