"""Products of tensors and diagonals of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend as K
from .. import graph
from ..graph import Tensor
from .common import dims, number, product, tensor, tensors
from .create import eye
from .table import function


@function("linalg.matmul", "matmul", "batch_matmul")
def matmul(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, adjoint_a: bool = False,
    adjoint_b: bool = False, a_is_sparse: bool = False, b_is_sparse: bool = False, output_type: Any = None,
    name: Any = None, adj_x: bool = False, adj_y: bool = False,
) -> Tensor:  # fmt: skip
    return graph.apply(
        "matmul", [*tensors(a, b), None],
        transpose_a=bool(transpose_a or adjoint_a or adj_x), transpose_b=bool(transpose_b or adjoint_b or adj_y),
        activation="linear",
    )  # fmt: skip


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
    return K.reshape(graph.apply("matmul", [rows, columns]), [size_a[i] for i in rest_a] + [size_b[i] for i in rest_b])


@function("einsum", "linalg.einsum")
def einsum(equation: str, *inputs: Any, name: Any = None, optimize: Any = None) -> Tensor:
    """Einstein's sums; an ellipsis stands for the axes that have no letter.

    Operands are joined two by two, each time by one product of matrices.

    Raises:
        ValueError: letters do not fit the operands, or one stands twice in an operand.
    """
    operands = tensors(*(inputs[0] if len(inputs) == 1 and isinstance(inputs[0], (list, tuple)) else inputs))
    terms, result = _letters(equation, [t.ndim for t in operands])
    letters, x = terms[0], operands[0]
    for i in range(1, len(operands)):
        later = set(result).union(*terms[i + 1 :])
        letters, x = _join(letters, x, terms[i], operands[i], later)
    letters, x = _summed(letters, x, set(result))
    return K.permute_dimensions(x, [letters.index(c) for c in result])


def _letters(equation: str, ranks: list[int]) -> tuple[list[str], str]:
    """The letters of each operand and of the result, with capitals that are not used in place of an ellipsis."""
    left, arrow, result = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"tf.einsum: {equation!r} is for {len(terms)} tensors, got {len(ranks)}")
    free = [c for c in map(chr, [*range(65, 91), *range(97, 123)]) if c not in equation]
    widest = max((rank - len(term) + 3 for term, rank in zip(terms, ranks) if "..." in term), default=0)
    dots = "".join(free[:widest])
    named = []
    for term, rank in zip(terms, ranks):
        count = rank - len(term.replace("...", ""))
        term = term.replace("...", dots[len(dots) - count :] if count > 0 else "")
        if len(term) != rank or len(set(term)) != rank:
            raise ValueError(f"tf.einsum: {equation!r} does not fit a tensor of {rank} axes")
        named.append(term)
    if not arrow:
        every = "".join(named)
        result = "..." * bool(dots) + "".join(sorted(c for c in set(every) - set(dots) if every.count(c) == 1))
    result = result.replace("...", dots)
    if len(set(result)) != len(result) or not set(result) <= set("".join(named)):
        raise ValueError(f"tf.einsum: the result of {equation!r} has letters that no tensor has, or one twice")
    return named, result


def _summed(letters: str, x: Tensor, kept: set[str]) -> tuple[str, Tensor]:
    gone = [i for i, c in enumerate(letters) if c not in kept]
    return "".join(c for c in letters if c in kept), K.sum(x, axis=gone) if gone else x


def _join(a: str, x: Tensor, b: str, y: Tensor, later: set[str]) -> tuple[str, Tensor]:
    """The product of two operands, summed over the letters of both that nothing needs later."""
    a, x = _summed(a, x, set(b) | later)
    b, y = _summed(b, y, set(a) | later)
    both = [c for c in a if c in b and c in later]
    summed = [c for c in a if c in b and c not in later]
    only_a, only_b = ([c for c in own if c not in other] for own, other in ((a, b), (b, a)))
    sizes = dict(zip(b, dims(y))) | {c: n for c, n in zip(a, dims(x)) if not isinstance(n, int) or n != 1 or c not in b}
    size_x, size_y = dict(zip(a, dims(x))), dict(zip(b, dims(y)))
    x = K.permute_dimensions(x, [a.index(c) for c in [*both, *only_a, *summed]])
    y = K.permute_dimensions(y, [b.index(c) for c in [*both, *summed, *only_b]])
    rows, columns, shared = (product([sizes[c] for c in part]) for part in (only_a, only_b, summed))
    x = K.reshape(x, [*(size_x[c] for c in both), rows, shared])
    y = K.reshape(y, [*(size_y[c] for c in both), shared, columns])
    joined = graph.apply("matmul", [x, y])
    letters = [*both, *only_a, *only_b]
    return "".join(letters), K.reshape(joined, [sizes[c] for c in letters])


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
