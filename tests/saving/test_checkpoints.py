"""Weights and optimizers in TensorFlow checkpoints: by the structure of models, whatever they are made of."""

import os
import shutil

import hornbeam as keras
import numpy as np
import pytest
from hornbeam import layers as L
from hornbeam.models import Model, Sequential
from hornbeam.saving.tensor_bundle import TensorBundle
from hornbeam.saving.trackable.graph import GRAPH_KEY, ObjectGraph
from tensor_bundles import graph, node, rewrite_graph

X = np.random.RandomState(0).rand(8, 4).astype("float32")
Y = np.random.RandomState(1).rand(8, 2).astype("float32")


def mlp(optimizer="adam"):
    model = Sequential([L.Dense(5, activation="tanh", input_shape=(4,)), L.Dropout(0.0), L.Dense(2)])
    if optimizer:
        model.compile(optimizer, "mse")
    return model


def network():
    inner = Sequential([L.Dense(4, input_shape=(4,)), L.BatchNormalization()], name="inner")
    x = L.Input((4,))
    y = L.Reshape((2, 2))(inner(L.Dense(4)(x)))
    y = L.Bidirectional(L.LSTM(3, return_sequences=True))(y)
    y = L.RNN([L.GRUCell(3), L.SimpleRNNCell(2)], return_sequences=True)(y)
    y = L.add([L.TimeDistributed(L.Dense(4))(y), L.MultiHeadAttention(2, 3)(L.Dense(4)(y), L.Dense(4)(y))])
    model = Model(x, L.Dense(2)(L.Flatten()(L.SeparableConv1D(3, 2)(y))))
    model.compile("sgd", "mse")
    return model


class Towers(Model):
    """Layers as attributes, in a list, a dict, and a list in a list."""

    def __init__(self):
        super().__init__()
        self.first = L.Dense(4)
        self.towers = [L.Dense(4, activation="tanh"), [L.Dense(4)]]
        self.by_name = {"norm": L.BatchNormalization(), "out": L.Dense(2)}

    def call(self, x):
        h = self.towers[1][0](self.towers[0](self.first(x)))
        return self.by_name["out"](self.by_name["norm"](h))


class Scaled(L.Layer):
    """Weights under other names than the attributes'; one of them no attribute at all."""

    def build(self, shape):
        self.factor = self.add_weight("scale", (shape[-1],), initializer="ones")
        self.add_weight("unused", (2,))
        super().build(shape)

    def call(self, x):
        return x * self.factor


def towers():
    model = Towers()
    model.compile("adam", "mse")
    model.train_on_batch(X, Y)
    return model


def scaled():
    return Sequential([Scaled(input_shape=(4,)), L.Dense(2)])


@pytest.mark.parametrize("make", [mlp, network, towers, scaled])
def test_weights(tmp_path, make):
    model = make()
    model.save_weights(tmp_path / "w.ckpt")
    assert sorted(os.listdir(tmp_path)) == ["checkpoint", "w.ckpt.data-00000-of-00001", "w.ckpt.index"]
    other = make()
    status = other.load_weights(tmp_path / "w.ckpt")
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), other.get_weights()))
    assert np.array_equal(model.predict(X), other.predict(X))
    assert status.assert_consumed() is status.assert_existing_objects_matched() is status


def test_names_of_tensors_are_tensorflows(tmp_path):
    network().save_weights(tmp_path / "w.ckpt")
    names = [n.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE") for n in TensorBundle(tmp_path / "w.ckpt").names]
    for name in (
        "layer_with_weights-0/kernel", "layer_with_weights-1/layer_with_weights-1/moving_mean",
        "layer_with_weights-2/backward_layer/cell/recurrent_kernel", "layer_with_weights-3/cell/cells/1/bias",
        "optimizer/_iterations", "optimizer/_learning_rate", "_CHECKPOINTABLE_OBJECT_GRAPH",
    ):  # fmt: skip
        assert name in names
    towers().save_weights(tmp_path / "t.ckpt")
    names = TensorBundle(tmp_path / "t.ckpt").names
    for name in ("towers/1/0/kernel", "by_name/norm/gamma", "optimizer/_variables/1"):
        assert f"{name}/.ATTRIBUTES/VARIABLE_VALUE" in names


OPTIMIZERS = keras.optimizers
MAKERS = {
    "SGD": lambda: OPTIMIZERS.SGD(0.1, momentum=0.9),
    "RMSprop": lambda: OPTIMIZERS.RMSprop(0.01, momentum=0.5, centered=True),
    "Adam": lambda: OPTIMIZERS.Adam(0.01),
    "amsgrad": lambda: OPTIMIZERS.Adam(0.01, amsgrad=True),
    "AdamW": lambda: OPTIMIZERS.AdamW(0.01),
    **{name: getattr(OPTIMIZERS, name) for name in ("Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl", "Lion")},
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_training_goes_on(tmp_path, name, when):
    """With the same losses, whether the optimizer has state when it is restored, or makes it later."""
    model = mlp(MAKERS[name]())
    for _ in range(3):
        model.train_on_batch(X, Y)
    model.save_weights(tmp_path / "w.ckpt")
    other = mlp(MAKERS[name]())
    if when == "after":
        other.train_on_batch(X, 2 * Y)
    other.load_weights(tmp_path / "w.ckpt")
    assert [model.train_on_batch(X, Y) for _ in range(3)] == [other.train_on_batch(X, Y) for _ in range(3)]
    assert all(np.array_equal(a, b) for a, b in zip(model.optimizer.get_weights(), other.optimizer.get_weights()))


def test_training_of_a_class_goes_on(tmp_path):
    model, other = towers(), Towers()
    model.save_weights(tmp_path / "w.ckpt")
    other.compile("adam", "mse")
    other.predict(X)
    other.load_weights(tmp_path / "w.ckpt")
    assert [model.train_on_batch(X, Y) for _ in range(3)] == [other.train_on_batch(X, Y) for _ in range(3)]


def test_the_learning_rate_is_the_checkpoints(tmp_path):
    model, other = mlp(), mlp()
    keras.backend.set_value(model.optimizer.lr, 0.125)
    model.save_weights(tmp_path / "w.ckpt")
    other.load_weights(tmp_path / "w.ckpt")
    assert keras.backend.get_value(other.optimizer.lr) == 0.125
    plain = mlp(None)
    plain.load_weights(tmp_path / "w.ckpt")
    assert np.array_equal(plain.predict(X), model.predict(X))


def earlier(prefix, model, slots):
    """Turn the optimizer in a model's checkpoint into one of before TensorFlow 2.11: slots by name."""
    bundle = TensorBundle(prefix)
    old = ObjectGraph(bundle.read(GRAPH_KEY).item(), bundle.prefix)
    nodes = [(dict(old.node(i).children), old.key(i)) for i in range(len(old))]
    number = old.child(0, "optimizer")
    listed = old.node(old.child(number, "_variables")).children
    by_weight = [listed[str(i)] for i in range(1, len(listed))]
    weights = [
        old.child(old.child(0, f"layer_with_weights-{j}"), name) for j in range(2) for name in ("kernel", "bias")
    ]
    pairs = [(weight, slot) for weight in weights for slot in slots]
    children = {"iter": listed["0"], "learning_rate": old.child(number, "_learning_rate")}
    parts = [node(*of) for of in nodes]
    parts[number] = node(children, slots=[(of, name, n) for (of, name), n in zip(pairs, by_weight)])
    rewrite_graph(prefix, graph(*parts))


@pytest.mark.parametrize(
    ("name", "slots"), [("SGD", ["momentum"]), ("Adam", ["m", "v"]), ("Adadelta", ["accum_grad", "accum_var"])]
)
def test_optimizers_of_before_2_11(tmp_path, name, slots):
    model, other = mlp(MAKERS[name]()), mlp(MAKERS[name]())
    for _ in range(3):
        model.train_on_batch(X, Y)
    model.save_weights(tmp_path / "w.ckpt")
    earlier(tmp_path / "w.ckpt", model, slots)
    other.load_weights(tmp_path / "w.ckpt")
    assert [model.train_on_batch(X, Y) for _ in range(3)] == [other.train_on_batch(X, Y) for _ in range(3)]


def test_state_that_does_not_fit(tmp_path):
    model, other = mlp("adam"), mlp("sgd")
    model.train_on_batch(X, Y)
    model.save_weights(tmp_path / "w.ckpt")
    other.load_weights(tmp_path / "w.ckpt")
    with pytest.warns(UserWarning, match="optimizer SGD is not restored; it begins anew: .* has 9 variables"):
        other.train_on_batch(X, Y)
    assert keras.backend.get_value(other.optimizer.iterations) == 1


class Other(Model):
    def __init__(self):
        super().__init__(name="other_1")
        self.dense = L.Dense(2)

    def call(self, x):
        return self.dense(x)


def test_a_model_that_is_built_later(tmp_path):
    model = towers()
    model.save_weights(tmp_path / "w.ckpt")
    other = Towers()
    other.load_weights(tmp_path / "w.ckpt")
    assert np.array_equal(model.predict(X), other.predict(X))
    with pytest.raises(ValueError, match="has nothing of the layers of other_1, which have no"):
        Other().load_weights(tmp_path / "w.ckpt")

    mlp().save_weights(tmp_path / "s.ckpt")
    short = Sequential([L.Dense(5), L.Dense(2), L.Dense(2)])
    short.load_weights(tmp_path / "s.ckpt")
    with pytest.raises(ValueError, match="has no values for 2 of the 6 weights"):
        short.predict(X)


# -- which files a name means ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "options", "made"),
    [
        ("w.ckpt", {}, "w.ckpt.index"),
        ("cp-0001.ckpt", {}, "cp-0001.ckpt.index"),
        ("model.ckpt-1000", {}, "model.ckpt-1000.index"),
        ("w", {"save_format": "tf"}, "w.index"),
        ("w.h5", {"save_format": "tf"}, "w.h5.index"),
        ("new/folder/w.ckpt", {}, "new/folder/w.ckpt.index"),
        ("w.h5", {}, "w.h5"),
        ("w.hdf5", {}, "w.hdf5"),
        ("w", {}, "w"),  # as Keras 2.3.1 has it
        ("w.ckpt", {"save_format": "h5"}, "w.ckpt"),
    ],
)
def test_the_format_that_a_name_means(tmp_path, name, options, made):
    model, other = mlp(), mlp()
    model.save_weights(tmp_path / name, **options)
    assert (tmp_path / made).is_file()
    other.load_weights(tmp_path / name)
    assert np.array_equal(model.predict(X), other.predict(X))


def test_wrong_formats(tmp_path):
    with pytest.raises(ValueError, match="Unknown save_format 'npz': it is 'h5' or 'tf'"):
        mlp().save_weights(tmp_path / "w", save_format="npz")
    with pytest.raises(ValueError, match=r"'h5' or 'keras'\. SavedModel folders are read, not written"):
        mlp().save(tmp_path / "w", save_format="tf")
    with pytest.raises(IsADirectoryError, match="SavedModel folders are read, not written"):
        mlp().save(f"{tmp_path}/folder/")
    assert os.listdir(tmp_path) == []


def test_the_latest_of_a_folder(tmp_path):
    model, other = mlp(), mlp()
    model.save_weights(tmp_path / "a.ckpt")
    model.train_on_batch(X, Y)
    model.save_weights(tmp_path / "b.ckpt")
    other.load_weights(tmp_path)
    assert np.array_equal(model.predict(X), other.predict(X))
    with pytest.raises(OSError, match="folder"):
        other.load_weights(tmp_path.parent)


def test_parts_of_checkpoints_and_folders(tmp_path):
    mlp().save_weights(tmp_path / "w.ckpt")
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01")
    for name in ("w.ckpt.index", "w.ckpt.data-00000-of-00001"):
        with pytest.raises(OSError, match="part of a TensorFlow checkpoint: give the name without"):
            mlp().load_weights(tmp_path / name)
    with pytest.raises(OSError, match="part of a SavedModel: give the folder"):
        keras.models.load_model(tmp_path / "saved_model.pb")


def test_states_are_no_part_of_checkpoints(tmp_path):
    model = Sequential([L.LSTM(3, stateful=True, batch_input_shape=(2, 3, 4))])
    model.save_weights(tmp_path / "w.ckpt")
    assert len(TensorBundle(tmp_path / "w.ckpt").names) == 1 + 3
    model.load_weights(tmp_path / "w.ckpt").assert_consumed()


def test_options_of_hdf5_are_not_for_checkpoints(tmp_path):
    mlp().save_weights(tmp_path / "w.ckpt")
    for option in ("by_name", "skip_mismatch", "reshape"):
        with pytest.raises(ValueError, match="matched by the structure"):
            mlp().load_weights(tmp_path / "w.ckpt", **{option: True})


def test_model_checkpoint_writes_them(tmp_path):
    model = mlp()
    callback = keras.callbacks.ModelCheckpoint(str(tmp_path / "cp-{epoch:02d}.ckpt"), save_weights_only=True)
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[callback])
    other = mlp()
    other.load_weights(tmp_path / "cp-02.ckpt")
    assert np.array_equal(model.predict(X), other.predict(X))


# -- what does not fit -----------------------------------------------------------------------------------------------
def test_another_model_is_refused_and_nothing_is_changed(tmp_path):
    mlp().save_weights(tmp_path / "w.ckpt")
    wide = Sequential([L.Dense(5, input_shape=(4,)), L.Dense(3)])
    deep = Sequential([L.Dense(5, input_shape=(4,)), L.Dense(2), L.Dense(2)])
    for model, message in (
        (wide, r"has shape \(5, 3\), but the checkpoint .* of shape \(5, 2\)"),
        (deep, "no values for 2 of the 6"),
    ):
        before = model.get_weights()
        with pytest.raises(ValueError, match=message) as raised:
            model.load_weights(tmp_path / "w.ckpt")
        assert len(str(raised.value)) <= 600
        assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


def test_variables_by_name_as_tensorflow_1_has_them(tmp_path):
    from hornbeam.saving.trackable.saver import Saver

    model = Sequential([L.Dense(5, name="hidden", input_shape=(4,)), L.Dense(2, name="out")])
    other = Sequential([L.Dense(5, name="hidden", input_shape=(4,)), L.Dense(2, name="out")])
    path = Saver(model.weights).save(None, tmp_path / "model.ckpt", global_step=7)
    assert path == str(tmp_path / "model.ckpt-7")
    assert sorted(TensorBundle(path).names) == ["hidden/bias", "hidden/kernel", "out/bias", "out/kernel"]
    other.load_weights(path)
    assert np.array_equal(model.predict(X), other.predict(X))
    with pytest.raises(ValueError, match="which have no weights yet"):
        Sequential([L.Dense(5, name="hidden"), L.Dense(2, name="out")]).load_weights(path)


# -- damaged graphs ---------------------------------------------------------------------------------------------------
KERNEL, BIAS = (f"layer_with_weights-0/{name}/.ATTRIBUTES/VARIABLE_VALUE" for name in ("kernel", "bias"))
ROOT = node({"layer_with_weights-0": 1, "layer-0": 1})
LAYER = node({"kernel": 2, "bias": 3})


@pytest.mark.parametrize(
    ("damaged", "message"),
    [
        (graph(ROOT, LAYER, node(key=KERNEL), node(key=BIAS)), None),
        (graph(ROOT, node({"kernel": 2, "bias": 9}), node(key=KERNEL), node(key=BIAS)), "refers to an object 9 of 4"),
        (graph(ROOT, node({"kernel": 2, "bias": 2}), node(key=KERNEL)), "one tensor"),
        (graph(ROOT, LAYER + node({"kernel": 3}), node(key=KERNEL), node(key=BIAS)), "two parts 'kernel'"),
        (graph(ROOT, LAYER, node(key=KERNEL), node(key="nowhere")), "no tensor 'nowhere'"),
        (graph(ROOT, LAYER, node(key=BIAS), node(key=KERNEL)), "has shape"),
        (graph(ROOT, node({"kernel": 2, "bias": 0, "root": 0, "self": 1}), node(key=KERNEL)), "no values for 1 of the 2"),
        (graph(ROOT, node(key=KERNEL)), "no values for 2 of the 2"),
        (graph(ROOT, LAYER, node(key=KERNEL), node(key=GRAPH_KEY)), "dtype string"),
        (b"", "has 0 objects"),
        (b"\x0a\x64abc", "goes beyond its end"),
        (graph(ROOT, b"\x0a\x02\x12\x01"), "goes beyond its end"),
        (graph(ROOT, b"\x08\x01"), "number where bytes belong"),
    ],
)  # fmt: skip
def test_damaged_graphs(tmp_path, damaged, message):
    model = Sequential([L.Dense(3, input_shape=(4,))])
    model.save_weights(tmp_path / "w.ckpt")
    other = Sequential([L.Dense(3, input_shape=(4,))])
    before = other.get_weights()
    rewrite_graph(tmp_path / "w.ckpt", damaged)
    if message is None:
        other.load_weights(tmp_path / "w.ckpt")
        assert np.array_equal(model.predict(X), other.predict(X))
        return
    with pytest.raises(ValueError, match=message):
        other.load_weights(tmp_path / "w.ckpt")
    assert all(np.array_equal(a, b) for a, b in zip(before, other.get_weights()))


def test_files_that_are_gone(tmp_path):
    model = mlp()
    model.save_weights(tmp_path / "w.ckpt")
    (tmp_path / "w.ckpt.data-00000-of-00001").unlink()
    with pytest.raises(FileNotFoundError, match="no file"):
        model.load_weights(tmp_path / "w.ckpt")
    shutil.rmtree(tmp_path)
    with pytest.raises(OSError, match="no such file"):
        model.load_weights(tmp_path / "w.ckpt")
