"""Metrics under the names of 2.2 and of 2.3."""

import numpy as np
import pytest
from hornbeam.callbacks import EarlyStopping, LambdaCallback, ModelCheckpoint, ReduceLROnPlateau
from hornbeam.callbacks.logs import Logs
from hornbeam.layers import Dense
from hornbeam.models import Sequential


@pytest.mark.parametrize(
    "held, asked",
    [
        ("accuracy", "acc"),
        ("acc", "accuracy"),
        ("val_accuracy", "val_acc"),
        ("val_mid_accuracy", "val_mid_acc"),
        ("mse", "mean_squared_error"),
        ("val_mean_absolute_error", "val_mae"),
    ],
)
def test_a_missing_name_is_looked_for_as_the_other_versions_called_it(held, asked):
    logs = Logs({"loss": 1.0, held: 2.0})
    assert logs[asked] == logs.get(asked) == 2.0
    assert list(logs) == ["loss", held] and asked not in logs


@pytest.mark.parametrize("name", ["val_acc", "kacc", "lr", 0])
def test_other_names_stay_missing(name):
    logs = Logs(accuracy=1.0, mse=2.0)
    assert logs.get(name) is None
    with pytest.raises(KeyError):
        logs[name]


def test_a_name_that_is_there_means_itself():
    assert Logs(acc=1.0, accuracy=2.0)["acc"] == 1.0


def test_scripts_of_2_2_find_their_accuracy(tmp_path):
    model = Sequential([Dense(2, activation="softmax", input_shape=(3,))])
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    x, y = np.random.RandomState(0).rand(20, 3), np.eye(2)[np.arange(20) % 2]
    seen = []
    history = model.fit(
        x,
        y,
        epochs=2,
        validation_split=0.5,
        verbose=0,
        callbacks=[
            ModelCheckpoint(str(tmp_path / "{epoch:02d}-{val_acc:.1f}.h5"), monitor="val_acc", save_best_only=True),
            EarlyStopping(monitor="val_acc", patience=5),
            ReduceLROnPlateau(monitor="val_acc"),
            LambdaCallback(
                on_epoch_end=lambda epoch, logs: seen.append(logs["val_acc"]),
                on_batch_end=lambda batch, logs: seen.append(logs.get("acc")),
            ),
        ],
    )
    assert history.history["acc"] == history.history["accuracy"]
    assert history.history["val_acc"] == seen[1::2] and None not in seen
    assert min(p.name for p in tmp_path.iterdir()) == f"01-{seen[1]:.1f}.h5"
