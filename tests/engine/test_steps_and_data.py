"""Models with steps of their own."""

import numpy as np
import pytest
from hornbeam import graph as G
from hornbeam import metrics
from hornbeam.layers import Dense, Input
from hornbeam.models import Model, Sequential, clone_model

pytestmark = pytest.mark.usefixtures("eager")


class Noting(Model):
    """Notes the structure of its batches."""

    def compile(self, **options):
        super().compile(**options)
        self.batches = []

    def train_step(self, data):
        self.batches.append(G.nest.map_structure(lambda t: tuple(t.shape), data))
        return {"loss": G.constant(1.0)}


@pytest.mark.parametrize(
    "given, batch",
    [
        ((np.ones((4, 2)),), (4, 2)),
        (([np.ones((4, 2)), np.ones((4, 1))],), ([(4, 2), (4, 1)],)),
        ((np.ones((4, 2)), np.ones((4, 1))), ((4, 2), (4, 1))),
        ((np.ones((4, 2)), np.ones((4, 1)), 32, 1, 0, None, 0.0, None, True, None, np.ones(4)), ((4, 2), (4, 1), (4,))),
    ],
)
def test_a_batch_of_one_array_is_that_array(given, batch):
    model = Noting()
    model.compile()
    model.fit(*given, **({} if len(given) > 4 else {"verbose": 0}))
    assert str(model.batches[0]) == str(batch)


def test_a_model_that_trains_by_a_step_is_evaluated_by_its_loss_and_metrics():
    class Own(Model):
        def train_step(self, data):
            return super().train_step(data)

    x = Input((2,))
    model = Own(x, Dense(1, kernel_initializer="ones")(x))
    model.compile("sgd", "mse", metrics=["mae"])
    loss, error = model.evaluate(np.ones((4, 2)), np.zeros((4, 1)), verbose=0)
    assert (loss, error) == (4.0, 2.0)


def test_without_a_loss_there_is_no_mean_of_it():
    class Own(Model):
        def train_step(self, data):
            x, y = data
            self.compiled_metrics.update_state(y, self(x))
            return {m.name: m.result() for m in self.metrics}

    x = Input((2,))
    model = Own(x, Dense(1)(x))
    model.compile("sgd", metrics=[metrics.MeanSquaredError(name="error")])
    history = model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0).history
    assert list(history) == ["error"]


def test_a_stack_on_an_input_is_cloned_with_its_shape():
    stack = Sequential([Input((3,)), Dense(2)])
    copy = clone_model(stack)
    copy.set_weights(stack.get_weights())
    assert [w.shape for w in copy.get_weights()] == [(3, 2), (2,)]
