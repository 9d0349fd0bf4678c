"""``hornbeam inspect`` on whole models, weights, files of later Keras, and files that mean harm."""

import json
import pathlib
import subprocess
import zipfile
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from hornbeam.cli import inspect, main
from hornbeam.layers import BatchNormalization, Dense, Lambda, Layer, deserialize
from hornbeam.models import Sequential, load_model

FILES = pathlib.Path(__file__).parent.parent / "golden" / "files"


def shown(path, capsys):
    status = inspect.show(str(path))
    return status, capsys.readouterr().out


def compiled(layers):
    model = Sequential(layers, name="net")
    model.compile("adam", "mse", metrics=["mae"])
    return model


@pytest.mark.parametrize("name, kind", [("m.h5", "whole model, HDF5"), ("m.keras", "whole model, .keras (zip)")])
def test_a_whole_model(tmp_path, capsys, name, kind):
    inner = Sequential([Dense(3, name="deep", input_shape=(4,))], name="inner")
    model = compiled([inner, BatchNormalization(name="bn")])
    model.train_on_batch(np.ones((2, 4)), np.ones((2, 3)))
    model.save(tmp_path / name, sample=np.ones((2, 4)))
    status, out = shown(tmp_path / name, capsys)
    assert status == 0 and out.endswith("nothing suspicious\n")
    for line in (kind, "Keras version     2.3.1", 'Sequential "net"', "inner/deep", "optimizer Adam, learning rate 0.001",
                 "loss mse", "metrics ['mae']", "6 arrays, 27 numbers", "a sample for verify=True", "(4, 3) float32"):  # fmt: skip
        assert line in out


def test_weights_alone(tmp_path, capsys):
    compiled([Dense(3, name="d", input_shape=(4,))]).save_weights(tmp_path / "w.h5")
    status, out = shown(tmp_path / "w.h5", capsys)
    assert status == 0 and "weights alone, HDF5" in out and "d/d/kernel:0" in out and "not compiled" in out


@pytest.mark.parametrize(
    "path", sorted(p for p in FILES.iterdir() if p.suffix in (".h5", ".keras")), ids=lambda p: p.name
)
def test_files_of_every_generation(path, capsys):
    status, out = shown(path, capsys)
    assert status == (1 if "lambda" in path.name else 0)
    assert ("a Lambda with Python bytecode" in out) == ("lambda" in path.name)


def test_what_needs_the_user(tmp_path, capsys):
    class Mine(Layer):
        pass

    compiled([Mine(name="own", input_shape=(4,)), Lambda(lambda x: x, name="f")]).save(tmp_path / "m.h5")
    status, out = shown(tmp_path / "m.h5", capsys)
    assert status == 1 and "layer own: class Mine is not Keras's; it needs custom_objects={'Mine': ...}" in out
    assert "give the function as lambdas={'f': ...}" in out and "2 suspicious" in out


def with_class(path, name):
    """Let a model's first layer be of another class."""
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][0]["class_name"] = name
        file.attrs["model_config"] = json.dumps(config)


def test_classes_beside_the_public_layers(tmp_path, capsys):
    scale = deserialize(
        {
            "class_name": "LayerScale",
            "config": {"init_values": 0.5, "projection_dim": 4, "batch_input_shape": [None, 4]},
        }
    )
    compiled([scale]).save(tmp_path / "m.h5")
    assert load_model(tmp_path / "m.h5").layers[0].projection_dim == 4
    status, out = shown(tmp_path / "m.h5", capsys)
    assert status == 0 and "LayerScale" in out


@pytest.mark.parametrize("name", ["Any", "K", "warn_user", "Recurrent", "AtrousConvolution1D", "DenseFeatures", "add"])
def test_only_what_can_be_loaded_is_a_layer(tmp_path, capsys, name):
    compiled([Dense(3, name="d", input_shape=(4,))]).save(tmp_path / "m.h5")
    with_class(tmp_path / "m.h5", name)
    with pytest.raises(ValueError, match=name):
        load_model(tmp_path / "m.h5")
    status, out = shown(tmp_path / "m.h5", capsys)
    assert status == 1 and f"layer d: class {name} is not Keras's" in out


def test_a_users_class_with_the_name_of_a_layer(tmp_path, capsys):
    class Dropout(Layer):
        pass

    path = tmp_path / "m.keras"
    compiled([Dropout(name="own", input_shape=(4,))]).save(path)
    with pytest.raises(ValueError, match="Unknown layer: Dropout"):
        load_model(path)
    assert type(load_model(path, custom_objects={"Dropout": Dropout}).layers[0]) is Dropout
    status, out = shown(path, capsys)
    assert status == 1 and "layer own: class Dropout is not Keras's; it needs custom_objects={'Dropout': ...}" in out


def test_what_means_harm(tmp_path, capsys):
    path = tmp_path / "m.h5"
    compiled([Dense(3, name="d", input_shape=(4,))]).save(path)
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"]["layers"][0]["module"] = "os"
        config["config"]["layers"][0]["config"]["name"] = "\x1b[2Kd"
        file.attrs["model_config"] = json.dumps(config)
        file["link"] = h5py.ExternalLink("/etc/passwd", "/")
        file.create_dataset("bomb", shape=(10**12,), dtype="f4", chunks=True)
    status, out = shown(path, capsys)
    assert status == 1 and "\x1b" not in out and "\\x1b[2Kd" in out
    for suspicion in (
        "Dense claims to come from the module 'os'",
        "the file has a link to another file ('link')",
        "the file is damaged, or made to exhaust memory",
    ):
        assert f"SUSPICIOUS        {suspicion}" in out


def test_needed_ops_and_extra_members(tmp_path, capsys):
    with (
        zipfile.ZipFile(FILES / "tf_keras-2.21__op_layers_zip.keras") as source,
        zipfile.ZipFile(tmp_path / "m.keras", "w") as out,
    ):
        for name in source.namelist():
            out.writestr(name, source.read(name).replace(b'"nn.relu"', b'"io.read"'))
        out.writestr("../evil", "x")
    status, text = shown(tmp_path / "m.keras", capsys)
    assert status == 1 and "needs TensorFlow's io.read" in text and "a member '../evil', which is never read" in text


def test_broken_files(tmp_path, capsys):
    whole = (FILES / "nested.h5").read_bytes()
    for name, contents in (
        ("short.h5", whole[:5000]),
        ("text.h5", b"hello"),
        ("zip.keras", b"PK\x03\x04 no zip"),
        ("none", None),
    ):
        if contents is not None:
            (tmp_path / name).write_bytes(contents)
        status, out = shown(tmp_path / name, capsys)
        assert status == 2 and f"{name} cannot be read as a model: " in out
    with h5py.File(tmp_path / "bad.h5", "w") as file:
        file.attrs["model_config"] = "{"
        file.attrs["training_config"] = np.arange(3)
    status, out = shown(tmp_path / "bad.h5", capsys)
    assert status == 1 and "model_config is not valid JSON" in out and "'training_config' cannot be read" in out


def test_the_command_reads_in_a_child_process(tmp_path, capsys, monkeypatch):
    done = subprocess.run
    calls = []

    def run(command, check):
        calls.append(command)
        return done(command, check=check, stdout=subprocess.PIPE)

    monkeypatch.setattr(subprocess, "run", run)
    assert main(["inspect", str(FILES / "nested.h5")]) == 0
    assert main(["inspect", str(tmp_path / "none.h5")]) == 2
    assert len(calls) == 2
    monkeypatch.setattr(subprocess, "run", lambda command, check: SimpleNamespace(returncode=-11))
    assert main(["inspect", "crash.h5"]) == 1
    assert "ended the process that read it (status -11): do not load this file" in capsys.readouterr().out
