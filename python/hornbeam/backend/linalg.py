"""Products of matrices and of batches, by Keras's rules for more than two axes; transpose, gather."""

from __future__ import annotations

from typing import Any

from .. import graph
from ..graph import Tensor
from .math import sum as summed
from .shapes import dims_of, expand_dims, permute_dimensions, reshape
from .variables import int_shape


def dot(x: Tensor, y: Tensor) -> Tensor:
    """Product over the last axis of x and the second to last of y: (2, 3) · (4, 3, 5) has shape (2, 4, 5).

    Raises:
        ValueError: the two axes differ in length.
    """
    x, y = _tensors(x, y)
    if y.ndim == 1:
        return graph.apply("squeeze", [dot(x, reshape(y, (-1, 1)))], axes=[x.ndim - 1])
    if x.ndim == 1:
        return graph.apply("squeeze", [dot(reshape(x, (1, -1)), y)], axes=[0])
    if y.ndim == 2:
        return matrix_product(x, y)
    # The rest of y's axes become the columns of one matrix.
    inner = y.ndim - 2
    rest = [a for a in range(y.ndim) if a != inner]
    x_dims, y_dims = dims_of(x), dims_of(y)
    columns = reshape(permute_dimensions(y, [inner, *rest]), [y_dims[inner], _product(y_dims, rest)])
    return reshape(matrix_product(x, columns), [*x_dims[:-1], *(y_dims[a] for a in rest)])


def matrix_product(x: Tensor, y: Tensor, transpose_x: bool = False, transpose_y: bool = False) -> Tensor:
    """Products of the last two axes, the others broadcast. Those of integers, for which there is no kernel, are summed up."""
    if x.dtype.startswith("float") or x.dtype != y.dtype:
        return graph.apply("matmul", [x, y], transpose_a=transpose_x, transpose_b=transpose_y)
    x, y = (_turned(t) if turned else t for t, turned in ((x, transpose_x), (y, transpose_y)))
    return summed(graph.apply("mul", [expand_dims(x, -1), expand_dims(y, -3)]), axis=-2)


def _turned(x: Tensor) -> Tensor:
    return permute_dimensions(x, [*range(x.ndim - 2), x.ndim - 1, x.ndim - 2])


def _tensors(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Both as tensors; an array takes the dtype of the other."""
    dtype = next((t.dtype for t in (x, y) if isinstance(t, Tensor)), None)
    return graph.convert(x, dtype), graph.convert(y, dtype)


def batch_dot(x: Tensor, y: Tensor, axes: Any = None) -> Tensor:
    """Product of each sample of x with the same sample of y over one axis of each.

    Args:
        x, y: tensors with at least two axes, the first of which is the batch.
        axes: the axis of both, or a pair (axis of x, axis of y). None takes the last of x and the second to last
            of y (the last, if y has two axes).

    Returns:
        A tensor of x's shape without its axis, then y's without batch and axis; (batch, 1) if none is left.

    Raises:
        ValueError: fewer than two axes, the batch axis, several axes, or axes of different lengths.
    """
    x, y = _tensors(x, y)
    x_shape, y_shape = int_shape(x), int_shape(y)
    if x.ndim < 2 or y.ndim < 2:
        raise ValueError(
            f"Can not do batch_dot on inputs with rank < 2. Received inputs with shapes {x_shape} and {y_shape}."
        )
    a, b = _contracted_axes(x, y, axes)
    if None not in (x.shape[a], y.shape[b]) and x.shape[a] != y.shape[b]:
        raise ValueError(
            f"Can not do batch_dot on inputs with shapes {x_shape} and {y_shape} with axes={[a, b]}. "
            f"x.shape[{a}] != y.shape[{b}] ({x.shape[a]} != {y.shape[b]})."
        )
    x_dims, y_dims = dims_of(x), dims_of(y)
    x_rest = [i for i in range(1, x.ndim) if i != a]
    y_rest = [i for i in range(1, y.ndim) if i != b]
    left = permute_dimensions(x, [0, *x_rest, a])
    right = permute_dimensions(y, [0, b, *y_rest])
    if len(x_rest) != 1:
        left = reshape(left, [x_dims[0], _product(x_dims, x_rest), x_dims[a]])
    if len(y_rest) != 1:
        right = reshape(right, [y_dims[0], y_dims[b], _product(y_dims, y_rest)])
    out = matrix_product(left, right)
    if len(x_rest) == len(y_rest) == 1:
        return out
    rest = [x_dims[i] for i in x_rest] + [y_dims[i] for i in y_rest]
    return reshape(out, [x_dims[0], *(rest or [1])])


def _contracted_axes(x: Tensor, y: Tensor, axes: Any) -> tuple[int, int]:
    if axes is None:
        axes = (x.ndim - 1, y.ndim - 1 if y.ndim == 2 else y.ndim - 2)
    elif isinstance(axes, int):
        axes = (axes, axes)
    if any(isinstance(a, (list, tuple)) for a in axes):
        raise ValueError(
            f"Multiple target dimensions are not supported. Expected: None, int, (int, int), Provided: {axes}"
        )
    a, b = (axis + t.ndim if axis < 0 else axis for axis, t in zip(axes, (x, y)))
    if 0 in (a, b):
        raise ValueError(
            "Can not perform batch_dot over axis 0. If your inputs are not batched, add a dummy batch dimension "
            "to your inputs using K.expand_dims(x, 0)"
        )
    return a, b


def _product(dims: list, axes: list[int]) -> Any:
    product: Any = 1
    for axis in axes:
        product = dims[axis] if isinstance(product, int) and product == 1 else product * dims[axis]
    return product


def transpose(x: Tensor) -> Tensor:
    """Reverse the axes."""
    return permute_dimensions(x, list(reversed(range(x.ndim))))


def gather(reference: Tensor, indices: Any) -> Tensor:
    """The slices ``reference[i]`` for each i of an integer tensor: its shape, then reference's without the first axis."""
    if not isinstance(indices, Tensor):
        indices = graph.constant(indices)
    return graph.apply("gather", [reference, indices], axis=0)
