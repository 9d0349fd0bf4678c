"""Preprocessing inside a model: layers of tf.keras, beyond Keras 2.3.1."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from .. import backend as K
from .. import graph
from ..backend import image
from ..engine.base_layer import InputSpec, Layer
from ..utils.conv_utils import normalize_size


def plain(value: Any) -> Any:
    """Numbers of a config: as they are, or out of the dict that an array becomes in a file."""
    if isinstance(value, dict) and value.get("class_name") in ("__tensor__", "__numpy__"):
        value = value["config"]["value"]
    elif isinstance(value, dict) and value.get("type") == "ndarray":
        value = value["value"]
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def _batches_of(data: Any, steps: int | None) -> Iterator[Any]:
    """What ``adapt`` learns from: an array, tensor or list as a whole, or the batches of a data set or generator."""
    whole = hasattr(data, "__array__") or isinstance(data, (list, tuple, str, graph.RaggedTensor))
    return iter([data]) if whole else itertools.islice(iter(data), steps)


class PreprocessingLayer(Layer):
    """A layer that learns from data before it is used: its subclasses say what they make of each batch."""

    _is_adapted = False
    _batches_per_call = 1
    _adapt_function: Callable[[Iterator[Any]], None] | None = None

    @property
    def is_adapted(self) -> bool:
        """Whether the layer computes by data that :meth:`adapt` was given."""
        return self._is_adapted

    def compile(self, run_eagerly: bool | None = None, steps_per_execution: int | None = None) -> None:
        """Configure :meth:`adapt`.

        Args:
            run_eagerly: accepted; batches are counted on the host in any case.
            steps_per_execution: how many batches one call of the adapt function takes, 1 by default.

        Raises:
            ValueError: a number below 1.
        """
        if steps_per_execution is not None and steps_per_execution < 1:
            raise ValueError(f"`steps_per_execution` must be at least 1, got {steps_per_execution}.")
        self._batches_per_call = steps_per_execution or 1
        self._adapt_function = None

    def make_adapt_function(self) -> Callable[[Iterator[Any]], None]:
        """The function that :meth:`adapt` calls with an iterator of batches until that is exhausted; a subclass may have its own."""
        if self._adapt_function is None:
            count = self._batches_per_call

            def take_batches(batches: Iterator[Any]) -> None:
                for _ in range(count):
                    self.update_state(next(batches))

            self._adapt_function = take_batches
        return self._adapt_function

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Learn from data, forgetting what was learnt before.

        Args:
            data: an array, list or tensor, or a data set or iterable of them.
            batch_size: has no meaning for arrays, which are taken as a whole.
            steps: number of batches to take of an iterable; all by default.

        Raises:
            ValueError: the layer was given what it would learn, or there are no data to learn it from.
        """
        self.reset_state()
        batches, take_batches = _batches_of(data, steps), self.make_adapt_function()
        with suppress(StopIteration):
            while True:
                take_batches(batches)
        self.finalize_state()
        self._is_adapted = True

    def reset_state(self) -> None:
        """Forget the data so far. Subclasses that have something to forget extend this."""
        self._is_adapted = False

    def update_state(self, data: Any) -> None:
        """Take a batch into account."""
        raise NotImplementedError

    def finalize_state(self) -> None:
        """Let the layer compute by the data so far."""

    def _weights_were_set(self) -> None:
        """What the layer learnt counts as it was set, and not the data so far."""


class Rescaling(Layer):
    """``inputs * scale + offset``, in the layer's dtype whatever that of the inputs.

    Args:
        scale, offset: numbers, or one per channel.
    """

    def __init__(self, scale, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.scale = plain(scale)
        self.offset = plain(offset)

    def call(self, inputs):
        scaled = K.cast(inputs, self.dtype) * K.constant(self.scale, self.dtype)
        return scaled if self.offset == 0.0 else scaled + K.constant(self.offset, self.dtype)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}

    def compute_output_shape(self, input_shape):
        return input_shape


class Normalization(PreprocessingLayer):
    """Subtract a mean and divide by a standard deviation that are given, learnt by :meth:`adapt`, or in a file.

    Args:
        axis: the axes with a mean and variance each of their own: a number, a sequence, or None for one of all.
        mean, variance: numbers, or arrays for these axes; both or none.
        invert: undo the normalization instead.

    Weights: mean, variance, with the lengths of the axes, and count, a scalar; none where they are given.

    Raises:
        ValueError: mean without variance, or variance without mean.
    """

    def __init__(self, axis=-1, mean=None, variance=None, invert=False, **kwargs):
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ValueError("`Normalization` needs both `mean` and `variance`, or neither.")
        self.axis = () if axis is None else tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
        self.input_mean = plain(mean)
        self.input_variance = plain(variance)
        self.invert = invert
        self._moments: tuple = (0, 0.0, 0.0)  # of the data so far: their number, mean and variance

    def build(self, input_shape):
        rank = len(input_shape)
        if not all(-rank <= a < rank for a in self.axis):
            raise ValueError(f"`axis` {self.axis} is none of an input of shape {input_shape}.")
        kept = sorted(a % rank for a in self.axis)
        shape = tuple(input_shape[a] for a in kept)
        if None in shape:
            raise ValueError(
                f"The axes {self.axis} of inputs to `Normalization` must have a defined length, got {input_shape}."
            )
        self._reduced = tuple(a for a in range(rank) if a not in kept)
        self._broadcast = [n if a in kept else 1 for a, n in enumerate(input_shape)]
        if self.input_mean is None:
            self.mean = self.add_weight(name="mean", shape=shape, initializer="zeros", trainable=False)
            self.variance = self.add_weight(name="variance", shape=shape, initializer="ones", trainable=False)
            self.count = self.add_weight(name="count", shape=(), dtype="int64", initializer="zeros", trainable=False)
        else:
            given = (self.input_mean, self.input_variance)
            self.mean, self.variance = (K.constant(np.broadcast_to(v, shape), self.dtype) for v in given)
        self.built = True

    def reset_state(self) -> None:
        if self.input_mean is not None:
            raise ValueError("A `Normalization` layer that was given `mean` and `variance` cannot be adapted.")
        super().reset_state()
        self._moments = (0, 0.0, 0.0)

    def update_state(self, data: Any) -> None:
        array = np.asarray(data, dtype="float64")
        if not self.built:
            self.build((None, *array.shape[1:]))
        size = array.size // max(int(np.prod([array.shape[a % array.ndim] for a in self.axis])), 1)
        new_mean, new_variance = array.mean(self._reduced), array.var(self._reduced)
        count, mean, variance = self._moments
        # Chan's formula for the variance of two sets together
        total = count + size
        variance = (variance * count + new_variance * size) / total + (new_mean - mean) ** 2 * count * size / total**2
        self._moments = (total, mean + (new_mean - mean) * size / total, variance)

    def finalize_state(self) -> None:
        count, mean, variance = self._moments
        if not count:
            raise ValueError("`adapt` got no data.")
        self.set_weights([mean, variance, count])

    def call(self, inputs):
        mean, variance = (K.reshape(v, self._broadcast) for v in (self.mean, self.variance))
        deviation = K.maximum(K.sqrt(variance), K.epsilon())
        inputs = K.cast(inputs, self.dtype)
        return inputs * deviation + mean if self.invert else (inputs - mean) / deviation

    def get_config(self):
        own = {"axis": self.axis, "mean": self.input_mean, "variance": self.input_variance}
        if self.invert:
            own["invert"] = True
        return {**super().get_config(), **own}

    def compute_output_shape(self, input_shape):
        return input_shape


# -- images -----------------------------------------------------------------------------------------------------
class _Sized(Layer):
    """Images of one size: (batch, height, width, channels), or a single one without the batch."""

    def __init__(self, height, width, **kwargs):
        super().__init__(**kwargs)
        self.height = normalize_size(height, "height")
        self.width = normalize_size(width, "width")
        self.input_spec = InputSpec(min_ndim=3, max_ndim=4)

    def call(self, inputs):
        inputs = K.cast(inputs, self.dtype)
        return K.squeeze(self._sized(K.expand_dims(inputs, 0)), 0) if inputs.ndim == 3 else self._sized(inputs)

    def _sized(self, images: Any) -> Any:
        raise NotImplementedError

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width}

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-3], self.height, self.width, input_shape[-1])


class Resizing(_Sized):
    """Images resized to (height, width).

    Args:
        height, width: the new size.
        interpolation: ``'bilinear'`` or ``'nearest'``.
        crop_to_aspect_ratio: cut off what would change the proportions.

    Raises:
        ValueError: another interpolation; or proportions to be kept of images of unknown size.
    """

    def __init__(self, height, width, interpolation="bilinear", crop_to_aspect_ratio=False, **kwargs):
        super().__init__(height, width, **kwargs)
        if interpolation not in ("bilinear", "nearest"):
            raise ValueError(f"`Resizing` knows the interpolations 'bilinear' and 'nearest', not {interpolation!r}.")
        self.interpolation = interpolation
        self.crop_to_aspect_ratio = crop_to_aspect_ratio

    def _sized(self, images):
        change = image.fit if self.crop_to_aspect_ratio else image.resize_to
        return change(images, (self.height, self.width), self.interpolation)

    def get_config(self):
        own = {"interpolation": self.interpolation, "crop_to_aspect_ratio": self.crop_to_aspect_ratio}
        return {**super().get_config(), **own}


class CenterCrop(_Sized):
    """The middle of images; of those smaller than (height, width), the largest middle part that has its proportions, resized."""

    def _sized(self, images):
        height, width = images.shape[1:3]
        if None in (height, width) or height < self.height or width < self.width:
            return image.fit(images, (self.height, self.width))
        top, left = (height - self.height) // 2, (width - self.width) // 2
        return images[:, top : top + self.height, left : left + self.width]


# -- categories -------------------------------------------------------------------------------------------------
def _encoded(numbers: Any, depth: int, mode: str, dtype: str, weights: Any = None) -> Any:
    """Numbers as ``'one_hot'`` rows, or the set (``'multi_hot'``) or the counts of those along the last axis."""
    if mode == "one_hot":
        if numbers.ndim > 1 and numbers.shape[-1] == 1:
            numbers = K.squeeze(numbers, -1)
        return K.cast(K.one_hot(numbers, depth), dtype)
    hot = K.cast(K.one_hot(numbers, depth), dtype)
    if mode == "multi_hot":
        return K.max(hot, axis=-2)
    return K.sum(hot if weights is None else hot * K.expand_dims(K.cast(weights, dtype), -1), axis=-2)


def _encoded_shape(shape: tuple, mode: str, depth: int) -> tuple:
    if mode == "int":
        return shape
    merged = mode != "one_hot" or (len(shape) > 1 and shape[-1] == 1)
    return (*(shape[:-1] if merged else shape), depth)


class _Categories(Layer):
    """Numbers of categories, or how they are encoded."""

    def __init__(self, output_mode, modes, kwargs):
        if kwargs.pop("sparse", False):
            raise ValueError(f"`{type(self).__name__}` has no sparse outputs here.")
        super().__init__(**kwargs)
        output_mode = "multi_hot" if output_mode == "binary" else output_mode  # as it was called up to 2.5
        if output_mode not in modes:
            raise ValueError(f"`{type(self).__name__}` knows the output modes {modes}, not {output_mode!r}.")
        self.output_mode = output_mode

    def get_config(self):
        return {**super().get_config(), "output_mode": self.output_mode}


class CategoryEncoding(_Categories):
    """Numbers of categories, encoded.

    Args:
        num_tokens: number of categories (``max_tokens`` up to 2.5).
        output_mode: ``'one_hot'``, or of the numbers in the last axis ``'multi_hot'`` or ``'count'``.
    """

    def __init__(self, num_tokens=None, output_mode="multi_hot", **kwargs):
        num_tokens = kwargs.pop("max_tokens", num_tokens)
        super().__init__(output_mode, ("one_hot", "multi_hot", "count"), kwargs)
        if num_tokens is None:
            raise ValueError("`CategoryEncoding` needs the number of categories, `num_tokens`.")
        self.num_tokens = num_tokens

    def call(self, inputs, count_weights=None):
        return _encoded(K.cast(inputs, "int64"), self.num_tokens, self.output_mode, self.dtype, count_weights)

    def get_config(self):
        return {**super().get_config(), "num_tokens": self.num_tokens}

    def compute_output_shape(self, input_shape):
        return _encoded_shape(input_shape, self.output_mode, self.num_tokens)


class Discretization(PreprocessingLayer, _Categories):
    """The number of the bin that each number falls into.

    Args:
        bin_boundaries: in rising order; n boundaries make n + 1 bins, each with its lower boundary.
        num_bins: how many bins :meth:`adapt` makes, with about as many numbers in each.
        epsilon: how exactly ``adapt`` knows the order of numbers: to this fraction of them.
        output_mode: ``'int'``, or what :class:`CategoryEncoding` makes of the numbers.

    Raises:
        ValueError: both boundaries and a number of bins, or a negative number; at a call: neither were there boundaries given
            nor learnt.
    """

    def __init__(self, bin_boundaries=None, num_bins=None, epsilon=0.01, output_mode="int", **kwargs):
        bins = kwargs.pop("bins", None)  # as both were called up to 2.5
        if isinstance(bins, int):
            num_bins = bins
        elif bins is not None:
            bin_boundaries = bins
        super().__init__(output_mode, ("int", "one_hot", "multi_hot", "count"), kwargs)
        bin_boundaries = plain(bin_boundaries)
        if bin_boundaries is not None and num_bins is not None:
            raise ValueError("Both `num_bins` and `bin_boundaries` should not be set. Received: "
                             f"`num_bins={num_bins}` and `bin_boundaries={str(bin_boundaries)[:80]}`")  # fmt: skip
        if num_bins is not None and num_bins < 0:
            raise ValueError(f"`num_bins` must be greater than or equal to 0. You passed {num_bins}")
        self.bin_boundaries = None if bin_boundaries is None else list(bin_boundaries)
        self.num_bins = num_bins
        self.epsilon = epsilon
        self.learns = bin_boundaries is None  #: whether :meth:`adapt` makes the boundaries
        self._summary = np.empty((2, 0))  # of the data so far: numbers in rising order, and their weights

    def reset_state(self) -> None:
        if not self.learns or self.num_bins is None:
            raise ValueError("Cannot adapt a Discretization layer that was given `bin_boundaries`, or no `num_bins`.")
        super().reset_state()
        self._summary = np.empty((2, 0))

    def update_state(self, data: Any) -> None:
        values = np.sort(np.asarray(data, "float32").reshape(-1))
        step = max(int(len(values) * self.epsilon), 1)
        every = values[int(len(values) * self.epsilon) :: step]
        both = np.concatenate([np.stack([every, np.full(len(every), float(step))]), self._summary], axis=1)
        self._summary = _compressed(both[:, np.argsort(both[0], kind="stable")], self.epsilon)

    def finalize_state(self) -> None:
        if not self._summary.shape[1]:
            raise ValueError("`adapt` got no data.")
        self.bin_boundaries = _compressed(self._summary, 1.0 / self.num_bins)[0, :-1].tolist()

    def _known_boundaries(self) -> list:
        if self.bin_boundaries is None:
            raise ValueError(
                f"The layer {self.name!r} has no boundaries: pass `bin_boundaries`, or `num_bins` and call `adapt(data)` before."
            )
        return self.bin_boundaries

    def call(self, inputs):
        boundaries = self._known_boundaries()
        reached = K.greater_equal(K.expand_dims(K.cast(inputs, "float32"), -1), K.constant(boundaries, "float32"))
        numbers = K.sum(K.cast(reached, "int64"), axis=-1)
        if self.output_mode == "int":
            return numbers
        return _encoded(numbers, len(boundaries) + 1, self.output_mode, K.floatx())

    def get_config(self):
        learns = self.num_bins if self.bin_boundaries is None else None
        return {
            **super().get_config(),
            "bin_boundaries": self.bin_boundaries,
            "num_bins": learns,
            "epsilon": self.epsilon,
        }

    def compute_output_shape(self, input_shape):
        depth = 0 if self.output_mode == "int" else len(self._known_boundaries()) + 1
        return _encoded_shape(input_shape, self.output_mode, depth)


def _compressed(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """A summary of at most ``1 / epsilon`` numbers with their weights, made of a longer one by interpolating its percentiles."""
    if summary.shape[1] * epsilon < 1:
        return summary
    reached = summary[1].cumsum()
    share = reached / reached[-1]
    wanted = epsilon + np.arange(0.0, 1.0, epsilon)
    weights = np.diff(np.interp(wanted, share, reached), prepend=0.0)
    return np.stack([np.interp(wanted, share, summary[0]), weights]).astype("float32")
