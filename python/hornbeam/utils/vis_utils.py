"""Pictures of models, drawn by graphviz through pydot."""

from __future__ import annotations

import os
from typing import Any


def _pydot() -> Any:
    try:
        import pydot
    except ImportError as error:
        raise ImportError(
            "Failed to import `pydot`. Please install `pydot`. For example with `pip install pydot`. It needs the "
            "program graphviz, too."
        ) from error
    return pydot


def is_model(layer):
    """Whether a layer is a model itself."""
    from ..engine.network import Network

    return isinstance(layer, Network)


def is_wrapped_model(layer):
    """Whether a layer wraps a model, as ``TimeDistributed(model)`` does."""
    from ..layers.wrappers import Wrapper

    return isinstance(layer, Wrapper) and is_model(layer.layer)


def add_edge(dot, src, dst):
    """Add an edge to a pydot graph unless it is there."""
    if not dot.get_edge(src, dst):
        dot.add_edge(_pydot().Edge(src, dst))


def model_to_dot(
    model,
    show_shapes=False,
    show_layer_names=True,
    rankdir="TB",
    expand_nested=False,
    dpi=96,
    subgraph=False,
):
    """Convert a model to a pydot graph.

    Args:
        model: the model.
        show_shapes: whether to show input and output shapes.
        show_layer_names: whether to show the layers' names.
        rankdir: ``'TB'`` for a vertical picture, ``'LR'`` for a horizontal one.
        expand_nested: whether to draw the layers of nested models in a box.
        dpi: resolution.
        subgraph: whether to return a ``pydot.Cluster`` for use in another graph.

    Returns:
        A ``pydot.Dot`` (or ``pydot.Cluster``).
    """
    pydot = _pydot()
    if subgraph:
        dot = pydot.Cluster(style="dashed", graph_name=model.name)
        dot.set("label", model.name)
        dot.set("labeljust", "l")
    else:
        dot = pydot.Dot()
        dot.set("rankdir", rankdir)
        dot.set("concentrate", True)
        dot.set("dpi", dpi)
        dot.set_node_defaults(shape="record")

    nested: dict[Any, Any] = {}
    for layer in model.layers:
        inner = layer if is_model(layer) else layer.layer if is_wrapped_model(layer) else None
        if expand_nested and inner is not None and inner._is_graph_network:
            nested[layer] = inner
            dot.add_subgraph(
                model_to_dot(inner, show_shapes, show_layer_names, rankdir, expand_nested, dpi, subgraph=True)
            )
        else:
            dot.add_node(pydot.Node(str(id(layer)), label=_label(layer, show_shapes, show_layer_names)))
    for source, target in _connections(model):
        first = nested[source].layers[-1] if source in nested else source
        last = nested[target].layers[0] if target in nested else target
        add_edge(dot, str(id(first)), str(id(last)))
    return dot


def _label(layer: Any, show_shapes: bool, show_layer_names: bool) -> str:
    label = type(layer).__name__
    inner = getattr(layer, "layer", None)
    if inner is not None and hasattr(inner, "name"):
        label = f"{label}({type(inner).__name__})"
    if show_layer_names:
        label = f"{layer.name}: {label}"
    if show_shapes:
        shapes = []
        for what in ("input_shape", "output_shape"):
            try:
                shapes.append(str(getattr(layer, what)))
            except (AttributeError, RuntimeError):
                shapes.append("multiple")
        label = f"{label}|{{input:|output:}}|{{{{{shapes[0]}}}|{{{shapes[1]}}}}}"
    return label


def _connections(model: Any) -> list[tuple[Any, Any]]:
    """Pairs of layers of which the second uses the output of the first."""
    if not model._is_graph_network:
        return []
    shown = set(model.layers)
    return [
        (source, layer)
        for level in model._nodes_by_depth.values()
        for node in level
        for layer in [node.outbound_layer]
        for source in node.inbound_layers
        if layer in shown and source in shown
    ]


def plot_model(
    model,
    to_file="model.png",
    show_shapes=False,
    show_layer_names=True,
    rankdir="TB",
    expand_nested=False,
    dpi=96,
):
    """Draw a model to a file, whose extension decides the format; arguments as for :func:`model_to_dot`.

    Returns:
        In Jupyter an image that is shown, else None.
    """
    dot = model_to_dot(model, show_shapes, show_layer_names, rankdir, expand_nested, dpi)
    extension = os.path.splitext(to_file)[1][1:] or "png"
    dot.write(to_file, format=extension)
    if extension != "pdf":
        try:
            from IPython import display
        except ImportError:
            return None
        return display.Image(filename=to_file)
    return None
