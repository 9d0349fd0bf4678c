"""Helpers around layers: the summary table, counting parameters, converting kernels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import backend as K
from ..engine.tracing import get_source_inputs
from .flops import count_flops

__all__ = [
    "convert_all_kernels_in_model", "convert_dense_weights_data_format", "count_params", "get_source_inputs",
    "print_summary",
]  # fmt: skip


def count_params(weights):
    """The number of scalars in a collection of weights, each counted once."""
    return sum(int(np.prod(K.int_shape(w))) for w in {id(w): w for w in weights}.values())


def print_summary(
    model, line_length=None, positions=None, print_fn=None, wide=False, expand_nested=False, show_trainable=False,
    layer_range=None,
):  # fmt: skip
    """Print a table of a model's layers.

    Args:
        model: the model.
        line_length: width of the table.
        positions: where the columns end, as fractions of the width or in characters.
        print_fn: called with each line; ``print`` by default.
        wide: with columns for what is trained, the bytes of the weights, and the floating-point operations for one
            sample (see :func:`hornbeam.utils.flops.count_flops`).
        expand_nested: list the layers of models inside behind them, indented.
        show_trainable: with the column for what is trained.
        layer_range: names of the first and the last layer to list, or regular expressions for them.
    """
    print_fn = print_fn or print
    linear = _is_linear(model)
    titles = ["Layer (type)", "Output Shape", "Param #"]
    if linear:
        length, ends = 65, [0.45, 0.85, 1.0]
    else:
        length, ends = 98, [0.33, 0.55, 0.67]
    more = {"Trainable": 11} if wide or show_trainable else {}
    more |= {"Bytes": 14, "FLOPs": 17} if wide else {}
    if more:
        titles += more
        columns = [int(length * end) for end in ends]
        for width in more.values():
            columns.append(columns[-1] + width)
            length += width
        ends = [min(1.0, (column + 0.5) / length) for column in columns]
    if not linear:
        titles.append("Connected to")
        ends.append(1.0)
    line_length, positions = line_length or length, positions or ends
    if positions[-1] <= 1:
        positions = [int(line_length * p) for p in positions]

    print_fn(f'Model: "{model.name}"')
    print_fn("_" * line_length)
    print_fn(_row(titles, positions))
    print_fn("=" * line_length)
    layers = list(_listed(layers_in_range(model.layers, layer_range), expand_nested))
    flops = count_flops(model) if wide else {}
    for index, (depth, layer) in enumerate(layers):
        name = f"{'  ' * depth}{layer.name} ({type(layer).__name__})"
        fields = [name, str(_output_shape(layer)), str(_params(layer))]
        if wide or show_trainable:
            fields.append(_trainable(layer))
        if wide:
            fields += [f"{_bytes(layer.weights):,}", _number(flops.get(layer.name))]
        sources = [] if linear else _sources(model, layer) or [""]
        print_fn(_row(fields + sources[:1], positions))
        for source in sources[1:]:
            print_fn(_row([""] * len(fields) + [source], positions))
        print_fn(("=" if index == len(layers) - 1 else "_") * line_length)
    model._check_trainable_weights_consistency()
    collected = getattr(model, "_collected_trainable_weights", None)
    trainable = count_params(model.trainable_weights if collected is None else collected)
    frozen = count_params(model.non_trainable_weights)
    print_fn(f"Total params: {trainable + frozen:,}")
    print_fn(f"Trainable params: {trainable:,}")
    print_fn(f"Non-trainable params: {frozen:,}")
    if wide:
        total = None if None in flops.values() else sum(flops.values())
        print_fn(f"Bytes of weights: {_bytes(model.weights):,}")
        print_fn(f"FLOPs per sample: {_number(total)}")
    print_fn("_" * line_length)


def _listed(layers: list, expand_nested: bool, depth: int = 0) -> Iterator[tuple[int, Any]]:
    """Layers, and how deep inside of others they are."""
    for layer in layers:
        yield depth, layer
        if expand_nested and hasattr(layer, "layers"):
            yield from _listed(layer.layers, expand_nested, depth + 1)


def layers_in_range(layers: list, layer_range: Any) -> list:
    """The layers from one to another; ``layer_range`` has their names or regular expressions for them.

    Raises:
        ValueError: no layer has such a name.
    """
    if layer_range is None:
        return layers
    ends = []
    for pattern in layer_range:
        found = [i for i, layer in enumerate(layers) if layer.name == pattern or re.fullmatch(pattern, layer.name)]
        if not found:
            raise ValueError(
                f"layer_range: no layer is called {pattern!r}. The layers are {[la.name for la in layers]}."
            )
        ends.append(found)
    return layers[ends[0][0] : ends[1][-1] + 1]


def _trainable(layer: Any) -> str:
    """Whether training changes the weights: all of them, some, or none."""
    trained, frozen = count_params(layer.trainable_weights), count_params(layer.non_trainable_weights)
    if not trained:
        return "no" if frozen else "-"
    return "in part" if frozen else "yes"


def _bytes(weights: Any) -> int:
    return sum(
        int(np.prod(K.int_shape(w))) * np.dtype(K.dtype(w)).itemsize for w in {id(w): w for w in weights}.values()
    )


def _number(value: int | None) -> str:
    return "?" if value is None else f"{value:,}"


def _is_linear(model: Any) -> bool:
    """Whether the layers form a chain, in which nothing is shared: then no column for connections is needed."""
    if type(model).__name__ == "Sequential" or not model._is_graph_network:
        return True
    nodes = {node for level in model._nodes_by_depth.values() for node in level}
    if any(len(level) > 1 for level in model._nodes_by_depth.values()):
        return False
    if any(len(node.inbound_layers) > 1 for node in nodes):
        return False
    return all(sum(node in nodes for node in layer._inbound_nodes) <= 1 for layer in model.layers)


def _row(fields: list[str], positions: list[int]) -> str:
    line = ""
    for field, position in zip(fields, positions):
        line = (line[:-1] + " " if line else "") + field  # the last column of a field stays empty
        line = line[:position].ljust(position)
    return line


def _output_shape(layer: Any) -> Any:
    try:
        return layer.output_shape
    except (AttributeError, RuntimeError):
        return "multiple"


def _params(layer: Any) -> Any:
    return layer.count_params() if layer.built else "0 (unused)"


def _sources(model: Any, layer: Any) -> list[str]:
    nodes = {node for level in model._nodes_by_depth.values() for node in level}
    return [
        f"{source.name}[{index}][{tensor}]"
        for node in layer._inbound_nodes
        if node in nodes
        for source, index, tensor in zip(node.inbound_layers, node.node_indices, node.tensor_indices)
    ]


#: The layers of which both Theano and TensorFlow had kernels.
_CONVOLUTIONS = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose")


def convert_all_kernels_in_model(model):
    """Flip the kernels of a model's Conv1D, Conv2D, Conv3D and Conv2DTranspose layers: from Theano's to the usual order.

    The same call turns them back. Depthwise and separable kernels stay, as in Keras: Theano had none.
    """
    from .conv_utils import convert_kernel

    pairs = []
    for layer in model.layers:
        if type(layer).__name__ in _CONVOLUTIONS:
            pairs.append((layer.kernel, convert_kernel(K.get_value(layer.kernel))))
    K.batch_set_value(pairs)


def convert_dense_weights_data_format(dense, previous_feature_map_shape, target_data_format="channels_first"):
    """Reorder a Dense kernel after Flatten when the feature maps before it change their data format.

    Args:
        dense: the Dense layer.
        previous_feature_map_shape: the shape before Flatten in the new format, e.g. ``(512, 7, 7)`` for channels first.
        target_data_format: the format to convert to.

    Raises:
        ValueError: an unknown format, or a shape that is not that of the kernel's rows.
    """
    if target_data_format not in ("channels_last", "channels_first"):
        raise ValueError(f"Unknown data_format: {target_data_format}")
    kernel, *bias = dense.get_weights()
    rows, units = kernel.shape
    if len(previous_feature_map_shape) != 3 or np.prod(previous_feature_map_shape) != rows:
        raise ValueError(f"{dense.name}: feature maps of shape {previous_feature_map_shape} do not make {rows} inputs.")
    if target_data_format == "channels_first":
        channels, height, width = previous_feature_map_shape
        maps = np.moveaxis(kernel.reshape(height, width, channels, units), 2, 0)
    else:
        height, width, channels = previous_feature_map_shape
        maps = np.moveaxis(kernel.reshape(channels, height, width, units), 0, 2)
    dense.set_weights([maps.reshape(rows, units), *bias])
