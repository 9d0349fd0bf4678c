"""What Keras 2.3.1 kept on a model and scripts read or assign there, wherever it lives here."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.layers import Dense, Input
from hornbeam.models import Model, Sequential
from hornbeam.optimizers import SGD

from .models import data, mlp, two_in_two_out


@pytest.fixture
def model():
    model = two_in_two_out()
    with pytest.warns(UserWarning, match="Output one missing"):
        model.compile("sgd", {"two": "mse"}, metrics={"two": ["mae"]}, loss_weights={"two": 0.5})
    return model


def test_inputs(model):
    assert model._feed_inputs == model.inputs and model._feed_input_names == ["left", "right"]
    assert model._feed_input_shapes == [(None, 4), (None, 4)]
    assert [layer.name for layer in model._input_layers] == ["left", "right"]
    assert model._input_coordinates == [(layer, 0, 0) for layer in model._input_layers]


def test_outputs(model):
    assert model.skip_target_indices == [0] and model.loss_weights_list == [1.0, 0.5]
    assert model.loss_functions[0] is None and model.loss_functions[1:] == model._feed_loss_fns
    assert model.targets[0] is None and model.targets[1:] == model._feed_targets
    assert model.sample_weights[0] is None and model.sample_weights[1:] == model._feed_sample_weights
    assert model.sample_weight_modes == [None, None] and model._feed_sample_weight_modes == [None]
    assert model._feed_outputs == model.outputs[1:] and model._feed_output_names == ["two"]
    assert model._feed_output_shapes == [(None, 2)]
    assert [layer.name for layer in model._output_layers] == ["one", "two"]


def test_metrics(model):
    (mae,) = model._compile_metric_functions
    assert model._per_output_metrics == [{}, {"two_mae": mae}] and model._per_output_weighted_metrics == [{}, {}]
    assert [metric.name for metric in model._output_loss_metrics] == ["one_loss", "two_loss"]
    assert mlp(metrics=["acc"])._output_loss_metrics is None
    assert model._compile_metrics == {"two": ["mae"]} and model._compile_weighted_metrics is None


def test_a_model_that_was_not_compiled_has_no_arguments():
    inputs = Input((3,))
    for model in (Model(inputs, Dense(1)(inputs)), Sequential([Dense(1)])):
        for name in ("optimizer", "loss", "loss_weights", "sample_weight_mode"):
            assert not hasattr(model, name)
        assert not model._is_compiled and model.metrics_names == ["loss"] and model.train_function is None


def test_functions_are_made_again_where_scripts_drop_them():
    model = mlp()
    x, y = data()
    model.train_on_batch(x, y)
    before = model.train_function
    model.optimizer = SGD(0.0)
    assert model._compiled.arguments.optimizer is model.optimizer
    model.train_function = None
    weights = model.get_weights()
    model.train_on_batch(x, y)
    assert model.train_function is not before
    np.testing.assert_array_equal(model.get_weights()[0], weights[0])


def test_functions_of_a_script():
    model = mlp()
    x, _ = data()
    model.predict_function = K.function(model._feed_inputs, [model.outputs[0] * 0.0])
    assert not model.predict(x).any() and not model.predict_on_batch(x).any()


def test_names_that_a_subclass_uses_itself():
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.targets, self.sample_weights = ["a", "b"], 3
            self.loss = Dense(2, kernel_initializer="ones")

        def call(self, x):
            return self.loss(x) if callable(self.loss) else x

    model = Own()
    assert model.targets == ["a", "b"] and model.sample_weights == 3 and isinstance(model.loss, Dense)
    np.testing.assert_array_equal(model.predict(np.ones((2, 3))), 3)
    assert len(model.weights) == 2


def test_a_compilation_that_fails_replaces_the_one_before_it():
    model = mlp(metrics=["acc"])
    x, y = data()
    model.train_on_batch(x, y)
    with pytest.raises(ValueError, match="Unknown loss"):
        model.compile("adam", "no_such_loss")
    assert not model._is_compiled and model.loss == "no_such_loss" and model.train_function is None
    with pytest.raises(ValueError, match="Unknown loss"):
        model.fit(x, y, verbose=0)
    assert model.predict(x).shape == y.shape
