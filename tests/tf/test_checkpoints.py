"""``tf.train``'s checkpoints: any objects with variables, saved, kept, restored now or when they are built."""

import os
import time

import hornbeam as keras
import numpy as np
import pytest
from hornbeam import layers as L
from hornbeam.models import Model, Sequential
from hornbeam.saving.tensor_bundle import write_bundle
from hornbeam.saving.tensor_bundle.state_file import CheckpointState, read_state_file, write_state_file
from hornbeam.tf import NAMES

X = np.random.RandomState(0).rand(8, 4).astype("float32")
Y = np.random.RandomState(1).rand(8, 2).astype("float32")
train = {name.removeprefix("train."): value for name, value in NAMES.items() if name.startswith("train.")}
Variable, Checkpoint, CheckpointManager = NAMES["Variable"], train["Checkpoint"], train["CheckpointManager"]


def mlp(shape=(4,)):
    first = {"input_shape": shape} if shape else {}
    model = Sequential([L.Dense(5, activation="tanh", **first), L.Dense(2)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model


class Nested(L.Layer):
    """A layer whose parts come into being when it is built."""

    def build(self, shape):
        self.dense = L.Dense(3)
        self.bias = self.add_weight("bias", (3,))
        super().build(shape)

    def call(self, x):
        return self.dense(x) + self.bias


class Towers(Model):
    def __init__(self):
        super().__init__()
        self.blocks = [L.Dense(4), Nested()]
        self.out = L.Dense(2)

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.out(x)


# -- reading ----------------------------------------------------------------------------------------------------
def test_readers(tmp_path):
    tensors = {"a/kernel": np.ones((2, 3), "float32"), "global_step": np.int64(7), "name": b"text"}
    write_bundle(tmp_path / "model.ckpt", tensors)
    write_state_file(tmp_path, CheckpointState(str(tmp_path / "model.ckpt")))
    for place in (tmp_path, tmp_path / "model.ckpt"):
        reader = train["load_checkpoint"](str(place))
        assert reader.get_variable_to_shape_map() == {"a/kernel": [2, 3], "global_step": [], "name": []}
        assert reader.get_variable_to_dtype_map()["global_step"] == "int64"
        assert reader.has_tensor("name") and not reader.has_tensor("a")
        assert (
            np.array_equal(reader.get_tensor("a/kernel"), tensors["a/kernel"]) and reader.get_tensor("name") == b"text"
        )
        with pytest.raises(ValueError, match="no tensor 'a' in the checkpoint"):
            reader.get_tensor("a")
    assert train["list_variables"](tmp_path) == [("a/kernel", [2, 3]), ("global_step", []), ("name", [])]
    assert train["load_variable"](tmp_path, "global_step") == 7
    assert train["latest_checkpoint"](str(tmp_path)) == str(tmp_path / "model.ckpt")
    assert train["checkpoint_exists"](tmp_path / "model.ckpt") and not train["checkpoint_exists"](tmp_path / "model")
    with pytest.raises(ValueError, match="Couldn't find"):
        train["load_checkpoint"](tmp_path / "nowhere")
    assert train["latest_checkpoint"](tmp_path / "nowhere") is None


# -- saving and restoring ------------------------------------------------------------------------------------------
def test_save_and_restore(tmp_path):
    model, step = mlp(), Variable(0, dtype="int64")
    model.train_on_batch(X, Y)
    step.set_value(5)
    checkpoint = Checkpoint(model=model, opt=model.optimizer, step=step, more={"list": [Variable([1.0, 2.0])]})
    assert [checkpoint.save(str(tmp_path / "ckpt")) for _ in range(2)] == [str(tmp_path / f"ckpt-{i}") for i in (1, 2)]
    assert train["latest_checkpoint"](tmp_path) == str(tmp_path / "ckpt-2")
    names = dict(train["list_variables"](tmp_path))
    for name in ("model/layer_with_weights-0/kernel", "opt/_iterations", "step", "more/list/0", "save_counter"):
        assert f"{name}/.ATTRIBUTES/VARIABLE_VALUE" in names

    other, other_step, listed = mlp(), Variable(0, dtype="int64"), Variable([0.0, 0.0])
    restored = Checkpoint(model=other, opt=other.optimizer, step=other_step, more={"list": [listed]})
    restored.restore(train["latest_checkpoint"](tmp_path)).assert_consumed()
    assert other_step.numpy() == 5 and listed.numpy().tolist() == [1.0, 2.0] and restored.save_counter.numpy() == 2
    assert [model.train_on_batch(X, Y) for _ in range(3)] == [other.train_on_batch(X, Y) for _ in range(3)]
    assert restored.save(tmp_path / "ckpt") == str(tmp_path / "ckpt-3")


def test_the_root_is_the_object_itself(tmp_path):
    model, other = mlp(), mlp()
    path = Checkpoint(model).write(tmp_path / "w")
    assert sorted(os.listdir(tmp_path)) == ["w.data-00000-of-00001", "w.index"]
    other.load_weights(path)
    assert np.array_equal(model.predict(X), other.predict(X))


def test_asserting(tmp_path):
    path = Checkpoint(a=Variable(1.0), b=Variable(2.0)).write(tmp_path / "c")
    a, c = Variable(0.0), Variable(3.0)
    status = Checkpoint(a=a).read(path)
    assert a.numpy() == 1 and status.expect_partial() is status
    status.assert_existing_objects_matched()
    status.assert_nontrivial_match()
    with pytest.raises(AssertionError, match="values that no object took: b/"):
        status.assert_consumed()
    status = Checkpoint(c=c).read(path)
    with pytest.raises(AssertionError, match="no values for"):
        status.assert_existing_objects_matched()
    with pytest.raises(AssertionError, match="Nothing in the checkpoint"):
        status.assert_nontrivial_match()
    assert c.numpy() == 3


def test_nothing_to_restore():
    status = Checkpoint(a=Variable(1.0)).restore(None)
    assert status.expect_partial() is status
    with pytest.raises(AssertionError, match="No checkpoint"):
        status.assert_consumed()


def test_another_shape_changes_nothing(tmp_path):
    path = Checkpoint(a=Variable(1.0), b=Variable([1.0, 2.0])).write(tmp_path / "c")
    a, b = Variable(0.0), Variable([0.0])
    with pytest.raises(ValueError, match=r"shape \(1,\), but the checkpoint"):
        Checkpoint(a=a, b=b).restore(path)
    assert a.numpy() == 0


def test_what_has_no_variables():
    with pytest.raises(ValueError, match="given step=3, which has no variables"):
        Checkpoint(step=3)


# -- objects that are built later -----------------------------------------------------------------------------------
@pytest.mark.parametrize("make", [lambda: mlp(None), Towers])
def test_a_model_that_is_built_later(tmp_path, make):
    model, other = make(), make()
    expected = model.predict(X)
    path = Checkpoint(model=model).save(tmp_path / "ckpt")
    status = Checkpoint(model=other).restore(path)
    assert np.array_equal(other.predict(X), expected)
    status.assert_consumed()
    called = make()
    Checkpoint(model=called).restore(path)
    assert np.array_equal(np.asarray(called(X)), np.asarray(model(X)))


def test_an_optimizer_that_makes_its_slots_later(tmp_path):
    model, other = mlp(), mlp()
    for _ in range(3):
        model.train_on_batch(X, Y)
    path = Checkpoint(net=model, optimizer=model.optimizer).save(tmp_path / "ckpt")
    Checkpoint(net=other, optimizer=other.optimizer).restore(path)
    assert keras.backend.get_value(other.optimizer.iterations) == 3
    assert [model.train_on_batch(X, Y) for _ in range(3)] == [other.train_on_batch(X, Y) for _ in range(3)]


def test_an_optimizer_without_a_model(tmp_path):
    """As training loops have it: gradients are applied to some variables."""
    K = keras.backend

    def loop():
        net, optimizer = L.Dense(2, input_shape=(4,)), keras.optimizers.Adam(0.1)
        x = L.Input((4,))
        loss = K.sum(K.square(net(x)))
        checkpoint = Checkpoint(net=net, optimizer=optimizer)

        def steps(path=None):
            if path:
                checkpoint.restore(path)
            gradients = K.gradients(loss, net.trainable_weights)
            run = K.function([x], [loss], updates=optimizer.apply_gradients(zip(gradients, net.trainable_weights)))
            return lambda: [run([X])[0] for _ in range(3)]

        return checkpoint, steps

    (checkpoint, steps), (_, other) = loop(), loop()
    step = steps()
    step()
    path = checkpoint.save(tmp_path / "ckpt")
    assert step() == other(path)()


def test_files_that_are_gone_when_the_slots_are_made(tmp_path):
    model, other = mlp(), mlp()
    model.train_on_batch(X, Y)
    path = Checkpoint(net=model).save(tmp_path / "ckpt")
    Checkpoint(net=other).restore(path)
    for name in os.listdir(tmp_path):
        os.remove(tmp_path / name)
    with pytest.warns(UserWarning, match="begins anew: .* no file"):
        other.train_on_batch(X, Y)


# -- the manager -----------------------------------------------------------------------------------------------------
def test_the_manager_keeps_the_last(tmp_path):
    variable = Variable(0.0)
    manager = CheckpointManager(Checkpoint(v=variable), tmp_path / "new", max_to_keep=2)
    assert manager.latest_checkpoint is None and manager.restore_or_initialize() is None
    for i in range(4):
        variable.set_value(i)
        assert manager.save() == manager.latest_checkpoint == str(tmp_path / "new" / f"ckpt-{i + 1}")
    kept = [str(tmp_path / "new" / f"ckpt-{i}") for i in (3, 4)]
    assert manager.checkpoints == kept
    assert sorted(name for name in os.listdir(tmp_path / "new") if name.endswith(".index")) == [
        "ckpt-3.index",
        "ckpt-4.index",
    ]
    state = train["get_checkpoint_state"](tmp_path / "new")
    assert state.all_model_checkpoint_paths == kept and len(state.all_model_checkpoint_timestamps) == 2

    other = Variable(0.0)
    later = CheckpointManager(Checkpoint(v=other), str(tmp_path / "new"), max_to_keep=2)
    assert later.checkpoints == kept and later.restore_or_initialize() == kept[-1] and other.numpy() == 3
    assert later.save(checkpoint_number=77) == str(tmp_path / "new" / "ckpt-77")
    assert later.checkpoints == [kept[-1], later.latest_checkpoint]


def test_the_manager_by_steps_and_by_hours(tmp_path, monkeypatch):
    step = Variable(0, dtype="int64")
    manager = CheckpointManager(Checkpoint(step=step), tmp_path, 1, step_counter=step, checkpoint_interval=2)
    saved = []
    for i in range(5):
        step.set_value(i)
        saved.append(manager.save() is not None)
    assert saved == [True, False, True, False, True]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    manager = CheckpointManager(Checkpoint(step=step), tmp_path / "hours", 1, keep_checkpoint_every_n_hours=2)
    for hours in range(5):
        monkeypatch.setattr(time, "time", lambda hours=hours: now + 3600 * hours)
        manager.save()
    assert sorted(name for name in os.listdir(tmp_path / "hours") if name.endswith(".index")) == [
        "ckpt-3.index",
        "ckpt-5.index",
    ]
    for options in ({"max_to_keep": 0}, {"max_to_keep": 1, "checkpoint_interval": 2}):
        with pytest.raises(ValueError, match=r"max_to_keep|step_counter"):
            CheckpointManager(Checkpoint(step=step), tmp_path, **options)


def test_init_fn(tmp_path):
    called = []
    manager = CheckpointManager(Checkpoint(a=Variable(1.0)), tmp_path, 1, init_fn=lambda: called.append(1))
    assert manager.restore_or_initialize() is None and called == [1]


# -- the file `checkpoint` --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "latest"),
    [
        ('model_checkpoint_path: "ckpt-2"\nall_model_checkpoint_paths: "ckpt-2"\n', "ckpt-2"),
        ('model_checkpoint_path: "/home/someone/models/model.ckpt-7"', "model.ckpt-7"),
        ('model_checkpoint_path: "C:\\\\models\\\\m.ckpt"', "m.ckpt"),
        ("model_checkpoint_path: 'sub/ckpt'  # the latest", "sub/ckpt"),
        ('model_checkpoint_path: "../../etc/ckpt"', "ckpt"),
        ('\n# text\nmodel_checkpoint_path: "\\303\\251 \\"a\\\\b\\x41"', 'é "a/bA'),
        ('model_checkpoint_path: "a"\nmodel_checkpoint_path: "b"', "b"),
        ("", None),
    ],
)
def test_the_state_file(tmp_path, text, latest):
    (tmp_path / "checkpoint").write_text(text)
    state = read_state_file(tmp_path)
    assert (state and state.model_checkpoint_path) == (latest and str(tmp_path / latest))
    assert train["latest_checkpoint"](tmp_path) is None  # there are no such files


@pytest.mark.parametrize("text", ["x", 'model_checkpoint_path: "a', 'model_checkpoint_path: ""', "model_checkpoint_path: 3 4",
                                  'model_checkpoint_path: ".."', 'model_checkpoint_path: "\\xff"', "{" * 10_000])  # fmt: skip
def test_damaged_state_files(tmp_path, text):
    (tmp_path / "checkpoint").write_text(text)
    with pytest.raises(ValueError, match=r"checkpoint' is damaged") as raised:
        read_state_file(tmp_path)
    assert len(str(raised.value)) < 600


def test_a_state_file_is_read_as_it_was_written(tmp_path):
    paths = [str(tmp_path / name) for name in ('a "b" \\ c', "é\n", "sub/d")]
    state = CheckpointState(paths[-1], paths, [1.5, 2.5, 3.5], 1.25)
    write_state_file(tmp_path, state)
    assert read_state_file(tmp_path) == CheckpointState(
        str(tmp_path / "sub" / "d"), [str(tmp_path / 'a "b" ' / " c"), paths[1], paths[2]], [1.5, 2.5, 3.5], 1.25
    )


# -- TensorFlow 1's --------------------------------------------------------------------------------------------------
def test_saver(tmp_path):
    a, b = Variable([1.0, 2.0], name="scope/a"), Variable(3.0, name="b")
    saver = train["Saver"]([a, b], max_to_keep=2)
    paths = [saver.save(None, tmp_path / "new" / "model.ckpt", global_step=i) for i in range(3)]
    assert saver.last_checkpoints == paths[1:] and train["latest_checkpoint"](tmp_path / "new") == paths[-1]
    assert train["list_variables"](paths[-1]) == [("b", []), ("scope/a", [2])]
    a.set_value([0, 0])
    saver.restore(None, paths[-1])
    assert a.numpy().tolist() == [1, 2]
    other = Variable([0.0, 0.0])
    train["Saver"]({"scope/a": other}).restore(None, paths[-1])
    assert other.numpy().tolist() == [1, 2]
    with pytest.raises(ValueError, match="no tensor 'c'"):
        train["Saver"]({"c": other}).restore(None, paths[-1])
    with pytest.raises(ValueError, match="needs its variables"):
        train["Saver"]()
    assert isinstance(Checkpoint(**{"b": b}).read(paths[-1]), object) and b.numpy() == 3
