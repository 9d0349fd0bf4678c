"""Pictures of models, drawn by graphviz through pydot, or as Mermaid text that Markdown viewers draw."""

from __future__ import annotations

import os
import shutil
from typing import Any

from ..engine.tracing import is_network
from ..settings import settings
from .layer_utils import layers_in_range


def _pydot() -> Any:
    try:
        import pydot
    except ImportError as error:
        raise ImportError(
            "Failed to import `pydot`. Please install `pydot`. For example with `pip install pydot`. It needs the "
            "program graphviz, too. Without them `model.to_mermaid()` gives text that Markdown viewers draw."
        ) from error
    return pydot


def _check_drawable() -> None:
    """Raise ImportError without pydot, and OSError where it cannot call Graphviz."""
    if shutil.which(_pydot().Dot().prog) is None:
        raise OSError(
            "`pydot` failed to call Graphviz. Please install Graphviz (https://www.graphviz.org/) and ensure that its "
            "program `dot` is in the PATH. Without it `model.to_mermaid()` gives text that Markdown viewers draw."
        )


def is_model(layer):
    """Whether a layer is a model itself."""
    return is_network(layer)


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
    show_dtype=False,
    show_layer_activations=False,
    show_trainable=False,
    layer_range=None,
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
        show_dtype, show_layer_activations, show_trainable: whether to show these of each layer.
        layer_range: names of the first and the last layer to draw, or regular expressions for them.

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

    details = show_dtype, show_layer_activations, show_trainable
    layers = layers_in_range(model.layers, layer_range)
    for layer in layers:
        inner = _expanded(layer) if expand_nested else None
        if inner is not None:
            dot.add_subgraph(
                model_to_dot(inner, show_shapes, show_layer_names, rankdir, expand_nested, dpi, True, *details)
            )
        else:
            label = _label(layer, show_shapes, show_layer_names, _details(layer, *details))
            dot.add_node(pydot.Node(str(id(layer)), label=label))
    for source, target in _connections(model):
        if source not in layers or target not in layers:
            continue
        first, last = _drawn(source, -1, expand_nested), _drawn(target, 0, expand_nested)
        add_edge(dot, str(id(first)), str(id(last)))
    return dot


def _details(layer: Any, show_dtype: bool, show_activation: bool, show_trainable: bool) -> list[str]:
    details = [str(layer.dtype)] if show_dtype else []
    activation = getattr(layer, "activation", None)
    if show_activation and activation is not None:
        details.append(getattr(activation, "__name__", type(activation).__name__))
    if show_trainable:
        details.append("trainable" if layer.trainable else "not trainable")
    return details


def _label(layer: Any, show_shapes: bool, show_layer_names: bool, details: list[str]) -> str:
    label = "|".join([_title(layer, show_layer_names), *details])
    if show_shapes:
        given, made = _shapes(layer)
        label = f"{label}|{{input:|output:}}|{{{{{given}}}|{{{made}}}}}"
    return label


def _title(layer: Any, show_layer_names: bool) -> str:
    title = type(layer).__name__
    inner = getattr(layer, "layer", None)
    if inner is not None and hasattr(inner, "name"):
        title = f"{title}({type(inner).__name__})"
    return f"{layer.name}: {title}" if show_layer_names else title


def _shapes(layer: Any) -> list[str]:
    """The shapes of a layer's input and output."""
    shapes = []
    for what in ("input_shape", "output_shape"):
        try:
            shapes.append(str(getattr(layer, what)))
        except (AttributeError, RuntimeError):
            shapes.append("multiple")
    return shapes


def model_to_mermaid(model, show_shapes=False, show_layer_names=True, rankdir="TB", expand_nested=False):
    """Convert a model to a Mermaid flowchart, which needs no package; arguments as for :func:`model_to_dot`.

    Returns:
        Text. In Markdown, put it in a fence that is marked ``mermaid``.
    """
    lines = [f"flowchart {rankdir}"]
    names: dict[int, str] = {}
    _mermaid_layers(model, lines, names, "    ", show_shapes, show_layer_names, expand_nested)
    return "\n".join(lines) + "\n"


def _mermaid_layers(
    model: Any, lines: list[str], names: dict[int, str], indent: str, shapes: bool, layer_names: bool, expand: bool
) -> None:
    """Append the layers of a model, and of those inside it in boxes; ``names`` gets theirs by id."""
    for layer in model.layers:
        inner = _expanded(layer) if expand else None
        if inner is not None:
            lines.append(f'{indent}subgraph box{len(names)}["{inner.name}"]')
            _mermaid_layers(inner, lines, names, indent + "    ", shapes, layer_names, expand)
            lines.append(f"{indent}end")
        else:
            names[id(layer)] = f"layer{len(names)}"
            text = _title(layer, layer_names)
            if shapes:
                text += "".join(f"<br>{what}: {shape}" for what, shape in zip(("in", "out"), _shapes(layer)))
            lines.append(f'{indent}{names[id(layer)]}["{text.replace(chr(34), "#quot;")}"]')
    order = {layer: place for place, layer in enumerate(model.layers)}
    for source, target in sorted(set(_connections(model)), key=lambda pair: [order[layer] for layer in reversed(pair)]):
        ends = names[id(_drawn(source, -1, expand))], names[id(_drawn(target, 0, expand))]
        lines.append(f"{indent}{' --> '.join(ends)}")


def _expanded(layer: Any) -> Any:
    """The model that ``expand_nested`` draws instead of ``layer``: itself or what it wraps, or None."""
    inner = layer if is_model(layer) else layer.layer if is_wrapped_model(layer) else None
    return inner if inner is not None and inner._is_graph_network else None


def _drawn(layer: Any, end: int, expand: bool) -> Any:
    """The layer that an edge to (``end`` 0) or from (-1) ``layer`` meets: where that is a box, its first or last one."""
    while expand and (inner := _expanded(layer)) is not None:
        layer = inner.layers[end]
    return layer


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
    show_dtype=False,
    show_layer_activations=False,
    show_trainable=False,
    layer_range=None,
):
    """Draw a model to a file, whose extension decides the format; arguments as for :func:`model_to_dot`.

    Returns:
        In Jupyter an image that is shown, else None.

    Raises:
        ImportError, OSError: pydot or Graphviz is not installed. To scripts of TensorFlow 2 that is said, and they go on.
    """
    try:
        _check_drawable()
    except (ImportError, OSError) as error:
        if not settings.dialect.plots_or_says:
            raise
        print(f"plot_model draws nothing: {error}")
        return None
    details = show_dtype, show_layer_activations, show_trainable, layer_range
    dot = model_to_dot(model, show_shapes, show_layer_names, rankdir, expand_nested, dpi, False, *details)
    extension = os.path.splitext(to_file)[1][1:] or "png"
    dot.write(to_file, format=extension)
    if extension != "pdf":
        try:
            from IPython import display
        except ImportError:
            return None
        return display.Image(filename=to_file)
    return None
