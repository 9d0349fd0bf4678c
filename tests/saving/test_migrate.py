"""Configs and optimizer states of other generations, turned into those of Keras 2.3.1."""

import json

import numpy as np
import pytest
from hornbeam import layers, optimizers
from hornbeam.layers import Dense, Input
from hornbeam.models import Model, Sequential, clone_model, model_from_json
from hornbeam.saving import model_from_config
from hornbeam.saving.migrate import migrate, migrate_training
from hornbeam.saving.optimizer_state import by_kind


def layer(kind, **config):
    return {"class_name": kind, "config": {"name": "l", **config}}


def test_where_something_came_from_is_dropped():
    config = {
        "module": "tf_keras.src.engine.functional",
        "registered_name": "Functional",
        "class_name": "Functional",
        "config": {"layers": [{**layer("Dense", units=2), "build_config": {}, "shared_object_id": 3}]},
    }
    assert migrate(config) == {"class_name": "Model", "config": {"layers": [layer("Dense", units=2)]}}


def test_a_users_function_goes_by_its_name():
    function = {"module": "builtins", "class_name": "function", "config": "own", "registered_name": "function"}
    assert migrate(layer("Dense", activation=function)) == layer("Dense", activation="own")


@pytest.mark.parametrize(
    "before, after",
    [
        (layer("InputLayer", ragged=False, optional=False), layer("InputLayer")),
        (layer("Conv2D", groups=1), layer("Conv2D")),
        (layer("LSTM", time_major=False, dtype=None), layer("LSTM")),
        (layer("BatchNormalization", axis=[3]), layer("BatchNormalization", axis=[3])),  # trains as in tf.keras
        (layer("SeparableConv2D", kernel_initializer="x"), layer("SeparableConv2D")),
        (layer("Embedding", dtype="int32"), layer("Embedding")),
        (
            layer("Dense", dtype={"class_name": "Policy", "config": {"name": "float64"}}),
            layer("Dense", dtype="float64"),
        ),
        (
            {"class_name": "GlorotUniform", "config": {"seed": 3, "dtype": "float32"}},
            {
                "class_name": "VarianceScaling",
                "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": 3},
            },
        ),
        ({"class_name": "L2", "config": {"l2": 0.1}}, {"class_name": "L1L2", "config": {"l2": 0.1}}),
    ],
)
def test_configs(before, after):
    assert migrate(before) == after


@pytest.mark.parametrize(
    "config, message",
    [
        (layer("LSTM", flash_attention=True), r"has flash_attention=True"),
        (layer("BatchNormalization", axis=[1, 2]), r"normalizes over several axes"),
        (layer("Dense", dtype={"class_name": "Policy", "config": {"name": "mixed_int8"}}), r"'mixed_int8'"),
    ],
)
def test_what_keras_2_does_not_have(config, message):
    with pytest.raises(ValueError, match=message):
        migrate(config)


@pytest.mark.parametrize(
    "version, interpolation",
    [("2.3.1", "bilinear"), ("2.2.4", "bilinear"), (None, "bilinear"), ("2.2.4-tf", "bilinear_half_pixel"),
     ("2.4.0", "bilinear_half_pixel"), ("2.15.0", "bilinear_half_pixel")],
)  # fmt: skip
def test_bilinear_means_something_else_in_tf_keras(version, interpolation):
    inside = {"class_name": "Model", "config": {"layers": [layer("UpSampling2D", interpolation="bilinear")]}}
    assert migrate(inside, version)["config"]["layers"][0]["config"]["interpolation"] == interpolation
    assert migrate(layer("UpSampling2D", interpolation="nearest"), version)["config"]["interpolation"] == "nearest"


def test_mixed_precision_becomes_float32():
    policy = {"class_name": "Policy", "config": {"name": "mixed_float16"}}
    with pytest.warns(UserWarning, match="'mixed_float16'; it computes in float32 here"):
        assert migrate(layer("Dense", dtype=policy)) == layer("Dense", dtype="float32")
    inner = {"class_name": "Adam", "config": {"learning_rate": 0.5}}
    scaled = {"class_name": "LossScaleOptimizer", "config": {"inner_optimizer": inner, "dynamic": True}}
    assert migrate_training({"optimizer_config": scaled})["optimizer_config"] == inner


def test_optimizers_by_name():
    assert migrate_training({"optimizer": "rmsprop"})["optimizer_config"] == {
        "class_name": "RMSprop", "config": {"learning_rate": 0.001, "epsilon_under_root": True}
    }  # fmt: skip


@pytest.mark.parametrize("nothing", [None, 3, ["adam"]], ids=str)
def test_what_names_no_optimizer(nothing):
    with pytest.raises(ValueError, match="no optimizer's config"):
        migrate_training({"optimizer": nothing})


def test_the_schedule_that_is_decay():
    schedule = {"class_name": "InverseTimeDecay",
                "config": {"initial_learning_rate": 0.5, "decay_steps": 2, "decay_rate": 0.1, "staircase": False}}  # fmt: skip
    config = {"learning_rate": schedule, "global_clipnorm": 2.0}
    migrated = migrate_training({"optimizer": {"class_name": "SGD", "config": config}})["optimizer_config"]["config"]
    assert migrated == {"learning_rate": 0.5, "decay": 0.05, "global_clipnorm": 2.0}
    schedule["config"]["staircase"] = True
    migrated = migrate_training({"optimizer": {"class_name": "SGD", "config": config}})["optimizer_config"]
    assert migrated["config"]["learning_rate"] == schedule
    assert type(optimizers.deserialize(migrated)._learning_rate).__name__ == "InverseTimeDecay"


@pytest.mark.parametrize("version, each", [("2.3.1", False), ("2.2.4-tf", True), ("2.15.0", True)])
def test_whose_norm_is_limited(version, each):
    sgd = {"class_name": "SGD", "config": {"learning_rate": 0.1, "clipnorm": 2.0}}
    migrated = migrate_training({"optimizer_config": sgd}, version)["optimizer_config"]
    assert getattr(optimizers.deserialize(migrated), "clip_each", False) == each


def test_users_optimizers_are_left_alone():
    mine = {"class_name": "AdamW", "config": {"name": "AdamW", "use_ema": True}}
    assert migrate_training({"optimizer": mine}, "2.15.0", {"AdamW": None})["optimizer_config"] == mine
    addons = {"class_name": "Addons>AdamW", "config": {"name": "AdamW"}}  # whose weight decay is another
    migrated = migrate_training({"optimizer": addons}, "2.9.0")["optimizer_config"]
    assert migrated == addons
    with pytest.raises(ValueError, match="Unknown optimizer: AdamW"):
        optimizers.deserialize(migrated)


def test_training():
    accuracy = {
        "class_name": "MeanMetricWrapper",
        "config": {"name": "acc", "dtype": "float32", "fn": "binary_accuracy"},
    }
    adam = {"class_name": "Custom>Adam", "config": {"name": "Adam", "learning_rate": 0.1, "weight_decay": None}}
    migrated = migrate_training({"optimizer_config": adam, "loss": "mse", "metrics": [[accuracy]]})
    assert migrated["optimizer_config"] == {"class_name": "Adam", "config": {"learning_rate": 0.1}}
    assert migrated["metrics"][0][0]["config"] == {"name": "acc", "fn": "binary_accuracy"}
    adam["config"].update(use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=None)
    migrated = migrate_training({"optimizer": adam})["optimizer_config"]["config"]
    assert migrated == {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": None}
    adam["config"]["loss_scale_factor"] = 2.0
    with pytest.raises(ValueError, match="saved with loss_scale_factor, which Keras 2 does not have"):
        migrate_training({"optimizer": adam})


def test_later_optimizers_have_epsilon_under_the_root():
    config = {"learning_rate": 0.1, "epsilon": 1e-3, "is_legacy_optimizer": False}
    later = optimizers.deserialize(
        migrate_training({"optimizer": {"class_name": "RMSprop", "config": config}})["optimizer_config"]
    )
    assert later.epsilon_under_root
    assert optimizers.deserialize(optimizers.serialize(later)).epsilon_under_root
    assert "epsilon_under_root" not in optimizers.RMSprop().get_config()


def test_slots_by_weight_become_slots_by_kind():
    steps, m0, v0, m1, v1, h0, h1 = (np.full(1, i) for i in range(7))
    assert by_kind([steps, m0, v0, m1, v1, h0, h1], 2) == [steps, m0, m1, v0, v1, h0, h1]
    assert by_kind([steps, m0, m1], 2) == [steps, m0, m1]


class TestKeras3:
    """Files of Keras 3 themselves are in tests/golden."""

    @staticmethod
    def layer(name, kind, config, *calls, module="keras.layers"):
        return {"module": module, "class_name": kind, "config": {"name": name, **config}, "name": name,
                "inbound_nodes": list(calls)}  # fmt: skip

    @staticmethod
    def tensor(name):
        return {"class_name": "__keras_tensor__", "config": {"shape": [None, 4], "keras_history": [name, 0, 0]}}

    def model(self, *layers, ends=("a", "d")):
        inputs = self.layer("a", "InputLayer", {"batch_shape": [None, 4]})
        config = {
            "name": "m",
            "layers": [inputs, *layers],
            "input_layers": [ends[0], 0, 0],
            "output_layers": [ends[1], 0, 0],
        }
        return model_from_config({"module": "keras", "class_name": "Functional", "config": config})

    def call(self, *args, **kwargs):
        return {"args": list(args), "kwargs": kwargs}

    def test_calls_and_shapes(self):
        model = self.model(self.layer("d", "Dense", {"units": 3}, self.call(self.tensor("a"), training=None)))
        assert model.input_shape == (None, 4) and model.output_shape == (None, 3)

    @pytest.mark.parametrize("module", ["keras.src.ops.numpy", None])  # HDF5 files do not say
    def test_operations_between_layers_are_functions(self, module):
        minus = self.layer("minus", "Subtract", {}, self.call(1.0, self.tensor("a")), module=module)
        mean = self.layer("d", "Mean", {"axis": 1, "keepdims": True}, self.call(self.tensor("minus")), module=module)
        for layer in (minus, mean):
            if module is None:
                del layer["module"]
        np.testing.assert_allclose(self.model(minus, mean).predict(np.full((2, 4), 0.75)), [[0.25]] * 2)

    def test_other_operations_are_refused(self):
        part = self.layer("part", "GetItem", {}, self.call(self.tensor("a"), [0]), module="keras.src.ops.numpy")
        with pytest.raises(ValueError, match="the operation 'part' of Keras 3"):
            self.model(part, self.layer("d", "Dense", {"units": 3}, self.call(self.tensor("part"))))

    def test_a_layer_called_on_a_number_is_refused(self):
        with pytest.raises(ValueError, match="not the output of another: 5"):
            self.model(self.layer("d", "Dense", {"units": 3}, self.call(5)))

    def test_hard_sigmoid_is_another_function_there(self):
        dense = self.layer("d", "Dense", {"units": 3, "activation": "hard_sigmoid"}, self.call(self.tensor("a")))
        with pytest.raises(ValueError, match=r'Layer "d" .*relu6\(x \+ 3\) / 6'):
            self.model(dense)

    @pytest.mark.parametrize("damage", [{"args": None, "kwargs": {}}, {"args": [{}]}, 7, {"args": [[3]], "kwargs": {}}])
    def test_damaged_calls(self, damage):
        with pytest.raises(ValueError, match=r"config|called on"):
            self.model(self.layer("d", "Dense", {"units": 3}, damage))


def test_bidirectional_layers_of_tf_keras_give_zeros_at_masked_steps():
    def bidirectional(version, sequences):
        inner = {"class_name": "LSTM", "config": {"name": "lstm", "units": 2, "return_sequences": sequences}}
        item = {"class_name": "Bidirectional", "config": {"name": "b", "layer": inner, "merge_mode": "concat"}}
        return layers.deserialize(migrate(item, version)).forward_layer.zero_output_for_mask

    assert bidirectional("2.11.0", True) and not bidirectional("2.11.0", False) and not bidirectional("2.3.1", True)


def test_layers_of_tf_keras_cast_their_inputs():
    """As they did when the model was made: a float32 layer follows a float64 one."""
    model = Sequential([Dense(2, dtype="float64", input_shape=(3,)), Dense(1, dtype="float64")])
    described = json.loads(model.to_json())
    described["config"]["layers"][-1]["config"]["dtype"] = "float32"
    described["keras_version"] = "2.6.0"
    mixed = model_from_json(json.dumps(described))
    mixed.set_weights(model.get_weights())
    x = np.ones((4, 3))
    assert mixed.predict(x).dtype == "float32" and clone_model(mixed).output.dtype == "float32"
    np.testing.assert_allclose(mixed.predict(x), model.predict(x), rtol=1e-6)
    with pytest.raises(ValueError, match="float64 and float32"):
        model_from_json(json.dumps({**described, "keras_version": "2.3.1"}))


@pytest.mark.parametrize("metrics", [[[None]], [None], [[None], ["mae"]]])
def test_none_among_the_metrics_of_an_output_is_no_metric(metrics):
    x = Input((2,))
    model = Model(x, [Dense(1, name=f"out_{i}")(x) for i in range(len(metrics))])
    model.compile("sgd", "mse", metrics=metrics)
    assert [name for name in model.metrics_names if "loss" not in name] == ["out_1_mae"] * (len(metrics) > 1)
