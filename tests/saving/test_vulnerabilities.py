"""A test for each published way to make Keras do something by loading a file, and for the ways around the first fixes.

Each file is crafted as its report describes. Loading has to raise, and nothing may have happened.
"""

import base64
import builtins
import gzip
import io
import json
import marshal
import os
import socket
import tarfile
import zipfile
from types import SimpleNamespace

import h5py
import hornbeam as keras
import numpy as np
import pytest
from hornbeam.datasets import npz
from hornbeam.layers import Dense, Input, Lambda
from hornbeam.models import Model, Sequential, load_model, model_from_json, model_from_yaml
from hornbeam.saving import hdf5_file, text
from hornbeam.utils import generic_utils, get_file

MARK = "LOADING_WAS_EXECUTING"
CODE = compile(f"lambda x: (open({MARK!r}, 'w').close(), x)[1]", "<stranger>", "eval").co_consts[0]
BYTECODE = base64.b64encode(marshal.dumps(CODE)).decode()


@pytest.fixture(autouse=True)
def nothing_happens(tmp_path, monkeypatch):
    """Runs in an empty folder, and fails if the mark was made there, a socket opened or code unmarshalled."""

    def forbidden(*args, **kwargs):
        raise AssertionError("loading did what only a program may do")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(generic_utils, "marshal", SimpleNamespace(dumps=marshal.dumps, loads=forbidden))
    monkeypatch.setattr(socket, "create_connection", forbidden)
    yield
    assert not os.path.exists(MARK)


def layer(kind, **config):
    return {"class_name": kind, "config": {"name": "it", **config}}


def lambda_layer(code=BYTECODE, **config):
    return layer("Lambda", **{"function": [code, None, None], "function_type": "lambda", "output_shape": None,
                              "output_shape_type": "raw", "arguments": {}, **config})  # fmt: skip


def sequential(*layers):
    return {"class_name": "Sequential",
            "config": {"name": "s", "layers": [layer("InputLayer", name="in", batch_input_shape=[None, 4]), *layers]}}  # fmt: skip


def write_h5(path, config, fill=None, root=""):
    with h5py.File(path, "w") as file:
        file.attrs.update(keras_version="2.15.0", backend="tensorflow", model_config=json.dumps(config))
        group = file.create_group("model_weights")
        group.attrs.update(layer_names=["d"], keras_version="2.15.0", backend="tensorflow")
        group.create_group("d").attrs["weight_names"] = ["d/kernel:0", "d/bias:0"]
        if fill:
            fill(group["d"].create_group("d"), "kernel:0", "bias:0")
    return path


def write_zip(path, config, fill=None):
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file.create_group("vars")
        if fill:
            fill(file.create_group("layers/dense/vars"), "0", "1")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "2.15.0"}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", weights.getvalue())
    return path


EVERY_CONTAINER = pytest.mark.parametrize(
    "write", [lambda c: load_model(write_h5("m.h5", c)), lambda c: load_model(write_zip("m.keras", c)),
              lambda c: model_from_json(json.dumps(c))], ids=["h5", "keras", "json"]
)  # fmt: skip
DENSE = sequential(layer("Dense", name="d", units=3))


# -- code ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "payload",
    [
        f"!!python/object/apply:os.mkdir [{MARK}]",
        f"!!python/object/new:os.mkdir [{MARK}]",
        f"class_name: !!python/object/apply:eval [\"open('{MARK}', 'w')\"]\nconfig: {{}}",
        "!!python/name:os.system",
        "!!python/module:os",
    ],
)
def test_cve_2021_37678_yaml_that_makes_objects(payload):
    with pytest.raises(ValueError, match="not plain YAML"):
        model_from_yaml(payload)


def test_yaml_that_refers_to_itself(monkeypatch):
    doubling = "".join(f"a{i + 1}: &a{i + 1} [*a{i}, *a{i}]\n" for i in range(60))
    monkeypatch.setattr(text, "MAX_PARTS", 20_000)
    for bomb in (f"a0: &a0 [x]\n{doubling}", "a: &a [*a]", "a: &a [*a, *a]"):
        with pytest.raises(ValueError, match=r"nested too deeply|more than \d+ parts"):
            model_from_yaml(bomb)


@EVERY_CONTAINER
@pytest.mark.parametrize(
    "stranger",
    [
        lambda_layer(),
        lambda_layer(function=BYTECODE),
        lambda_layer(code=BYTECODE[:40] + "\n" + BYTECODE[40:]),
        lambda_layer(code=marshal.dumps(CODE).decode("raw_unicode_escape")),  # as Keras up to 2.0.9 wrote it
        lambda_layer(
            function="K", function_type="function", output_shape=[BYTECODE, None, None], output_shape_type="lambda"
        ),
        layer("TimeDistributed", layer=lambda_layer()),
        layer("Bidirectional", layer=lambda_layer()),
        sequential(lambda_layer()),
        lambda_layer(function={"class_name": "__lambda__", "config": {"value": [BYTECODE, None, None]}}),
        layer("Dense", units=3, activation={"class_name": "__lambda__", "config": {"value": [BYTECODE, None, None]}}),
        layer("Dense", units=3, kernel_initializer={"class_name": "Lambda", "config": lambda_layer()["config"]}),
    ],
)
def test_cve_2024_3660_code_in_a_lambda(write, stranger):
    with pytest.raises(ValueError):
        write(sequential(stranger))


@EVERY_CONTAINER
@pytest.mark.parametrize(
    "module, name", [("os", "system"), ("builtins", "eval"), ("subprocess", "run"), ("hornbeam.utils", "get_file")]
)
def test_cve_2025_1550_names_of_modules_are_not_imported(write, module, name):
    where = {"module": module, "class_name": name, "registered_name": name, "config": {"name": "it", "args": [MARK]}}
    function = {"module": module, "class_name": "function", "registered_name": name, "config": name}
    for config in (where, sequential(where), sequential(layer("Dense", units=3, activation=where)),
                   sequential(layer("Dense", units=3, activation=function)),
                   sequential(layer("Dense", units=3, kernel_initializer=function)),
                   {**DENSE, "module": module, "class_name": name}):  # fmt: skip
        with pytest.raises(ValueError):
            write(config)


@EVERY_CONTAINER
@pytest.mark.parametrize(
    "name", ["get_file", "func_load", "load_model", "allow_code_loading", "mean_squared_error", "get"]
)
@pytest.mark.parametrize(
    "module", ["keras", "keras.utils", "keras.saving", "tf_keras.src.utils.data_utils", "keras.losses"]
)
def test_cve_2025_8747_functions_of_the_library_are_not_called(write, name, module):
    config = {"fname": MARK, "origin": "http://127.0.0.1:9/x", "code": BYTECODE, "filepath": MARK, "name": "it"}
    called = {"module": module, "class_name": name, "registered_name": name, "config": config}
    for item in (called, lambda_layer(function=called, function_type="function"),
                 lambda_layer(function=name, function_type="function"), layer("Dense", units=3, activation=called),
                 layer("Dense", units=3, kernel_initializer=called), layer("Dense", units=3, bias_regularizer=called)):  # fmt: skip
        with pytest.raises(ValueError):
            write(sequential(item))


def test_losses_and_metrics_are_not_called_either():
    model = Sequential([Dense(3, name="d", input_shape=(4,))])
    model.compile("sgd", "mse")
    model.save("m.h5")
    called = {"class_name": "mean_squared_error", "config": {"y_true": [1.0], "y_pred": [2.0]}}
    with h5py.File("m.h5", "a") as file:
        whole = json.loads(file.attrs["training_config"])
        for key in ("loss", "metrics", "weighted_metrics", "optimizer_config"):
            file.attrs["training_config"] = json.dumps({**whole, key: [called] if "metrics" in key else called})
            with pytest.raises(ValueError):
                load_model(file)


def test_cve_2025_9905_safe_mode_holds_for_hdf5_too():
    write_h5("m.h5", sequential(lambda_layer(name="twice")))
    with pytest.raises(ValueError, match=r'layer "twice" .*safe_mode=False'):
        load_model("m.h5", safe_mode=True)
    with pytest.raises(ValueError, match=r'layer "twice" .*safe_mode=False'):
        load_model("m.h5", compile=False)


@EVERY_CONTAINER
@pytest.mark.parametrize("name", ["enable_unsafe_deserialization", "allow_code_loading", "set_safe_mode"])
def test_cve_2025_9906_a_file_cannot_switch_safety_off(write, name):
    switch = {"module": "keras.config", "class_name": name, "registered_name": name, "config": {"allowed": True}}
    for first in (switch, lambda_layer(function=switch), layer("Dense", units=3, activation=switch)):
        with pytest.raises(ValueError):
            write(sequential(first, lambda_layer(name="second")))
    with pytest.raises(ValueError):
        write({**sequential(lambda_layer()), "safe_mode": False, "custom_objects": {"Lambda": "os.system"}})
    with pytest.raises(ValueError):  # and the flag is as it was
        write(sequential(lambda_layer()))


def test_a_file_cannot_shadow_what_is_built_in():
    text = json.dumps({**DENSE, "registered_name": "Evil>Dense"})  # a class of somebody, which is not here
    with pytest.raises(ValueError, match="Unknown layer: Dense"):
        model_from_json(text, custom_objects={"Evil>Dense": None})


# -- files and addresses -----------------------------------------------------------------------------------
@EVERY_CONTAINER
@pytest.mark.parametrize(
    "place", ["secret.txt", "/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:9/x", "gs://b/x"]
)
def test_cve_2025_12058_paths_in_configs_are_not_opened(write, place, monkeypatch):
    with open("secret.txt", "w") as file:
        file.write("secret\n")
    real = builtins.open

    def watched(name, *args, **kwargs):
        assert name != place, "a path in a config was opened"
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", watched)
    for item in (layer("StringLookup", vocabulary=place), layer("IntegerLookup", vocabulary=place),
                 layer("TextVectorization", vocabulary=place), layer("Embedding", input_dim=3, output_dim=2, weights=place),
                 layer("Dense", units=3, kernel_initializer={"class_name": "Constant", "config": {"value": place}})):  # fmt: skip
        with pytest.raises(ValueError):
            write(sequential(item))


def test_cve_2025_12060_archives_that_write_elsewhere(tmp_path):
    """A chain of links longer than the longest path made the check of the real path give up; links are not unpacked."""
    outside = tmp_path / "outside"
    outside.mkdir()

    def long_links(archive):
        folder, steps = "d" * 247, "abcdefghijklmnop"
        path = ""
        for step in steps:
            for name, kind, target in ((path + folder, tarfile.DIRTYPE, ""), (path + step, tarfile.SYMTYPE, folder)):
                info = tarfile.TarInfo(name)
                info.type, info.linkname = kind, target
                archive.addfile(info)
            path += folder + "/"
        info = tarfile.TarInfo("/".join(steps) + "/" + "l" * 254)
        info.type, info.linkname = tarfile.SYMTYPE, "../" * len(steps)
        archive.addfile(info)
        add_file(archive, f"{'/'.join(steps)}/{'l' * 254}/outside/{MARK}")

    def link(kind, target):
        def make(archive):
            info = tarfile.TarInfo("way")
            info.type, info.linkname = kind, target
            archive.addfile(info)
            add_file(archive, f"way/{MARK}")

        return make

    crafted = [long_links, link(tarfile.SYMTYPE, str(outside)), link(tarfile.LNKTYPE, "../outside/x"),
               link(tarfile.FIFOTYPE, ""), lambda archive: add_file(archive, f"../outside/{MARK}"),
               lambda archive: add_file(archive, str(outside / MARK))]  # fmt: skip
    for number, craft in enumerate(crafted):
        cache = tmp_path / f"cache{number}"
        (cache / "datasets").mkdir(parents=True)
        with tarfile.open(cache / "datasets" / "a.tar", "w") as archive:
            craft(archive)
        with pytest.raises(ValueError, match=r"neither a file nor a folder|would be written outside"):
            get_file("a.tar", "http://127.0.0.1:9/a.tar", extract=True, cache_dir=str(cache))
        assert os.listdir(cache / "datasets") == ["a.tar"]
    assert os.listdir(outside) == []


def add_file(archive, name, data=b"x"):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


def outside_file():
    np.arange(12, dtype="f4").tofile("secret.bin")
    with h5py.File("secret.h5", "w") as file:
        file["kernel"], file["bias"] = np.ones((4, 3), "f4"), np.ones(3, "f4")


def external_storage(group, kernel, bias):
    group.create_dataset(kernel, shape=(4, 3), dtype="f4", external=[("secret.bin", 0, 48)])
    group[bias] = np.zeros(3, "f4")


def external_link(group, kernel, bias):
    group[kernel] = h5py.ExternalLink("secret.h5", "/kernel")
    group[bias] = np.zeros(3, "f4")


def soft_link_to_a_link(group, kernel, bias):
    group.file["way"] = h5py.ExternalLink("secret.h5", "/")
    group[kernel], group[bias] = h5py.SoftLink("/way/kernel"), h5py.SoftLink("/way/bias")


def virtual_dataset(group, kernel, bias):
    layout = h5py.VirtualLayout((4, 3), "f4")
    layout[:] = h5py.VirtualSource("secret.h5", "kernel", (4, 3))
    group.create_virtual_dataset(kernel, layout)
    group[bias] = np.zeros(3, "f4")


def references(group, kernel, bias):
    group[bias] = np.zeros(3, "f4")
    group.create_dataset(kernel, data=np.full((4, 3), group[bias].ref, h5py.ref_dtype), dtype=h5py.ref_dtype)


POINTERS = [(external_storage, "external storage"), (external_link, "a link to another file"),
            (soft_link_to_a_link, "link"), (virtual_dataset, "virtual dataset"), (references, "references to objects")]  # fmt: skip


@pytest.mark.parametrize("fill, message", POINTERS)
def test_cve_2026_1669_hdf5_that_points_elsewhere(fill, message):
    outside_file()
    model = Sequential([Dense(3, name="d", input_shape=(4,))])
    before = model.get_weights()
    write_h5("m.h5", DENSE, fill)
    write_zip("m.keras", DENSE, fill)
    with h5py.File("m.h5", "r") as file:
        for load in (lambda: load_model("m.h5"), lambda: load_model("m.keras"), lambda: load_model(file),
                     lambda: model.load_weights("m.h5"), lambda: model.load_weights("m.h5", by_name=True)):  # fmt: skip
            with pytest.raises(ValueError, match=message):
                load()
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


# -- memory ---------------------------------------------------------------------------------------------------
@pytest.fixture
def little_memory(monkeypatch):
    """Fails as soon as an array of more than a megabyte is read, by our reader or by h5py."""
    for library in (h5py, hdf5_file):
        read = library.Dataset.__getitem__

        def watched(self, *args, read=read, **kwargs):
            assert self.nbytes < 1 << 20, f"{self.name} was read"
            return read(self, *args, **kwargs)

        monkeypatch.setattr(library.Dataset, "__getitem__", watched)


def declared(shape, dtype="f4", **options):
    def fill(group, kernel, bias):
        group.create_dataset(kernel, shape=shape, dtype=dtype, chunks=True, **options)
        group[bias] = np.zeros(3, "f4")

    return fill


@pytest.mark.parametrize(
    "fill",
    [declared((10**6, 10**6)), declared((10**6, 10**6, 10**6)), declared((4, 10**7)),
     declared((4, 10**9), compression="gzip"), declared((4, 3), dtype="S100000000")],
)  # fmt: skip
def test_cve_2026_0897_hdf5_that_declares_more_than_it_holds(fill, little_memory):
    model = Sequential([Dense(3, name="d", input_shape=(4,))])
    write_h5("m.h5", DENSE, fill)
    write_zip("m.keras", DENSE, fill)
    for load in (lambda: load_model("m.h5"), lambda: load_model("m.keras"), lambda: model.load_weights("m.h5")):
        with pytest.raises(ValueError, match=r"made to exhaust memory|has weights of shapes|has shape|has dtype"):
            load()


def test_many_arrays_that_are_each_small_enough(little_memory):
    def fill(group, kernel, bias):
        for i in range(50):
            group.create_dataset(f"more{i}", shape=(1 << 20,), dtype="f4", chunks=True)

    with pytest.raises(ValueError, match="made to exhaust memory: its arrays would take"):
        load_model(write_h5("m.h5", DENSE, fill))


def test_weights_are_compared_with_the_layer_before_they_are_read(little_memory):
    """The file holds what it declares, but no such layer could take it."""

    def fill(group, kernel, bias):
        group[kernel], group[bias] = np.zeros((1 << 10, 1 << 10), "f4"), np.zeros(3, "f4")

    for path in (write_h5("m.h5", DENSE, fill), write_zip("m.keras", DENSE, fill)):
        with pytest.raises(ValueError, match=r"has weights of shapes|has shape \(4, 3\), but \(1024, 1024\)"):
            load_model(path)


def test_a_layer_as_large_as_the_stranger_likes(little_memory):
    """The config makes the layer fit the array that the file declares."""
    huge = sequential(layer("Dense", name="d", units=10**9))
    for path in (write_h5("m.h5", huge, declared((4, 10**9))), write_zip("m.keras", huge, declared((4, 10**9)))):
        with pytest.raises(ValueError, match="made to exhaust memory"):
            load_model(path)


@pytest.mark.parametrize("names", [("config.json", "model.weights.h5"), ("model.weights.h5", "config.json")], ids=str)
def test_zip_bombs(names):
    with zipfile.ZipFile("bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(names[0], b"{}")
        archive.writestr(names[1], b"\0" * (1 << 24))
    with pytest.raises(ValueError, match="no model does that"):
        load_model("bomb.keras")


def test_zip_members_are_never_made_files():
    path = write_zip("m.keras", DENSE, lambda group, k, b: group.update({k: np.ones((4, 3)), b: np.ones(3)}))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"../{MARK}", "x")
        archive.writestr(f"assets/{MARK}", "x")
    load_model(path, compile=False)
    assert os.listdir() == ["m.keras"] and not os.path.exists(f"../{MARK}")


def test_archive_bombs(tmp_path):
    (tmp_path / "datasets").mkdir()
    zeros = tarfile.TarInfo("zeros")
    zeros.size = 1 << 40
    head = zeros.tobuf() + bytes(1 << 20)
    (tmp_path / "datasets" / "a.tar.gz").write_bytes(gzip.compress(head))
    with zipfile.ZipFile(tmp_path / "datasets" / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(1 << 27))
    for name in ("a.tar.gz", "a.zip"):
        with pytest.raises(ValueError, match="no data set does that"):
            get_file(name, "http://127.0.0.1:9/x", extract=True, cache_dir=str(tmp_path))
        assert sorted(os.listdir(tmp_path / "datasets")) == ["a.tar.gz", "a.zip"]


def test_npz_bombs():
    np.savez_compressed("bomb.npz", x=np.zeros(1 << 24))
    with pytest.raises(ValueError, match="no data set packs like that"):
        npz.read("bomb.npz", "x")
    with zipfile.ZipFile("lie.npz", "w") as archive:
        header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117) + b"\n"
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(ValueError):
        npz.read("lie.npz", "x")


# -- depth ------------------------------------------------------------------------------------------------------
def test_descriptions_nested_without_end():
    deep = DENSE
    for _ in range(60):
        deep = sequential(deep)
    texts = [json.dumps({"class_name": "Sequential", "config": "@"}).replace('"@"', "[" * 10**5 + "]" * 10**5)]
    texts += ['{"a":' * 10**5 + "1" + "}" * 10**5, json.dumps(deep), "[" * 900 + "]" * 900]
    for description in texts:
        with pytest.raises(ValueError, match="nested too deeply"):
            model_from_json(description)


# -- what remains possible --------------------------------------------------------------------------------------
def test_own_functions_and_given_functions_still_work():
    own = Sequential([Lambda(lambda x: x * 7, name="own", input_shape=(4,))])
    own.save("own.h5")
    assert np.array_equal(load_model("own.h5", compile=False).predict(np.ones((1, 4))), np.full((1, 4), 7.0))
    x = Input((4,))
    Model(x, Dense(1)(x)).save("plain.keras")
    write_h5("theirs.h5", sequential(lambda_layer(name="twice", output_shape_type="lambda", output_shape=[BYTECODE, None, None])))  # fmt: skip
    with h5py.File("theirs.h5", "a") as file:
        file["model_weights"].attrs["layer_names"] = np.array([], "S1")
    model = load_model("theirs.h5", compile=False, lambdas={"twice": lambda x: x + 1})
    assert np.array_equal(model.predict(np.ones((1, 4))), np.full((1, 4), 2.0))
    with pytest.raises(ValueError, match=r"functions for \['thrice'\]; the model's Lambda layers are \['twice'\]"):
        load_model("theirs.h5", lambdas={"thrice": len})


def test_the_flag_is_the_callers(monkeypatch):
    monkeypatch.setattr(generic_utils, "marshal", marshal)
    write_h5("theirs.h5", sequential(lambda_layer(BYTECODE.replace("\n", ""))))
    with h5py.File("theirs.h5", "a") as file:
        file["model_weights"].attrs["layer_names"] = np.array([], "S1")
    keras.models.load_model("theirs.h5", compile=False, safe_mode=False)
    assert os.path.exists(MARK)
    os.remove(MARK)
