"""Sequential: the graph of a stack is made when it is read, once for all layers that were added before."""

import numpy as np
import pytest
from hornbeam.engine import network
from hornbeam.layers import Activation, Dense, Input
from hornbeam.models import Model, Sequential


@pytest.fixture
def traced(monkeypatch):
    """How many nodes each graph had that was traced."""
    calls, trace = [], network.trace

    def counting(inputs, outputs):
        topology = trace(inputs, outputs)
        calls.append(len(topology.nodes))
        return topology

    monkeypatch.setattr(network, "trace", counting)
    return calls


def test_the_graph_is_traced_once(traced):
    model = Sequential([Dense(4, input_shape=(4,))])
    for _ in range(20):
        model.add(Dense(4))
    assert model.built and len(model.layers) == 21 and traced == []
    assert model.output.shape == (None, 4) and len(model.input_names) == 1
    model.compile("sgd", "mse")
    model.summary(print_fn=lambda line: None)
    assert traced == [22] and model._is_compiled
    model.add(Activation("relu"))
    assert not model._is_compiled and len(model._network_nodes) == 23 and traced == [22, 23]
    model.pop()
    assert len(model._network_nodes) == 22


def test_reading_the_graph_does_not_undo_compile():
    model = Sequential([Dense(4, input_shape=(4,))])
    model.compile("sgd", "mse")
    assert model._nodes_by_depth and model.input_names and model._is_compiled


def test_predictions_follow_what_was_added():
    model = Sequential([Dense(4, input_shape=(4,), kernel_initializer="identity")])
    x = -np.ones((2, 4), "float32")
    assert np.array_equal(model.predict(x), x)
    model.add(Activation("relu"))
    assert not model.predict(x).any()
    model.pop()
    assert np.array_equal(model.predict(x), x)


def test_names():
    model = Sequential([Dense(4, input_shape=(4,), name="a")])
    with pytest.raises(ValueError, match='The name "a" is used 2 times'):
        model.add(Dense(3, name="a"))
    with pytest.raises(TypeError):
        model.add("b")
    model.layers[0].name = "c"
    model.add(Dense(3, name="a"))
    model.pop()
    model.add(Dense(2, name="a"))
    assert [layer.name for layer in model.layers] == ["c", "a"] and model.output_shape == (None, 2)


def test_a_layer_that_is_added_twice():
    shared = Dense(4, input_shape=(4,))
    model = Sequential([shared, Activation("relu"), shared])
    assert [type(layer) for layer in model.layers] == [Dense, Activation]
    assert len(model._network_nodes) == 4 and len(model.weights) == 2


def test_a_graph_that_cannot_be_made_raises_each_time():
    model = Sequential([Dense(4, input_shape=(4,), name="a"), Dense(3, name="b")])
    model.layers[1].name = "a"
    for _ in range(2):
        with pytest.raises(ValueError, match='The name "a" is used 2 times'):
            Model(model.inputs, model.outputs)
        with pytest.raises(ValueError, match='The name "a" is used 2 times'):
            _ = model.input_names
    model.layers[1].name = "b"
    assert model(Input((4,))).shape == (None, 3)
