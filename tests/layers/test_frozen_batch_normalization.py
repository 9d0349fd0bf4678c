"""Batch normalizations that are frozen and thawed after their graph was made, as fine-tuning does."""

import numpy as np
import pytest
from hornbeam import optimizers
from hornbeam.layers import BatchNormalization, Dense, Input, Layer
from hornbeam.models import Model, Sequential


class Block(Layer):
    def __init__(self):
        super().__init__()
        self.norm = BatchNormalization(momentum=0.5)

    def call(self, x, training=None):
        return self.norm(x, training=training)


def base_model():
    x = Input((4,))
    return Model(x, BatchNormalization(momentum=0.5)(Dense(4, kernel_initializer="identity")(x)))


@pytest.fixture
def x(rng):
    return rng.normal(3.0, 2.0, size=(8, 4)).astype("float32")


def normalized(x):
    return (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3)


def output_in_training(model, x):
    """What the first step of a ``fit`` without steps computes: the targets are zero, and the loss tells."""
    model.compile(optimizers.SGD(0.0), "mse")
    return model.train_on_batch(x, np.zeros((len(x), 4)))


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    "kind, training", [("nested", None), ("nested", False), ("nested", True), ("sequential", None), ("grown", None)]
)
def test_a_model_that_is_frozen_and_thawed(kind, training, x):
    base = base_model()
    norm = base.layers[-1]
    if kind == "nested":
        inputs = Input((4,))
        model = Model(inputs, base(inputs) if training is None else base(inputs, training=training))
    else:
        model = Sequential([base]) if kind == "sequential" else Model(base.input, base.output)
    base.trainable = False
    assert [layer.trainable for layer in base.layers] == [False] * 3
    plain, by_batch = (x**2).mean() / (1 + 1e-3), (normalized(x) ** 2).mean()
    assert output_in_training(model, x) == pytest.approx(plain, rel=1e-4)
    np.testing.assert_array_equal(norm.get_weights()[2], np.zeros(4))

    base.trainable = True
    assert output_in_training(model, x) == pytest.approx(plain if training is False else by_batch, rel=1e-4)
    moved = np.zeros(4) if training is False else 0.5 * x.mean(0)
    np.testing.assert_allclose(norm.get_weights()[2], moved, rtol=1e-5)

    norm.trainable = False  # one layer alone, and the model compiled before goes on as it was
    if training is not False:
        with pytest.warns(UserWarning, match="Discrepancy"):
            again = model.train_on_batch(x, np.zeros((8, 4)))
        assert again == pytest.approx(by_batch, rel=1e-4)
        moved = 0.75 * x.mean(0)
    output_in_training(model, x)
    np.testing.assert_allclose(norm.get_weights()[2], moved, rtol=1e-5)


@pytest.mark.usefixtures("eager")
def test_a_block_of_a_user(x):
    block = Block()
    model = Sequential([Input((4,)), block])
    for trainable, expected in ((True, normalized(x)), (False, None), (True, normalized(x))):
        block.trainable = trainable
        assert block.norm.trainable is trainable
        before = block.norm.get_weights()[2:]
        expected = (x - before[0]) / np.sqrt(before[1] + 1e-3) if expected is None else expected
        assert output_in_training(model, x) == pytest.approx((expected**2).mean(), rel=1e-4)
        assert np.array_equal(before[0], block.norm.get_weights()[2]) is not trainable


@pytest.mark.usefixtures("eager")
def test_gradients_go_through_what_counts(x):
    """Normalizing by the batch, a shift of all inputs changes nothing; by moving averages it does."""
    shift = Dense(4, kernel_initializer="zeros")
    model = Sequential([Input((4,)), shift, BatchNormalization()])
    changes = []
    for trainable in (True, False):
        model.layers[-1].trainable = trainable
        model.compile(optimizers.SGD(0.1), "mse")
        before = shift.get_weights()[1]
        model.train_on_batch(x, np.ones((8, 4)))
        changes.append(np.abs(shift.get_weights()[1] - before).max() > 1e-4)
    assert changes == [False, True]


@pytest.mark.usefixtures("eager")
def test_it_is_as_it_was_when_the_model_was_compiled(x):
    """The discriminator of a GAN is compiled, and frozen for the generator's model before either is trained."""
    discriminator = base_model()
    discriminator.compile(optimizers.SGD(0.0), "mse")
    discriminator.trainable = False
    inputs = Input((4,))
    generator = Model(inputs, discriminator(inputs))
    generator.compile(optimizers.SGD(0.0), "mse")
    with pytest.warns(UserWarning, match="Discrepancy"):
        loss = discriminator.train_on_batch(x, np.zeros((8, 4)))
    assert loss == pytest.approx((normalized(x) ** 2).mean(), rel=1e-4)
    mean, variance = discriminator.get_weights()[-2:]
    np.testing.assert_allclose(mean, 0.5 * x.mean(0), rtol=1e-5)
    expected = (((x - mean) / np.sqrt(variance + 1e-3)) ** 2).mean()
    assert generator.train_on_batch(x, np.zeros((8, 4))) == pytest.approx(expected, rel=1e-4)


def test_in_keras_2_3_a_frozen_one_normalizes_by_the_batch(x):
    base = base_model()
    model = Model(base.input, base.output)
    base.trainable = False
    assert [layer.trainable for layer in base.layers[1:]] == [True] * 2
    base.trainable = True
    base.layers[-1].trainable = False
    assert output_in_training(model, x) == pytest.approx((normalized(x) ** 2).mean(), rel=1e-4)
    np.testing.assert_array_equal(base.layers[-1].get_weights()[2], np.zeros(4))
