"""The second note: an outline of Keras, with Embedding, initializers, to_categorical and two perceptrons."""

import importlib

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import initializers
from hornbeam.layers import Dense, Embedding, Flatten
from hornbeam.models import Sequential
from hornbeam.utils import np_utils


@pytest.mark.parametrize(
    "module, names",
    [
        ("models", "Sequential Model"),
        ("layers", "Dense Conv2D MaxPooling2D LocallyConnected2D LSTM Embedding Add LeakyReLU BatchNormalization"),
        ("layers", "GaussianNoise TimeDistributed Layer"),
        ("preprocessing.sequence", "pad_sequences skipgrams TimeseriesGenerator"),
        ("preprocessing.text", "Tokenizer text_to_word_sequence one_hot hashing_trick"),
        ("preprocessing.image", "ImageDataGenerator load_img img_to_array"),
        ("losses", "mean_squared_error categorical_crossentropy"),
        ("metrics", "binary_accuracy categorical_accuracy"),
        ("optimizers", "SGD Adam"),
        ("activations", "relu softmax"),
        ("callbacks", "ModelCheckpoint EarlyStopping TensorBoard"),
        ("datasets", "mnist cifar10 imdb"),
        ("applications", "VGG16 ResNet50"),
        ("backend", "function gradients"),
        ("initializers", "glorot_uniform Initializer"),
        ("regularizers", "l1 l2 l1_l2"),
        ("constraints", "max_norm non_neg"),
        ("utils", "plot_model to_categorical"),
        ("wrappers.scikit_learn", "KerasClassifier KerasRegressor"),
    ],
)
def test_outline(module, names):
    if module.startswith("wrappers"):
        pytest.importorskip("sklearn")
    module = importlib.import_module(f"hornbeam.{module}")
    assert all(hasattr(module, name) for name in names.split())


def test_embedding_of_given_vectors(rng):
    vocab, length = ["a", "b", "c"], 5
    embedding_matrix = rng.rand(len(vocab) + 1, 200).astype("float32")
    model = Sequential()
    model.add(Embedding(len(vocab) + 1, 200, weights=[embedding_matrix], input_length=length))
    indices = rng.randint(0, 4, (2, length))
    assert np.array_equal(model.predict(indices), embedding_matrix[indices])  # (samples, length, 200)
    model.add(Flatten())
    model.add(Dense(1))  # knows its inputs from input_length
    assert model.layers[-1].get_weights()[0].shape == (length * 200, 1)


def test_embedding_without_a_length_cannot_be_flattened_for_dense():
    model = Sequential([Embedding(4, 3)])
    with pytest.raises(ValueError, match="not fully defined"):
        model.add(Flatten())


@pytest.mark.parametrize("kernel", ["random_uniform", "random_normal", initializers.random_normal(stddev=0.01)])
def test_initializers_by_name_or_function(kernel):
    model = Sequential([Dense(64, kernel_initializer=kernel, bias_initializer="zeros", input_shape=(32,))])
    weights, bias = model.get_weights()
    assert not bias.any() and 0 < weights.std() < 0.06


@pytest.mark.parametrize(
    "initializer, low, high, std",
    [
        (initializers.Zeros(), 0, 0, 0),
        (initializers.Ones(), 1, 1, 0),
        (initializers.Constant(3), 3, 3, 0),
        (initializers.RandomNormal(mean=0.0, stddev=0.05, seed=None), -0.4, 0.4, 0.05),
        (initializers.RandomUniform(minval=-0.1, maxval=0.3, seed=1), -0.1, 0.3, 0.4 / 12**0.5),
        (initializers.TruncatedNormal(stddev=0.05), -0.1, 0.1, 0.044),
        (initializers.VarianceScaling(), -0.5, 0.5, 0.1),
        (initializers.Orthogonal(), -1, 1, 1 / 300**0.5),
        (initializers.lecun_uniform(), -((3 / 100) ** 0.5), (3 / 100) ** 0.5, 0.1),
        (initializers.lecun_normal(), -0.5, 0.5, 0.1),
        (initializers.glorot_normal(), -0.5, 0.5, (2 / 400) ** 0.5),
        (initializers.glorot_uniform(), -((6 / 400) ** 0.5), (6 / 400) ** 0.5, (2 / 400) ** 0.5),
        (initializers.he_normal(), -0.7, 0.7, (2 / 100) ** 0.5),
        (initializers.he_uniform(), -((6 / 100) ** 0.5), (6 / 100) ** 0.5, (2 / 100) ** 0.5),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, initializers.Initializer) else "",
)
def test_predefined_initializers(initializer, low, high, std):
    values = K.eval(initializer((100, 300)))
    assert low <= values.min() and values.max() <= high
    np.testing.assert_allclose(values.std(), std, rtol=0.05)


def test_identity_is_for_square_matrices():
    assert np.array_equal(K.eval(initializers.Identity()((4, 4))), np.eye(4))


def test_an_initializer_of_ones_own():
    def halves(shape, dtype=None):
        return K.constant(0.5, dtype=dtype, shape=shape)

    layer = Dense(2, kernel_initializer=halves)
    layer.build((None, 3))
    assert np.array_equal(layer.get_weights()[0], np.full((3, 2), 0.5))


def test_to_categorical():
    got = np_utils.to_categorical(np.array([5, 0, 4]), 10)
    assert got.argmax(1).tolist() == [5, 0, 4] and got.shape == (3, 10) and got.sum() == 3


def test_small_perceptron(rng):
    model = Sequential()
    model.add(Dense(5, input_shape=(4,), activation="sigmoid"))
    model.add(Dense(1, activation="sigmoid"))
    assert model.count_params() == 31 and model.predict(rng.rand(2, 4)).shape == (2, 1)


def test_deep_perceptron(rng):
    model = Sequential()
    model.add(Dense(10, activation="sigmoid", input_shape=(8,)))
    model.add(Dense(8, activation="relu"))
    model.add(Dense(10, activation="relu"))
    model.add(Dense(5, activation="softmax"))
    np.testing.assert_allclose(model.predict(rng.rand(3, 8)).sum(1), 1, rtol=1e-6)


def test_a_misspelt_activation_is_named():
    with pytest.raises(ValueError, match="sigmod"):
        Dense(1, activation="sigmod")
