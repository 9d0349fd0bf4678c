"""Formulas between layers become layers of the model."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.engine.formula import Formula
from hornbeam.layers import Dense, Dropout, Input
from hornbeam.models import Model, clone_model, load_model, model_from_json
from hornbeam.tf import NAMES as tf

X = np.random.RandomState(0).normal(size=(5, 4)).astype("float32")


def residual():
    """Operators, K and TensorFlow's functions before, between and behind layers, some on several outputs of layers."""
    x = Input((4,))
    h = Dense(4, name="first")(x * 2.0)
    h = Dense(3, name="second")(tf["concat"]([tf["nn.relu"](h) + x, K.mean(h, 1, keepdims=True)], -1))
    return Model(x, [h[:, 1:] - 1.0, tf["reduce_sum"](h, axis=1, keepdims=True)])


def expected(model, x):
    (w1, b1), (w2, b2) = (model.get_layer(n).get_weights() for n in ("first", "second"))
    h = x * 2 @ w1 + b1
    h = np.concatenate([h.clip(0) + x, h.mean(1, keepdims=True)], -1) @ w2 + b2
    return [h[:, 1:] - 1, h.sum(1, keepdims=True)]


def check(model, weights_of=None):
    for got, want in zip(model.predict(X), expected(weights_of or model, X)):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def test_formulas_are_layers_of_the_model():
    model = residual()
    check(model)
    assert [type(layer) is Formula for layer in model.layers].count(True) == 4
    assert [w.name for w in model.weights] == ["first/kernel:0", "first/bias:0", "second/kernel:0", "second/bias:0"]


def test_a_model_of_formulas_trains():
    model = residual()
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.train_on_batch(X, [np.ones((5, 2)), np.ones((5, 1))])
    assert all(np.any(a != b) for a, b in zip(before, model.get_weights()))


def test_on_other_inputs():
    model = residual()
    x = Input((4,))
    check(Model(x, model(x)), model)
    copy = clone_model(model)
    copy.set_weights(model.get_weights())
    check(copy)


@pytest.mark.parametrize("name", ["m.h5", "m.keras"])
def test_saved_and_loaded(tmp_path, name):
    model = residual()
    model.compile("sgd", "mse")
    model.save(tmp_path / name)
    loaded = load_model(tmp_path / name)
    check(loaded)
    assert loaded.to_json() == model.to_json()
    again = model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    check(again)


def test_a_formula_of_the_learning_phase():
    x = Input((4,))
    model = Model(x, K.in_train_phase(Dropout(0.5)(x) * 0.0, x))
    model = Model(x, model(x) + 1.0)
    run = K.function([x, K.learning_phase()], model.outputs)
    np.testing.assert_allclose(run([X, 0])[0], X + 1, rtol=1e-6)
    np.testing.assert_allclose(run([X, 1])[0], 0 * X + 1)


def test_one_with_a_variable_is_refused_when_it_is_saved():
    x = Input((4,))
    model = Model(x, x * K.variable(3.0))
    np.testing.assert_allclose(model.predict(X), 3 * X, rtol=1e-6)
    with pytest.raises(ValueError, match="add_weight"):
        model.to_json()


def test_what_no_layer_is_behind_stays_an_error():
    x = Input((4,))
    with pytest.raises(ValueError, match="output of a Keras `Layer`"):
        Model(x, K.placeholder((None, 4)) + 1.0)
    with pytest.raises(ValueError, match="Graph disconnected"):
        Model(x, Dense(1)(K.placeholder((None, 4)) + 1.0))
    with pytest.raises(ValueError, match="Graph disconnected"):
        Model(x, Dense(1)(Input((4,)) + 1.0))


def test_a_file_names_ops_only():
    with pytest.raises(ValueError, match="needs the op 'open'"):
        Formula([["open", [0], {}]])


def test_further_arguments_of_a_layer_without_their_names():
    class Scaled(Dense):
        def call(self, inputs, factor, offset=0.0):
            return super().call(inputs) * factor + offset

    layer = Scaled(2, bias_initializer="ones", kernel_initializer="zeros")
    assert np.asarray(layer(X, 3.0, offset=1.0)).tolist() == [[4.0, 4.0]] * 5
    assert np.asarray(layer(X, 3.0, 2.0)).tolist() == [[5.0, 5.0]] * 5


def test_a_loop_outside_of_layers_is_not_saved(tmp_path):
    x = Input((5, 3))
    last, _, _ = K.rnn(lambda a, s: (a + s[0], [a + s[0]]), x, [K.zeros_like(x[:, 0])])
    model = Model(x, Dense(2)(last))
    assert model.predict(np.ones((2, 5, 3))).shape == (2, 2)
    with pytest.raises(ValueError, match=r"a loop or a branch .scan.*Put it into a layer"):
        model.save(tmp_path / "m.h5")
    assert not (tmp_path / "m.h5").exists()


@pytest.mark.parametrize("op", ["fused", "scan", "peak_copy"])
def test_files_name_forward_ops_only(op):
    with pytest.raises(ValueError, match=f"no file may name the op '{op}'"):
        Formula.from_config({"name": "f", "steps": [[op, [0], {}]], "constants": []})


@pytest.mark.parametrize("wrong", [0, None, X])
def test_what_is_no_tensor_is_no_output(wrong):
    x = Input((4,))
    with pytest.raises(ValueError, match="Output tensors to a Model must be the output of a Keras `Layer`"):
        Model(x, [Dense(2)(x), wrong])
