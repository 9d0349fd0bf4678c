"""Vectors for integers."""

from __future__ import annotations

from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces
from ..utils import conv_utils
from ..utils.generic_utils import to_list
from .options import add_weight, option_names, options_config, options_in, set_options


class Embedding(Layer):
    """A learned vector for each integer: (batch, steps) to (batch, steps, output_dim).

    Args:
        input_dim: integers are below it.
        output_dim: length of a vector.
        mask_zero: whether 0 is padding, masked for later layers.
        input_length: number of steps, where it is constant.

    Weights: embeddings (input_dim, output_dim).
    """

    @interfaces.legacy_embedding_support
    def __init__(
        self,
        input_dim,
        output_dim,
        embeddings_initializer="uniform",
        embeddings_regularizer=None,
        activity_regularizer=None,
        embeddings_constraint=None,
        mask_zero=False,
        input_length=None,
        **kwargs,
    ):
        if "input_shape" not in kwargs:
            if isinstance(input_length, (list, tuple)):
                kwargs["input_shape"] = tuple(input_length)
            else:
                kwargs["input_shape"] = (input_length or None,)
        if kwargs.pop("sparse", False):
            raise ValueError("`Embedding` has no sparse outputs here.")
        super().__init__(**kwargs)
        if "int" in self.dtype:  # the first Keras 2 meant the indices' dtype; old files have it
            self.dtype = K.floatx()
        self.input_dim = conv_utils.normalize_size(input_dim, "input_dim")
        self.output_dim = conv_utils.normalize_size(output_dim, "output_dim")
        set_options(self, **options_in(locals()))
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.input_length = input_length
        self.input_spec = InputSpec()  # one input, of any shape

    def build(self, input_shape):
        self.embeddings = add_weight(self, "embeddings", (self.input_dim, self.output_dim))
        self.built = True

    def compute_mask(self, inputs, mask=None):
        return K.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape):
        if self.input_length is None:
            return (*input_shape, self.output_dim)
        lengths = to_list(self.input_length, allow_tuple=True)
        steps = input_shape[1:]
        fits = len(lengths) == len(steps) and all(None in (a, b) or a == b for a, b in zip(lengths, steps))
        if not fits:
            raise ValueError(f'"input_length" is {self.input_length}, but received input has shape {input_shape}')
        return (input_shape[0], *(b if a is None else a for a, b in zip(lengths, steps)), self.output_dim)

    def call(self, inputs):
        return K.gather(self.embeddings, inputs if K.dtype(inputs) in ("int32", "int64") else K.cast(inputs, "int32"))

    def get_config(self):
        own = {
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            **options_config(self, *option_names("embeddings"), "activity_regularizer"),
            "mask_zero": self.mask_zero,
            "input_length": self.input_length,
        }
        return {**super().get_config(), **own}
