"""What a layer has of weights: which there are, how they are made, read and set."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core, constraints, initializers, regularizers
from .. import backend as K
from ..graph import Variable, as_integer, dtype_name, name_scope, scoped_name, symbolic
from ..legacy import interfaces
from ..utils.generic_utils import each_once
from ..utils.messages import describe
from .calling import weights_were_set


class WeightAccess:
    """The part of a :class:`Layer` that is about its weights; mixed into it."""

    if TYPE_CHECKING:  # what a Layer has besides
        name: str
        dtype: Any
        built: bool
        build: Callable
        add_loss: Callable
        _penalties: dict

        @property
        def _sublayers(self) -> list: ...

    _trainable_weights: list[Variable]
    _non_trainable_weights: list[Variable]

    @property
    def trainable_weights(self):
        """Variables that training changes; empty where ``trainable`` is False."""
        if not getattr(self, "trainable", True):
            return []
        return each_once(self._trainable_weights, *[layer.trainable_weights for layer in self._sublayers])

    @trainable_weights.setter
    def trainable_weights(self, weights):
        self._trainable_weights = weights

    @property
    def non_trainable_weights(self):
        """Variables that training leaves alone; all of them where ``trainable`` is False."""
        if getattr(self, "trainable", True):
            return each_once(self._non_trainable_weights, *(la.non_trainable_weights for la in self._sublayers))
        own = [self._trainable_weights, self._non_trainable_weights]
        return each_once(*own, *(layer.weights for layer in self._sublayers))

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights):
        self._non_trainable_weights = weights

    @property
    def weights(self):
        """All variables, those that training changes first."""
        return self.trainable_weights + self.non_trainable_weights

    @interfaces.legacy_add_weight_support
    def add_weight(
        self,
        name=None,
        shape=None,
        dtype=None,
        initializer=None,
        regularizer=None,
        trainable=True,
        constraint=None,
        use_resource=None,
        synchronization=None,
        aggregation=None,
    ):
        """Make a variable of the layer.

        Args:
            name: the variable's name.
            shape: a tuple; a scalar by default.
            dtype: the layer's dtype by default.
            initializer: an initializer, its name or config; Glorot uniform by default.
            regularizer: a function of the variable that gives a penalty.
            trainable: whether training changes it.
            constraint: a projection applied after each training step.
            use_resource, synchronization, aggregation: of TensorFlow's replicas, of which there is one: they change nothing.

        Raises:
            ValueError: a dim of the shape is None.
        """
        shape = () if shape is None else tuple(shape)
        if None in shape:
            raise ValueError(
                f"the weight {name!r} of {self.name} would have the shape {shape}: state the size of the inputs where it is None."
            )
        shape = tuple(as_integer(d) for d in shape)
        dtype = dtype or self.dtype or K.floatx()
        _core.Variable(dtype_name(dtype), shape)  # whether there are such variables; it holds no memory yet
        initializer = initializers.get("glorot_uniform" if initializer is None else initializer)
        with symbolic():
            initial = initializer(shape, dtype=dtype)
        weight = Variable(
            initial,  # a random tensor; its value is computed when first read
            dtype=dtype,
            shape=shape,
            name=scoped_name(name or "Variable"),
            constraint=constraints.get(constraint),
        )
        weight.trainable = trainable
        (self._trainable_weights if trainable else self._non_trainable_weights).append(weight)
        regularizer = regularizers.get(regularizer)
        if regularizer is not None:
            with name_scope("weight_regularizer"), symbolic():
                penalty = regularizer(weight)
                self.add_loss(penalty)
            self._penalties[id(penalty)] = functools.partial(regularizer, weight)
        return weight

    # What tf.keras calls them.
    variables = property(lambda self: self.weights, doc="As ``weights``.")
    trainable_variables = property(lambda self: self.trainable_weights, doc="As ``trainable_weights``.")
    non_trainable_variables = property(lambda self: self.non_trainable_weights, doc="As ``non_trainable_weights``.")

    def get_weights(self):
        """Copies of the weights, as a list of arrays."""
        return K.batch_get_value(self.weights)

    def set_weights(self, weights):
        """Set the weights from a list of arrays as :meth:`get_weights` gives it.

        Raises:
            ValueError: their number or a shape differs; nothing is changed then.
        """
        set_all_weights(f'layer "{self.name}"', self.weights, weights)
        weights_were_set([self])

    def count_params(self):
        """The number of scalars in the weights."""
        if not self.built:
            if type(self).__name__ != "Sequential":
                raise RuntimeError(
                    f"You tried to call `count_params` on {self.name}, but the layer isn't built. "
                    "You can build it manually via: `.build(batch_input_shape)`."
                )
            self.build()
        return sum(int(np.prod(w.shape)) for w in self.weights)


def set_all_weights(whose: str, params: list[Variable], weights: Any) -> None:
    """Set variables from arrays; ``whose`` begins with what kind of thing they belong to.

    Raises:
        ValueError: their number or a shape differs; nothing is changed then.
    """
    if len(params) != len(weights):
        raise ValueError(
            f"You called `set_weights(weights)` on {whose} with a weight list of length {len(weights)}, but the "
            f"{whose.split()[0]} was expecting {len(params)} weights. Provided weights: {describe(weights)}"
        )
    arrays = [np.asarray(w) for w in weights]
    for param, array in zip(params, arrays):
        if param.shape != array.shape:
            raise ValueError(
                f"Layer weight shape {param.shape} not compatible with provided weight shape {array.shape} "
                f"(weight {param.name} of {whose})"
            )
    K.batch_set_value(list(zip(params, arrays)))
