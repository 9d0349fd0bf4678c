"""Layers of functional models that are called on structures of tensors, give such, or take tensors by name."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.layers import LSTM, Dense, Embedding, Input, Layer
from hornbeam.models import Model, clone_model, model_from_json

pytestmark = pytest.mark.usefixtures("eager")


class Weighted(Layer):
    def call(self, inputs):
        return inputs["x"] * 2.0 + inputs["rest"][0] * inputs["rest"][1]


class Added(Layer):
    def call(self, x, context, more=None, scale=1.0):
        total = x + context
        return scale * (total if more is None else total + more["k"][0])


class Split(Layer):
    def call(self, x):
        return {"double": x * 2.0, "same": x}, [x + 1.0]


@pytest.fixture
def x(rng):
    return rng.normal(size=(5, 4)).astype("float32")


def of_a_dict():
    inputs = Input((4,))
    dense = Dense(4)(inputs)
    return Model(inputs, Weighted()({"x": inputs, "rest": (dense, inputs + 1.0)}))


def by_name():
    inputs = Input((4,))
    return Model(inputs, Added()(inputs, Dense(4)(inputs), more={"k": [Dense(4)(inputs)]}, scale=3.0))


def expected(model, x):
    weights = model.get_weights()
    if len(weights) == 2:
        return 2 * x + (x @ weights[0] + weights[1]) * (x + 1)
    return 3 * (x + x @ weights[0] + weights[1] + x @ weights[2] + weights[3])


@pytest.mark.parametrize("make", [of_a_dict, by_name])
def test_a_model_computes_trains_and_is_called_again(make, x):
    model = make()
    for result in (model.predict(x), model(x).numpy()):
        np.testing.assert_allclose(result, expected(model, x), rtol=1e-5, atol=1e-5)
    outer = Input((4,))
    np.testing.assert_allclose(
        Model(outer, model(outer * 2.0)).predict(x), expected(model, 2 * x), rtol=1e-5, atol=1e-5
    )
    before = model.get_weights()
    model.compile("sgd", "mse")
    model.train_on_batch(x, x)
    assert all(np.abs(a - b).max() > 0 for a, b in zip(before, model.get_weights()))


@pytest.mark.parametrize("make", [of_a_dict, by_name])
def test_its_config_and_its_clones_have_the_same_calls(make, x):
    model = make()
    classes = {"Weighted": Weighted, "Added": Added}
    for again in (model_from_json(model.to_json(), classes), clone_model(model)):
        again.set_weights(model.get_weights())
        np.testing.assert_allclose(again.predict(x), model.predict(x), rtol=1e-6)
        assert [type(layer) for layer in again.layers] == [type(layer) for layer in model.layers]


def test_calls_are_written_as_tf_keras_does():
    config = by_name().get_config()
    (added,) = [layer for layer in config["layers"] if layer["class_name"] == "Added"]
    name, first, second = (layer["name"] for layer in config["layers"][:3])
    arguments = {"context": [first, 0, 0], "more": {"k": [[second, 0, 0]]}, "scale": 3.0}
    assert added["inbound_nodes"] == [[[name, 0, 0, arguments]]]


def test_what_a_layer_gives_in_a_structure(x):
    inputs = Input((4,))
    parts, (more,) = Split()(inputs)
    model = Model(inputs, {"sum": parts["double"] + more, "same": parts["same"]})
    for result in (model.predict(x), model(x)):
        np.testing.assert_allclose(result["sum"], 3 * x + 1, rtol=1e-5)
        np.testing.assert_array_equal(result["same"], x)


def test_a_mask_that_is_given_by_name():
    inputs = Input((3,), dtype="int32")
    embedding = Embedding(5, 4, mask_zero=True)
    model = Model(inputs, LSTM(2)(embedding(inputs), mask=embedding.compute_mask(inputs)))
    numbers = np.array([[1, 2, 0], [3, 0, 0]])
    np.testing.assert_allclose(model(numbers).numpy(), model.predict(numbers), rtol=1e-5)
    np.testing.assert_allclose(model.predict(numbers)[:1], model.predict([[1, 2, 0]]), rtol=1e-5)


class Total(Layer):
    def call(self, inputs):
        return sum(inputs[key] for key in "abcd") + len(inputs["more"])


def test_a_dict_of_four_and_an_empty_list_in_a_config(x):
    inputs = Input((4,))
    model = Model(inputs, Total()({**{key: inputs * float(i) for i, key in enumerate("abcd")}, "more": []}))
    again = model_from_json(model.to_json(), {"Total": Total})
    for result in (model.predict(x), again.predict(x)):
        np.testing.assert_allclose(result, 6 * x, rtol=1e-6)


@pytest.mark.parametrize(
    "call",
    [[5], [[5]], [None], ["input"], ["_CONSTANT_VALUE", -1], [["input", 0, 0, [1]]], {"x": 3}, [["input", 0, 0], 7]],
)
def test_what_is_not_a_call_in_a_config_is_refused(call):
    inputs = Input((4,), name="input")
    config = Model(inputs, Dense(4)(inputs)).get_config()
    config["layers"][-1]["inbound_nodes"] = [call]
    with pytest.raises(ValueError, match="not a reference to a layer"):
        Model.from_config(config)


class WithState(Layer):
    def call(self, x, state=None):
        return x + 1.0, state


@pytest.mark.parametrize("computed", [False, True])
def test_a_tensor_given_by_name_that_is_passed_on(computed, x):
    inputs, state = Input((4,)), Input((4,))
    outputs = WithState()(inputs, state=state * 2.0 if computed else state)
    model = Model([inputs, state], list(outputs))
    for results in (model.predict([x, x]), model([x, x])):
        np.testing.assert_allclose(results[0], x + 1, rtol=1e-6)
        np.testing.assert_allclose(results[1], 2 * x if computed else x, rtol=1e-6)


class WithMask(Layer):
    def call(self, x, context, mask=None):
        return x + context[0]


def test_lists_and_arguments_that_change_behind_the_call(x):
    inputs = Input((4,))
    more = [inputs * 2.0]
    model = Model(inputs, WithMask()(inputs, more))
    more.append(inputs)
    for result in (model.predict(x), model(x)):
        np.testing.assert_allclose(result, 3 * x, rtol=1e-6)


class FirstMask(Layer):
    supports_masking = True

    def call(self, inputs, context, mask=None):
        return inputs[0] * 0.0 + context[:, :, None] + K.cast(mask[0], "float32")[:, :, None]

    def compute_mask(self, inputs, mask=None):
        return None


def test_masks_of_a_list_beside_a_tensor_given_by_name():
    numbers, context = Input((3,), dtype="int32"), Input((1,))
    embedded = Embedding(5, 2, mask_zero=True)(numbers)
    model = Model([numbers, context], FirstMask()([embedded, embedded], context))
    given = [np.array([[1, 2, 0]]), np.array([[7.0]])]
    expected = [[[8.0] * 2, [8.0] * 2, [7.0] * 2]]
    np.testing.assert_allclose(model.predict(given), expected)
    np.testing.assert_allclose(model(given), expected)
