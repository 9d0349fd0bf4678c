"""Layers that combine several tensors into one, and a function for each."""

from __future__ import annotations

import functools
from typing import Any

from .. import backend as K
from ..engine.base_layer import Layer


def _need_list(layer: Layer, value: Any, least: int, most: int | None = None) -> None:
    count = len(value) if isinstance(value, list) else None
    if count is None or count < least or (most is not None and count > most):
        amount = f"exactly {least}" if most == least else f"a list of at least {least}"
        raise ValueError(
            f"A `{type(layer).__name__}` layer should be called on {amount} inputs. "
            f"Got {value if count is None else f'{count} inputs'}."
        )


def _mask_list(inputs: Any, mask: Any) -> list | None:
    """The masks, one per input, or None if there are none."""
    if mask is None:
        return None
    if not isinstance(mask, list):
        raise ValueError("`mask` should be a list.")
    if not isinstance(inputs, list):
        raise ValueError("`inputs` should be a list.")
    if len(mask) != len(inputs):
        raise ValueError("The lists `inputs` and `mask` should have the same length.")
    return mask if any(m is not None for m in mask) else None


class _Merge(Layer):
    """Elementwise: inputs broadcast, those with fewer axes after the batch axis."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def _merge_function(self, inputs: list) -> Any:
        raise NotImplementedError

    def build(self, input_shape):
        _need_list(self, input_shape, 2)
        batches = {shape[0] for shape in input_shape} - {None}
        if len(batches) > 1:
            raise ValueError(
                f"Can not merge tensors with different batch sizes. Got tensors with shapes : {input_shape}"
            )
        self.compute_output_shape(input_shape)
        self.built = True

    def call(self, inputs):
        _need_list(self, inputs, 1)
        rank = max(x.ndim for x in inputs)
        same_rank = []
        for x in inputs:
            while x.ndim < rank:
                x = K.expand_dims(x, 1)
            same_rank.append(x)
        return self._merge_function(same_rank)

    def compute_output_shape(self, input_shape):
        batches = {shape[0] for shape in input_shape} - {None}
        rest = functools.reduce(_broadcast, [tuple(shape[1:]) for shape in input_shape])
        return (batches.pop() if len(batches) == 1 else None, *rest)

    def compute_mask(self, inputs, mask=None):
        masks = _mask_list(inputs, mask)
        if masks is None:
            return None
        return K.all(K.stack([m for m in masks if m is not None]), axis=0)


def _broadcast(a: tuple, b: tuple) -> tuple:
    """The shape of two shapes broadcast; unknown dims stay unknown."""
    if len(a) < len(b):
        a, b = b, a
    head, tail = a[: len(a) - len(b)], a[len(a) - len(b) :]
    dims = []
    for m, n in zip(tail, b):
        if m is not None and n is not None and m != n and 1 not in (m, n):
            raise ValueError(f"Operands could not be broadcast together with shapes {a} {b}")
        dims.append(None if None in (m, n) else max(m, n) if 0 not in (m, n) else 0)
    return (*head, *dims)


class Add(_Merge):
    """The sum of all inputs."""

    def _merge_function(self, inputs):
        return functools.reduce(lambda a, b: a + b, inputs)


class Subtract(_Merge):
    """The first input minus the second."""

    def build(self, input_shape):
        _need_list(self, input_shape, 2, 2)
        super().build(input_shape)

    def call(self, inputs):
        _need_list(self, inputs, 2, 2)
        return super().call(inputs)

    def _merge_function(self, inputs):
        return inputs[0] - inputs[1]


class Multiply(_Merge):
    """The product of all inputs."""

    def _merge_function(self, inputs):
        return functools.reduce(lambda a, b: a * b, inputs)


class Average(_Merge):
    """The mean of all inputs."""

    def _merge_function(self, inputs):
        return functools.reduce(lambda a, b: a + b, inputs) / len(inputs)


class Maximum(_Merge):
    """The largest of all inputs, place by place."""

    def _merge_function(self, inputs):
        return functools.reduce(K.maximum, inputs)


class Minimum(_Merge):
    """The smallest of all inputs, place by place."""

    def _merge_function(self, inputs):
        return functools.reduce(K.minimum, inputs)


class Concatenate(_Merge):
    """Join inputs along ``axis``; their other dims are equal."""

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape):
        _need_list(self, input_shape, 2)
        first, *others = [_without(shape, self.axis) for shape in input_shape]
        if any(other != first for other in others):
            raise ValueError(
                "A `Concatenate` layer requires inputs with matching shapes except for the concat axis. "
                f"Got inputs shapes: {input_shape}"
            )
        self.built = True

    def call(self, inputs):
        _need_list(self, inputs, 1)
        return K.concatenate(inputs, axis=self.axis)

    def compute_output_shape(self, input_shape):
        _need_list(self, input_shape, 1)
        shape = list(input_shape[0])
        lengths = [s[self.axis] for s in input_shape]
        shape[self.axis] = None if None in lengths else sum(lengths)
        return tuple(shape)

    def compute_mask(self, inputs, mask=None):
        masks = _mask_list(inputs, mask)
        if masks is None:
            return None
        full = []
        for x, m in zip(inputs, masks):
            if m is None:
                full.append(K.ones_like(x, dtype="bool"))
            else:
                full.append(K.expand_dims(m) if m.ndim < x.ndim else m)
        return K.all(K.concatenate(full, axis=self.axis), axis=-1)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


def _without(shape: tuple, axis: int) -> list:
    rest = list(shape)
    del rest[axis]
    return rest


class Dot(_Merge):
    """The product of each sample of one input with the same sample of another, over one axis of each.

    Args:
        axes: the axis of both inputs, or a pair.
        normalize: scale both to length 1 along the axis first, which gives the cosine.

    Raises:
        TypeError, ValueError: axes that are neither a number nor a pair of numbers.
    """

    def __init__(self, axes, normalize=False, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(axes, int):
            if not isinstance(axes, (list, tuple)):
                raise TypeError("Invalid type for `axes` - should be a list or an int.")
            if len(axes) != 2:
                raise ValueError("Invalid format for `axes` - should contain two elements.")
            if not all(isinstance(a, int) for a in axes):
                raise ValueError('Invalid format for `axes` - list elements should be "int".')
        self.axes = axes
        self.normalize = normalize

    def _axes_of(self, shapes: list) -> list[int]:
        """The axis of each input, counted from 0."""
        axes = [self.axes] * 2 if isinstance(self.axes, int) else self.axes
        return [axis % len(shape) for axis, shape in zip(axes, shapes)]

    def build(self, input_shape):
        _need_list(self, input_shape, 2, 2)
        a, b = self._axes_of(input_shape)
        m, n = input_shape[0][a], input_shape[1][b]
        if m != n:
            raise ValueError(f"Dimension incompatibility {m} != {n}. Layer shapes: {input_shape[0]}, {input_shape[1]}")
        self.built = True

    def call(self, inputs):
        _need_list(self, inputs, 2, 2)
        axes = self._axes_of([x.shape for x in inputs])
        if self.normalize:
            inputs = [K.l2_normalize(x, axis=axis) for x, axis in zip(inputs, axes)]
        return K.batch_dot(*inputs, axes)

    def compute_output_shape(self, input_shape):
        _need_list(self, input_shape, 2, 2)
        a, b = self._axes_of(input_shape)
        shape = (*_without(input_shape[0], a), *_without(input_shape[1], b)[1:])
        return shape if len(shape) > 1 else (*shape, 1)

    def compute_mask(self, inputs, mask=None):
        return None

    def get_config(self):
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


# -- the same as functions of a list of tensors; keywords go to the layer -------------------------------------
def add(inputs, **kwargs):
    """:class:`Add` of the inputs."""
    return Add(**kwargs)(inputs)


def subtract(inputs, **kwargs):
    """:class:`Subtract` of the inputs."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs, **kwargs):
    """:class:`Multiply` of the inputs."""
    return Multiply(**kwargs)(inputs)


def average(inputs, **kwargs):
    """:class:`Average` of the inputs."""
    return Average(**kwargs)(inputs)


def maximum(inputs, **kwargs):
    """:class:`Maximum` of the inputs."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs, **kwargs):
    """:class:`Minimum` of the inputs."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs, axis=-1, **kwargs):
    """:class:`Concatenate` of the inputs."""
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs, axes, normalize=False, **kwargs):
    """:class:`Dot` of the inputs."""
    return Dot(axes=axes, normalize=normalize, **kwargs)(inputs)
