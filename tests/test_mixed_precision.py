"""Policies of dtypes, as tf.keras has them."""

import json

import hornbeam as keras
import numpy as np
import pytest
from hornbeam import mixed_precision
from hornbeam.layers import Activation, Dense, Input
from hornbeam.mixed_precision import Policy
from hornbeam.models import Sequential, model_from_json
from hornbeam.optimizers.loss_scale import LossScaleOptimizer
from hornbeam.settings import settings


@pytest.fixture(autouse=True)
def policy(monkeypatch):
    monkeypatch.setattr(settings, "policy", None)


@pytest.mark.parametrize("set_policy", [mixed_precision.set_global_policy, mixed_precision.experimental.set_policy])
def test_layers_have_the_dtype_of_the_global_policy(set_policy):
    set_policy("float64")
    model = Sequential([Dense(2, input_shape=(3,)), Dense(1, dtype="float32"), Activation("relu")])
    assert mixed_precision.global_policy() == Policy("float64")
    assert [layer.compute_dtype for layer in model.layers] == ["float64", "float32", "float64"]
    assert model.layers[0].kernel.dtype == "float64" and model.layers[0].dtype_policy == Policy("float64")
    assert model.predict(np.ones((2, 3))).dtype == "float64"
    set_policy(None)
    assert Dense(1).dtype == "float32"


def test_a_mixed_policy_computes_in_float32_and_says_so():
    with pytest.warns(UserWarning, match="'mixed_float16' layers compute in float32"):
        mixed_precision.set_global_policy("mixed_float16")
    x = Input((2,))
    y = Activation("softmax", dtype="float32")(Dense(2)(x))
    assert mixed_precision.global_policy().name == "mixed_float16" and y.dtype == "float32"


@pytest.fixture
def mixed():
    with pytest.warns(UserWarning, match="compute in float32"):
        mixed_precision.set_global_policy("mixed_float16")


def test_a_layer_knows_its_policy_and_has_the_dtype_that_it_computes_in(mixed):
    inner, last = Dense(2, input_shape=(3,)), Activation("softmax", dtype="float32")
    model = Sequential([inner, last])
    assert [layer.dtype_policy.name for layer in (*model.layers, model)] == [
        "mixed_float16",
        "float32",
        "mixed_float16",
    ]
    assert repr(inner._dtype_policy) == '<Policy "mixed_float16">'
    assert inner.compute_dtype == inner._compute_dtype == inner.variable_dtype == inner.output.dtype == "float32"
    half = np.ones((2, 3), "float16")
    assert model(half).dtype == "float32"  # what a script casts to float16 before, a layer casts back


def test_a_model_compiled_under_mixed_float16_scales_its_loss(mixed, eager, rng):
    x = rng.normal(size=(8, 3)).astype("float32")
    results = []
    for scaled in (True, False):
        model = Sequential([Dense(1, input_shape=(3,), kernel_initializer="ones")])
        if not scaled:
            mixed_precision.set_global_policy("float32")
        model.compile(keras.optimizers.Adam(0.1), "mse")
        assert isinstance(model.optimizer, LossScaleOptimizer) is scaled
        model.fit(x, x[:, :1], epochs=3, verbose=0)
        assert int(model.optimizer.iterations) == 3
        assert keras.backend.get_value(model.optimizer.lr) == np.float32(0.1)
        results.append(model.get_weights())
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-5)


def test_an_optimizer_that_scales_is_left_alone(mixed):
    optimizer = LossScaleOptimizer(keras.optimizers.SGD(), dynamic=False, initial_scale=2.0)
    model = Sequential([Dense(1, input_shape=(3,))])
    model.compile(optimizer, "mse")
    assert model.optimizer is optimizer


@pytest.mark.parametrize(
    "dtype, expected",
    [
        (Policy("float64"), "float64"),
        (Policy("mixed_float16"), "float32"),
        ("mixed_bfloat16", "float32"),
        (Policy("_infer"), "float32"),
        ({"class_name": "Policy", "config": {"name": "float64"}}, "float64"),
        (None, "float32"),
    ],
)
def test_a_layers_dtype_may_be_a_policy(dtype, expected):
    layer = Dense(1, dtype=dtype, input_shape=(2,))
    again = model_from_json(Sequential([layer]).to_json())
    assert layer.dtype == again.layers[0].dtype == expected
    assert json.dumps(layer.get_config())


def test_policies():
    assert Policy.from_config(Policy("float64").get_config()) == Policy("float64") != Policy("float32")
    assert Policy("mixed_float16").variable_dtype == "float32" and len({Policy("float64"), Policy("float64")}) == 1
    with pytest.raises(ValueError, match="no dtype policy 'float33'"):
        Policy("float33")
    assert keras.mixed_precision is mixed_precision
