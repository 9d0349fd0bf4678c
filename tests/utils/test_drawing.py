"""Graphs of models, with a small stand-in for pydot, and what there is of several GPUs."""

import shutil
import sys
import types

import pytest
from hornbeam.layers import Dense, Input, TimeDistributed, add
from hornbeam.models import Model, Sequential
from hornbeam.utils import model_to_dot, multi_gpu_model, multi_gpu_utils, plot_model


class Graph:
    def __init__(self, **arguments):
        self.arguments, self.settings = arguments, {}
        self.nodes, self.edges, self.graphs = [], [], []

    def set(self, key, value):
        self.settings[key] = value

    def set_node_defaults(self, **defaults):
        pass

    def add_node(self, node):
        self.nodes.append(node)

    def add_edge(self, edge):
        self.edges.append(edge)

    def add_subgraph(self, graph):
        self.graphs.append(graph)

    def get_edge(self, a, b):
        return [edge for edge in self.edges if edge == (a, b)]


@pytest.fixture
def pydot(monkeypatch):
    module = types.ModuleType("pydot")
    module.Dot = module.Cluster = Graph
    module.Node = lambda name, label: (name, label)
    module.Edge = lambda a, b: (a, b)
    monkeypatch.setitem(sys.modules, "pydot", module)


@pytest.fixture
def model():
    inner = Sequential([Dense(3, name="inside", input_shape=(3,))], name="inner")
    x = Input((3,), name="x")
    return Model(x, add([inner(x), x], name="sum"))


def test_layers_and_their_connections(pydot, model):
    dot = model_to_dot(model, show_shapes=True)
    labels = dict(dot.nodes)
    assert labels[str(id(model.layers[0]))] == "x: InputLayer|{input:|output:}|{{(None, 3)}|{(None, 3)}}"
    by_name = {layer.name: str(id(layer)) for layer in model.layers}
    assert sorted(dot.edges) == sorted(
        [(by_name["x"], by_name["inner"]), (by_name["inner"], by_name["sum"]), (by_name["x"], by_name["sum"])]
    )


def test_nested_models_can_be_expanded(pydot, model):
    dot = model_to_dot(model, expand_nested=True, show_layer_names=False)
    (cluster,) = dot.graphs
    assert cluster.settings["label"] == "inner" and [label for _, label in cluster.nodes] == ["Dense"]
    inside = str(id(model.get_layer("inner").layers[0]))
    assert any(inside == edge[1] for edge in dot.edges) and any(inside == edge[0] for edge in dot.edges)


def test_models_in_models_in_models(pydot, model):
    x = Input((3,))
    outer = Model(x, Sequential([model], name="middle")(x))
    dot = model_to_dot(outer, expand_nested=True)
    (middle,) = dot.graphs
    drawn = {name for graph in (dot, middle, *middle.graphs, *middle.graphs[0].graphs) for name, _ in graph.nodes}
    edges = [edge for graph in (dot, middle, *middle.graphs) for edge in graph.edges]
    assert edges and all(end in drawn for edge in edges for end in edge)
    assert "layer0 --> layer1" in outer.to_mermaid(expand_nested=True)


def test_with_graphviz_itself(model, tmp_path):
    pytest.importorskip("pydot")
    if shutil.which("dot") is None:
        pytest.skip("graphviz is not installed")
    plot_model(model, str(tmp_path / "model.png"), show_shapes=True, expand_nested=True)
    plot_model(model, str(tmp_path / "model.svg"), rankdir="LR", dpi=40)
    assert (tmp_path / "model.png").read_bytes().startswith(b"\x89PNG")
    assert "inner: Sequential" in (tmp_path / "model.svg").read_text()


def test_mermaid(model):
    assert (
        model.to_mermaid()
        == """flowchart TB
    layer0["x: InputLayer"]
    layer1["inner: Sequential"]
    layer2["sum: Add"]
    layer0 --> layer1
    layer0 --> layer2
    layer1 --> layer2
"""
    )


def test_mermaid_with_everything(model):
    x = Input((5, 3), name='a "name"')
    model = Model(x, TimeDistributed(model, name="steps")(x))
    assert model.to_mermaid(show_shapes=True, rankdir="LR", expand_nested=True).startswith("""flowchart LR
    layer0["a #quot;name#quot;: InputLayer<br>in: (None, 5, 3)<br>out: (None, 5, 3)"]
    subgraph""")
    plain = model.to_mermaid(show_layer_names=False)
    assert plain.splitlines()[1:3] == ['    layer0["InputLayer"]', '    layer1["TimeDistributed(Model)"]']


def test_without_pydot(monkeypatch, model):
    monkeypatch.setitem(sys.modules, "pydot", None)
    with pytest.raises(ImportError, match=r"Failed to import `pydot`.*to_mermaid"):
        model_to_dot(model)


@pytest.mark.parametrize("gpus", [None, 0, 1, [0]])
def test_one_gpu_is_not_several(model, gpus):
    with pytest.raises(ValueError, match="gpus >= 2"):
        multi_gpu_model(model, gpus)


@pytest.mark.parametrize("gpus", [2, [0, 3]])
def test_gpus_that_are_not_there(model, gpus):
    with pytest.raises(ValueError, match=r"only has: \['/cpu:0'\]"):
        multi_gpu_model(model, gpus)


@pytest.mark.parametrize("name", ["/device:GPU:1", "/gpu:1", "/job:localhost/replica:0/task:0/device:GPU:1"])
def test_device_names(name):
    assert multi_gpu_utils._normalize_device_name(name) == "/gpu:1"


def test_details_and_a_part(pydot):
    model = Sequential(
        [
            Dense(2, name="a", input_shape=(3,), trainable=False),
            Dense(1, name="b", activation="relu"),
            Dense(1, name="c"),
        ]
    )
    dot = model_to_dot(model, show_dtype=True, show_layer_activations=True, show_trainable=True, layer_range=["b", "c"])
    labels = [label for _, label in dot.nodes]
    assert labels == ["b: Dense|float32|relu|trainable", "c: Dense|float32|linear|trainable"]
    assert len(dot.edges) == 1
    assert model_to_dot(model, show_trainable=True).nodes[0][1] == "a: Dense|not trainable"
