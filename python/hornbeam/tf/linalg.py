"""Products of tensors and diagonals of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import graph
from ..backend.einsum import einsum as summed
from ..graph import Tensor
from . import k as K
from .common import dims, number, product, tensor, tensors
from .create import eye
from .table import function


@function("linalg.matmul", "matmul", "batch_matmul")
def matmul(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, adjoint_a: bool = False,
    adjoint_b: bool = False, a_is_sparse: bool = False, b_is_sparse: bool = False, output_type: Any = None,
    name: Any = None, adj_x: bool = False, adj_y: bool = False,
) -> Tensor:  # fmt: skip
    left, right = tensors(a, b)
    turn_left, turn_right = transpose_a or adjoint_a or adj_x, transpose_b or adjoint_b or adj_y
    return K.matrix_product(left, right, bool(turn_left), bool(turn_right))


@function("linalg.matvec")
def matvec(a: Any, b: Any, transpose_a: bool = False, adjoint_a: bool = False, name: Any = None) -> Tensor:
    a, b = tensors(a, b)
    return K.squeeze(matmul(a, K.expand_dims(b, -1), transpose_a=transpose_a or adjoint_a), -1)


@function("tensordot", "linalg.tensordot")
def tensordot(a: Any, b: Any, axes: Any, name: Any = None) -> Tensor:
    """The sum of products over pairs of axes: the last n of a and the first n of b, or two lists of axes."""
    a, b = tensors(a, b)
    if np.ndim(axes) == 0:
        n = number(axes)
        left, right = list(range(a.ndim - n, a.ndim)), list(range(n))
    else:
        left, right = ([int(i) % t.ndim for i in np.ravel(side)] for t, side in zip((a, b), axes))
    rest_a, rest_b = ([i for i in range(t.ndim) if i not in used] for t, used in ((a, left), (b, right)))
    size_a, size_b = dims(a), dims(b)
    shared = product([size_a[i] for i in left])
    rows = K.reshape(K.permute_dimensions(a, [*rest_a, *left]), [product([size_a[i] for i in rest_a]), shared])
    columns = K.reshape(K.permute_dimensions(b, [*right, *rest_b]), [shared, product([size_b[i] for i in rest_b])])
    return K.reshape(K.matrix_product(rows, columns), [size_a[i] for i in rest_a] + [size_b[i] for i in rest_b])


@function("einsum", "linalg.einsum")
def einsum(equation: str, *inputs: Any, name: Any = None, optimize: Any = None) -> Tensor:
    operands = inputs[0] if len(inputs) == 1 and isinstance(inputs[0], (list, tuple)) else inputs
    return summed(equation, *tensors(*operands))


# -- diagonals ------------------------------------------------------------------------------------------------
@function("linalg.diag", "matrix_diag", "diag")
def diag(diagonal: Any, name: Any = None) -> Tensor:
    """Matrices with the last axis of ``diagonal`` as their diagonal."""
    diagonal = tensor(diagonal)
    n = dims(diagonal)[-1]
    return K.expand_dims(diagonal, -1) * eye(n, dtype=diagonal.dtype)


@function("linalg.diag_part", "matrix_diag_part", "diag_part", "linalg.tensor_diag_part")
def diag_part(input: Any, name: Any = None) -> Tensor:
    x = tensor(input)
    rows, columns = dims(x)[-2:]
    chosen = eye(rows, columns, dtype="bool")
    kept = graph.apply("select", [chosen, x, tensor(0, x.dtype)])
    if isinstance(rows, int) and isinstance(columns, int) and rows > columns:
        return K.sum(kept, axis=-2)
    return K.sum(kept, axis=-1)


@function("linalg.set_diag", "matrix_set_diag")
def set_diag(input: Any, diagonal: Any, name: Any = None) -> Tensor:
    x, diagonal = tensors(input, diagonal)
    rows, columns = dims(x)[-2:]
    return graph.apply("select", [eye(rows, columns, dtype="bool"), K.expand_dims(diagonal, -1), x])


@function("linalg.trace", "trace")
def trace(x: Any, name: Any = None) -> Tensor:
    return K.sum(diag_part(x), axis=-1)


@function("linalg.band_part", "matrix_band_part")
def band_part(input: Any, num_lower: Any, num_upper: Any, name: Any = None) -> Tensor:
    """Zeros but for a band around the diagonal; a negative number keeps all on its side."""
    x = tensor(input)
    rows, columns = dims(x)[-2:]
    below = K.expand_dims(K.arange(rows, dtype="int64"), 1) - K.expand_dims(K.arange(columns, dtype="int64"), 0)
    inside: Any = None
    for size, distance in ((number(num_lower), below), (number(num_upper), -below)):
        if size >= 0:
            near = graph.apply("less_equal", [distance, size])
            inside = near if inside is None else graph.apply("logical_and", [inside, near])
    return x if inside is None else graph.apply("select", [inside, x, tensor(0, x.dtype)])


@function("linalg.cross", "cross")
def cross(a: Any, b: Any, name: Any = None) -> Tensor:
    """The cross product of vectors of length 3 in the last axis."""
    a, b = tensors(a, b)
    parts = [a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return K.stack(parts, axis=-1)
