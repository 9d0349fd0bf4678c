"""Batch normalization."""

from __future__ import annotations

from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..graph import decided_later, is_eager
from ..graph.context import context
from ..legacy import interfaces
from ..settings import settings
from .options import add_weight, option_names, options_config, options_in, set_options

_OPTIONS = ("moving_mean_initializer", "moving_variance_initializer", *option_names("beta", "gamma"))


class BatchNormalization(Layer):
    """Normalize each channel: by the batch's mean and variance in training, by their moving averages otherwise.

    Args:
        axis: the channels; all other axes are averaged over.
        momentum: weight of the past in the moving averages.
        epsilon: added to the variance.
        center: whether to add ``beta``.
        scale: whether to multiply by ``gamma``.

    Weights: gamma, beta (where used), moving_mean, moving_variance, each (channels,).

    With ``trainable=False`` the moving averages stay; in training the batch's own statistics are used even then,
    as Keras 2.3.1 did.

    In scripts of TensorFlow 2, and where the axis is given as a list of one, as tf.keras writes it to files, it trains as there:
    by its moving averages while it is frozen, as of ``compile``, and with another estimate of the variance.
    """

    @interfaces.legacy_batchnorm_support
    def __init__(
        self,
        axis=-1,
        momentum=0.99,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        moving_mean_initializer="zeros",
        moving_variance_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **kwargs,
    ):
        kwargs.pop("synchronized", None)  # over devices, of which there is one
        super().__init__(**kwargs)
        self.supports_masking = True
        listed = isinstance(axis, (list, tuple)) and len(axis) == 1
        self._as_in_tf = listed or settings.dialect.later_batch_normalization
        self.axis = axis[0] if listed else axis
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        set_options(self, **options_in(locals()))

    def build(self, input_shape):
        if not -len(input_shape) <= self.axis < len(input_shape):
            raise ValueError(f"`axis` {self.axis} is none of an input of shape {input_shape}.")
        dim = input_shape[self.axis]
        if dim is None:
            raise ValueError(
                f"Axis {self.axis} of input tensor should have a defined dimension but the layer received an input with "
                f"shape {input_shape}."
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: dim})
        self.gamma = add_weight(self, "gamma", (dim,)) if self.scale else None
        self.beta = add_weight(self, "beta", (dim,)) if self.center else None
        self.moving_mean = self.add_weight(
            shape=(dim,), name="moving_mean", initializer=self.moving_mean_initializer, trainable=False
        )
        self.moving_variance = self.add_weight(
            shape=(dim,), name="moving_variance", initializer=self.moving_variance_initializer, trainable=False
        )
        self.built = True

    def call(self, inputs, training=None):
        asks = self._as_in_tf and not is_eager()  # whether the layer is frozen, when a program is made of the graph
        if training in (0, False) or (self._as_in_tf and not asks and not self.trainable):
            return self._by_moving_averages(inputs)
        axis = self.axis % inputs.ndim
        reduced = [a for a in range(inputs.ndim) if a != axis]
        normalized, mean, variance = K.normalize_batch_in_training(
            inputs, self.gamma, self.beta, reduced, epsilon=self.epsilon
        )
        variance = variance * self._correction(inputs, reduced)
        updates = [
            K.moving_average_update(average, self._unless_frozen(value, average) if asks else value, self.momentum)
            for average, value in ((self.moving_mean, mean), (self.moving_variance, variance))
        ]
        self.add_update(updates, inputs)
        if asks:
            averaged = self._by_moving_averages(inputs)
            trained = K.in_train_phase(normalized, averaged, training=training)
            return self._unless_frozen(trained, averaged)
        return K.in_train_phase(normalized, lambda: self._by_moving_averages(inputs), training=training)

    def _unless_frozen(self, trained, frozen):
        return decided_later(lambda: context.trainable.get(self, self.trainable), trained, frozen)

    def _correction(self, inputs, reduced):
        """What makes a batch's variance an estimate of the population's. 2.3.1 has epsilon in it, tf.keras has it for images only."""
        if self._as_in_tf and inputs.ndim not in (4, 5):
            return 1.0
        shape, last = K.shape(inputs), inputs.ndim - 1
        sizes = shape[:-1] if last not in reduced else K.stack([shape[a] for a in reduced])
        samples = K.cast(K.prod(sizes), K.dtype(inputs))
        if self._as_in_tf:
            return samples / K.maximum(samples - 1.0, 1.0)
        return samples / (samples - (1.0 + self.epsilon))

    def _by_moving_averages(self, inputs):
        return K.batch_normalization(
            inputs, self.moving_mean, self.moving_variance, self.beta, self.gamma, axis=self.axis, epsilon=self.epsilon
        )

    def get_config(self):
        own = {name: getattr(self, name) for name in ("axis", "momentum", "epsilon", "center", "scale")}
        if self._as_in_tf:
            own["axis"] = [self.axis]
        return {**super().get_config(), **own, **options_config(self, *_OPTIONS)}

    def compute_output_shape(self, input_shape):
        return input_shape


class SyncBatchNormalization(BatchNormalization):
    """Batch normalization over all devices, of which there is one; a layer of tf.keras, beyond Keras 2.3.1."""
