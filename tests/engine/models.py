"""Small models that several tests use."""

import numpy as np
from hornbeam.layers import Dense, Input
from hornbeam.models import Model, Sequential


def mlp(**compile_arguments):
    model = Sequential([Dense(8, activation="tanh", input_shape=(4,)), Dense(3, activation="softmax")])
    if compile_arguments is not None:
        model.compile(**{"optimizer": "sgd", "loss": "categorical_crossentropy", **compile_arguments})
    return model


def two_in_two_out():
    left, right = Input((4,), name="left"), Input((4,), name="right")
    shared = Dense(5, name="shared")
    return Model([left, right], [Dense(1, name="one")(shared(left)), Dense(2, name="two")(shared(right))])


def data(samples=20, seed=0):
    rng = np.random.RandomState(seed)
    x = rng.rand(samples, 4).astype("float32")
    return x, np.eye(3, dtype="float32")[rng.randint(0, 3, samples)]
