"""keras.saving's functions between objects and plain data."""

import json

import numpy as np
import pytest
from hornbeam import (
    activations,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
    saving,
    utils,
)
from hornbeam.models import Model, Sequential
from hornbeam.optimizers import schedules
from hornbeam.saving import configs


class Own(layers.Dense):
    pass


def own_function(x):
    return x


@pytest.mark.parametrize("item", [
    layers.Dense(3, activation="relu", kernel_initializer=initializers.RandomNormal(stddev=0.5)), optimizers.Adam(0.25),
    losses.Huber(delta=2.0), metrics.AUC(num_thresholds=7), losses.MeanSquaredError(), metrics.MeanSquaredError(), regularizers.l2(0.5), constraints.MaxNorm(3), initializers.Zeros(),
    initializers.Identity(), layers.Identity(),
    schedules.ExponentialDecay(0.1, 10, 0.5), Sequential([layers.Dense(2, input_shape=(3,))]),
], ids=lambda item: type(item).__name__)  # fmt: skip
def test_there_and_back(item):
    config = json.loads(json.dumps(saving.serialize_keras_object(item)))
    assert config["module"].startswith("keras") and config["registered_name"] is None
    again = saving.deserialize_keras_object(config)
    assert type(again) is type(item)
    assert saving.serialize_keras_object(again)["config"] == saving.serialize_keras_object(item)["config"]
    if type(item).__name__ not in ("MeanSquaredError", "Identity"):  # which of the two, only the module says
        plain = saving.deserialize_keras_object({"class_name": config["class_name"], "config": config["config"]})
        assert type(plain) is type(item)


def test_models_and_their_layers():
    x = layers.Input((2,))
    y = layers.LSTM(3, name="inner")(layers.Reshape((2, 1))(x))  # whose hard_sigmoid is that of Keras 2
    model = Model(x, layers.Dense(1, activation=own_function)(y))
    config = json.loads(json.dumps(saving.serialize_keras_object(model)))
    again = saving.deserialize_keras_object(config, custom_objects={"own_function": own_function})
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(np.ones((1, 2))), model.predict(np.ones((1, 2))))


def test_a_loss_of_tf_keras():
    config = {"reduction": "auto", "name": "mse", "fn": "mean_squared_error"}
    loss = saving.deserialize_keras_object(
        {"module": "keras.losses", "class_name": "MeanSquaredError", "config": config}
    )
    assert type(loss) is losses.MeanSquaredError and loss.reduction == "sum_over_batch_size"


def test_a_model_that_calls_without_end(monkeypatch):
    monkeypatch.setattr(configs, "FREE_STEPS", 1000)
    kind, inner = "Dense", {"name": "m0", "units": 1}
    for i in range(1, 30):
        calls = [[["x", 0, 0, {}]], [["m", i > 1, 0, {}]]]
        parts = [
            {"name": "x", "class_name": "InputLayer", "config": {"batch_input_shape": [None, 1], "name": "x"}, "inbound_nodes": []},
            {"name": "m", "class_name": kind, "config": {**inner, "name": "m"}, "inbound_nodes": calls},
        ]  # fmt: skip
        ends = {"input_layers": [["x", 0, 0]], "output_layers": [["m", 1 + (i > 1), 0]]}
        kind, inner = "Model", {"name": f"m{i}", "layers": parts, **ends}
    with pytest.raises(ValueError, match="Building the model takes more than"):
        saving.deserialize_keras_object({"module": "keras", "class_name": kind, "config": inner})


@pytest.mark.parametrize("config", [
    {"class_name": "Dense", "config": 5}, {"class_name": "Dense", "config": {"units": 2}, "build_config": {}},
    {"class_name": "Dense", "config": {"units": 2}, "build_config": {"input_shape": 5}},
    {"class_name": "Dense", "config": {"units": 2}, "build_config": {"input_shape": [None, float("inf")]}}, {"module": ["x"], "class_name": "No", "config": {}},
])  # fmt: skip
def test_damaged_configs(config):
    with pytest.raises(ValueError, match=r"Invalid|Unknown"):
        saving.deserialize_keras_object(config)


def test_structures_and_users_classes():
    item = {"layers": [Own(2), layers.ReLU()], "sizes": (1, None, 2.5), "array": np.arange(3), "f": own_function}
    config = json.loads(json.dumps(saving.serialize_keras_object(item)))
    assert config["layers"][0]["module"] is None and config["layers"][0]["registered_name"] == "Own"
    with pytest.raises(ValueError, match="Unknown"):
        saving.deserialize_keras_object(config)
    again = saving.deserialize_keras_object(config, custom_objects={"Own": Own, "own_function": own_function})
    assert type(again["layers"][0]) is Own and again["sizes"] == [1, None, 2.5] and again["f"] is own_function
    np.testing.assert_array_equal(again["array"], np.arange(3))
    relu = saving.deserialize_keras_object(saving.serialize_keras_object(activations.relu))
    assert relu is activations.relu


def test_what_is_not_made():
    for config in (
        {"module": "os", "class_name": "system", "config": {}}, {"module": "builtins", "class_name": "function", "config": "eval"},
        {"class_name": "__lambda__", "config": {"value": "4wEAAAA="}}, {"module": "keras.layers", "class_name": "Nope", "config": {}},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"Unknown|Python code"):
            saving.deserialize_keras_object(config)
    with pytest.raises(ValueError, match="Cannot serialize"):
        saving.serialize_keras_object(object())


def test_the_functions_of_utils(request):
    dense = layers.Dense(2, name="d")
    assert set(utils.serialize_keras_object(dense)) == {"class_name", "config"}
    assert utils.serialize_keras_object(obj=dense)["config"]["units"] == 2
    assert utils.deserialize_keras_object("f", {"f": own_function}) is own_function
    again = utils.deserialize_keras_object(config=saving.serialize_keras_object(dense), safe_mode=True)
    assert type(again) is layers.Dense
    request.getfixturevalue("tf2")
    assert utils.serialize_keras_object(dense)["module"] == "keras.layers"
    assert set(utils.legacy.serialize_keras_object(dense)) == {"class_name", "config"}


@pytest.mark.parametrize("module, item", [
    (activations, activations.tanh), (constraints, constraints.NonNeg()), (initializers, initializers.Ones()),
    (layers, layers.ReLU()), (losses, losses.mse), (metrics, metrics.mae), (regularizers, regularizers.l1(0.5)),
    (schedules, schedules.PolynomialDecay(0.1, 5)),
], ids=lambda item: getattr(item, "__name__", "").rpartition(".")[2])  # fmt: skip
@pytest.mark.parametrize("legacy", [False, True])
def test_formats_of_modules(module, item, legacy):
    config = module.serialize(item, use_legacy_format=legacy)
    assert module.serialize(module.deserialize(config, use_legacy_format=legacy)) == config


@pytest.mark.parametrize(
    "array",
    [
        {"value": [1], "dtype": "V1000000000"},
        {"value": [1], "dtype": "nonsense"},
        {"value": [1], "dtype": "f4,("},
        {"dtype": "int8"},
    ],
)
def test_arrays_that_are_not_of_numbers(array):
    with pytest.raises(ValueError, match="The config of an array"):
        saving.deserialize_keras_object({"class_name": "__numpy__", "config": array})
