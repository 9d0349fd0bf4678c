"""Layers that nearly every model has: Dense, Activation, Dropout, changes of shape, Lambda."""

from __future__ import annotations

import copy
import math
import types
from typing import Any

import numpy as np

from .. import activations, regularizers
from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..graph import as_integer, deciding
from ..legacy import interfaces
from ..utils import conv_utils
from ..utils.generic_utils import (
    deserialize_keras_object,
    func_dump,
    func_load,
    has_arg,
)
from .options import add_weight, option_names, options_config, options_in, set_options


class Masking(Layer):
    """Mask steps in which every feature equals ``mask_value``: later layers skip them.

    Input and output: (batch, steps, features); masked steps become zero.
    """

    def __init__(self, mask_value=0.0, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.input_spec = InputSpec()  # one input, of any shape
        self.mask_value = mask_value

    def compute_mask(self, inputs, mask=None):
        return K.any(K.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs):
        kept = K.any(K.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return inputs * K.cast(kept, K.dtype(inputs))

    def get_config(self):
        return {**super().get_config(), "mask_value": self.mask_value}

    def compute_output_shape(self, input_shape):
        return input_shape


class Dropout(Layer):
    """In training, set a random part of the inputs to zero and scale the rest by ``1 / (1 - rate)``.

    Args:
        rate: the part, in [0, 1].
        noise_shape: shape of the mask, to be broadcast: (batch, 1, features) drops the same features at all steps.
        seed: for the random numbers.
    """

    @interfaces.legacy_dropout_support
    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = min(1.0, max(0.0, rate))
        self.noise_shape = noise_shape
        self.seed = seed
        self.supports_masking = True

    def _get_noise_shape(self, inputs):
        if self.noise_shape is None:
            return None
        shape = K.shape(inputs)
        return tuple(shape[i] if n is None else n for i, n in enumerate(self.noise_shape))

    def call(self, inputs, training=None):
        if not 0.0 < self.rate < 1.0:
            return inputs
        return K.in_train_phase(
            lambda: K.dropout(inputs, self.rate, self._get_noise_shape(inputs), seed=self.seed),
            inputs,
            training=training,
        )

    def get_config(self):
        own = {"rate": self.rate, "noise_shape": self.noise_shape, "seed": self.seed}
        return {**super().get_config(), **own}

    def compute_output_shape(self, input_shape):
        return input_shape


class SpatialDropout1D(Dropout):
    """Dropout of whole features: input (batch, steps, features)."""

    @interfaces.legacy_spatialdropout1d_support
    def __init__(self, rate, **kwargs):
        super().__init__(rate, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def _get_noise_shape(self, inputs):
        shape = K.shape(inputs)
        return (shape[0], 1, shape[2])


class _SpatialDropout(Dropout):
    """Dropout of whole feature maps."""

    def __init__(self, rate, ndim, data_format, **kwargs):
        super().__init__(rate, **kwargs)
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=ndim)

    def _get_noise_shape(self, inputs):
        shape = K.shape(inputs)
        channels = 1 if self.data_format == "channels_first" else inputs.ndim - 1
        return tuple(shape[i] if i in (0, channels) else 1 for i in range(inputs.ndim))

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole feature maps of images."""

    @interfaces.legacy_spatialdropoutNd_support
    def __init__(self, rate, data_format=None, **kwargs):
        super().__init__(rate, 4, data_format, **kwargs)


class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole feature maps of volumes."""

    @interfaces.legacy_spatialdropoutNd_support
    def __init__(self, rate, data_format=None, **kwargs):
        super().__init__(rate, 5, data_format, **kwargs)


class Identity(Layer):
    """The inputs as they are; a layer of tf.keras, beyond Keras 2.3.1."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_output_shape(self, input_shape):
        return input_shape


class Activation(Layer):
    """Apply an activation function, given by name or as a function."""

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.activation = activations.get(activation)

    def call(self, inputs):
        return self.activation(inputs)

    def get_config(self):
        return {**super().get_config(), "activation": activations.serialize(self.activation)}

    def compute_output_shape(self, input_shape):
        return input_shape


def _integers(values: Any, name: str) -> tuple[int, ...]:
    try:
        return tuple(as_integer(v, f"an entry of `{name}`") for v in values)
    except TypeError:
        raise TypeError(f"The `{name}` argument must be a tuple of integers. Received: {values!r}") from None


class Reshape(Layer):
    """Another shape for each sample.

    Args:
        target_shape: without the batch; one entry may be -1.
    """

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        self.target_shape = _integers(target_shape, "target_shape")

    def compute_output_shape(self, input_shape):
        if None in input_shape[1:]:
            return (input_shape[0], *(None if d == -1 else d for d in self.target_shape))
        return (input_shape[0], *self._resolved(input_shape[1:]))

    def _resolved(self, shape):
        """The target shape with its -1 computed."""
        total, known = math.prod(shape), math.prod(d for d in self.target_shape if d != -1)
        unknown = self.target_shape.count(-1)
        if unknown > 1:
            raise ValueError(f"Can only specify one unknown dimension, got target shape {self.target_shape}.")
        if (total != known) if not unknown else (known == 0 or total % known):
            raise ValueError(
                f"total size of new array must be unchanged: cannot reshape {tuple(shape)} to {self.target_shape}"
            )
        return tuple(total // known if d == -1 else d for d in self.target_shape)

    def call(self, inputs):
        shape = self.compute_output_shape(K.int_shape(inputs))[1:]
        if None not in shape:
            return K.reshape(inputs, (-1, *shape))
        return K.reshape(inputs, (K.shape(inputs)[0], *self.target_shape))

    def get_config(self):
        return {**super().get_config(), "target_shape": self.target_shape}


class Permute(Layer):
    """Reorder the axes of each sample.

    Args:
        dims: axes counted from 1 (the batch is axis 0 and stays): (2, 1) swaps two axes.

    Raises:
        ValueError: dims is not a permutation.
    """

    def __init__(self, dims, **kwargs):
        super().__init__(**kwargs)
        self.dims = _integers(dims, "dims")
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"The axes of a permutation count from 1: {self.dims} is none.")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *(input_shape[d] for d in self.dims))

    def call(self, inputs):
        return K.permute_dimensions(inputs, (0, *self.dims))

    def get_config(self):
        return {**super().get_config(), "dims": self.dims}


class Flatten(Layer):
    """All features of a sample in one axis.

    Args:
        data_format: with ``'channels_first'`` the channels are moved to the end before, so that weights of the next
            layer do not depend on the format.
    """

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.input_spec = InputSpec(min_ndim=1)
        self.data_format = K.normalize_data_format(data_format)

    def compute_output_shape(self, input_shape):
        if None in input_shape[1:]:
            raise ValueError(
                f'The shape of the input to "Flatten" is not fully defined (got {input_shape[1:]}). Make sure to pass a '
                'complete "input_shape" or "batch_input_shape" argument to the first layer in your model.'
            )
        return (input_shape[0], math.prod(input_shape[1:]))

    def call(self, inputs):
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = K.permute_dimensions(inputs, (0, *range(2, inputs.ndim), 1))
        return K.batch_flatten(inputs)

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}


class RepeatVector(Layer):
    """(batch, features) to (batch, n, features)."""

    def __init__(self, n, **kwargs):
        super().__init__(**kwargs)
        self.n = n
        self.input_spec = InputSpec(ndim=2)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.n, input_shape[1])

    def call(self, inputs):
        return K.repeat(inputs, self.n)

    def get_config(self):
        return {**super().get_config(), "n": self.n}


class Lambda(Layer):
    """A function of tensors as a layer.

    Args:
        function: from a tensor (or a list) to a tensor (or a list).
        output_shape: a shape without the batch, or a function from the input shape to a whole shape; inferred by default.
        mask: the mask of the output, or a function of (inputs, mask) that returns it.
        arguments: further keyword arguments of the function.

    Its Python code is stored in a model file as bytecode, which is not run on loading unless the caller allows it
    or this process has the same function.
    """

    _states_shape_by = "output_shape"

    def __init__(self, function, output_shape=None, mask=None, arguments=None, **kwargs):
        super().__init__(**kwargs)
        self.function = function
        self.arguments = dict(arguments) if arguments else {}
        self.mask = mask
        if mask is not None:
            self.supports_masking = True
        if not (output_shape is None or callable(output_shape) or isinstance(output_shape, (tuple, list))):
            raise TypeError("In Lambda, `output_shape` must be a list, a tuple, or a function.")
        self._output_shape = tuple(output_shape) if isinstance(output_shape, (tuple, list)) else output_shape
        self._seen = None  # shapes of the last call's inputs and outputs
        self._input_dtypes = None  # of the last call
        for own in (self.function, self._output_shape):
            if isinstance(own, types.FunctionType):
                func_dump(own)  # remembered, so that files with the same function load in this process

    def call(self, inputs, mask=None):
        arguments = {**self.arguments, "mask": mask} if has_arg(self.function, "mask") else self.arguments
        outputs = deciding(self.function)(inputs, **arguments)
        self._seen = _shapes(inputs), _shapes(outputs)
        self._input_dtypes = [K.dtype(x) for x in inputs] if isinstance(inputs, (list, tuple)) else K.dtype(inputs)
        return outputs

    def compute_output_shape(self, input_shape):
        if callable(self._output_shape):
            shape = self._output_shape(input_shape)
            if not isinstance(shape, (list, tuple)):
                raise ValueError("`output_shape` function must return a tuple or a list of tuples.")
            numbers = isinstance(shape, list) and not isinstance(shape[0], (list, tuple))
            return tuple(shape) if numbers else shape
        if self._output_shape is not None:
            batch = input_shape[0][0] if isinstance(input_shape, list) else input_shape[0]
            return (batch, *self._output_shape)
        if self._seen is None or self._seen[0] != input_shape:
            self._infer(input_shape)
        return self._seen[1]

    def _infer(self, input_shape):
        """Call the function on placeholders, of the dtypes that it was called on before."""
        dtypes = self._input_dtypes
        if not isinstance(input_shape, list):
            self.call(K.placeholder(input_shape, dtype=dtypes))
            return
        dtypes = dtypes if isinstance(dtypes, list) else [dtypes] * len(input_shape)
        self.call([K.placeholder(shape, dtype=dtype) for shape, dtype in zip(input_shape, dtypes)])

    def compute_mask(self, inputs, mask=None):
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self):
        function, function_type = _dump(self.function)
        output_shape, output_shape_type = _dump(self._output_shape)
        own = {
            "function": function,
            "function_type": function_type,
            "output_shape": output_shape,
            "output_shape_type": output_shape_type,
            "arguments": self.arguments,
        }
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = copy.copy(config)
        globs = {**globals(), **(custom_objects or {})}
        for key in ("function", "output_shape"):
            kind = config.pop(f"{key}_type")
            config.pop("module" if key == "function" else "output_shape_module", None)  # tf.keras adds them
            config[key] = _load(config[key], kind, key, globs, custom_objects)
        arguments = dict(config.get("arguments") or {})
        for name, value in arguments.items():
            if isinstance(value, dict) and value.get("type") == "ndarray":
                arguments[name] = np.array(value["value"])
        config["arguments"] = arguments
        return cls(**config)


def _shapes(x: Any) -> Any:
    return [K.int_shape(t) for t in x] if isinstance(x, (list, tuple)) else K.int_shape(x)


def _dump(value: Any) -> tuple[Any, str]:
    """What a config holds of a function (or of a plain shape), and its kind."""
    if isinstance(value, types.FunctionType):
        return func_dump(value), "lambda"
    if callable(value):
        return value.__name__, "function"
    return value, "raw"


def _load(value: Any, kind: str, what: str, globs: dict, custom_objects: dict | None) -> Any:
    if kind == "function":
        return deserialize_keras_object(
            value, custom_objects=custom_objects, printable_module_name=f"{what} in Lambda layer"
        )
    if kind == "lambda":
        return func_load(value, globs=globs)
    if kind == "raw" and what == "output_shape":
        return value
    raise TypeError(f"Unknown type of {what} in Lambda layer: {kind}")


class Dense(Layer):
    """``activation(inputs · kernel + bias)``.

    Input: (batch, ..., features). Output: (batch, ..., units). Weights: kernel (features, units), bias (units,).

    Args:
        units: number of outputs.
        activation: by name or as a function; None is linear.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint: by name, config or as functions.
    """

    @interfaces.legacy_dense_support
    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        if "input_shape" not in kwargs and "input_dim" in kwargs:
            kwargs["input_shape"] = (kwargs.pop("input_dim"),)
        super().__init__(**kwargs)
        self.units = conv_utils.normalize_size(units, "units")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        set_options(self, **options_in(locals()))
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape):
        features = input_shape[-1]
        if features is None:
            raise ValueError(f"The last dimension of the inputs to `Dense` should be defined, got {input_shape}.")
        self.kernel = add_weight(self, "kernel", (features, self.units))
        self.bias = add_weight(self, "bias", (self.units,)) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})
        self.built = True

    def call(self, inputs):
        output = K.dot(inputs, self.kernel)
        if self.use_bias:
            output = K.bias_add(output, self.bias, data_format="channels_last")
        return self.activation(output)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        own = {
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **options_config(self, *option_names("kernel", "bias"), "activity_regularizer"),
        }
        return {**super().get_config(), **own}


class ActivityRegularization(Layer):
    """Add ``l1 * sum(abs(x)) + l2 * sum(x ** 2)`` of the inputs to the loss, and pass them on."""

    def __init__(self, l1=0.0, l2=0.0, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.l1 = l1
        self.l2 = l2
        self.activity_regularizer = regularizers.L1L2(l1=l1, l2=l2)

    def get_config(self):
        return {**super().get_config(), "l1": self.l1, "l2": self.l2}

    def compute_output_shape(self, input_shape):
        return input_shape
