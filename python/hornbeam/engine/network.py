"""Networks: directed graphs of layers, which are layers themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .. import backend as K
from ..graph import StaticShape, Tensor, Variable, building, is_eager, name_scope, nest
from ..graph.function import RunCounter
from ..legacy import interfaces
from ..settings import settings
from ..utils.generic_utils import each_once, has_arg, to_list, unpack_singleton
from ..utils.messages import did_you_mean
from .base_layer import Layer, disable_tracking, one_at_a_time
from .call_nest import flat_outputs, is_nested
from .calling import KnownCalls, is_concrete, must_be_given, naming_layer, weights_were_set
from .eager_call import adding_assignments
from .endpoints import FedInput
from .formula import adopt
from .input_layer import InputLayer
from .later_model import config_of_subclass
from .layer_losses import input_key
from .layer_weights import set_all_weights
from .network_config import network_from_config, network_to_config
from .node import Node
from .parts import derived
from .tracing import get_source_inputs, node_key, trace
from .users_call import call_layer

__all__ = ["Network", "get_source_inputs"]


#: What calling a layer again costs, in ops of a graph.
_STEPS_OF_A_CALL = 4


class Network(Layer):
    """A graph of layers between ``inputs`` and ``outputs``, or a subclass whose ``call`` is written in Python.

    Args:
        inputs: tensor or list of tensors from ``Input``.
        outputs: tensor or list of tensors made from them.
        name: of the network.
        trainable: whether training changes its layers' weights.
        dtype: of weights that a subclass makes itself; floatx by default.

    Attributes:
        layers, inputs, outputs, input_names, output_names.
    """

    # Keras's names of what is in the topology.
    _nodes_by_depth = derived(lambda self: self._topology.nodes_by_depth)
    _layers_by_depth = derived(lambda self: self._topology.layers_by_depth)
    _network_nodes = derived(lambda self: self._topology.nodes)
    _input_layers = derived(lambda self: self._topology.input_layers)
    _output_layers = derived(lambda self: self._topology.output_layers)
    _input_coordinates = derived(lambda self: self._topology.input_coordinates)
    _output_coordinates = derived(lambda self: self._topology.output_coordinates)

    @derived
    def _layers(self):
        return self._topology.layers if self._is_graph_network else self._sublayers

    _feed_inputs = derived(lambda self: [end.tensor for end in self._fed_inputs])
    _feed_input_names = derived(lambda self: [end.name for end in self._fed_inputs])
    _feed_input_shapes = derived(lambda self: [K.int_shape(end.tensor) for end in self._fed_inputs])

    #: the structures in which inputs and outputs were given, where they are more than a tensor or a list
    _input_nest: Any = None
    _output_nest: Any = None

    @interfaces.legacy_model_constructor_support
    def __init__(self, *args, **kwargs):
        if (
            len(args) == 1 and args[0] is self
        ):  # super().__init__(self), as TensorFlow's guide to text generation has it
            args = ()
        is_graph = len(args) >= 2 or (len(args) == 1 and "outputs" in kwargs) or {"inputs", "outputs"} <= set(kwargs)
        if is_graph:
            self._init_graph_network(*args, **kwargs)
        else:
            if args or set(kwargs) - {"name", "trainable", "dtype", "dynamic"}:
                raise TypeError(
                    f"{type(self).__name__}() takes `inputs` and `outputs`, or neither, and `name`, `trainable`, "
                    f"`dtype`; got {len(args)} positional arguments and {sorted(kwargs)}"
                )
            self._init_subclassed_network(**kwargs)

    @disable_tracking
    def _base_init(self, name=None, trainable=True, dtype=None, dynamic=False):
        super().__init__(name=name, trainable=trainable, dtype=dtype, dynamic=dynamic)
        self._run_counter = RunCounter(self._lock)
        self._fed_inputs: list[FedInput] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self.input_names: list[str] = []
        self.output_names: list[str] = []

    def _init_subclassed_network(self, **kwargs):
        self._base_init(**kwargs)
        self._is_graph_network = False

    def _init_graph_network(self, inputs, outputs, name=None, **kwargs):
        self._base_init(name=name, **kwargs)
        self._is_graph_network = True
        self._set_graph(inputs, outputs)

    def _set_graph(self, inputs, outputs):
        """Make the network the graph between ``inputs`` and ``outputs``; a Sequential does so once it has grown."""
        self._inbound_nodes = []
        self._input_nest, self._output_nest = (x if _is_nested(x) else None for x in (inputs, outputs))
        self.inputs, self.outputs = nest.flatten(inputs), nest.flatten(outputs)
        self._check_ends()
        self._topology = topology = trace(self.inputs, self.outputs)
        self.input_names = _names(self._input_nest, topology.input_layers)
        self.output_names = _names(self._output_nest, topology.output_layers)
        self._fed_inputs = topology.fed_inputs
        if isinstance(self._input_nest, dict) and len(self._fed_inputs) == len(self.input_names):
            self._fed_inputs = [replace(end, name=name) for end, name in zip(self._fed_inputs, self.input_names)]

        masks = [getattr(x, "_keras_mask", None) for x in self.outputs]
        self._calls = KnownCalls()
        self._calls.keep(self._call_key(self.inputs, [None] * len(self.inputs)), None, self.outputs, masks)
        self.built = True
        self.supports_masking = any(layer.supports_masking for layer in topology.layers)
        Node(
            self,
            inbound_layers=[],
            node_indices=[],
            tensor_indices=[],
            input_tensors=self.inputs,
            output_tensors=self.outputs,
            input_masks=[None] * len(self.inputs),
            output_masks=masks,
            input_shapes=[K.int_shape(x) for x in self.inputs],
            output_shapes=[K.int_shape(x) for x in self.outputs],
        )

    def _set_call(self, tensors: list, outputs: Any = None) -> None:
        """Make a subclass the graph that its ``call`` makes of ``tensors``, or the given one."""
        if outputs is None:
            training = {"training": None} if has_arg(self.call, "training") else {}
            outputs = self.call(unpack_singleton(tensors), **training)
        self.inputs = tensors
        self.outputs = to_list(outputs, allow_tuple=True)
        self.input_names = [f"input_{i + 1}" for i in range(len(tensors))]
        self.output_names = [f"output_{i + 1}" for i in range(len(self.outputs))]
        self._fed_inputs = [
            FedInput(name, x, None) for x, name in zip(tensors, self.input_names) if K.is_placeholder(x)
        ]
        self.built = True

    def _check_ends(self) -> None:
        if len(set(self.inputs)) != len(self.inputs):
            raise ValueError(
                f"The list of inputs passed to the model is redundant. All inputs should only appear once. "
                f"Found: {self.inputs}"
            )
        for what, tensors in (("Input", self.inputs), ("Output", self.outputs)):
            for x in tensors:
                if not hasattr(x, "_keras_history") and (what == "Input" or not adopt(x)):
                    raise ValueError(
                        f"{what} tensors to a {type(self).__name__} must be "
                        f"{'`keras.layers.Input`' if what == 'Input' else 'the output of a Keras `Layer`'} "
                        f"(thus holding past layer metadata). Found: {x}"
                    )
        for x in self.inputs:
            layer = x._keras_history[0]
            if not isinstance(layer, InputLayer):
                raise ValueError(
                    f"{type(self).__name__} inputs must come from `keras.layers.Input` (thus holding past layer "
                    f"metadata), they cannot be the output of a previous non-Input layer. Here, a tensor specified "
                    f'as input to "{self.name}" was not an Input tensor, it was generated by layer {layer.name}.'
                )

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Layer) and "_is_graph_network" not in self.__dict__:
            raise RuntimeError(
                "It looks like you are subclassing `Model` and you forgot to call "
                "`super(YourClass, self).__init__()`. Always start with this line."
            )
        super().__setattr__(name, value)

    # -- layers -------------------------------------------------------------------------------------
    @property
    def layers(self):
        """The layers, in the order in which files and summaries list them."""
        return self._layers

    def get_layer(self, name=None, index=None):
        """Find a layer by its name or by its index, which takes precedence."""
        layers = self.layers
        if index is not None:
            if len(layers) <= index:
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(layers)} layers."
                )
            return layers[index]
        if not name:
            raise ValueError("Provide either a layer name or layer index.")
        for layer in layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in layers]
        raise ValueError(f"No such layer: {name}.{did_you_mean(name, names)} The layers are: {names}")

    # -- weights and state ----------------------------------------------------------------------------
    # A layer's own weights can be assigned, as Keras 1 layers did; a network's follow from its layers.
    @property  # type: ignore[misc]
    def trainable_weights(self):
        """Variables that training changes, layer by layer; empty where ``trainable`` is False."""
        if not self.trainable:
            return []
        return each_once(self._trainable_weights, *(layer.trainable_weights for layer in self.layers))

    @property  # type: ignore[misc]
    def non_trainable_weights(self):
        """Variables that training leaves alone."""
        frozen = each_once(self._non_trainable_weights, *(layer.non_trainable_weights for layer in self.layers))
        if self.trainable:
            return frozen
        return each_once(self._trainable_weights, *(layer.trainable_weights for layer in self.layers), frozen)

    @property
    def weights(self):
        """All variables: those that training changes first, or in TensorFlow 2 layer by layer."""
        return self._weights_by_layer() if settings.dialect.weights_by_layer else super().weights

    def get_weights(self):
        """Copies of all weights, layer by layer."""
        return K.batch_get_value(self._weights_by_layer())

    def set_weights(self, weights):
        """Set all weights from a list of arrays as :meth:`get_weights` gives it.

        Raises:
            ValueError: their number or a shape differs; nothing is changed then.
        """
        set_all_weights(f'model "{self.name}"', self._weights_by_layer(), weights)
        weights_were_set([self])

    def _weights_by_layer(self) -> list[Variable]:
        own = [self._trainable_weights, self._non_trainable_weights]
        return each_once(*(layer.weights for layer in self.layers), *own)

    @property
    def stateful(self):
        """Whether any layer is stateful."""
        return any(getattr(layer, "stateful", False) for layer in self.layers)

    @stateful.setter
    def stateful(self, value):
        pass  # Layer.__init__ sets it; for a network it follows from its layers

    def reset_states(self):
        """Reset the state of all stateful layers."""
        for layer in self.layers:
            if hasattr(layer, "reset_states") and getattr(layer, "stateful", False):
                layer.reset_states()

    @property
    def uses_learning_phase(self):
        """Whether any output differs between training and inference."""
        return any(getattr(x, "_uses_learning_phase", False) for x in self.outputs)

    def _shape_to_build_for(self, x):
        return StaticShape((None, *x.shape[1:]))  # a network serves batches of all sizes

    # -- losses and updates -----------------------------------------------------------------------------
    def _from_own_nodes(self, what: str) -> list:
        """Losses or updates of the layers, without those of calls that are not part of this network."""
        found: list = []
        for layer in self.layers:
            if not self._is_graph_network:
                found += getattr(layer, what)
                continue
            for node in self._calls_of(layer):
                found += getattr(layer, f"get_{what}_for")(node.input_tensors)
            found += getattr(layer, f"get_{what}_for")(None)
        return found

    def _calls_of(self, layer: Any) -> list[Node]:
        """The calls of a layer that are part of this network; all of them where the network does not know its own."""
        nodes = layer._inbound_nodes
        if not self._is_graph_network:
            return list(nodes)
        return [node for index, node in enumerate(nodes) if node_key(layer, index) in self._topology.nodes]

    @property
    def updates(self):
        """Updates of the layers that each training step runs, each once."""
        if not self._runs_updates:
            return []
        return each_once(self._from_own_nodes("updates"))

    @property
    def state_updates(self):
        """Updates of stateful layers, which prediction runs too."""
        return [update for layer in self.layers if layer.stateful for update in layer.updates]

    @property
    def losses(self):
        """Penalties and added losses, each once; tensors first, then plain numbers."""
        if is_eager():
            of_layers = {i for layer in self.layers for i in layer._penalties}
            own = [x for x in self._own_losses_now() if id(x) not in of_layers]
            return each_once(own, *(layer.losses for layer in self.layers))
        losses = self._from_own_nodes("losses")
        own = self._per_input_losses
        losses += own.get(None, []) if self._is_graph_network else [x for items in own.values() for x in items]
        numbers = [x for x in losses if isinstance(x, (int, float))]
        return each_once([x for x in losses if not isinstance(x, (int, float))]) + numbers

    def get_losses_for(self, inputs=None):
        """Losses that depend on ``inputs``, or the unconditional ones for None."""
        own = self._per_input_losses.get(input_key(inputs), [])
        return each_once(own, *(layer.get_losses_for(inputs) for layer in self.layers))

    def get_updates_for(self, inputs=None):
        """Updates that depend on ``inputs``, or the unconditional ones for None."""
        if not self._runs_updates:
            return []
        own = self._per_input_updates.get(input_key(inputs), [])
        return each_once(own, *(layer.get_updates_for(inputs) for layer in self.layers))

    # -- calling ----------------------------------------------------------------------------------------
    def __call__(self, inputs, *args, **kwargs):
        """Apply the network; inputs and outputs are in the structure that they had when it was made."""
        if self._is_graph_network and isinstance(inputs, dict):
            inputs = unpack_singleton([inputs[name] for name in self.input_names])
        elif self._input_nest is not None:
            inputs = unpack_singleton(nest.flatten(inputs))
        return self._packed(super().__call__(inputs, *args, **kwargs))

    def _packed(self, outputs: Any) -> Any:
        return (
            outputs if self._output_nest is None else nest.pack(self._output_nest, to_list(outputs, allow_tuple=True))
        )

    def call(self, inputs, mask=None, training=None):
        """Apply the network's layers to other inputs.

        Args:
            training: passed on to the layers that take it, as tf.keras does; None leaves it to the learning phase.
        """
        if not self._is_graph_network:
            raise NotImplementedError(f"Model {self.name}: a subclass of Model has to define `call`.")
        inputs = to_list(inputs, allow_tuple=True)
        outputs, _ = self._run(inputs, _mask_list(mask, len(inputs)), training)
        return unpack_singleton(list(outputs))

    def _cast_inputs(self, inputs):
        """Each input in the dtype of the Input that it stands for; a model without those casts as a layer does."""
        if not self._is_graph_network:
            return super()._cast_inputs(inputs)
        if not settings.dialect.autocast:
            return inputs
        wanted = zip(to_list(inputs, allow_tuple=True), self.inputs)
        return unpack_singleton([_as_dtype_of(like, x) for x, like in wanted])

    def compute_mask(self, inputs, mask=None):
        if not self._is_graph_network:
            return None
        if is_eager():
            return unpack_singleton(self.__dict__.pop("_last_masks", []))  # of the call that is being made
        inputs = to_list(inputs, allow_tuple=True)
        masks = _mask_list(mask, len(inputs))
        known = self._calls.on(self._call_key(inputs, masks))
        _, masks = next(iter(known.values())) if known else self._run(inputs, masks, None)  # whatever `training` was
        return unpack_singleton(list(masks))

    def _run(self, inputs: list, masks: list, training: Any) -> tuple[list, list]:
        key = self._call_key(inputs, masks)
        known = {} if is_eager() else self._calls.on(key)
        if training in known:
            return known[training]
        outputs, output_masks, _ = self.run_internal_graph(inputs, masks, training)
        if is_eager():  # each call computes anew
            self._last_masks = output_masks
            return outputs, output_masks
        self._calls.keep(key, training, outputs, output_masks, for_long=not all(is_concrete(x) for x in inputs))
        return outputs, output_masks

    def _call_key(self, inputs: list, masks: list) -> tuple:
        return tuple(inputs), tuple(masks), tuple(self.outputs)

    def run_internal_graph(self, inputs, masks=None, training=None):
        """Apply the layers to ``inputs``, node by node; ``training`` as for :meth:`call`.

        Returns:
            Three lists: output tensors, their masks, their shapes.
        """
        masks = _mask_list(masks, len(inputs))
        values = {x: (y, mask) for x, y, mask in zip(self.inputs, inputs, masks)}
        unconditional = [*self._per_input_updates.get(None, []), *self._per_input_losses.get(None, [])]
        filed = {id(item) for item in unconditional}
        for node in self._nodes_to_outputs():
            if isinstance(node.outbound_layer, InputLayer) and node.output_tensors[0] in values:
                continue
            if all(x in values for x in node.input_tensors):
                data = [values[x] for x in node.input_tensors]
                outputs, output_masks = self._run_node(node, data, training)
                values.update(zip(node.output_tensors, zip(outputs, output_masks)))
                if not is_eager():
                    self._file_from(node.outbound_layer, [x for x, _ in data], inputs, filed)
        results = [values[x] for x in self.outputs]
        return [y for y, _ in results], [mask for _, mask in results], [K.int_shape(y) for y, _ in results]

    def _nodes_to_outputs(self) -> list[Node]:
        """The nodes that the outputs need, inputs first: not all of them where ``model.outputs`` was assigned."""
        needed: list[Node] = []
        wanted = set(self.outputs)
        nodes = self._topology.nodes_by_depth
        for depth in sorted(nodes):
            for node in reversed(nodes[depth]):
                if not wanted.isdisjoint(node.output_tensors):
                    needed.append(node)
                    wanted.update(node.input_tensors)
        return needed[::-1]

    def _run_node(self, node: Node, data: list, training: Any) -> tuple[list, list]:
        building.take(_STEPS_OF_A_CALL)
        layer = node.outbound_layer
        tensors = [x for x, _ in data]
        x = unpack_singleton(tensors)
        mask = unpack_singleton([m for _, m in data])
        kwargs = dict(node.arguments or {})
        if node.nest is not None:
            x, kwargs = node.nest.filled(tensors)
            masks = {id(t): m for t, m in data}
            mask = None if is_nested(x) else unpack_singleton([masks.get(id(t)) for t in to_list(x)])
        if "mask" not in kwargs and has_arg(layer.call, "mask"):
            kwargs["mask"] = mask
        if kwargs.get("training") is None and has_arg(layer.call, "training"):
            if training is not None or must_be_given(layer.call, "training"):
                kwargs["training"] = training
        with name_scope(layer.name), naming_layer(layer, x), adding_assignments(layer, tensors):
            output = call_layer(layer, layer._cast_inputs(x), kwargs, tensors)
            outputs = flat_outputs(output) or to_list(output, allow_tuple=True)
            output_masks = layer.compute_mask(x, mask)
            output_masks = [None] * len(outputs) if output_masks is None else to_list(output_masks, allow_tuple=True)
            if len(output_masks) != len(outputs):
                raise ValueError(
                    f"Layers should have equal number of output tensors and output masks. Layer {layer.name} has "
                    f"{len(outputs)} output tensors and {len(output_masks)} output masks."
                )
            if not is_eager():
                for tensor, shape in zip(outputs, layer._output_shapes(tensors if node.nest is None else x, outputs)):
                    if tensor not in tensors:
                        tensor._keras_shape = shape
        layer._regularize_activity(tensors, outputs)
        return outputs, output_masks

    def _file_from(self, layer: Layer, tensors: list, network_inputs: list, filed: set[int]) -> None:
        """Make updates and losses of a layer's call the network's own.

        Args:
            filed: identities of the unconditional ones that the network has; each call meets them again.
        """
        for of_layer, add in ((layer.get_updates_for, self.add_update), (layer.get_losses_for, self.add_loss)):
            add(of_layer(tensors), network_inputs)
            new = [item for item in of_layer(None) if id(item) not in filed]
            filed.update(map(id, new))
            add(new, None)

    def _output_shapes(self, inputs, outputs):
        return [K.int_shape(x) for x in outputs]

    def compute_output_shape(self, input_shape):
        """The shape (or list of shapes) of the outputs for inputs of another shape."""
        if not self._is_graph_network:
            raise NotImplementedError(f"Model {self.name}: a subclass of Model has no static output shape.")
        shapes = [tuple(s) for s in (input_shape if isinstance(input_shape, list) else [input_shape])]
        if len(shapes) != len(self.inputs):
            raise ValueError(f"Invalid input_shape argument {input_shape}: model has {len(self.inputs)} tensor inputs.")
        known = dict(zip(self.inputs, shapes))
        for node in self._nodes_to_outputs():
            if not isinstance(node.outbound_layer, InputLayer):
                given = [known[x] for x in node.input_tensors]
                if given == [tuple(s) for s in node.input_shapes]:
                    made = node.output_shapes
                else:
                    made = node.outbound_layer.compute_output_shape(unpack_singleton(given))
                    made = made if isinstance(made, list) else [made]
                known.update(zip(node.output_tensors, (tuple(s) for s in made)))
        return unpack_singleton([known[x] for x in self.outputs])

    # -- configuration and files ----------------------------------------------------------------------
    def get_config(self):
        """The network as plain data, from which ``from_config`` makes an equal one (with new weights)."""
        if not self._is_graph_network:
            return {} if type(self).get_config is not Network.get_config else config_of_subclass(self)
        return network_to_config(self)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """Make a network from what :meth:`get_config` returned; of a class with its own ``call``, its arguments."""
        if cls.call is not Network.call and isinstance(config, dict) and "layers" not in config:
            return cls(**config)
        return network_from_config(cls, config, custom_objects)

    def save(self, filepath, overwrite=True, include_optimizer=True, save_format=None, sample=None):
        """Save architecture, weights and, if compiled, the training's state to one file.

        Args:
            filepath: path, ``h5py.File`` or ``h5py.Group``; HDF5, or the zip of later Keras if it ends with ``.keras``.
            overwrite: without it an existing file is asked about.
            include_optimizer: whether to save the optimizer's state.
            save_format: ``'h5'`` or ``'keras'``, whatever the name.
            sample: inputs to store with their outputs, so that ``load_model(..., verify=True)`` can compare.

        Raises:
            NotImplementedError: a model whose class has its own ``call`` is to be saved as HDF5, which only holds layers.
        """
        from ..saving import save_model

        save_model(self, filepath, overwrite, include_optimizer, save_format, sample)

    def save_weights(self, filepath, overwrite=True, save_format=None, options=None):
        """Save the weights alone to an HDF5 file, or with the optimizer's state as a TensorFlow checkpoint.

        Args:
            filepath: path of the file, or prefix of the checkpoint's files.
            overwrite: without it an existing file is asked about.
            save_format: ``'h5'``, or ``'tf'`` for a checkpoint; the latter by default where the name has ``.ckpt`` in it.
        """
        from ..saving.weights import save_weights

        save_weights(self, filepath, overwrite, save_format)

    def load_weights(self, filepath, by_name=False, skip_mismatch=False, reshape=False, options=None):
        """Load weights from a file of :meth:`save_weights` or :meth:`save`, or from a TensorFlow checkpoint.

        Args:
            filepath: path to the file; prefix of a checkpoint, a folder with checkpoints (the latest is meant), or a
                SavedModel folder.
            by_name: match layers by name instead of by order.
            skip_mismatch: with ``by_name``, leave out layers whose weights do not fit.
            reshape: reshape weights that have the right number of elements.

        Returns:
            For a checkpoint the status of loading, as TensorFlow has it; else None.
        """
        from ..saving.weights import load_weights

        return load_weights(self, filepath, by_name, skip_mismatch, reshape)

    def to_json(self, **kwargs):
        """The architecture as a JSON string; ``kwargs`` go to ``json.dumps``."""
        from ..saving.text import model_to_json

        return model_to_json(self, **kwargs)

    def to_yaml(self, **kwargs):
        """The architecture as a YAML string; needs PyYAML."""
        from ..saving.text import model_to_yaml

        return model_to_yaml(self, **kwargs)

    @one_at_a_time
    def summary(
        self, line_length=None, positions=None, print_fn=None, wide=False, expand_nested=False, show_trainable=False,
        layer_range=None,
    ):  # fmt: skip
        """Print a table of the layers, their output shapes and their numbers of parameters.

        Args:
            line_length, positions, print_fn, expand_nested, show_trainable, layer_range: as for
                :func:`hornbeam.utils.print_summary`.
            wide: also show what is trained, the weights' bytes and the floating-point operations for one sample.
        """
        if not self.built:
            raise ValueError(
                "This model has not yet been built. Build the model first by calling build() or calling fit() with "
                "some data. Or specify input_shape or batch_input_shape in the first layer for automatic build. "
            )
        from ..utils.layer_utils import print_summary

        return print_summary(self, line_length, positions, print_fn, wide, expand_nested, show_trainable, layer_range)

    def to_mermaid(self, show_shapes=False, show_layer_names=True, rankdir="TB", expand_nested=False):
        """The layers and their connections as a Mermaid flowchart, text that Markdown viewers draw.

        Args:
            show_shapes, show_layer_names, expand_nested: as for ``keras.utils.plot_model``.
            rankdir: ``'TB'`` for a vertical picture, ``'LR'`` for a horizontal one.
        """
        from ..utils.vis_utils import model_to_mermaid

        return model_to_mermaid(self, show_shapes, show_layer_names, rankdir, expand_nested)

    def __getstate__(self):
        from ..saving import pickle_model

        return pickle_model(self)

    def __setstate__(self, state):
        from ..saving import unpickle_model

        self.__dict__.update(unpickle_model(state).__dict__)


def _is_nested(ends: Any) -> bool:
    """Whether ends are more than a tensor or a list of them."""
    return isinstance(ends, dict) or (
        isinstance(ends, (list, tuple)) and any(isinstance(x, (list, tuple, dict)) for x in ends)
    )


def _as_dtype_of(like: Tensor, x: Any) -> Any:
    differs = isinstance(x, Tensor) and x.dtype != like.dtype and "string" not in (x.dtype, like.dtype)
    return K.cast(x, like.dtype) if differs else x


def _names(ends: Any, layers: list) -> list[str]:
    return sorted(ends) if isinstance(ends, dict) else [layer.name for layer in layers]


def _mask_list(mask: Any, count: int) -> list:
    return [None] * count if mask is None else to_list(mask, allow_tuple=True)
