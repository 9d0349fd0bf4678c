"""First values of weights: distributions, seeds, configs."""

import json

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import initializers

SHAPES = [(40, 60), (3, 3, 16, 20)]


def values(initializer, shape, dtype=None):
    return np.asarray(initializer(shape, dtype=dtype))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "name, scale, mode, uniform",
    [
        ("glorot_uniform", 1, "avg", True), ("glorot_normal", 1, "avg", False), ("he_uniform", 2, "in", True),
        ("he_normal", 2, "in", False), ("lecun_uniform", 1, "in", True), ("lecun_normal", 1, "in", False),
    ],
)  # fmt: skip
def test_variance_scaling(shape, name, scale, mode, uniform):
    window = int(np.prod(shape[:-2]))
    fan_in, fan_out = shape[-2] * window, shape[-1] * window
    variance = scale / (fan_in if mode == "in" else (fan_in + fan_out) / 2)
    got = values(getattr(initializers, name)(seed=1), shape)
    assert got.shape == shape and got.dtype == np.float32
    assert abs(got.mean()) < 4 * np.sqrt(variance / got.size)
    np.testing.assert_allclose(got.var(), variance, rtol=0.12)
    limit = np.sqrt(3 * variance) if uniform else 2 * np.sqrt(variance) / 0.8796256610342398
    assert np.abs(got).max() <= limit * (1 + 1e-6)


def test_variance_scaling_of_outputs_and_vectors():
    got = values(initializers.VarianceScaling(mode="fan_out", seed=1), (10, 400))
    np.testing.assert_allclose(got.var(), 1 / 400, rtol=0.1)
    got = values(initializers.VarianceScaling(seed=1), (2500,))
    np.testing.assert_allclose(got.var(), 1 / 50, rtol=0.15)


@pytest.mark.parametrize("shape", [(50, 80), (3, 3, 20, 20)])
@pytest.mark.parametrize("seed", [1, 2])
def test_distributions(shape, seed):
    """Kolmogorov and Smirnov's test: such a distance has a chance of less than one in a thousand."""
    from scipy import stats

    window = int(np.prod(shape[:-2]))
    mean_fan = window * (shape[-2] + shape[-1]) / 2
    limit = np.sqrt(3 / mean_fan)
    deviation = np.sqrt(1 / mean_fan) / 0.87962566103423978  # of the whole normal, so that the cut one has 1 / fan
    for initializer, distribution in (
        (initializers.RandomUniform(-2, 3, seed=seed), stats.uniform(-2, 5)),
        (initializers.RandomNormal(1, 2, seed=seed), stats.norm(1, 2)),
        (initializers.TruncatedNormal(1, 2, seed=seed), stats.truncnorm(-2, 2, 1, 2)),
        (initializers.glorot_uniform(seed=seed), stats.uniform(-limit, 2 * limit)),
        (initializers.glorot_normal(seed=seed), stats.truncnorm(-2, 2, 0, deviation)),
    ):
        numbers = values(initializer, shape).ravel()
        assert stats.kstest(numbers, distribution.cdf).pvalue > 1e-3
        assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 4 / np.sqrt(numbers.size), "neighbours"


def test_random_ones():
    normal = values(initializers.RandomNormal(1.0, 2.0, seed=1), (50, 80))
    assert abs(normal.mean() - 1) < 0.15 and abs(normal.std() - 2) < 0.15
    uniform = values(initializers.RandomUniform(-2, 3, seed=1), (50, 80))
    assert uniform.min() >= -2 and uniform.max() < 3 and abs(uniform.mean() - 0.5) < 0.15
    truncated = values(initializers.TruncatedNormal(0.0, 1.0, seed=1), (50, 80))
    assert np.abs(truncated).max() <= 2


def test_constants():
    np.testing.assert_array_equal(values(initializers.Zeros(), (2, 3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(values(initializers.Ones(), (2, 3), "int32"), np.ones((2, 3), "int32"))
    np.testing.assert_array_equal(values(initializers.Constant(2.5), (2,)), [2.5, 2.5])
    # as TensorFlow filled: the last number is repeated
    np.testing.assert_array_equal(values(initializers.Constant([1, 2]), (3, 2)), [[1, 2], [2, 2], [2, 2]])
    np.testing.assert_array_equal(values(initializers.Identity(gain=2), (2, 3)), 2 * np.eye(2, 3))
    with pytest.raises(ValueError, match="2D"):
        initializers.Identity()((2, 2, 2))


@pytest.mark.parametrize("shape", [(5, 5), (4, 9), (9, 4), (3, 2, 5)])
def test_orthogonal(shape):
    got = values(initializers.Orthogonal(gain=2.0, seed=3), shape).reshape(-1, shape[-1])
    rows, columns = got.shape
    product = got.T @ got if rows >= columns else got @ got.T
    np.testing.assert_allclose(product, 4 * np.eye(min(rows, columns)), atol=1e-5)


RANDOM = ["RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Orthogonal"]


@pytest.mark.parametrize("name", RANDOM)
def test_seeds(name):
    make = getattr(initializers, name)
    one = make(seed=7)
    first, second = values(one, (4, 4)), values(one, (4, 4))
    assert (first != second).any(), "later uses advance the seed"
    np.testing.assert_array_equal(values(make(seed=7), (4, 4)), first)
    np.testing.assert_array_equal(values(make(seed=8), (4, 4)), second)

    np.random.seed(3)
    without = values(make(), (4, 4))
    np.random.seed(3)
    np.testing.assert_array_equal(values(make(), (4, 4)), without)
    assert (values(make(), (4, 4)) != without).any()


def test_nothing_is_computed_before_the_first_read(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("computed")

    monkeypatch.setattr(np.linalg, "svd", refuse)
    v = K.variable(initializers.Orthogonal(seed=1)((4, 4)))
    K.set_value(v, np.ones((4, 4)))
    np.testing.assert_array_equal(K.get_value(v), np.ones((4, 4)))
    with pytest.raises(AssertionError, match="computed"):
        K.get_value(K.variable(initializers.Orthogonal(seed=1)((4, 4))))


@pytest.mark.parametrize("name", [*RANDOM, "Zeros", "Ones", "Constant", "Identity", "glorot_uniform", "he_normal"])
def test_configs(name):
    initializer = initializers.get(name)
    config = json.loads(json.dumps(initializers.serialize(initializer)))
    again = initializers.deserialize(config)
    assert type(again) is type(initializer) and again.get_config() == initializer.get_config()


def test_aliases_and_names_of_tf_keras():
    assert initializers.zeros is initializers.zero is initializers.Zeros
    assert initializers.uniform is initializers.random_uniform is initializers.RandomUniform
    glorot = initializers.get({"class_name": "GlorotUniform", "config": {"seed": None, "dtype": "float32"}})
    assert glorot.get_config() == initializers.glorot_uniform().get_config()
    assert isinstance(initializers.get({"class_name": "Zeros", "config": {"dtype": "float32"}}), initializers.Zeros)


def test_a_function_is_an_initializer():
    custom = initializers.get(lambda shape, dtype=None: np.full(shape, 4.0))
    assert custom((2,)).tolist() == [4, 4]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: initializers.get("unknown"), "Unknown initializer"),
        (lambda: initializers.get(3), "Could not interpret"),
        (lambda: initializers.get("K"), "Unknown initializer"),
        (lambda: initializers.VarianceScaling(scale=-1), "scale"),
        (lambda: initializers.VarianceScaling(mode="fan"), "mode"),
        (lambda: initializers.VarianceScaling(distribution="exotic"), "distribution"),
    ],
)
def test_mistakes(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "name", ["GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal"]
)
def test_the_names_of_tf_keras(name):
    made = getattr(initializers, name)(seed=3)
    again = initializers.deserialize({"class_name": name, "config": {"seed": 3, "dtype": "float32"}})
    np.testing.assert_array_equal(values(made, (4, 5)), values(again, (4, 5)))
    assert initializers.get(name).get_config() == getattr(initializers, name)().get_config()


@pytest.mark.parametrize("name", ["HeNormal", "he_normal", "Zeros"])
def test_one_that_was_not_called(name):
    assert initializers.get(getattr(initializers, name)).get_config() == initializers.get(name).get_config()
