"""SavedModel folders of tf.keras: which model they describe, its weights and training, and what is refused."""

import os
import shutil

import numpy as np
import pytest
from fresh_process import run_python
from hdf5_bounds import bounds
from hornbeam import layers as L
from hornbeam.cli.inspect import show
from hornbeam.models import Model, Sequential, load_model
from hornbeam.saving.tensor_bundle import write_bundle
from hornbeam.utils.protobuf import field
from tensor_bundles import rewrite_graph, write_folder, write_messages

X = np.random.RandomState(0).rand(8, 4).astype("float32")
Y = np.random.RandomState(1).rand(8, 2).astype("float32")


def mlp():
    model = Sequential([L.Dense(5, activation="tanh", input_shape=(4,)), L.Dense(2, name="out")])
    model.compile("adam", "mse", metrics=["mae"])
    model.train_on_batch(X, Y)
    return model


def network():
    x = L.Input((4,))
    inner = Sequential([L.Dense(4, input_shape=(4,)), L.BatchNormalization()], name="inner")
    inner.layers[0].trainable = False
    return Model(x, L.Dense(2)(L.add([inner(x), x])))


TRAINING = {
    "loss": "mse", "metrics": [["mae"]], "weighted_metrics": None, "loss_weights": None,
    "optimizer_config": {"class_name": "Custom>Adam", "config": {"learning_rate": 0.001, "is_legacy_optimizer": False}},
}  # fmt: skip


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("make", [mlp, network])
def test_a_model(tmp_path, make, new):
    model = make()
    write_folder(tmp_path / "m", model, new)
    with pytest.warns(UserWarning, match="No training configuration"):
        loaded = load_model(tmp_path / "m")
    assert np.array_equal(model.predict(X), loaded.predict(X))
    assert [w.shape for w in model.trainable_weights] == [w.shape for w in loaded.trainable_weights]


def test_training_goes_on(tmp_path):
    model = mlp()
    write_folder(tmp_path / "m", model, training_config=TRAINING)
    loaded = load_model(str(tmp_path / "m"))
    shutil.rmtree(tmp_path / "m")
    assert loaded.metrics_names == ["loss", "mae"]
    for _ in range(3):
        assert np.array_equal(model.train_on_batch(X, Y), loaded.train_on_batch(X, Y))
    write_folder(tmp_path / "m", model, training_config=TRAINING)
    assert not load_model(tmp_path / "m", compile=False)._is_compiled


def test_weights_alone(tmp_path):
    model, other = mlp(), mlp()
    write_folder(tmp_path / "m", model)
    other.load_weights(tmp_path / "m")
    assert np.array_equal(model.predict(X), other.predict(X))


def test_values_that_json_does_not_have(tmp_path):
    model = Sequential([L.Conv2D(2, 3, input_shape=(6, 6, 1)), L.Flatten()])

    def encoded(item):
        if isinstance(item, tuple):
            return {"class_name": "__tuple__", "items": [encoded(part) for part in item]}
        if isinstance(item, list):
            return [encoded(part) for part in item]
        return {key: encoded(value) for key, value in item.items()} if isinstance(item, dict) else item

    config = encoded(model.get_config())
    assert config["layers"][0]["config"]["kernel_size"]["class_name"] == "__tuple__"
    write_folder(tmp_path / "m", model, config=config)
    x = np.ones((1, 6, 6, 1), "float32")
    assert np.array_equal(model.predict(x), load_model(tmp_path / "m", compile=False).predict(x))
    config["layers"][0]["config"]["strides"] = {"class_name": "__set__", "items": []}
    write_folder(tmp_path / "n", model, config=config)
    with pytest.raises(ValueError, match="a value of the kind '__set__'"):
        load_model(tmp_path / "n")


def test_a_sequential_that_was_built_by_data(tmp_path):
    model = Sequential([L.Dense(3), L.Dense(2)])
    model.build((None, 4))
    config = model.get_config()
    del config["build_input_shape"]
    write_folder(tmp_path / "m", model, config=config, build_input_shape=[None, 4])
    assert np.array_equal(model.predict(X), load_model(tmp_path / "m", compile=False).predict(X))


def test_models_that_are_frozen_as_a_whole(tmp_path):
    model = network()
    write_folder(tmp_path / "m", model, trainable=False)
    assert load_model(tmp_path / "m", compile=False).trainable_weights == []


# -- classes of the user -----------------------------------------------------------------------------------------
class Scale(L.Layer):
    def build(self, shape):
        self.gain = self.add_weight("gain", (shape[-1],))
        super().build(shape)

    def call(self, x):
        return x * self.gain


class Own(Model):
    pass


def test_layers_of_the_user(tmp_path):
    model = Sequential([Scale(input_shape=(4,)), L.Dense(2)])
    write_folder(tmp_path / "m", model)
    loaded = load_model(tmp_path / "m", custom_objects={"Scale": Scale}, compile=False)
    assert np.array_equal(model.predict(X), loaded.predict(X))
    with pytest.raises(ValueError, match="Scale"):
        load_model(tmp_path / "m")


def test_a_class_made_of_layers(tmp_path):
    model = network()
    write_folder(tmp_path / "m", model, class_name="Own")
    assert type(load_model(tmp_path / "m", custom_objects={"Own": Own}, compile=False)) is Own
    with pytest.warns(UserWarning, match="class 'Own', which is not known here: it is loaded as a Model"):
        loaded = load_model(tmp_path / "m", compile=False)
    assert np.array_equal(model.predict(X), loaded.predict(X))


def test_a_class_without_config(tmp_path):
    config = {"layer was saved without config": True}
    write_folder(tmp_path / "m", network(), class_name="Towers", config=config, is_graph_network=False)
    with pytest.raises(ValueError, match=r"class 'Towers' without its config.*load_weights"):
        load_model(tmp_path / "m")


class Coded(Model):
    """Made by Python code, and with a config."""

    def __init__(self, units):
        super().__init__()
        self.blocks = [L.Dense(units, activation="tanh"), L.Dense(2)]

    def call(self, x):
        return self.blocks[1](self.blocks[0](x))


SPEC = {"class_name": "TypeSpec", "type_spec": "tf.TensorSpec", "serialized": {"class_name": "__tuple__", "items": [
    {"class_name": "TensorShape", "items": [None, 4]}, "float32", "input_1"]}}  # fmt: skip


def test_a_class_with_config(tmp_path):
    model = Coded(3)
    model.compile("adam", "mse")
    model.train_on_batch(X, Y)
    about = {"config": {"units": 3}, "is_graph_network": False, "training_config": TRAINING}
    write_folder(tmp_path / "m", model, save_spec=SPEC, **about)
    loaded = load_model(tmp_path / "m", custom_objects={"Coded": Coded})
    assert [model.train_on_batch(X, Y) for _ in range(3)] == [loaded.train_on_batch(X, Y)[0] for _ in range(3)]
    with pytest.raises(ValueError, match=r"class 'Coded', which is Python code.*custom_objects"):
        load_model(tmp_path / "m")
    write_folder(tmp_path / "n", model, **about)
    with pytest.raises(ValueError, match="does not say for which inputs"):
        load_model(tmp_path / "n", custom_objects={"Coded": Coded})


def lambdas(tmp_path):
    model = Sequential([L.Lambda(lambda x: x * 2, name="double", input_shape=(4,)), L.Dense(2)])
    config = model.get_config()
    code = {"class_name": "__tuple__", "items": ["4wEAAAAAAAAA", None, None]}
    config["layers"][0]["config"].update(function=code, function_type="lambda", module="os")
    write_folder(tmp_path / "m", model, config=config)
    return model


def test_code_is_not_run(tmp_path):
    model = lambdas(tmp_path)
    with pytest.raises(ValueError, match="double"):
        load_model(tmp_path / "m")
    loaded = load_model(tmp_path / "m", lambdas={"double": lambda x: x * 2}, compile=False)
    assert np.array_equal(model.predict(X), loaded.predict(X))


# -- other folders, and damaged ones -----------------------------------------------------------------------------------
def test_folders_of_other_kinds(tmp_path):
    with pytest.raises(OSError, match=r"has no saved_model.pb"):
        load_model(tmp_path)
    mlp().save_weights(tmp_path / "w.ckpt")
    with pytest.raises(OSError, match="holds checkpoints: build the model"):
        load_model(tmp_path)
    write_folder(tmp_path / "m", mlp())
    (tmp_path / "m" / "keras_metadata.pb").unlink()
    write_messages(tmp_path / "m", "_generic_user_object", "", new=False)
    with pytest.raises(ValueError, match="holds no Keras model: its root is a _generic_user_object"):
        load_model(tmp_path / "m")
    with pytest.raises(ValueError, match="verify=True and resume=True are for"):
        load_model(tmp_path / "m", verify=True)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ("[" * 200_000, "nested"),
        ("{", "Expecting|JSON"),
        ("[]", "Not a model's config"),
        ('{"class_name": "Sequential"}', "without its config"),
        ('{"class_name": "os>system", "module": "os", "config": {}, "is_graph_network": true}', "system|layers|config"),
        ('{"class_name": "Sequential", "config": {"layers": 5}}', "config"),
    ],
)
@pytest.mark.filterwarnings("ignore:The model is of the class 'os>system'")
@pytest.mark.parametrize("new", [True, False])
def test_damaged_metadata(tmp_path, metadata, message, new):
    write_folder(tmp_path / "m", mlp(), new)
    write_messages(tmp_path / "m", "_tf_keras_sequential", metadata, new)
    with pytest.raises(ValueError, match=message) as raised:
        load_model(tmp_path / "m")
    assert len(str(raised.value)) <= 600


@pytest.mark.parametrize("name", ["saved_model.pb", "keras_metadata.pb", "variables/variables.index"])
def test_files_cut_short(tmp_path, name):
    write_folder(tmp_path / "m", mlp())
    path = tmp_path / "m" / name
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises((ValueError, OSError), match=os.path.basename(name) + "|variables"):
        load_model(tmp_path / "m")


def test_variables_of_another_model(tmp_path):
    model = mlp()
    write_folder(tmp_path / "m", model, config=Sequential([L.Dense(7, input_shape=(4,)), L.Dense(2)]).get_config())
    with pytest.raises(ValueError, match=r"has shape \(4, 7\), but the checkpoint"):
        load_model(tmp_path / "m")
    shutil.rmtree(tmp_path / "m" / "variables")
    (tmp_path / "m" / "variables").mkdir()
    write_bundle(tmp_path / "m" / "variables" / "variables", {"a": np.zeros(3)})
    with pytest.raises(ValueError, match="no values for 4 of the 4 weights"):
        load_model(tmp_path / "m")


# -- looking at them -----------------------------------------------------------------------------------------------
def test_inspect(tmp_path, capsys):
    write_folder(tmp_path / "m", mlp(), training_config=TRAINING)
    assert show(str(tmp_path / "m")) == 1  # the graph has WriteFile
    out = capsys.readouterr().out
    for text in (
        "SavedModel folder",
        "Keras version     2.15.0",
        "out",
        "optimizer Custom>Adam",
        "4 arrays, 37 numbers",
    ):
        assert text in out
    assert "the optimizer's state" in out and "have the op WriteFile" in out
    mlp().save_weights(tmp_path / "w.ckpt")
    assert show(str(tmp_path / "w.ckpt")) == 0
    assert "TensorFlow checkpoint, with objects" in capsys.readouterr().out
    assert show(str(tmp_path / "nowhere")) == 2
    assert "There is no file" in capsys.readouterr().out
    lambdas(tmp_path / "of_lambdas")
    assert show(str(tmp_path / "of_lambdas" / "m")) == 1
    assert "a Lambda with Python bytecode" in capsys.readouterr().out


def test_nothing_of_it_is_imported_before_it_is_needed():
    code = "import sys, hornbeam, hornbeam.models; print([m for m in sys.modules if 'tensor_bundle' in m or 'trackable' in m])"
    assert run_python(code).stdout.strip() == "[]"


def test_more_objects_than_any_model_has(tmp_path):
    """Two bytes each in the file, and hundreds in memory."""
    write_folder(tmp_path / "m", mlp())
    objects = field(1, b"") * (1 << 18)
    (tmp_path / "m" / "saved_model.pb").write_bytes(field(2, field(7, objects)))
    with pytest.raises(ValueError, match=r"saved_model.pb' is damaged: it has 262144 objects"), bounds(len(objects)):
        load_model(tmp_path / "m")
    write_folder(tmp_path / "n", mlp())
    rewrite_graph(tmp_path / "n" / "variables" / "variables", objects)
    with pytest.raises(ValueError, match="object graph has 262144 objects"), bounds(len(objects)):
        load_model(tmp_path / "n")
