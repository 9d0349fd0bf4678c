"""Gradients by name, and ops that get one in place of their own."""

import uuid

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import graph as G
from hornbeam.graph.tensorflow_names import name_of, op_of
from hornbeam.layers import Activation, Dense, Input, Lambda
from hornbeam.models import Model, Sequential
from hornbeam.tf import NAMES as tf


@pytest.fixture
def name():
    """One that no other test registers."""
    return f"Gradient{uuid.uuid4().hex}"


def overriding(**names):
    return K.get_session().graph.gradient_override_map(names)


def test_relus_of_a_model_pass_on_what_a_registered_function_says(name, rng):
    """Guided backpropagation: only where both the activation and the gradient are positive."""
    seen = []

    @tf["RegisterGradient"](name)
    def guided(op, grad):
        seen.append((op.type, tuple(op.inputs[0].shape), op.outputs[0].dtype))
        return grad * tf["cast"](grad > 0.0, "float32") * tf["cast"](op.inputs[0] > 0.0, "float32")

    with overriding(Relu=name):
        model = Sequential([Dense(5, activation="relu", input_shape=(3,)), Dense(4, activation="relu"), Dense(2)])
    x = rng.normal(size=(6, 3)).astype("float32")
    got = K.function([model.input], K.gradients(model.output, [model.input]))([x])[0]
    assert seen == [("Relu", (None, 4), "float32"), ("Relu", (None, 5), "float32")]
    w1, b1, w2, b2, w3, _ = model.get_weights()
    h1 = x @ w1 + b1
    h2 = np.maximum(h1, 0) @ w2 + b2
    g = np.ones((6, 2), "float32") @ w3.T
    g = (np.maximum(g, 0) * (h2 > 0)) @ w2.T
    np.testing.assert_allclose(got, (np.maximum(g, 0) * (h1 > 0)) @ w1.T, rtol=1e-5, atol=1e-6)


def test_a_model_made_outside_of_the_block_keeps_its_gradients(name):
    tf["RegisterGradient"](name)(lambda op, grad: 100.0 * grad)
    x = Input((2,))
    before = Activation("relu")(x)
    with overriding(Relu=name):
        inside = Activation("relu")(x)
    after = Activation("relu")(x)
    model = Model(x, [before, inside, after])
    gradients = [K.gradients(y, [x])[0] for y in model.outputs]
    assert [g.tolist() for g in K.function([x], gradients)([np.ones((1, 2))])] == [[[1, 1]], [[100, 100]], [[1, 1]]]


def test_a_reversed_gradient_trains_a_model_away(name):
    @tf["RegisterGradient"](name)
    def reversed_gradient(op, grad):
        return [-grad * 2.0]

    def flip(x):
        with overriding(Identity=name):
            return tf["identity"](x)

    x = Input((1,))
    model = Model(x, Dense(1, kernel_initializer="ones", use_bias=False)(Lambda(flip)(x)))
    inner = Dense(1, kernel_initializer="ones", use_bias=False)
    behind = Model(x, Lambda(flip)(inner(x)))
    for m, slope in ((model, 1.0), (behind, -2.0)):
        m.compile("sgd", "mse")
        m.train_on_batch(np.ones((1, 1)), np.zeros((1, 1)))
        np.testing.assert_allclose(m.get_weights()[0], [[1 - 0.01 * 2 * slope]], rtol=1e-6)


def test_an_op_without_a_gradient_takes_that_of_another():
    """Binarized networks: the gradient of a sign is passed on, straight through."""
    x = K.placeholder((3,))
    with overriding(Sign="Identity", Round="Identity"):
        y = K.sign(x) + 2.0 * K.round(x)
    assert K.function([x], K.gradients(y, [x]))([[0.2, -1.0, 3.0]])[0].tolist() == [3, 3, 3]
    assert K.gradients(K.sign(x), [x]) == [None]


@pytest.mark.parametrize("op, arguments", [("Relu6", {"max_value": 6.0}), ("LeakyRelu", {"alpha": 0.5})])
def test_what_is_several_ops_here_is_one_to_override(name, op, arguments):
    seen = []

    @tf["RegisterGradient"](name)
    def gradient(node, grad):
        seen.append(node.type)
        return grad * node.inputs[0] + node.outputs[0]

    x = K.placeholder((3,))
    with overriding(**{op: name}):
        y = K.relu(x, **arguments)
    outside = K.relu(x, **arguments)
    run = K.function([x], [y, *K.gradients(2.0 * y, [x]), outside])
    values = np.array([-1.0, 2.0, 9.0])
    value, slope, plain = run([values])
    assert seen == [op]
    np.testing.assert_allclose(slope, 2 * values + value)
    np.testing.assert_array_equal(value, plain)


def test_blocks_nest(name):
    tf["RegisterGradient"](name)(lambda op, grad: 7.0 * grad)
    x = K.placeholder(())
    with overriding(Tanh=name, Exp="Identity"):
        with overriding(Exp=name):
            y = K.exp(x) + K.tanh(x)
        z = K.exp(x)
    got = K.function([x], [K.gradients(y, [x])[0], K.gradients(z, [x])[0]])([1.0])
    assert got == [14.0, 1.0]


def test_on_a_tape(name, eager):
    tf["RegisterGradient"](name)(lambda op, grad: grad + 10.0)
    x = G.constant(3.0)
    with tf["GradientTape"]() as tape, overriding(Relu=name):
        tape.watch(x)
        y = 2.0 * K.relu(x)
    assert float(tape.gradient(y, x)) == 12.0


def test_names_are_registered_once(name):
    registry = tf["python._gradient_registry"]
    assert name not in registry._registry
    function = tf["RegisterGradient"](name)(lambda op, grad: grad)
    assert name in registry._registry and registry.lookup(name) is function and name in registry.list()
    with pytest.raises(KeyError, match="Registering two gradient"):
        tf["RegisterGradient"](name)(function)


def test_what_does_not_fit_is_refused(name):
    x = K.placeholder(())
    with overriding(Relu="Nobody"):
        y = K.relu(x)
    with pytest.raises(LookupError, match="no entry for: Nobody"):
        K.gradients(y, [x])
    with pytest.raises(TypeError, match="dictionary from strings"), K.get_session().graph.gradient_override_map([1]):
        pass
    tf["RegisterGradient"](name)(lambda op, grad: [grad])
    with overriding(Mul=name):
        y = x * K.placeholder(())
    with pytest.raises(ValueError, match=r"Num gradients 1 .* do not match num inputs 2"):
        K.gradients(y, [x])


@pytest.mark.parametrize(
    "op, name", [("relu", "Relu"), ("log_softmax", "LogSoftmax"), ("max_pool2d", "MaxPool"), ("add", "AddV2")]
)
def test_ops_have_tensorflows_names(op, name):
    assert name_of(op) == name and op_of(name) == op
