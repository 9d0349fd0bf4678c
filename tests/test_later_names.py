"""Names and arguments that tf.keras 2.15 has besides those of Keras 2.3.1."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import callbacks, constraints, initializers, layers, metrics, models, regularizers, saving, utils


def test_initializers_and_regularizers_by_their_class_names():
    assert initializers.GlorotUniform(seed=1).get_config() == initializers.glorot_uniform(1).get_config()
    assert initializers.variance_scaling is initializers.VarianceScaling
    assert regularizers.L2(0.5).get_config() == {"l1": 0.0, "l2": 0.5} and float(regularizers.L1(l1=0.5).l1) == 0.5


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_orthogonal_regularizer(mode, rng):
    matrix = rng.normal(size=(3, 4))
    rows = matrix if mode == "rows" else matrix.T
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = abs(rows @ rows.T)[np.triu_indices(len(rows), 1)]
    penalty = regularizers.OrthogonalRegularizer(0.1, mode)
    np.testing.assert_allclose(K.eval(penalty(K.constant(matrix))), 0.1 * cosines.mean(), rtol=1e-5)
    copy = regularizers.get({"class_name": "OrthogonalRegularizer", "config": penalty.get_config()})
    assert copy.mode == mode
    with pytest.raises(ValueError, match="for matrices"):
        penalty(K.constant(matrix[0]))


def test_radial_kernels():
    kernel = np.arange(25.0).reshape(5, 5, 1, 1)
    rings = K.eval(constraints.RadialConstraint()(K.constant(kernel)))[..., 0, 0]
    ring = np.maximum(*abs(np.mgrid[-2:3, -2:3]))
    np.testing.assert_array_equal(rings, np.choose(ring, [6, 12, 18]))


def test_an_input_of_one_batch_size():
    assert K.int_shape(layers.Input((3, 2), batch_size=4)) == (4, 3, 2)
    with pytest.raises(ValueError, match=r"[Rr]agged"):
        layers.Input((3,), ragged=True)


def test_early_stopping_counts_from_an_epoch_on():
    model = models.Sequential([layers.Dense(1, input_shape=(1,))])
    model.compile("sgd", "mse")
    stop = callbacks.EarlyStopping(monitor="loss", min_delta=1e9, patience=2, start_from_epoch=3)
    history = model.fit(np.ones((4, 1)), np.ones((4, 1)), epochs=20, verbose=0, callbacks=[stop])
    assert len(history.epoch) == 6  # the first that counts is the best


def test_layers_are_cloned_by_a_function():
    model = models.Sequential([layers.Dense(2, input_shape=(3,)), layers.Dropout(0.5), layers.Dense(1)])

    def without_dropout(layer):
        return (
            layers.Activation("linear")
            if isinstance(layer, layers.Dropout)
            else type(layer).from_config(layer.get_config())
        )

    kinds = [type(layer).__name__ for layer in models.clone_model(model, clone_function=without_dropout).layers]
    assert kinds == ["Dense", "Activation", "Dense"]


def test_other_names():
    assert saving.register_keras_serializable is utils.register_keras_serializable
    assert metrics.KLD is metrics.kullback_leibler_divergence and metrics.log_cosh is metrics.logcosh
    assert layers.Convolution3DTranspose is layers.Conv3DTranspose
    assert utils.pad_sequences([[1]], 3).tolist() == [[0, 0, 1]]
    assert utils.to_ordinal([[0], [2], [1]]).tolist() == [[0, 0], [1, 1], [1, 0]]
    assert utils.to_ordinal([1], num_classes=4).tolist() == [[1, 0, 0]]


def test_what_layers_say_of_themselves():
    inner = layers.Dense(1, input_shape=(2,))
    model = models.Sequential([inner])
    assert inner in model.submodules and inner.compute_dtype == inner.variable_dtype == "float32" and not inner.dynamic
    with inner.name_scope as scope:
        assert scope.startswith(inner.name)
