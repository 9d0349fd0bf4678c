"""Arguments of compile, fit and evaluate that tf.keras 2 has besides, and lists that Keras up to 2.2 had."""

import hornbeam as keras
import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.callbacks import Callback, ModelCheckpoint
from hornbeam.layers import Dense, Input
from hornbeam.models import Model, Sequential
from hornbeam.tf import NAMES as tf

X, Y = np.random.RandomState(0).rand(20, 3), np.random.RandomState(1).rand(20, 1)


def net(**arguments):
    model = Sequential([Dense(1, kernel_initializer="ones", input_shape=(3,))])
    model.compile(**{"optimizer": "sgd", "loss": "mse", "metrics": ["mae"]} | arguments)
    return model


def test_the_optimizer_is_rmsprop_where_none_is_said():
    model = Sequential([Dense(1, input_shape=(3,))])
    model.compile(loss="mse")
    assert type(model.optimizer) is keras.optimizers.RMSprop


@pytest.mark.parametrize(
    "how", [{"run_eagerly": True}, {"jit_compile": True}, {"steps_per_execution": 4}, {"auto_scale_loss": False}]
)
def test_how_a_step_is_run_changes_no_result(how):
    expected, found = (
        model.fit(X, Y, epochs=2, shuffle=False, verbose=0).history for model in (net(), net(**how))
    )  # fmt: skip
    assert dict(found) == dict(expected)
    assert net(**how).run_eagerly is bool(how.get("run_eagerly"))


def test_a_number_of_steps_is_positive():
    with pytest.raises(ValueError, match="positive number, got 0"):
        net(steps_per_execution=0)


def test_results_by_name():
    model = net()
    loss, mae = model.evaluate(X, Y, verbose=0)
    assert model.evaluate(X, Y, verbose=0, return_dict=True) == {"loss": loss, "mae": mae}
    for step in (model.test_on_batch, model.train_on_batch):
        found = step(X, Y, return_dict=True)
        assert list(found) == ["loss", "mae"] and found["mae"] == pytest.approx(mae, rel=1e-6)
    assert net(metrics=None).evaluate(X, Y, verbose=0, return_dict=True) == {"loss": pytest.approx(loss)}


@pytest.mark.parametrize("generator", [False, True])
def test_validation_has_a_batch_size_of_its_own(generator):
    class Sizes(Callback):
        def on_test_batch_begin(self, batch, logs=None):
            sizes.append(logs["size"])

    sizes: list = []
    data = {"x": iter([(X, Y)]), "steps_per_epoch": 1} if generator else {"x": X, "y": Y}
    net().fit(**data, validation_data=(X, Y), validation_batch_size=8, verbose=0, callbacks=[Sizes()])
    assert sizes == [8, 8, 4]


class Batches(keras.utils.Sequence):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        return X[4 * index : 4 * index + 4], Y[4 * index : 4 * index + 4]


def endless():
    while True:
        yield X, Y


@pytest.mark.parametrize("data, steps", [(Batches(), None), (endless(), 1)], ids=["sequence", "generator"])
def test_arrays_are_validated_by_batches_from_elsewhere(data, steps):
    expected = net().fit(X, Y, validation_data=(X, Y), epochs=2, shuffle=False, verbose=0).history
    found = net().fit(X, Y, validation_data=data, validation_steps=steps, epochs=2, shuffle=False, verbose=0).history
    assert list(found) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-6)


def test_the_bar_is_the_automatic_output(capsys):
    model = net()
    model.fit(X, Y, verbose="auto")
    assert "loss" in capsys.readouterr().out
    model.evaluate(X, Y, verbose="auto")
    model.predict(X, verbose="auto")
    assert capsys.readouterr().out.count("20/20") == 2


def test_checkpoints_between_batches(tmp_path):
    saving = ModelCheckpoint(str(tmp_path / "{epoch}-{batch}.h5"), save_freq=3)
    net().fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[saving])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1-3.h5", "2-1.h5", "2-4.h5"]
    with pytest.raises(ValueError, match="save_freq is 'epoch' or a number"):
        ModelCheckpoint("x", save_freq="hour")


def test_a_checkpoint_has_to_be_better_than_a_threshold(tmp_path):
    saving = ModelCheckpoint(
        str(tmp_path / "m.h5"), "loss", save_best_only=True, save_freq="epoch", initial_value_threshold=-1.0
    )
    net().fit(X, Y, verbose=0, callbacks=[saving])
    assert not list(tmp_path.iterdir())


# -- what Keras up to 2.2 had -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("names_first", [True, False])
def test_what_is_appended_to_the_metrics_tensors_is_shown(names_first):
    x = Input((3,))
    hidden = Dense(2, kernel_initializer="ones")(x)
    model = Model(x, Dense(1)(hidden))
    model.compile("sgd", "mse")
    model.train_on_batch(X, Y)
    lines = [
        lambda: model.metrics_names.append("mean_hidden"),
        lambda: model.metrics_tensors.append(K.mean(hidden)),
    ]
    for line in lines if names_first else reversed(lines):
        line()
    names = model.metrics_names
    names += ["largest"]
    model.metrics_tensors.extend([K.max(hidden)])
    assert model.metrics_names == ["loss", "mean_hidden", "largest"] and len(model.metrics_tensors) == 2
    _, mean, largest = model.evaluate(X, Y, batch_size=20, verbose=0)
    shown = Model(x, hidden).predict(X)
    assert mean == pytest.approx(shown.mean(), rel=1e-5) and largest == pytest.approx(shown.max(), rel=1e-5)
    assert set(model.fit(X, Y, verbose=0).history) == {"loss", "mean_hidden", "largest"}


# -- other arguments --------------------------------------------------------------------------------------------------
def test_inputs_with_a_batch_size_or_a_spec():
    assert Input((3,), batch_size=4).shape == (4, 3)
    x = Input(type_spec=tf["TensorSpec"]((None, 3), "int32"))
    assert (x.shape, x.dtype) == ((None, 3), "int32")
    with pytest.raises(ValueError, match="Ragged inputs are not supported: pad"):
        Input((3,), ragged=True)


def test_a_function_may_make_the_layers_of_a_clone():
    def with_relu(layer):
        return type(layer).from_config({**layer.get_config(), "activation": "relu"})

    x = Input((3,))
    inner = Sequential([Dense(2, input_shape=(2,))])
    clone = keras.models.clone_model(Model(x, inner(Dense(2)(x))), clone_function=with_relu)
    dense = [clone.layers[1], clone.layers[2].layers[0]]
    assert [layer.activation for layer in dense] == [keras.activations.relu] * 2
