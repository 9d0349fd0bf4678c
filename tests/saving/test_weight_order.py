"""Which array of a file is which weight, where the file was written with other parts frozen than there are now."""

import h5py
import hornbeam as keras
import numpy as np
import pytest
from hornbeam.dialect import TF1, TF2
from hornbeam.layers import BatchNormalization, Conv2D, Dense, Flatten, Input, Layer
from hornbeam.models import Model, Sequential, load_model
from hornbeam.saving.weight_order import places_in_file
from hornbeam.settings import settings

X = np.random.RandomState(0).rand(3, 4).astype("float32")


class Two(Layer):
    """Two layers inside, with names or without."""

    def __init__(self, names=(None, None), **kwargs):
        super().__init__(**kwargs)
        self.names = names
        self.first, self.second = (Dense(4, name=name) for name in names)

    def call(self, x):
        return self.second(self.first(x))

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        return {**super().get_config(), "names": self.names}


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a"), (None, None)])
@pytest.mark.parametrize("count", [0, 8])
def test_a_layer_with_a_frozen_layer_inside(tmp_path, monkeypatch, names, count):
    """``dense_9`` and ``dense_10`` among them, whose order is not that of letters."""
    monkeypatch.setattr(settings, "uids", {})
    for _ in range(count):
        Dense(1)
    two = Two(names)
    two.first.trainable = False
    x = Input((4,))
    model = Model(x, two(x))
    model.save(tmp_path / "m.h5")
    again = load_model(tmp_path / "m.h5", custom_objects={"Two": Two}, compile=False)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    other = Model(x, Two(names)(x))
    other.load_weights(tmp_path / "m.h5")
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


def nested(frozen, names):
    x, z = Input((4,)), Input((4,))
    y = x
    for i, name in enumerate(names):
        y = Dense(4, name=name, trainable=i not in frozen)(y)
    return Model(z, Model(x, BatchNormalization(trainable=0 not in frozen)(y))(z))


@pytest.mark.parametrize("names", ["abc", (None,) * 3])
@pytest.mark.parametrize("before, after", [((), (1,)), ((0, 2), ()), ((1,), (0,))])
def test_a_nested_model_of_which_other_layers_are_frozen(tmp_path, names, before, after):
    saved, loaded = nested(before, names), nested(after, names)
    saved.set_weights([np.random.RandomState(i).rand(*w.shape) for i, w in enumerate(saved.get_weights())])
    saved.save_weights(tmp_path / "w.h5")
    loaded.load_weights(tmp_path / "w.h5")
    np.testing.assert_array_equal(loaded.predict(X), saved.predict(X))


@pytest.mark.parametrize("dialect", [TF1, TF2])
@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_a_nested_network_for_transfer_learning(tmp_path, monkeypatch, dialect, ending):
    """Kernels of convolutions are looked at, as other backends wrote them: each has to come to its layer."""
    monkeypatch.setattr(settings, "dialect", dialect)
    parts = [Conv2D(4, 1, input_shape=(2, 2, 3)), BatchNormalization(), Conv2D(5, 1), BatchNormalization()]
    for part in parts[:2]:
        part.trainable = False
    model = Sequential([Sequential(parts), Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    x = np.random.RandomState(1).rand(2, 2, 2, 3)
    model.train_on_batch(x, np.ones((2, 1)))
    model.save(tmp_path / f"m.{ending}")
    again = load_model(tmp_path / f"m.{ending}")
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


@pytest.mark.parametrize(
    "names, shapes, places",
    [
        (["d/kernel:0", "d/bias:0"], [(4, 2), (2,)], [0, 1]),
        (["d/bias:0", "d/kernel:0"], [(2,), (4, 2)], [1, 0]),
        (["d_7/bias:0", "d_7/kernel:0"], [(2,), (4, 2)], [1, 0]),
        (["d_7/bias:0", "d_7/kernel:0"], [(4, 2), (2,)], [0, 1]),  # the names cannot be right
        (["param_0", "param_1"], [(4, 2), (2,)], [0, 1]),
        (["d/kernel:0"], [(4, 2)], [0]),
        (["d/kernel:0", "d/kernel:0"], [(4, 2), (2,)], [0, 1]),
    ],
)
def test_places(names, shapes, places):
    layer = Dense(2, name="d")
    layer(Input((4,)))
    assert places_in_file(names, shapes, layer.weights) == places


@pytest.mark.parametrize("version, by_name", [("2.0.5", True), ("2.0.6", False)])
def test_slots_in_the_order_of_the_weights_names_in_the_file(tmp_path, version, by_name):
    """``conv_10_1`` before ``conv_1_1`` before ``conv_2_1``: so the file calls what is ``c_1``, ``c_2``, ``c_10`` here."""
    model = Sequential(
        [Dense(3, input_shape=(4,), name="c_1"), Dense(2, name="c_2"), Dense(2, name="c_10", use_bias=False)]
    )
    model.compile(keras.optimizers.SGD(momentum=0.9), "mse")
    model.train_on_batch(X, np.ones((3, 2)))
    model.save(tmp_path / "m.h5")
    slots = keras.backend.batch_get_value(model.optimizer.weights)
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        file.attrs["keras_version"] = version.encode()
        called = []
        for layer in ("c_1", "c_2", "c_10"):
            group = file["model_weights"][layer]
            renamed = [name.decode().replace("c_", "conv_").replace("/", "_1/") for name in group.attrs["weight_names"]]
            for old, new in zip(group.attrs["weight_names"], renamed):
                group[new] = group[old.decode()][()]
            group.attrs["weight_names"] = np.array([name.encode() for name in renamed])
            called += renamed
        stored = file["optimizer_weights"]
        names = list(stored.attrs["weight_names"])
        order = sorted(range(5), key=lambda i: called[i]) if by_name else range(5)
        stored.attrs["weight_names"] = np.array(names[:1] + [names[1 + i] for i in order])
    again = keras.backend.batch_get_value(load_model(tmp_path / "m.h5").optimizer.weights)
    for mine, theirs in zip(slots, again, strict=True):
        np.testing.assert_array_equal(mine, theirs)
