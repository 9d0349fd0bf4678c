"""A dense layer over axes that an equation names: a layer of tf.keras, beyond Keras 2.3.1."""

from __future__ import annotations

import re

from .. import activations
from ..backend.einsum import einsum
from ..engine.base_layer import Layer
from .options import add_weight, option_names, options_config, options_in, set_options

_OPTIONS = (*option_names("kernel", "bias"), "activity_regularizer")


class EinsumDense(Layer):
    """``activation(einsum(equation, inputs, kernel) + bias)``.

    Args:
        equation: as ``"abc,cd->abd"``: the input's axes, the kernel's, the output's. ``...`` may stand for the first or
            the last axes of input and output.
        output_shape: lengths of the output's axes without the batch (and without ``...``); None where it is the input's.
        activation: by name or as a function; None is linear.
        bias_axes: letters of the output's axes that the bias has; None for no bias.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint: by name, config or as functions.

    Weights: kernel, with the axes that the equation gives it; bias, from the first of ``bias_axes`` on, with length 1 in
    the axes between that it does not have.

    Raises:
        ValueError: (when built) an equation of another form, or one that leaves a length of the kernel open.
    """

    def __init__(
        self,
        equation,
        output_shape,
        activation=None,
        bias_axes=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.equation = equation
        self.partial_output_shape = list(output_shape) if isinstance(output_shape, (list, tuple)) else [output_shape]
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        set_options(self, **options_in(locals()))

    def _parts(self) -> tuple[str, str, str, str, str]:
        """The letters of input, kernel and output, and a dot for ``...`` if it comes first, or if it comes last."""
        text = self.equation.replace(" ", "").replace("...", ".")
        found = re.fullmatch(r"(\.?)([a-zA-Z]+)(\.?),([a-zA-Z]+)->(\.?)([a-zA-Z]+)(\.?)", text)
        if found is None or found.group(1, 3) != found.group(5, 7) or found[1] + found[3] == "..":
            raise ValueError(
                f"Invalid equation {self.equation!r}: it must be like 'ab,bc->ac', '...ab,bc->...ac' or 'ab...,bc->ac...'."
            )
        return found[2], found[4], found[6], found[1], found[3]

    def _lengths(self, input_shape: tuple) -> dict[str, int | None]:
        """The length of each axis of input and output by its letter; None where it is not known."""
        inputs, _, output, first, _ = self._parts()
        lengths = dict(zip(inputs, input_shape[-len(inputs) :] if first else input_shape))
        # The batch is the first axis: one of `...`, where that comes first.
        wanted = self.partial_output_shape if first else [input_shape[0], *self.partial_output_shape]
        if len(wanted) != len(output):
            raise ValueError(
                f"`output_shape` {self.partial_output_shape} does not fit the output of {self.equation!r}."
            )
        for c, length in zip(output, wanted):
            if None not in (lengths.get(c), length) and lengths[c] != length:
                raise ValueError(
                    f"Axis {c!r} of {self.equation!r} has length {lengths[c]} in the input, but {length} in the output."
                )
            lengths[c] = length if lengths.get(c) is None else lengths[c]
        return lengths

    def build(self, input_shape):
        inputs, kernel, output, _, last = self._parts()
        lengths = self._lengths(input_shape)
        self.kernel = add_weight(self, "kernel", tuple(self._known(c, lengths) for c in kernel))
        self.bias = None
        if self.bias_axes:
            if not set(self.bias_axes) <= set(output):
                raise ValueError(
                    f"The bias has axes {self.bias_axes!r}, but the output of {self.equation!r} has {output!r}."
                )
            covered = output[min(map(output.index, self.bias_axes)) :]
            shape = [self._known(c, lengths) if c in self.bias_axes else 1 for c in covered]
            shape += [1] * (len(input_shape) - len(inputs) if last else 0)
            self.bias = add_weight(self, "bias", tuple(shape))
        self.built = True

    def _known(self, letter: str, lengths: dict) -> int:
        if lengths.get(letter) is None:
            raise ValueError(f"Axis {letter!r} of the weights of {self.equation!r} has no known length.")
        return lengths[letter]

    def call(self, inputs):
        outputs = einsum(self.equation, inputs, self.kernel)
        return self.activation(outputs if self.bias is None else outputs + self.bias)

    def compute_mask(self, inputs, mask=None):  # whose axes the equation may have moved
        return None

    def get_config(self):
        own = {
            "output_shape": self.partial_output_shape,
            "equation": self.equation,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
        }
        return {**super().get_config(), **own, **options_config(self, *_OPTIONS)}

    def compute_output_shape(self, input_shape):
        inputs, _, output, first, last = self._parts()
        lengths, elided = self._lengths(input_shape), len(input_shape) - len(inputs)
        before = input_shape[:elided] if first else ()
        return (*before, *(lengths[c] for c in output), *(input_shape[len(inputs) :] if last else ()))
