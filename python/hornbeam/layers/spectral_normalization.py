"""Weights that are kept at a spectral norm of 1 (Miyato et al., https://arxiv.org/abs/1802.05957), as tf.keras has it."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..engine.base_layer import InputSpec
from .wrappers import Wrapper


class SpectralNormalization(Wrapper):
    """Divides the kernel (or the embeddings) of a layer by its largest singular value, in each call for training.

    That value is estimated by power iterations, which go on from call to call. The kernel itself is set, so such a layer
    trains where steps are eager: in scripts for TensorFlow 2.

    Args:
        layer: a layer with a ``kernel`` or ``embeddings``.
        power_iterations: how many in each call.

    Weights: those of the layer, and ``vector_u`` (1, outputs), which training leaves alone.

    Raises:
        ValueError: no iterations, or a layer without such a weight.
    """

    sets_weights = True

    def __init__(self, layer, power_iterations=1, **kwargs):
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ValueError(
                f"`power_iterations` should be greater than zero. Received: `power_iterations={power_iterations}`"
            )
        self.power_iterations = power_iterations

    @property
    def kernel(self) -> Any:
        """The weight that is normalized."""
        found = next(
            (getattr(self.layer, name) for name in ("kernel", "embeddings") if hasattr(self.layer, name)), None
        )
        if found is None:
            raise ValueError(f"{type(self.layer).__name__} object has no attribute 'kernel' nor 'embeddings'.")
        return found

    def build(self, input_shape=None):
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True
        self.input_spec = InputSpec(shape=(None, *input_shape[1:]))
        self.vector_u = self.add_weight(
            name="vector_u", shape=(1, K.int_shape(self.kernel)[-1]), initializer="truncated_normal", trainable=False
        )
        super().build(input_shape)

    def call(self, inputs, training=None):
        if training is True or training == 1:
            kernel, vector = self._normalized()
            self.kernel.assign(kernel)
            self.vector_u.assign(vector)
        return self.layer.call(inputs)

    def normalize_weights(self) -> tuple:
        """The normalized kernel and the next ``vector_u``."""
        kernel, u = self.kernel, self.vector_u
        rows = K.reshape(kernel, (-1, K.int_shape(kernel)[-1]))
        v = u
        for _ in range(self.power_iterations):
            v = K.l2_normalize(K.dot(u, K.transpose(rows)), axis=-1)
            u = K.l2_normalize(K.dot(v, rows), axis=-1)
        u, v = K.stop_gradient(u), K.stop_gradient(v)
        largest = K.dot(K.dot(v, rows), K.transpose(u))
        return K.reshape(rows / largest, K.int_shape(kernel)), u

    def _normalized(self) -> tuple:
        """:meth:`normalize_weights`, but for a kernel of zeros, which has no direction."""
        zeros = K.all(K.equal(self.kernel, 0))
        normalized, vector = self.normalize_weights()
        return K.switch(zeros, self.kernel, normalized), K.switch(zeros, self.vector_u, vector)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_weights(self):
        return K.batch_get_value(self.weights)

    def set_weights(self, weights):
        super(Wrapper, self).set_weights(weights)

    def save_own_variables(self, store):
        """tf.keras counts the kernel among the wrapper's own weights, too."""
        store["0"], store["1"] = K.batch_get_value([self.kernel, self.vector_u])

    def load_own_variables(self, store):
        K.set_value(self.vector_u, store["1"])

    def get_config(self):
        return {**super().get_config(), "power_iterations": self.power_iterations}
