"""Models called with ``training``, as transfer learning on tf.keras does: it reaches the layers inside."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam.models import Model, Sequential, clone_model, load_model

X = np.random.RandomState(0).rand(32, 6).astype("float32")


class Own(L.Layer):
    """With an argument that has no default."""

    def call(self, inputs, training):
        return K.in_train_phase(inputs * 2.0, inputs, training=training)


def base():
    x = L.Input((6,))
    inner = Sequential([L.Dropout(0.5, input_shape=(6,)), Own()])
    return Model(x, L.BatchNormalization(momentum=0.5)(inner(x)), name="base")


def outputs(model, phase):
    return K.function([*model.inputs, K.learning_phase()], model.outputs)([X, phase])[0]


@pytest.mark.parametrize("training", [False, True, None])
def test_it_reaches_layers_of_nested_models(training):
    inner, x = base(), L.Input((6,))
    model = Model(x, inner(x, training=training))
    run = K.function([x, K.learning_phase()], model.outputs)
    for phase in (0, 1):
        trained = bool(phase if training is None else training)
        one, two = (run([X, phase])[0] for _ in range(2))
        assert np.array_equal(one, two) != trained  # what is dropped differs from run to run
    assert len(model.updates) == (0 if training is False else 2)
    if training is False:
        np.testing.assert_allclose(outputs(model, 1), X / np.sqrt(1.001), rtol=1e-5)


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_files_keep_it(name, tmp_path):
    x = L.Input((6,))
    model = Model(x, L.Dense(1)(base()(x, training=False)))
    model.compile("sgd", "mse")
    model.save(tmp_path / name)
    loaded = load_model(tmp_path / name, custom_objects={"Own": Own})
    for again in (loaded, clone_model(model)):
        again.set_weights(model.get_weights())
        np.testing.assert_array_equal(outputs(again, 1), outputs(model, 1))
    losses = [[m.train_on_batch(X, X[:, :1]) for _ in range(3)] for m in (model, loaded)]
    assert losses[0] == losses[1]
    for a, b in zip(loaded.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_one_call_makes_one_graph():
    """The mask that is asked for after the output comes from the same run of the layers."""
    inner, x = base(), L.Input((6,))
    inner(x, training=True)
    assert len(inner.get_updates_for(x)) == 2


def test_on_arrays():
    inner = base()
    np.testing.assert_allclose(np.asarray(inner(X, training=False)), X / np.sqrt(1.001), rtol=1e-5)
    assert (np.asarray(Sequential([L.Dropout(0.5, input_shape=(6,))])(X, training=True)) == 0).any()
