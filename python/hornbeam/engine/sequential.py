"""Sequential: a stack of layers."""

from __future__ import annotations

import copy
from typing import Any

from .. import backend as K
from ..utils.generic_utils import to_list
from ..utils.messages import warn_user
from ..utils.registry import LAYERS
from .base_layer import Layer, disable_tracking, one_at_a_time
from .input_layer import Input, InputLayer
from .network import Network
from .network_config import layer_from_config, layer_to_config
from .training import Model

#: What :meth:`Network._set_graph` derives from inputs and outputs. It is made when one of these is first read, not with
#: each layer that is added: a stack of n layers costs n steps, not n².
_DERIVED = (
    "_calls",
    "_fed_inputs",
    "_inbound_nodes",
    "_topology",
    "input_names",
    "output_names",
    "supports_masking",
)


class Sequential(Model):
    """A linear stack of layers.

    Args:
        layers: list of layers to add.
        name: of the model.

    The first layer has to know its input's shape (``input_shape=...``), or the model is built when it first sees
    data.

    Example:
        >>> model = Sequential([Dense(32, input_shape=(500,), activation="relu"), Dense(1)])
        >>> model.compile("adam", "mse")
    """

    def __init__(self, layers=None, name=None):
        super().__init__(name=name)
        self._is_graph_network = True
        self._build_input_shape = None
        self.built = False
        for layer in layers or []:
            self.add(layer)

    @disable_tracking
    def _base_init(self, **kwargs):
        super()._base_init(**kwargs)
        self._layers: list[Any] = []
        self._by_name: dict[str, Layer] = {}

    def __getattr__(self, name: str) -> Any:
        if name not in _DERIVED or not self.__dict__.get("outputs"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        with self._lock:
            if name not in self.__dict__:  # no other thread was first
                try:
                    self._set_graph(self.inputs, self.outputs)
                except Exception:
                    self._forget_graph()
                    raise
        return self.__dict__[name]

    def _forget_graph(self) -> None:
        for name in _DERIVED:
            self.__dict__.pop(name, None)

    @property
    def layers(self):
        """The layers that were added, without the InputLayer underneath."""
        if self._layers and isinstance(self._layers[0], InputLayer):
            return self._layers[1:]
        return list(self._layers)

    @property
    def model(self):
        warn_user("`Sequential.model` is deprecated. `Sequential` is a subclass of `Model`, you can just use it.")  # fmt: skip
        return self

    @one_at_a_time
    def add(self, layer):
        """Put a layer on top of the stack.

        Raises:
            TypeError: ``layer`` is not a layer.
            ValueError: the layer has several outputs, which a stack cannot hold.
        """
        made_by = getattr(layer, "_keras_history", (None,))[0]
        if isinstance(made_by, InputLayer):  # what `Input` returns, which tf.keras takes
            layer = made_by
        if not isinstance(layer, Layer):
            raise TypeError(f"The added layer must be an instance of class Layer. Found: {layer}")
        known = self._by_name.get(layer.name)
        if known is not None and known is not layer and known.name == layer.name:
            raise ValueError(f'The name "{layer.name}" is used 2 times in the model. All layer names should be unique.')
        self.built = False
        if self.outputs:
            self._extend(layer, layer(self.outputs[0]))
        elif isinstance(layer, InputLayer) and not self._layers:
            self.inputs = layer._inbound_nodes[0].output_tensors
            self._extend(layer, self.inputs)
        else:
            shape, dtype = (None, None) if self._layers else _first_input(layer)
            if shape is None:
                self._by_name[layer.name] = layer
                self._layers.append(layer)  # to be called when the input's shape is known
            else:
                self.inputs = [Input(batch_shape=shape, dtype=dtype, name=f"{layer.name}_input")]
                self._extend(layer, layer(self.inputs[0]))

    def _push(self, layer: Layer) -> None:
        if self._by_name.get(layer.name) is not layer:  # one that is added twice is listed once
            self._by_name[layer.name] = layer
            self._layers.append(layer)

    def _extend(self, layer: Layer, outputs: Any) -> None:
        outputs = to_list(outputs, allow_tuple=True)
        if len(outputs) != 1:
            raise (TypeError if self._layers else ValueError)(
                "All layers in a Sequential model should have a single output tensor. For multi-output layers, use "
                "the functional API."
            )
        if not self._layers:
            self._push(self.inputs[0]._keras_history[0])
        self._push(layer)
        self._has_grown(outputs)

    def _has_grown(self, outputs: list) -> None:
        self.outputs = outputs
        self._forget_graph()
        self._forget_compilation()
        self.built = True

    @one_at_a_time
    def pop(self):
        """Remove the last layer.

        Raises:
            TypeError: there is none.
        """
        if not self.layers:
            raise TypeError("There are no layers in the model.")
        self._by_name.pop(self._layers.pop().name, None)
        self.built = False
        if not self.layers:
            self._layers.clear()
            self._by_name.clear()
            self.inputs, self.outputs = [], []
        elif self.outputs:
            last = self.layers[-1]
            last._outbound_nodes = []
            self._has_grown([last._inbound_nodes[-1].output_tensors[0]])

    @one_at_a_time
    def build(self, input_shape=None):
        """Make the weights; ``input_shape`` (with the batch axis) is needed if the first layer does not say it."""
        if input_shape and not self.inputs:
            self._build_input_shape = tuple(input_shape)
            text = bool(self._layers) and self._layers[0].takes_text
            x = Input(
                batch_shape=self._build_input_shape, dtype="string" if text else K.floatx(), name=f"{self.name}_input"
            )
            self.inputs = [x]
            for layer in self._layers:
                x = layer(x)
            self.outputs = [x]
        if self.inputs:
            self._forget_compilation()
            self._set_graph(self.inputs, self.outputs)
            self._take_awaited()

    def _set_inputs(self, inputs, outputs=None):
        shape = inputs.shape if len(inputs.shape) > 1 else (*inputs.shape, 1)
        self.build((None, *shape[1:]))

    def predict_proba(self, x, batch_size=32, verbose=0):
        """Class probabilities, which is what ``predict`` gives where the last activation is softmax or sigmoid."""
        predictions = self.predict(x, batch_size, verbose)
        if predictions.min() < 0.0 or predictions.max() > 1.0:
            warn_user(
                "Network returning invalid probability values. The last layer might not normalize predictions into "
                "probabilities (like softmax or sigmoid would)."
            )
        return predictions

    def predict_classes(self, x, batch_size=32, verbose=0):
        """The most probable class of each sample; for a single output unit whether it is above 0.5."""
        predictions = self.predict(x, batch_size=batch_size, verbose=verbose)
        if predictions.shape[-1] > 1:
            return predictions.argmax(axis=-1)
        return (predictions > 0.5).astype("int32")

    def get_config(self):
        layers = self.layers
        if self.inputs and not self._build_input_shape:
            shape = _first_input(layers[0])[0] if layers else None
            if shape != K.int_shape(self.inputs[0]):
                layers = [self.inputs[0]._keras_history[0], *layers]  # the only one that says the inputs' shape
        config = {
            "name": self.name,
            "layers": [layer_to_config(layer) for layer in layers],
        }
        if self._build_input_shape:
            config["build_input_shape"] = self._build_input_shape
        return copy.deepcopy(config)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        if isinstance(config, dict) and isinstance(config.get("layers"), (list, tuple)):
            name, layers, shape = config.get("name"), config["layers"], config.get("build_input_shape")
        elif isinstance(config, (list, tuple)):  # written before Keras 2.2
            name, layers, shape = None, config, None
        else:
            raise ValueError(f"Invalid config of a Sequential model: {str(config)[:200]}")
        model = cls(name=name)
        for data in layers:
            model.add(layer_from_config(data, custom_objects))
        if not model.inputs and shape:
            model.build(tuple(shape))
        return model


# tf.keras calls models made of tensors Functional.
LAYERS.register({"Functional": Model, "Model": Model, "Sequential": Sequential})


def _first_input(layer: Any) -> tuple[tuple | None, str | None]:
    """The input shape and dtype that a first layer states, looking into nested models and their first layers."""
    while isinstance(layer, Network):
        if not layer.layers:
            raise ValueError("Cannot add an empty model to a `Sequential` model.")
        layer = layer._layers[0] if layer._is_graph_network else layer.layers[0]
    shape = getattr(layer, "batch_input_shape", None)
    return shape, (None if shape is None else "string" if layer.takes_text else layer.dtype)
