"""One step after the other along given gradients, in each way in which optimizers are used."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import graph as G
from hornbeam.layers import Dense
from hornbeam.models import Sequential
from hornbeam.tf.eager import GradientTape, function

GRADIENTS = [2.0, -1.0, 0.5, 3.0]


def linear_model(optimizer):
    """One weight, 1 at first, whose gradient for (x, 0) under the loss y_pred is x."""
    model = Sequential([Dense(1, use_bias=False, kernel_initializer="ones", input_shape=(1,))])
    model.compile(optimizer, lambda y_true, y_pred: K.mean(y_pred, axis=-1))
    return model


def fitted(optimizer, gradients=GRADIENTS):
    model, path = linear_model(optimizer), []
    for g in gradients:
        model.fit(np.full((1, 1), g), np.zeros((1, 1)), verbose=0)
        path.append(model.get_weights()[0].item())
    return path


def looped(optimizer, gradients=GRADIENTS):
    w, path = G.Variable(1.0), []
    for g in gradients:
        with GradientTape() as tape:
            loss = w * g
        optimizer.apply_gradients(zip(tape.gradient(loss, [w]), [w]))
        path.append(float(w))
    return path


def traced(optimizer, gradients=GRADIENTS):
    w, path = G.Variable(1.0), []

    @function
    def step(g):
        optimizer.minimize(lambda: w * g, [w])

    for g in gradients:
        step(G.constant(g))
        path.append(float(w))
    return path


WAYS = pytest.mark.parametrize("way", [fitted, looped, traced])
