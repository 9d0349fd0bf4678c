"""Layers that tf.keras's ConvNeXt models hold beside the usual ones."""

from __future__ import annotations

from .. import backend as K
from ..backend.shapes import dims_of
from ..engine.base_layer import Layer
from ..utils.registry import LAYERS


class LayerScale(Layer):
    """Multiply each of ``projection_dim`` channels by a weight that begins with ``init_values``."""

    def __init__(self, init_values, projection_dim, **kwargs):
        super().__init__(**kwargs)
        self.init_values = init_values
        self.projection_dim = projection_dim

    def build(self, input_shape):
        self.gamma = self.add_weight(name="gamma", shape=(self.projection_dim,), initializer=self._first_values)
        self.built = True

    def _first_values(self, shape, dtype=None):
        return K.constant(self.init_values, dtype, shape)

    def call(self, inputs):
        return inputs * self.gamma

    def get_config(self):
        own = {"init_values": self.init_values, "projection_dim": self.projection_dim}
        return {**super().get_config(), **own}

    def compute_output_shape(self, input_shape):
        return input_shape


class StochasticDepth(Layer):
    """Drop a part ``drop_path_rate`` of the samples in training, and enlarge the others: https://arxiv.org/abs/1603.09382."""

    def __init__(self, drop_path_rate, **kwargs):
        super().__init__(**kwargs)
        self.drop_path_rate = drop_path_rate

    def call(self, inputs, training=None):
        mask = [dims_of(inputs)[0]] + [1] * (inputs.ndim - 1)
        return K.in_train_phase(lambda: K.dropout(inputs, self.drop_path_rate, mask), inputs, training=training)

    def get_config(self):
        return {**super().get_config(), "drop_path_rate": self.drop_path_rate}

    def compute_output_shape(self, input_shape):
        return input_shape


LAYERS.register({"LayerScale": LayerScale, "StochasticDepth": StochasticDepth})
