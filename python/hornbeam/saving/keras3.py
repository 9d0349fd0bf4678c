"""Configs of Keras 3, turned into those of tf.keras 2.15, from which ``migrate`` goes on.

Keras 3 writes calls of layers as their arguments, with a description where a tensor stood, and a class and module
for what used to be a name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: arguments that have another name
_RENAMED = {"InputLayer": {"batch_shape": "batch_input_shape"}, "LeakyReLU": {"negative_slope": "alpha"}}


def is_keras_3(config: Any, keras_version: Any = None) -> bool:
    """Whether Keras 3 wrote a config: the version says so or, where there is none, its way of naming tensors and shapes."""
    if keras_version is not None:
        return str(keras_version).split(".")[0] == "3"
    if isinstance(config, (list, tuple)):
        return any(is_keras_3(part) for part in config if isinstance(part, (dict, list, tuple)))
    if not isinstance(config, dict):
        return False
    return "keras_history" in config or "batch_shape" in config or any(is_keras_3(part) for part in config.values())


def as_tf_keras(item: Any) -> Any:
    """The config ``item`` of Keras 3, with all configs inside it, as tf.keras 2.15 would have written it.

    Raises:
        ValueError: it means something that Keras 2 has another thing under the same name for.
    """
    if isinstance(item, (list, tuple)):
        return [as_tf_keras(part) for part in item]
    if not isinstance(item, dict):
        return item
    kind, config = item.get("class_name"), item.get("config")
    if kind == "function":
        return config
    if kind == "DTypePolicy" and isinstance(config, dict):
        return config.get("name")
    item = {key: as_tf_keras(value) for key, value in item.items()}
    if isinstance(kind, str) and isinstance(item.get("config"), dict):
        config = item["config"] = _arguments(kind, item["config"])
        if isinstance(config.get("layers"), list) and "input_layers" in config:
            _rewrite_calls(config)
    return item


def _arguments(kind: str, config: dict) -> dict:
    for key in ("activation", "recurrent_activation"):
        if config.get(key) == "hard_sigmoid":
            raise ValueError(
                f'Layer "{config.get("name")}" ({kind}) has the activation hard_sigmoid of Keras 3, relu6(x + 3) / 6; '
                "that of Keras 2 is another function."
            )
    if kind == "Lambda" and "function_type" not in config:
        _describe_function(config)
    for old, new in _RENAMED.get(kind, {}).items():
        if old in config:
            config[new] = config.pop(old)
    return config


def _describe_function(config: dict) -> None:
    """A Lambda's function as Keras 2 had it: a name, or bytecode, which the rules of loading then know."""
    function = config.get("function")
    if isinstance(function, dict) and isinstance(function.get("config"), dict):
        parts = [function["config"].get(name) for name in ("code", "defaults", "closure")]
        config.update(function=parts, function_type="lambda")
    else:
        config["function_type"] = "function"
    config.setdefault("output_shape", None)
    config["output_shape_type"] = "raw"


def _rewrite_calls(network: dict) -> None:
    """Turn ``{args, kwargs}`` of each call into references ``[layer, call, tensor, kwargs]`` to the tensors it takes.

    Operations on tensors are layers in Keras 3. They become what tf.keras makes of TensorFlow's functions; those that only
    compute masks, which layers pass on by themselves, are left out.
    """
    layers = network["layers"]
    refused = {layer["name"] for layer in layers if _is_operation(layer) and layer["class_name"] not in _FUNCTIONS}
    models = {layer["name"] for layer in layers if layer["class_name"] in ("Functional", "Model", "Sequential")}

    def reference(history: Any) -> list:
        name, call, tensor = history
        if name in refused:
            raise ValueError(f"The model has the operation {name!r} of Keras 3 between layers, which is not supported.")
        return [name, call + 1 if name in models else call, tensor]  # a model's construction is its call 0 here

    network["layers"] = [layer for layer in layers if layer["name"] not in refused]
    for layer in network["layers"]:
        kind = layer["class_name"]
        if _is_operation(layer):
            options = {_OPTIONS[key]: value for key, value in layer["config"].items() if key in _OPTIONS}
            layer["inbound_nodes"] = [_function_call(node, options, reference) for node in layer["inbound_nodes"]]
            layer.update(class_name="TFOpLambda", config={"name": layer["name"], "function": _FUNCTIONS[kind]})
        else:
            layer["inbound_nodes"] = [_call(kind, node, reference) for node in layer["inbound_nodes"]]
    for end in ("input_layers", "output_layers"):
        network[end] = [reference(history) for history in _histories(network[end])]


def _is_operation(layer: dict) -> bool:
    kind = layer["class_name"]
    if kind in ("Concatenate", "Softmax"):  # the same as the layers of these names
        return False
    if "module" in layer:
        return str(layer["module"]).startswith(("keras.src.ops.", "keras.ops."))
    # HDF5 files do not say; layers take one argument, or several tensors in a list
    several = any(len(node["args"]) > 1 for node in layer["inbound_nodes"]) and kind not in _NAMED
    known = kind in ("Any", "LogicalAnd", "LogicalOr", "NotEqual") or (kind in _FUNCTIONS and kind not in _ALSO_LAYERS)
    return several or known or (kind == "Reshape" and "newshape" in layer["config"])


#: Operations of Keras 3, and the functions of TensorFlow that they are.
_FUNCTIONS = {
    "Absolute": "math.abs", "Add": "math.add", "Cos": "math.cos", "Divide": "math.divide", "Exp": "math.exp",
    "ExpandDims": "expand_dims", "Log": "math.log", "Max": "math.reduce_max", "Maximum": "math.maximum",
    "Mean": "math.reduce_mean", "Min": "math.reduce_min", "Minimum": "math.minimum", "Multiply": "math.multiply",
    "Negative": "math.negative", "Power": "math.pow", "Relu": "nn.relu", "Reshape": "reshape", "Sigmoid": "math.sigmoid",
    "Sin": "math.sin", "Sqrt": "math.sqrt", "Square": "math.square", "Squeeze": "squeeze", "Subtract": "math.subtract",
    "Sum": "math.reduce_sum", "Tanh": "math.tanh", "TrueDivide": "math.divide",
}  # fmt: skip
_ALSO_LAYERS = ("Add", "Maximum", "Minimum", "Multiply", "Reshape", "Subtract")
#: Their options, and the functions' names for them.
_OPTIONS = {"axis": "axis", "keepdims": "keepdims", "newshape": "shape"}


def _function_call(node: dict, options: dict, reference: Callable[[Any], list]) -> list:
    first, *more = (_with_references(value, reference) for value in node["args"])
    kwargs = {**dict(zip(("y",), more)), **options}
    return [*first, kwargs] if isinstance(first, list) else ["_CONSTANT_VALUE", -1, first, kwargs]


#: What tensors are called that follow the first; those of other layers are further inputs.
_NAMED = {"MultiHeadAttention": ("value", "key", "attention_mask")}


def _call(kind: str, node: dict, reference: Callable[[Any], list]) -> list:
    first, *more = node["args"] or [[]]
    kwargs = {key: value for key, value in node["kwargs"].items() if value is not None and key != "mask"}
    if kind in _NAMED:
        kwargs.update(zip(_NAMED[kind], more))
        kwargs = {key: _with_references(value, reference) for key, value in kwargs.items()}
        more = []
    states = kwargs.pop("initial_state", [])
    sources = [reference(history) for part in (first, more, states) for history in _histories(part)]
    return [[*sources[0], kwargs], *sources[1:]] if sources else []


def _with_references(value: Any, reference: Callable[[Any], list]) -> Any:
    return reference(value["config"]["keras_history"]) if isinstance(value, dict) else value


def _histories(value: Any) -> list:
    """``[layer, call, tensor]`` of each tensor that is described in nested lists and dicts.

    Raises:
        ValueError: something else is among them.
    """
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            return [value["config"]["keras_history"]]
        value = list(value.values())  # a model that takes or gives a dict
    if isinstance(value, list):
        if value and isinstance(value[0], str):
            return [value]
        return [found for part in value for found in _histories(part)]
    raise ValueError(f"A layer was called on something that is not the output of another: {str(value)[:100]}")
