"""Training towards flat minima (Foret et al., https://arxiv.org/abs/2010.01412), as tf.keras has it: ``keras.models.experimental``."""

from __future__ import annotations

import functools
import operator
from typing import Any

from . import backend as K
from .engine.data_adapter import unpack_x_y_sample_weight
from .engine.training import Model
from .graph import Tape
from .utils.generic_utils import get_registered_name
from .utils.registry import LAYERS


class SharpnessAwareMinimization(Model):
    """Trains a model by the gradients at the worst point nearby: weights move along their gradients by ``rho`` in all, the
    gradients are computed anew, and the step is made from where the weights were.

    It trains where steps are eager: in scripts for TensorFlow 2.

    Args:
        model: the model that is trained.
        rho: the L2 norm of the move.
        num_batch_splits: into how many parts a batch is cut, each of which has a move of its own; their gradients are added.
    """

    sets_weights = True

    def __init__(self, model, rho=0.05, num_batch_splits=None, name=None):
        super().__init__(name=name)
        self.model = model
        self.rho = rho
        self.num_batch_splits = num_batch_splits

    def call(self, inputs, **kwargs):
        return self.model(inputs, **kwargs)

    def train_step(self, data):
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        count = self.num_batch_splits or 1
        parts = zip(*(_split(part, count) for part in (x, y, sample_weight)))
        variables = self.model.trainable_variables
        predictions, gradients = [], []
        for part in parts:
            predicted, nearby = self._gradients_nearby(*part, variables)
            predictions.append(predicted)
            gradients.append(nearby)
        summed = [functools.reduce(operator.add, of_one) for of_one in zip(*gradients)]
        self.optimizer.apply_gradients(zip(summed, variables))
        predicted = predictions[0] if count == 1 else K.concatenate(predictions, axis=0)
        self.compiled_metrics.update_state(y, predicted, sample_weight)
        return self.get_metrics_result()

    def _gradients_nearby(self, x: Any, y: Any, sample_weight: Any, variables: list) -> tuple[Any, list]:
        """The predictions, and the gradients where the weights are moved; they are moved back."""
        predicted, gradients = self._gradients(x, y, sample_weight, variables)
        norm = K.sqrt(functools.reduce(operator.add, [K.sum(K.square(g)) for g in gradients]))
        moves = [g * (self.rho / (norm + 1e-12)) for g in gradients]
        for variable, move in zip(variables, moves):
            variable.assign_add(move)
        _, nearby = self._gradients(x, y, sample_weight, variables, training=True)
        for variable, move in zip(variables, moves):
            variable.assign_sub(move)
        return predicted, nearby

    def _gradients(self, x: Any, y: Any, sample_weight: Any, variables: list, **options: Any) -> tuple[Any, list]:
        tape = Tape()
        with tape.recording():
            predicted = self(x, **options)
            loss = self.compiled_loss(y, predicted, sample_weight)
        return predicted, tape.gradients([loss], variables)

    def get_config(self):
        model = {"class_name": get_registered_name(type(self.model)), "config": self.model.get_config()}
        return {"model": model, "rho": self.rho, "num_batch_splits": self.num_batch_splits, "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**{**config, "model": LAYERS.deserialize(config["model"], custom_objects)})


def _split(x: Any, count: int) -> list:
    """Parts of a batch, whose size the number of parts must divide."""
    if x is None or count == 1:
        return [x] * count
    size = K.shape(x)[0] if K.int_shape(x)[0] is None else K.int_shape(x)[0]
    if isinstance(size, int) and size % count:
        raise ValueError(f"A batch of {size} samples cannot be split into {count} parts of one size.")
    length = size // count
    return [x[i * length : (i + 1) * length] for i in range(count)]


LAYERS.register({"SharpnessAwareMinimization": SharpnessAwareMinimization})
