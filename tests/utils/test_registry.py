"""Registries: what configs may name."""

import subprocess
import sys

import hornbeam as keras
import pytest
from hornbeam import layers
from hornbeam.utils import CustomObjectScope, registry
from hornbeam.utils.registry import LAYERS, Registry, public_objects

KINDS = {
    "LAYERS": "Dense",
    "ACTIVATIONS": "relu",
    "INITIALIZERS": "he_normal",
    "REGULARIZERS": "l2",
    "CONSTRAINTS": "max_norm",
    "LOSSES": "mse",
    "METRICS": "mae",
    "OPTIMIZERS": "adam",
    "SCHEDULES": "CosineDecay",
}


class Thing:
    def __init__(self, size=1):
        self.size = size


def thing(size=2):
    return Thing(size)


def things(**options):
    known = Registry("thing", **options)
    known.register({"Thing": Thing, "thing": thing})
    return known


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_found_by_a_process_that_has_imported_nothing(kind):
    code = f"from hornbeam.utils import registry; assert {KINDS[kind]!r} in registry.{kind}"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_rare_layers_are_imported_when_asked_for():
    code = """
import sys
from hornbeam.utils.registry import LAYERS
assert LAYERS.deserialize({"class_name": "Dense", "config": {"units": 3}}).units == 3
assert "hornbeam.legacy.convnext" not in sys.modules and "hornbeam.tf" not in sys.modules
for name in ("Model", "Functional", "Sequential", "Formula", "Highway", "MaxoutDense", "LayerScale", "StochasticDepth",
             "TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"):
    assert name in LAYERS, name
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_layer_is_registered_and_no_class_of_a_user():
    class Mine(layers.Dense):
        pass

    public = {n for n, v in vars(layers).items() if isinstance(v, type) and issubclass(v, layers.Layer)}
    assert len(public) > 100 and all(name in LAYERS for name in public)
    assert not any(name in LAYERS for name in ("Mine", Mine, "K", "Any", "add", "serialize", ["Dense"], None))


@pytest.mark.parametrize("kind", KINDS)
def test_modules_and_helpers_are_not_registered(kind):
    names = (
        "K",
        "graph",
        "np",
        "Any",
        "get",
        "deserialize",
        "serialize",
        "public_objects",
        "serialize_keras_object",
        "os",
    )
    assert not any(name in getattr(registry, kind) for name in names)


def test_names_and_configs():
    known = things(makes=True)
    assert known.deserialize({"class_name": "Thing", "config": {"size": 5}}).size == 5
    assert known.deserialize("thing") is thing
    assert known.get("Thing").size == 1 and known.get("thing").size == 2
    assert known.get(Thing).size == 1 and known.get(thing).size == 2
    assert things().get(thing) is thing and known.get(things) is things
    assert things().get("thing") is thing and things(optional=True).get(None) is None
    for wrong in (None, 3):
        with pytest.raises(ValueError, match="Could not interpret thing identifier: "):
            known.get(wrong)
    for wrong in ("other", {"class_name": "other", "config": {}}):
        with pytest.raises(ValueError, match="Unknown thing: other"):
            known.get(wrong)
    with pytest.raises(ValueError, match="The name of a thing"):
        known.deserialize({"class_name": ["Thing"], "config": {}})


def test_custom_objects_come_first_and_are_not_registered():
    known = things()
    for name in ("Thing", "Other"):
        config = {"class_name": name, "config": {}}
        assert type(known.deserialize(config, {name: Special})) is Special
        with CustomObjectScope({name: Special}):
            assert type(known.deserialize(config)) is Special
    assert "Other" not in known and type(known.get({"class_name": "Thing", "config": {}})) is Thing


class Special(Thing):
    pass


def test_public_objects_hide_imports():
    names = public_objects(vars(layers.core))
    assert "Dense" in names and not {"K", "math", "np", "Layer", "func_load"} & set(names)


def test_keras_names_are_the_registries():
    config = keras.layers.serialize(keras.layers.Dense(3))
    assert type(keras.layers.deserialize(config)) is keras.layers.Dense
    assert keras.losses.get("MSE") is keras.losses.mean_squared_error is keras.metrics.get("mse")
    assert type(keras.optimizers.get("aDaM")) is keras.optimizers.Adam
    assert keras.regularizers.get(None) is keras.constraints.get(None) is keras.losses.get(None) is None
    for module in (keras.initializers, keras.metrics):
        with pytest.raises(ValueError, match="identifier: None"):
            module.get(None)
