"""The base of all layers: weights, calling, losses and updates, tracking of what is assigned to it."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np

from .. import backend as K
from ..graph import (
    StaticShape,
    Tensor,
    Variable,
    as_integer,
    checked_name,
    is_eager,
    name_scope,
    nest,
    symbolic,
)
from ..graph.context import context, inside
from ..graph.locks import Lock
from ..mixed_precision import Policy, layer_dtype
from ..settings import settings
from ..utils.generic_utils import has_arg, is_all_none, to_list, unpack_singleton
from ..utils.messages import argument_names, did_you_mean, warn_user
from .call_nest import CallNest, flat_outputs, is_nested
from .calling import (
    Filed,
    _with_inner_layers,
    autocast,
    concrete_inputs,
    copy_if_passed_through,
    mark_concrete,
    must_be_given,
    naming_layer,
)
from .eager_call import adding_assignments, eager_call, eager_inputs
from .input_spec import InputSpec, check_inputs
from .later_layer import LaterLayer
from .layer_losses import LossAccess
from .layer_weights import WeightAccess
from .node import Node, NodeAccess
from .users_call import call_layer

__all__ = ["InputSpec", "Layer", "Node", "disable_tracking"]


def disable_tracking(func):
    """Decorate a method in which assigning a layer or variable to ``self`` shall not register it as a child."""

    @functools.wraps(func)
    def untracked(*args, **kwargs):
        with inside(tracks=False):
            return func(*args, **kwargs)

    return untracked


def one_at_a_time(method):
    """Decorate a method that threads queue up for, if they call it on the same layer or model."""

    @functools.wraps(method)
    def queued(self, *args, **kwargs):
        with self._lock:
            return method(self, *args, **kwargs)

    return queued


class _LayersInside:
    """``layer._layers``, unless the layer has a list of its own by that name, as networks have."""

    def __get__(self, layer: Layer | None, owner: type) -> Any:
        return self if layer is None else layer._sublayers


class Layer(WeightAccess, LossAccess, LaterLayer, NodeAccess):
    """Something that maps tensors to tensors, with weights of its own.

    Subclasses define some of:

    * ``__init__(self, ..., **kwargs)``: pass ``**kwargs`` on to ``super().__init__``;
    * ``build(self, input_shape)``: make weights with :meth:`add_weight`, called once, at the first call;
    * ``call(self, inputs, **kwargs)``: the formula; it may take ``mask`` and ``training``;
    * ``compute_output_shape(self, input_shape)``: the output's shape. Left out, it is inferred from ``call``;
    * ``compute_mask(self, inputs, mask)``: the mask passed on;
    * ``get_config(self)``: the constructor's arguments, for saving.

    Args:
        name: unique name; made from the class name by default.
        trainable: whether training changes the weights.
        dtype: dtype of the weights, floatx by default.
        autocast: whether floating inputs are cast to ``dtype`` (TensorFlow 2's layers do that).
        dynamic: whether ``call`` looks at values, so that it runs step by step (as in tf.keras, where tensors are eager).
        input_shape, batch_input_shape, batch_size: for the first layer of a Sequential.
        weights: initial weights, as for :meth:`set_weights`.

    Attributes:
        name, trainable, built, input_spec, supports_masking, stateful, dtype.
        input, output, input_shape, output_shape, input_mask, output_mask: of a layer that was called once.
    """

    _allowed_kwargs = frozenset(
        (
            "input_shape",
            "batch_input_shape",
            "batch_size",
            "dtype",
            "name",
            "trainable",
            "weights",
            "input_dtype",
            "autocast",
            "dynamic",
        )
    )

    #: what inputs of another rank have to become, for the error about them
    _input_hint = ""

    #: whether the inputs are strings
    takes_text = False

    #: what users write the output's shape in, for the warning about it
    _states_shape_by = "compute_output_shape"

    #: what to do once the weights are made: a checkpoint that was restored before gives them its values
    _when_built: Any = None

    #: whether a mask that is not supported ends here instead of being an error: so in tf.keras, and for layers from files
    _ends_masks = False

    #: whether ``call`` assigned variables: what is read behind that is the new value, which only a trace knows
    _assigns_in_call = False

    #: whether floating inputs are cast to the layer's dtype: True for layers from tf.keras's files, None asks the dialect
    _autocast: bool | None = None

    @disable_tracking
    def __init__(self, **kwargs):
        self.input_spec = None
        self.supports_masking = False
        self.stateful = False
        self._trainable_weights = []
        self._non_trainable_weights = []
        self._children = []
        self._metrics = []
        self._losses = []
        self._updates = []
        self._per_input_losses = {}
        self._per_input_updates = {}
        self._penalties = {}
        self._call_losses = []
        self._reported_in_test = {}
        self._inbound_nodes = []
        self._outbound_nodes = []
        self._built = False
        self._lock = Lock()  # threads that call, build or compile it queue up

        for key in kwargs:
            if key not in self._allowed_kwargs:
                known = [*argument_names(type(self).__init__), *self._allowed_kwargs]
                raise TypeError(
                    f"Keyword argument not understood: {key} (given to layer {type(self).__name__})."
                    + did_you_mean(key, known)
                )
        self.name = kwargs.get("name") or _default_name(type(self))
        if isinstance(self.name, str):
            checked_name(self.name)
        self.trainable = kwargs.get("trainable", True)
        if "batch_input_shape" in kwargs or "input_shape" in kwargs:
            if "batch_input_shape" in kwargs:
                batch_input_shape = tuple(kwargs["batch_input_shape"])
            else:
                batch_input_shape = (kwargs.get("batch_size"), *_as_shape(kwargs["input_shape"]))
            self.batch_input_shape = tuple(None if d is None else as_integer(d) for d in batch_input_shape)
        self.dtype, self._policy = layer_dtype(kwargs.get("dtype") or kwargs.get("input_dtype"))
        self._autocast = kwargs.get("autocast", self._autocast)
        if kwargs.get("dynamic"):
            self.dynamic = True
        self._initial_weights = kwargs.get("weights")

    @property
    def name(self) -> str:
        """The layer's name. Scripts for Keras 2 assign it, those for tf.keras ``_name``."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights."""
        return self._trainable

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        of_all = settings.dialect.trainable_inside and "_trainable" in self.__dict__  # and not while it is made
        self._trainable = trainable
        if of_all:
            for layer in self.submodules:
                layer._trainable = trainable

    # What tf.keras calls the dtype.
    compute_dtype = _compute_dtype = property(
        lambda self: self.dtype, doc="As ``dtype``: a mixed policy's is its weights'."
    )
    variable_dtype = _variable_dtype = property(lambda self: self.dtype, doc="As ``dtype``.")
    dtype_policy = _dtype_policy = property(
        lambda self: self._policy or Policy(str(self.dtype)),
        doc="The policy that the layer was given, or that has its dtype's name.",
    )

    @property
    def built(self):
        """Whether the weights are made."""
        return self._built

    @built.setter
    def built(self, value):
        self._built = value

    dynamic = False  #: whether ``call`` has to run step by step
    activity_regularizer = None

    @property
    def name_scope(self):
        """A context in which what is made has the layer's name before its own."""
        return name_scope(self.name)

    @property
    def submodules(self):
        """The layers in it, and those in them."""
        return tuple(_with_inner_layers(self)[1:])

    # -- children ---------------------------------------------------------------------------------
    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, (Layer, Variable, list, tuple, dict)) and context.tracks:
            self._track(value)
        object.__setattr__(self, name, value)

    def _track(self, value: Any) -> None:
        state = self.__dict__
        if isinstance(value, Variable):
            known = state.get("_trainable_weights", []), state.get("_non_trainable_weights", [])
            if not any(value is w for weights in known for w in weights):
                kind = "_trainable_weights" if getattr(value, "trainable", True) else "_non_trainable_weights"
                state.setdefault(kind, []).append(value)
        elif _is_metric(value):
            state.setdefault("_metrics", []).append(value)
        elif isinstance(value, Layer) or _holds_layers(value):
            children = state.setdefault("_children", [])
            if not any(value is child for child in children):
                children.append(value)

    @property
    def _sublayers(self) -> list[Layer]:
        """Layers assigned to attributes, alone or in lists and dicts, in order, each once."""
        found: list[Layer] = []
        children = self.__dict__.get("_children")
        if children:
            _collect_layers(children, found)
        return found

    _layers: Any = _LayersInside()

    # -- calling ------------------------------------------------------------------------------------
    def build(self, input_shape):
        """Make the layer's weights for inputs of ``input_shape`` (a tuple, or a list of tuples)."""
        self._built_for = input_shape
        self.built = True

    def call(self, inputs, **kwargs):
        """The layer's formula: from input tensors to output tensors."""
        return inputs

    def __call__(self, inputs, *args, **kwargs):
        """Apply the layer to tensors, or to arrays; further arguments are those of ``call``.

        Symbolic tensors record a :class:`Node`; arrays give a tensor that is computed when it is read
        (``.numpy()``, ``np.asarray``) and record nothing.

        Raises:
            ValueError: the inputs do not fit ``input_spec``.
        """
        if args:  # tf.keras takes them without names, too
            kwargs = {**dict(zip(argument_names(self.call)[1:], args)), **kwargs}
        if is_eager():
            values = eager_inputs(inputs)
            if values is not None:
                return self._call_on_values(values, kwargs)
            with symbolic():
                return self._call_and_record(inputs, kwargs)
        return self._call_and_record(inputs, kwargs)

    def _call_on_values(self, inputs, kwargs):
        """Apply the layer in TensorFlow 2's way: to eager tensors, or inside of a function that is being traced."""
        checked = isinstance(inputs, (Tensor, list, tuple))  # dicts are for the layer's call to judge
        with self._lock, name_scope(self.name), eager_call(self, kwargs):
            if not self.built:
                if checked:
                    self.assert_input_compatibility(inputs)
                with symbolic():
                    self._build_for(inputs, nest.map_structure(self._shape_to_build_for, inputs))
            self._take_awaited()
            if checked:
                self.assert_input_compatibility(inputs)
            mask = _collect_previous_mask(inputs)
            if not is_all_none(mask) and "mask" not in kwargs and has_arg(self.call, "mask"):
                kwargs["mask"] = mask
            with naming_layer(self, inputs):
                fed = self._cast_inputs(inputs)
                output = copy_if_passed_through(call_layer(self, fed, kwargs), fed)
            outputs = nest.flatten(output)
            if not is_all_none(mask) or self.supports_masking:
                for x, m in zip(outputs, self._output_masks(inputs, mask, len(outputs))):
                    if isinstance(x, Tensor):
                        x._keras_mask = m
            self._regularize_activity(inputs, outputs)
        return output

    def _build_for(self, inputs, shapes):
        with naming_layer(self, inputs):
            self.build(shapes)
        self.built = True
        self._built_for = shapes
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None

    def _shape_to_build_for(self, x):
        return StaticShape(K.int_shape(x))

    def _call_and_record(self, inputs, kwargs):
        nested = CallNest.of(inputs, kwargs)
        inputs, concrete = concrete_inputs(inputs)
        tensors = inputs if nested is None else nested.tensors
        with self._lock, name_scope(self.name):
            if not self.built:
                self.assert_input_compatibility(inputs)
                shapes = (
                    [StaticShape(K.int_shape(x)) for x in to_list(inputs)]
                    if not is_nested(inputs)
                    else [nest.map_structure(self._shape_to_build_for, inputs)]
                )
                self._build_for(inputs, unpack_singleton(shapes))
            self._take_awaited()
            self.assert_input_compatibility(inputs)
            arguments = dict(kwargs)
            filed = Filed(self, inputs) if concrete else None
            previous_mask = _collect_previous_mask(inputs)
            if not is_all_none(previous_mask) and "mask" not in kwargs and has_arg(self.call, "mask"):
                kwargs["mask"] = previous_mask
            if "training" not in kwargs and must_be_given(self.call, "training"):
                kwargs["training"] = None  # the learning phase, as tf.keras passes it
            with naming_layer(self, inputs), adding_assignments(self, tensors):
                fed = self._cast_inputs(inputs)
                output = call_layer(self, fed, kwargs, tensors)
            output = copy_if_passed_through(output, fed if nested is None else (fed, nested.tensors))
            outputs = flat_outputs(output)
            if outputs is None:
                outputs = to_list(output, allow_tuple=True)
                if len(outputs) == 1:
                    output = outputs[0]  # also from a list, as K.gradients in a Lambda gives it
            masks = self._output_masks(inputs, previous_mask, len(outputs))
            shapes = self._output_shapes(inputs, outputs)
            if getattr(self, "uses_learning_phase", False):  # of a network as a whole
                for tensor in outputs:
                    tensor._uses_learning_phase = True
            if concrete:
                for tensor, mask in zip(outputs, masks):
                    tensor._keras_mask = mask
                mark_concrete(outputs)
            else:
                sources = to_list(tensors)
                source_masks = [getattr(x, "_keras_mask", None) for x in sources]
                source_shapes = [K.int_shape(x) for x in sources]
                self._add_inbound_node(sources, outputs, source_masks, masks, source_shapes, shapes, arguments)
                self._inbound_nodes[-1].nest = nested
            self._regularize_activity(tensors, outputs)
            if filed is not None:
                filed.forget_new()
        return output

    def _cast_inputs(self, inputs):
        """What ``call`` is given of the inputs: where the layer casts, all floating ones in its dtype."""
        casts = self._autocast
        if casts is None:
            casts = settings.dialect.autocast or settings.policy is not None
        return autocast(inputs, self.dtype) if casts else inputs

    def _take_awaited(self) -> None:
        """Take what a checkpoint that was restored before has for the weights that were just made."""
        if self._when_built is not None:
            resume, self._when_built = self._when_built, None
            resume()

    def _output_masks(self, inputs, previous_mask, count: int) -> list:
        mask = self.compute_mask(inputs, previous_mask)
        return list(mask) if isinstance(mask, (list, tuple)) else [mask] * count

    def _output_shapes(self, inputs, outputs) -> list:
        """What ``compute_output_shape`` says, unless ``call`` made something else.

        Under TensorFlow a wrong shape was of little consequence, so that scripts have it: layers that compute a loss
        state ``(None, 1)`` and return a number. The stated rank counts then, as that of the targets; sizes do not.
        """
        inferred = [K.int_shape(x) for x in outputs]
        if is_nested(inputs):
            return inferred
        if type(self).compute_output_shape is Layer.compute_output_shape:
            return inferred
        stated = self.compute_output_shape(_collect_input_shape(inputs))
        if stated is None:
            return inferred
        shapes = [tuple(s) for s in stated] if isinstance(stated, list) else [tuple(stated)]
        if len(shapes) == len(inferred) and all(map(_shapes_agree, shapes, inferred)):
            for x, shape in zip(outputs, shapes):
                if isinstance(x, Tensor):  # what a layer knows of its output, the formulas behind it may count on
                    x.set_shape([None if d == 1 else d for d in shape])  # where 1 is wrong, it would broadcast
            return shapes
        warn_user(
            f"`{self._states_shape_by}` of layer {self.name} (class {type(self).__name__}) says that the output has "
            f"shape {unpack_singleton(shapes)}, but `call` made {unpack_singleton(inferred)}. "
            "Correct it, or leave it out: then the shape is taken from `call`."
        )
        if len(shapes) != len(inferred):
            return inferred
        return [made if len(said) == len(made) else said for said, made in zip(shapes, inferred)]

    def _add_inbound_node(
        self, input_tensors, output_tensors, input_masks, output_masks, input_shapes, output_shapes, arguments=None
    ):
        """Record a call; layers with a ``__call__`` of their own do it by this name, too. A list or one item each."""
        histories = [getattr(x, "_keras_history", (None, None, None)) for x in to_list(input_tensors)]
        outputs, masks, shapes = to_list(output_tensors), to_list(output_masks), to_list(output_shapes)
        Node(
            self,
            inbound_layers=[h[0] for h in histories],
            node_indices=[h[1] for h in histories],
            tensor_indices=[h[2] for h in histories],
            input_tensors=to_list(input_tensors),
            output_tensors=outputs,
            input_masks=to_list(input_masks),
            output_masks=masks,
            input_shapes=to_list(input_shapes),
            output_shapes=shapes,
            arguments=arguments,
        )
        for index, tensor in enumerate(outputs):
            tensor._keras_shape = shapes[index]
            tensor._keras_mask = masks[index] if index < len(masks) else None
            tensor._keras_history = (self, len(self._inbound_nodes) - 1, index)

    def _regularize_activity(self, inputs, outputs) -> None:
        regularizer = getattr(self, "activity_regularizer", None)
        if regularizer is not None:
            with name_scope("activity_regularizer"):
                losses = [regularizer(x) for x in outputs]
                if settings.dialect.activity_by_sample:
                    losses = [loss / K.cast(K.shape(x)[0], K.dtype(loss)) for loss, x in zip(losses, outputs)]
                self.add_loss(losses, inputs=to_list(inputs))

    def assert_input_compatibility(self, inputs):
        """Check that ``inputs`` are tensors that fit ``input_spec``; structures of them are for ``call`` to judge."""
        if settings.recorder is not None and is_nested(inputs):
            return
        for x in to_list(inputs):
            if not isinstance(x, Tensor):
                raise ValueError(
                    f"Layer {self.name} was called with an input that isn't a symbolic tensor. "
                    f"Received type: {type(x)}. Full input: {inputs}. All inputs to the layer should be tensors."
                )
        check_inputs(self.name, self.input_spec, inputs, self._input_hint)

    def compute_output_shape(self, input_shape):
        """The shape of the output for ``input_shape``; both may be lists."""
        return input_shape

    def compute_mask(self, inputs, mask=None):
        """The mask passed on to the next layer: the given one if the layer supports masking."""
        if not self.supports_masking:
            if not is_all_none(mask) and not (self._ends_masks or settings.dialect.masks_end):
                raise TypeError(
                    f"Layer {self.name} does not support masking, but was passed an input_mask: {mask}. A layer before "
                    "it makes a mask (`Masking`, or `Embedding` with `mask_zero=True`): leave that out, or put "
                    "`Lambda(lambda x: x, mask=lambda inputs, mask: None)` between them to drop the mask."
                )
            return None
        return mask

    # -- configuration ------------------------------------------------------------------------------
    def get_config(self):
        """The arguments that make an equal layer, as plain data: ``from_config`` takes them."""
        config = {"name": self.name, "trainable": self.trainable}
        if hasattr(self, "batch_input_shape"):
            config["batch_input_shape"] = self.batch_input_shape
        config["dtype"] = self.dtype
        if self.dynamic:
            config["dynamic"] = True
        return config

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def __repr__(self):
        return f"<{type(self).__module__}.{type(self).__name__} {self.__dict__.get('_name', '?')!r}>"


def _as_shape(shape: Any) -> tuple:
    """``input_shape`` as a tuple; a bare number is the commonest mistake."""
    if isinstance(shape, (int, np.integer)):
        raise TypeError(f"`input_shape` is a tuple of the axes after the batch, got {shape}: write ({shape},).")
    return tuple(shape)


def _shapes_agree(stated: tuple, actual: tuple) -> bool:
    """Whether no known dim contradicts another."""
    return len(stated) == len(actual) and all(None in (m, n) or m == n for m, n in zip(stated, actual))


def _default_name(cls: type) -> str:
    """``dense_1`` for the first Dense, ``dense_2`` for the next; of TensorFlow 2 ``dense`` and ``dense_1``."""
    prefix = _to_snake_case(cls.__name__)
    number = K.get_uid(prefix)
    if settings.dialect.names_from_zero:
        return prefix if number == 1 else f"{prefix}_{number - 1}"
    return f"{prefix}_{number}"


# The following three have the names by which old packages import them from Keras.
def _to_snake_case(name: str) -> str:
    """``max_pooling2d`` for ``MaxPooling2D``."""
    words = re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", name)
    snake = re.sub("([a-z])([A-Z])", r"\1_\2", words).lower()
    return "private" + snake if snake.startswith("_") else snake


def _collect_previous_mask(input_tensors: Any) -> Any:
    """The mask (or list of masks) that belongs to the tensor (or tensors)."""
    return unpack_singleton([getattr(x, "_keras_mask", None) for x in to_list(input_tensors)])


def _collect_input_shape(input_tensors: Any) -> Any:
    """The shape (or list of shapes) of the tensor (or tensors)."""
    return unpack_singleton([K.int_shape(x) for x in to_list(input_tensors)])


def _is_metric(value: Any) -> bool:
    return isinstance(value, Layer) and hasattr(value, "update_state") and hasattr(value, "reset_states")


def _holds_layers(value: Any) -> bool:
    """Whether a container is worth watching: it has layers now, or is an empty list that may get some."""
    if isinstance(value, Layer):
        return True
    if isinstance(value, dict):
        return any(_holds_layers(v) for v in value.values())
    if isinstance(value, list):
        return not value or any(_holds_layers(v) for v in value)
    return isinstance(value, tuple) and any(_holds_layers(v) for v in value)


def _collect_layers(value: Any, found: list) -> None:
    if isinstance(value, Layer):
        if not any(value is layer for layer in found):
            found.append(value)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _collect_layers(item, found)
    elif isinstance(value, dict):
        for item in value.values():
            _collect_layers(item, found)
