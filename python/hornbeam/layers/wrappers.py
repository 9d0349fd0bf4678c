"""Layers that wrap another layer: TimeDistributed applies it to every step, Bidirectional runs it both ways."""

from __future__ import annotations

import copy
from typing import Any

from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..engine.layer_weights import set_all_weights
from ..engine.users_call import call_layer
from ..graph import Tensor, name_scope
from ..settings import settings
from ..utils.generic_utils import get_registered_name, has_arg, object_list_uid, to_list, unpack_singleton
from ..utils.registry import LAYERS
from .conv_base import _Conv
from .core import Activation, Dense, Flatten
from .embeddings import Embedding
from .pooling import _GlobalPooling, _Pooling
from .state_inputs import TakesStates, split_inputs
from .time_folding import fold_time, unfold_time

__all__ = ["Bidirectional", "TimeDistributed", "Wrapper"]


class Wrapper(Layer):
    """A layer around another layer, whose weights, losses, updates and ``trainable`` it shares.

    Args:
        layer: the layer inside.
        trainable: set on the layer inside, as in Keras; True by default.

    A subclass that calls the layer inside on other tensors than its own inputs notes them in ``_input_map`` under
    ``object_list_uid(inputs)``: losses and updates of the layer inside are filed under what that was called on.
    """

    def __init__(self, layer, **kwargs):
        if not isinstance(layer, Layer):
            raise ValueError(f"{type(self).__name__} wraps a layer (an instance, not a class or name), got {layer!r}.")
        self._input_map = {}
        self.layer = layer  # first, because the base class sets `trainable`
        super().__init__(**kwargs)
        self._track(layer)  # the base class began its list of children anew

    def build(self, input_shape=None):
        if input_shape is not None and settings.dialect.wrappers_build and not self.layer.built:
            with name_scope(self.layer.name):
                self.layer.build(input_shape)
            self.layer.built = True
        self.built = True

    @property
    def activity_regularizer(self):
        return getattr(self.layer, "activity_regularizer", None)

    @property
    def trainable(self):
        return self.layer.trainable

    @trainable.setter
    def trainable(self, value):
        self.layer.trainable = value

    def get_losses_for(self, inputs=None):
        return super().get_losses_for(inputs) + self._inner("losses", inputs)

    def get_updates_for(self, inputs=None):
        return super().get_updates_for(inputs) + self._inner("updates", inputs)

    def _inner(self, what: str, inputs: Any) -> list:
        """Losses or updates that the layer inside filed under what it was called on for ``inputs``."""
        inner = None if inputs is None else self._input_map.get(object_list_uid(inputs))
        return [] if inner is None else getattr(self.layer, f"get_{what}_for")(inner)

    def get_weights(self):
        return self.layer.get_weights()

    def set_weights(self, weights):
        self.layer.set_weights(weights)

    def get_config(self):
        layer = {"class_name": get_registered_name(type(self.layer)), "config": self.layer.get_config()}
        return {**super().get_config(), "layer": layer}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        layer = LAYERS.deserialize(config.pop("layer"), custom_objects)
        return cls(layer, **config)


# Layers of which each sample's output depends on that sample alone, whatever the batch size.
_SAMPLE_BY_SAMPLE = (Activation, Dense, Embedding, Flatten, _Conv, _GlobalPooling, _Pooling)


class TimeDistributed(Wrapper):
    """Applies a layer or a model to every time step: (batch, time, ...) to (batch, time, ...).

    Steps become samples of one larger batch, so the layer runs once, and BatchNormalization inside takes its statistics
    over samples and steps. Where the batch size is fixed, layers that may depend on it run once per step instead.

    Args:
        layer: the layer, or a model with one input and one output.

    Example:
        >>> model.add(TimeDistributed(Dense(8), input_shape=(10, 16)))  # (None, 10, 8)
    """

    def __init__(self, layer, **kwargs):
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape=None):
        if input_shape is None or len(input_shape) < 3:
            raise ValueError(f"TimeDistributed needs inputs of shape (batch, time, ...), got shape {input_shape}.")
        self.input_spec = InputSpec(shape=(None, None, *input_shape[2:]))
        if not self.layer.built:
            self.layer.build((input_shape[0], *input_shape[2:]))
            self.layer.built = True
        super().build()

    def call(self, inputs, training=None, mask=None):
        arguments = {"training": training} if has_arg(self.layer.call, "training") else {}
        if self._step_by_step(inputs):

            def step(x, states):
                return self._one_output(call_layer(self.layer, x, arguments)), []

            return K.rnn(step, inputs, [], unroll=True)[1]  # the layer may have updates
        if mask is not None and has_arg(self.layer.call, "mask"):
            arguments["mask"] = fold_time(mask)
        return unfold_time(self._one_output(call_layer(self.layer, fold_time(inputs), arguments)), inputs)

    def _add_inbound_node(self, input_tensors, *args, **kwargs):
        super()._add_inbound_node(input_tensors, *args, **kwargs)
        inputs = unpack_singleton(to_list(input_tensors))
        uid = object_list_uid(inputs)
        if uid not in self._input_map and not self._step_by_step(inputs):  # a subclass may have noted its own
            self._input_map[uid] = fold_time(inputs)

    def _inner(self, what: str, inputs: Any) -> list:
        if inputs is None or inputs == []:
            return []
        inner = self._input_map.get(object_list_uid(inputs))
        return getattr(self.layer, f"get_{what}_for")([fold_time(unpack_singleton(inputs)) if inner is None else inner])

    def _step_by_step(self, inputs: Tensor) -> bool:
        return None not in inputs.shape[:2] and not isinstance(self.layer, _SAMPLE_BY_SAMPLE)

    def _one_output(self, output: Any) -> Tensor:
        if isinstance(output, (list, tuple)):
            raise ValueError(f"TimeDistributed takes a layer with one output, {self.layer.name} has {len(output)}.")
        return output

    def _output_shapes(self, inputs, outputs):
        """As they are, since custom layers need not have compute_output_shape; the steps are the input's."""
        steps = K.int_shape(to_list(inputs)[0])[1]
        shapes = [K.int_shape(x) for x in outputs]
        return [(s[0], steps, *s[2:]) if len(s) > 1 and s[1] is None else s for s in shapes]

    def compute_output_shape(self, input_shape):
        shape = self.layer.compute_output_shape((input_shape[0], *input_shape[2:]))
        return (shape[0], input_shape[1], *shape[1:])

    def compute_mask(self, inputs, mask=None):
        """What the layer says of each step; if it drops the mask, whether anything of the step was unmasked."""
        if self._step_by_step(inputs):
            return mask
        output_mask = self.layer.compute_mask(fold_time(inputs), None if mask is None else fold_time(mask))
        if output_mask is not None:
            return unfold_time(output_mask, inputs)
        while mask is not None and mask.ndim > 2:
            mask = K.any(mask, axis=-1)
        return mask


_MERGE_MODES = ("sum", "mul", "ave", "concat", None)


class Bidirectional(TakesStates, Wrapper):
    """Runs a recurrent layer forwards and backwards over the sequence and merges both outputs.

    Args:
        layer: a recurrent layer. The forward one is a copy of it, the backward one is made from its config.
        merge_mode: ``'concat'`` (the default), ``'sum'``, ``'mul'``, ``'ave'``, or None to give both outputs as a list.
        weights: initial weights, those of the forward layer first.
        backward_layer: (keyword only, as in files of tf.keras) the layer to run backwards, if it is another one.

    Calling: as the layer; ``initial_state`` has the states of the forward layer, then those of the backward one.
    With ``return_state`` the states come in that order too, after the outputs.

    Example:
        >>> y = Bidirectional(LSTM(8, return_sequences=True))(Input((10, 4)))  # (None, 10, 16)
    """

    def __init__(self, layer, merge_mode="concat", weights=None, **kwargs):
        backward_layer = kwargs.pop("backward_layer", None)
        if merge_mode not in _MERGE_MODES:
            raise ValueError(f"Invalid merge mode: {merge_mode!r}. Merge mode should be one of {_MERGE_MODES}")
        if not all(hasattr(layer, name) for name in ("return_sequences", "return_state", "stateful")):
            raise ValueError(f"Bidirectional wraps a recurrent layer, such as LSTM or RNN. Received: {layer}")
        self.forward_layer = copy.copy(layer)
        self._own_backward_layer = backward_layer is not None
        self.backward_layer = _reversed_copy(layer) if backward_layer is None else copy.copy(backward_layer)
        if self.backward_layer.go_backwards == layer.go_backwards:
            raise ValueError("The forward layer and the backward layer of Bidirectional run in the same direction.")
        self.forward_layer.name = "forward_" + layer.name
        self.backward_layer.name = "backward_" + layer.name
        super().__init__(layer, **kwargs)
        self._children = [self.forward_layer, self.backward_layer]  # the layer that was given is only a template
        self._initial_weights = weights
        self.merge_mode = merge_mode
        self.stateful = layer.stateful
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.supports_masking = True
        self.input_spec = layer.input_spec

    @property
    def trainable(self):
        return self.forward_layer.trainable

    @trainable.setter
    def trainable(self, value):
        self.forward_layer.trainable = self.backward_layer.trainable = value

    def get_weights(self):
        return K.batch_get_value(self._weights_by_direction())

    def set_weights(self, weights):
        set_all_weights(f'layer "{self.name}"', self._weights_by_direction(), weights)

    def _weights_by_direction(self):
        return self.forward_layer.weights + self.backward_layer.weights

    # -- calling --------------------------------------------------------------------------------------
    def _check_initial_state(self, states):
        if len(states) % 2:
            raise ValueError(
                "When passing `initial_state` to a Bidirectional RNN, the state should be a list containing the states "
                f"of the underlying RNNs, forward ones first. Found: {states}"
            )

    def _take_constants(self, constants):
        for layer in (self.forward_layer, self.backward_layer):
            layer._take_constants(constants)
        super()._take_constants(constants)

    def build(self, input_shape=None):
        for layer in (self.forward_layer, self.backward_layer):
            with name_scope(layer.name):
                layer.build(input_shape)
                layer.built = True
        super().build()

    def call(self, inputs, mask=None, training=None, initial_state=None, constants=None):
        inputs, initial_state, constants = split_inputs(inputs, initial_state, constants, self._num_constants)
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        half = len(initial_state) // 2
        y, states = self._run(self.forward_layer, inputs, mask, training, initial_state[:half], constants)
        y_back, states_back = self._run(self.backward_layer, inputs, mask, training, initial_state[half:], constants)
        if self.return_sequences:
            y_back = K.reverse(y_back, 0 if getattr(self.forward_layer, "time_major", False) else 1)
        outputs = [y, y_back] if self.merge_mode is None else [_merge(y, y_back, self.merge_mode)]
        return unpack_singleton(outputs + states + states_back)

    def _run(self, layer, inputs, mask, training, states, constants):
        given = {"mask": mask, "training": training, "initial_state": states or None, "constants": constants or None}
        output = call_layer(layer, inputs, {k: v for k, v in given.items() if has_arg(layer.call, k)})
        return (output[0], list(output[1:])) if self.return_state else (output, [])

    def compute_output_shape(self, input_shape):
        shape = self.forward_layer.compute_output_shape(input_shape)
        shape, states = (shape[0], shape[1:]) if self.return_state else (shape, [])
        if self.merge_mode == "concat" and shape[-1] is not None:
            shape = (*shape[:-1], 2 * shape[-1])
        return unpack_singleton([shape] * self._output_count + states + states)

    def compute_mask(self, inputs, mask=None):
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        states = len(self.forward_layer.states) if self.return_state else 0
        return unpack_singleton([mask if self.return_sequences else None] * self._output_count + [None] * (2 * states))

    @property
    def _output_count(self) -> int:
        return 2 if self.merge_mode is None else 1

    def reset_states(self, states=None):
        """Set the states of both layers to zero, or to ``states``: those of the forward layer, then of the backward one."""
        half = None if states is None else len(states) // 2
        self.forward_layer.reset_states(None if states is None else states[:half])
        self.backward_layer.reset_states(None if states is None else states[half:])

    @property
    def constraints(self):
        """What both layers have under this name, the backward layer's last; Keras 1's dict of weight constraints."""
        layers = (self.forward_layer, self.backward_layer)
        return {weight: c for layer in layers for weight, c in getattr(layer, "constraints", {}).items()}

    # -- configuration --------------------------------------------------------------------------------
    def get_config(self):
        config = {**super().get_config(), "merge_mode": self.merge_mode}
        if self._own_backward_layer:
            backward = self.backward_layer
            config["backward_layer"] = {
                "class_name": get_registered_name(type(backward)),
                "config": backward.get_config(),
            }
        if self._num_constants:
            config["num_constants"] = self._num_constants
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        num_constants = config.pop("num_constants", 0)
        if config.get("backward_layer") is not None:
            config["backward_layer"] = LAYERS.deserialize(config["backward_layer"], custom_objects)
        layer = super().from_config(config, custom_objects)
        layer._num_constants = num_constants
        return layer


def _reversed_copy(layer: Layer) -> Layer:
    """A layer with the same config that runs the other way; cells of the user's own classes need no registration."""
    config = layer.get_config()
    config["go_backwards"] = not config["go_backwards"]
    make: Any = type(layer).from_config
    if not has_arg(make, "custom_objects"):
        return make(config)
    cell = getattr(layer, "cell", None)
    cells = [cell, *getattr(cell, "cells", ())]
    return make(config, custom_objects={type(c).__name__: type(c) for c in cells})


def _merge(y: Any, y_back: Any, mode: str) -> Tensor:
    if mode == "concat":
        return K.concatenate([y, y_back])
    if mode == "sum":
        return y + y_back
    return y * y_back if mode == "mul" else (y + y_back) / 2
