"""Giving objects the values in a checkpoint, those that come into being later too."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ...engine.base_layer import Layer
from ...graph import Variable, write_state
from ...optimizers import Optimizer, TFOptimizer
from ...utils.messages import shortened, warn_user
from ..tensor_bundle import TensorBundle
from . import optimizers
from .graph import GRAPH_KEY, ObjectGraph
from .matching import Match
from .objects import variables_of

Values = list[tuple[Variable, np.ndarray]]


class Restoration:
    """A checkpoint whose values an object and its parts take. TensorFlow calls it the status of loading.

    Args:
        root: the object.
        bundle: the checkpoint.
        whole: whether the checkpoint must have all weights of ``root``, which is a model.

    Raises:
        OSError, ValueError: the checkpoint is damaged.
    """

    def __init__(self, root: Any, bundle: TensorBundle, whole: bool = False) -> None:
        self._root, self.bundle, self._whole = root, bundle, whole
        self.found = Match(bundle)
        self.found.find(root)

    # -- setting ----------------------------------------------------------------------------------------------
    def check(self) -> None:
        """Compare the variables that were found with their tensors, and see whether any is missing that must not be.

        Raises:
            ValueError: the checkpoint lacks a weight, or has another shape of one, or no numbers.
        """
        self._check_shapes(self.found.keys)
        if self._whole:
            model, found = self._root, self.found
            self._check_whole(model)
            nothing = not found.keys and len(found.unbuilt) <= 1 and not model._is_graph_network
            if not model.built and (found.graph is None or nothing):
                raise ValueError(
                    f"The checkpoint {self.bundle.prefix!r} has nothing of the layers of {model.name}, which have no "
                    f"weights yet. It has {', '.join(shortened(name, 60) for name in self.bundle.names[:4])}, ..."
                )

    def _check_shapes(self, keys: list[tuple[Variable, str]]) -> None:
        bundle = self.bundle
        for variable, key in keys:
            if bundle.shape(key) != variable.shape or bundle.dtype(key) in ("string", "complex64", "complex128"):
                raise ValueError(
                    f"Weight {variable.name} has shape {tuple(variable.shape)}, but the checkpoint {bundle.prefix!r} has "
                    f"{key!r:.120} of shape {bundle.shape(key)} and dtype {bundle.dtype(key)}."
                )

    def _check_whole(self, layer: Layer) -> None:
        missing, names = self.found.lacks(layer.weights), self.bundle.names
        if missing:
            raise ValueError(
                f"The checkpoint {self.bundle.prefix!r} has no values for {len(missing)} of the {len(layer.weights)} weights "
                f"of {layer.name}: {', '.join(missing[:4])}{', ...' if len(missing) > 4 else ''}. It has "
                f"{', '.join(shortened(name, 60) for name in names[:4])}, ... To load what fits, use "
                "tf.train.Checkpoint(...).restore, or build the model that was saved."
            )

    def take(self) -> None:
        """Set all variables that exist, at one moment; what is built later takes its values then.

        Raises:
            OSError, ValueError: a tensor is damaged, or does not fit. Nothing is set then.
        """
        self.check()  # before memory is taken
        pairs = self._read(self.found.keys)
        for optimizer, number in self.found.optimizers:
            pairs += self._optimizer_values(optimizer, number)
        write_state(pairs)
        self._await(0)
        for optimizer, number in self.found.optimizers:
            if not optimizer.has_state:
                optimizer._when_made = functools.partial(self._resume_optimizer, optimizer, number)

    def _read(self, keys: list[tuple[Variable, str]]) -> Values:
        return [(variable, self.bundle.read(key)) for variable, key in keys]

    def _optimizer_values(self, optimizer: Optimizer, number: int) -> Values:
        graph = self.found.graph
        if graph is None or isinstance(optimizer, TFOptimizer):
            return []
        settings = optimizers.settings(optimizer, number, graph, self.bundle)
        if optimizer.has_state:
            return settings + self._state(graph, optimizer, number)
        return settings + optimizers.steps(optimizer, number, graph, self.bundle)

    def _state(self, graph: ObjectGraph, optimizer: Optimizer, number: int) -> Values:
        """Steps and slots of an optimizer that has slots. What does not fit is left out with a warning, as Keras does."""
        try:
            return optimizers.state(optimizer, number, graph, self.bundle, self.found.numbers)
        except (OSError, ValueError) as error:
            warn_user(f"The state of the optimizer {type(optimizer).__name__} is not restored; it begins anew: {error}")
            return []

    # -- what comes into being later -------------------------------------------------------------------------
    def _await(self, since: int) -> None:
        for layer, number in self.found.unbuilt[since:]:
            layer._when_built = functools.partial(self._resume, layer, number)

    def _resume(self, layer: Layer, number: int) -> None:
        known, waiting = len(self.found.keys), len(self.found.unbuilt)
        self.found.find(layer, number)
        new = self.found.keys[known:]
        self._check_shapes(new)
        if self._whole:
            self._check_whole(layer)
        write_state(self._read(new))
        self._await(waiting)

    def _resume_optimizer(self, optimizer: Optimizer, number: int) -> None:
        if self.found.graph is not None and optimizer.has_state:
            write_state(self._state(self.found.graph, optimizer, number) or [(optimizer.weights[0], 0)])

    # -- what TensorFlow's scripts ask ------------------------------------------------------------------------
    def assert_existing_objects_matched(self) -> Restoration:
        """
        Raises:
            AssertionError: a variable has no value in the checkpoint.
        """
        missing = self.found.lacks(variables_of(self._root))
        if missing:
            raise AssertionError(
                f"The checkpoint {self.bundle.prefix!r} has no values for {shortened(', '.join(missing), 300)}."
            )
        return self

    def assert_consumed(self) -> Restoration:
        """
        Raises:
            AssertionError: a variable has no value in the checkpoint, or a value there is that of no object.
        """
        self.assert_existing_objects_matched()
        used = {key for _, key in self.found.keys}
        if self.found.graph is not None:
            used |= self.found.graph.keys_below(number for _, number in self.found.optimizers)
        left = [name for name in self.bundle.names if name not in used and name != GRAPH_KEY]
        if left:
            raise AssertionError(
                f"The checkpoint {self.bundle.prefix!r} has values that no object took: {shortened(', '.join(left), 300)}."
            )
        return self

    def assert_nontrivial_match(self) -> Restoration:
        """
        Raises:
            AssertionError: nothing of the object is in the checkpoint.
        """
        if not (self.found.keys or self.found.unbuilt or self.found.optimizers):
            raise AssertionError(f"Nothing in the checkpoint {self.bundle.prefix!r} is a part of {self._root!r:.100}.")
        return self

    def expect_partial(self) -> Restoration:
        """TensorFlow warns of values that were not used unless this is called; there is no such warning here."""
        return self

    def initialize_or_restore(self, session: Any = None) -> None:
        """In graphs of TensorFlow 1 this sets the variables, which here have their values already."""

    run_restore_ops = initialize_or_restore
