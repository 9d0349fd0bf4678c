"""What a layer expects of its inputs, and the check of it."""

from __future__ import annotations

from .. import backend as K
from ..utils.generic_utils import to_list


class InputSpec:
    """Rank, dtype and shape that a layer expects of one input; None anywhere accepts everything.

    Args:
        dtype: expected dtype.
        shape: expected shape, with None for axes that are not checked.
        ndim: expected rank.
        max_ndim, min_ndim: bounds of the rank.
        axes: dict from axis to the size expected there.
        allow_last_axis_squeeze: where the shape's last axis is 1, inputs may lack it.
        name: of the input.
    """

    def __init__(
        self, dtype=None, shape=None, ndim=None, max_ndim=None, min_ndim=None, axes=None, allow_last_axis_squeeze=False,
        name=None,
    ):  # fmt: skip
        self.dtype = dtype
        self.shape = shape
        self.ndim = len(shape) if shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = axes or {}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name

    def get_config(self):
        """The arguments as plain data."""
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def __repr__(self):
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        return f"InputSpec({', '.join(f'{n}={getattr(self, n)}' for n in names if getattr(self, n))})"


def check_inputs(layer_name: str, input_spec, inputs, hint: str = "") -> None:
    """Raise ValueError where ``inputs`` do not fit ``input_spec`` (an InputSpec or a list of them).

    ``hint`` says what the layer's inputs are and how to make them so; it ends the message about a wrong rank.
    """
    if not input_spec:
        return
    specs = to_list(input_spec)
    inputs = to_list(inputs)
    if len(inputs) != len(specs):
        raise ValueError(
            f"Layer {layer_name} expects {len(specs)} inputs, but it received {len(inputs)} input tensors. "
            f"Input received: {inputs}"
        )
    for index, (x, spec) in enumerate(zip(inputs, specs)):
        if spec is not None:
            problem = _mismatch(spec, x)
            if problem:
                advice = f". {hint}" if hint and "ndim" in problem else ""
                raise ValueError(f"Input {index} is incompatible with layer {layer_name}: {problem}{advice}")


def _mismatch(spec: InputSpec, x) -> str | None:
    shape = K.int_shape(x)
    if spec.allow_last_axis_squeeze and spec.shape and spec.shape[-1] == 1 and len(shape) == len(spec.shape) - 1:
        shape = (*shape, 1)
    if spec.ndim is not None and len(shape) != spec.ndim:
        return f"expected ndim={spec.ndim}, found ndim={len(shape)} (shape {shape})"
    if spec.max_ndim is not None and len(shape) > spec.max_ndim:
        return f"expected max_ndim={spec.max_ndim}, found ndim={len(shape)} (shape {shape})"
    if spec.min_ndim is not None and len(shape) < spec.min_ndim:
        return f"expected min_ndim={spec.min_ndim}, found ndim={len(shape)} (shape {shape})"
    if spec.dtype is not None and K.dtype(x) != spec.dtype:
        return f"expected dtype={spec.dtype}, found dtype={K.dtype(x)}"
    for axis, value in spec.axes.items():
        if value is not None and shape[int(axis)] not in (value, None):
            return f"expected axis {axis} of input shape to have value {value} but got shape {shape}"
    if spec.shape is not None:
        if any(want is not None and dim is not None and want != dim for want, dim in zip(spec.shape, shape)):
            return f"expected shape={spec.shape}, found shape={shape}"
    return None
