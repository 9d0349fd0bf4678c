"""``tf.linalg``: inverses, factors, eigenvalues. LAPACK computes them by way of NumPy; their gradients are formulas."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor
from . import k as K
from .common import dims, tensor, tensors
from .custom import differentiable, on_values
from .layout import matrix_transpose
from .linalg import band_part, diag, diag_part, matmul
from .table import for_scripts


def _t(x: Tensor) -> Tensor:
    return matrix_transpose(x)


def _wide(call: Any) -> Any:
    """LAPACK's function, of float16 in float32."""

    def compute(*arrays: np.ndarray) -> Any:
        dtype = arrays[0].dtype
        return np.asarray(call(*[a.astype("float32") if a.dtype == "float16" else a for a in arrays])).astype(dtype)

    return compute


# -- inverses and determinants -------------------------------------------------------------------------------------------
@for_scripts("linalg.inv", "matrix_inverse")
def inv(input: Any, adjoint: bool = False, name: Any = None) -> Tensor:
    """The inverses of square matrices.

    Raises:
        ValueError: one has none.
    """
    y = differentiable(_wide(np.linalg.inv), lambda y, g: [-matmul(matmul(_t(y), g), _t(y))], tensor(input))
    return _t(y) if adjoint else y


@for_scripts("linalg.pinv")
def pinv(a: Any, rcond: Any = None, validate_args: bool = False, name: Any = None) -> Tensor:
    """The pseudoinverse; differentiated as that of a matrix of full rank."""
    x = tensor(a)
    rows, columns = dims(x)[-2:]
    if rows >= columns:
        gram_inverse = inv(matmul(_t(x), x))
        return matmul(gram_inverse, _t(x))
    return matmul(_t(x), inv(matmul(x, _t(x))))


@for_scripts("linalg.det", "matrix_determinant")
def det(input: Any, name: Any = None) -> Tensor:
    x = tensor(input)
    return differentiable(
        _wide(np.linalg.det), lambda y, g: [K.expand_dims(K.expand_dims(g * y, -1), -1) * _t(inv(x))], x
    )


_LogDet = namedtuple("_LogDet", "sign log_abs_determinant")


@for_scripts("linalg.slogdet")
def slogdet(input: Any, name: Any = None) -> _LogDet:
    """The sign of the determinant and the logarithm of its size."""
    x = tensor(input)
    size = differentiable(
        _wide(lambda a: np.linalg.slogdet(a)[1]), lambda y, g: [K.expand_dims(K.expand_dims(g, -1), -1) * _t(inv(x))], x
    )
    return _LogDet(on_values(_wide(lambda a: np.linalg.slogdet(a)[0]), x), size)


@for_scripts("linalg.logdet")
def logdet(matrix: Any, name: Any = None) -> Tensor:
    """Of positive definite matrices."""
    return slogdet(matrix).log_abs_determinant


# -- equations ---------------------------------------------------------------------------------------------------------------
@for_scripts("linalg.solve", "matrix_solve")
def solve(matrix: Any, rhs: Any, adjoint: bool = False, name: Any = None) -> Tensor:
    """x with ``matrix @ x = rhs``."""
    a, b = tensors(matrix, rhs)
    a = _t(a) if adjoint else a

    def rule(x: Tensor, g: Tensor) -> list[Tensor]:
        to_b = solve(_t(a), g)
        return [graph.unbroadcast(-matmul(to_b, x, transpose_b=True), a), graph.unbroadcast(to_b, b)]

    return differentiable(_wide(np.linalg.solve), rule, a, b)


@for_scripts("linalg.triangular_solve", "matrix_triangular_solve")
def triangular_solve(matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: Any = None) -> Tensor:
    """As :func:`solve`, by one triangle of the matrix."""
    a = band_part(tensor(matrix), -1, 0) if lower else band_part(tensor(matrix), 0, -1)
    return solve(a, rhs, adjoint)


@for_scripts("linalg.cholesky_solve", "cholesky_solve")
def cholesky_solve(chol: Any, rhs: Any, name: Any = None) -> Tensor:
    """x with ``chol @ chol.T @ x = rhs``."""
    return triangular_solve(chol, triangular_solve(chol, rhs), adjoint=True)


@for_scripts("linalg.lstsq", "matrix_solve_ls")
def lstsq(matrix: Any, rhs: Any, l2_regularizer: float = 0.0, fast: bool = True, name: Any = None) -> Tensor:
    """x that makes ``|matrix @ x - rhs|² + l2_regularizer |x|²`` least, of matrices of full rank."""
    a, b = tensors(matrix, rhs)
    rows, columns = dims(a)[-2:]
    small = columns if rows >= columns else rows
    gram = matmul(_t(a), a) if rows >= columns else matmul(a, _t(a))
    gram = gram + l2_regularizer * graph.constant(np.eye(small, dtype=a.dtype))
    return solve(gram, matmul(_t(a), b)) if rows >= columns else matmul(_t(a), solve(gram, b))


# -- factors -------------------------------------------------------------------------------------------------------------------
@for_scripts("linalg.cholesky", "cholesky")
def cholesky(input: Any, name: Any = None) -> Tensor:
    """The lower triangular factor of positive definite matrices.

    Raises:
        ValueError: one is not positive definite.
    """

    def rule(low: Tensor, g: Tensor) -> list[Tensor]:
        inner = matmul(_t(low), band_part(g, -1, 0))
        inner = band_part(inner, -1, 0) - 0.5 * diag(diag_part(inner))
        back = inv(low)
        full = matmul(matmul(_t(back), inner), back)
        return [0.5 * (full + _t(full))]

    return differentiable(_wide(np.linalg.cholesky), rule, tensor(input))


_QR = namedtuple("_QR", "q r")


@for_scripts("linalg.qr", "qr")
def qr(input: Any, full_matrices: bool = False, name: Any = None) -> _QR:
    """An orthogonal and an upper triangular factor; they have no gradient here."""
    mode: Any = "complete" if full_matrices else "reduced"
    return _QR(*on_values(lambda a: list(np.linalg.qr(a, mode=mode)), input))


@for_scripts("linalg.svd", "svd")
def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: Any = None) -> Any:
    """Singular values s, largest first, and u and v with ``tensor = u diag(s) v.T``. The values may be differentiated."""
    x = graph.convert(tensor)
    u, v = on_values(_left_and_right(full_matrices), x)
    k = min(dims(x)[-2:])

    def rule(y: Tensor, g: Tensor) -> list[Tensor]:
        return [matmul(u[..., :k] * K.expand_dims(g, -2), v[..., :k], transpose_b=True)]

    s = differentiable(_wide(lambda a: np.linalg.svd(a, compute_uv=False)), rule, x)
    return (s, u, v) if compute_uv else s


def _left_and_right(full: bool) -> Any:
    def compute(a: np.ndarray) -> list:
        u, _, vt = np.linalg.svd(a, full)
        return [u, np.swapaxes(vt, -1, -2)]

    return compute


@for_scripts("linalg.eigh", "self_adjoint_eig")
def eigh(tensor: Any, name: Any = None) -> tuple[Tensor, Tensor]:
    """Eigenvalues of symmetric matrices, the least first, and vectors in columns. The values may be differentiated."""
    x = graph.convert(tensor)
    vectors = on_values(_wide(lambda a: np.linalg.eigh(a)[1]), x)

    def rule(y: Tensor, g: Tensor) -> list[Tensor]:
        return [matmul(vectors * K.expand_dims(g, -2), vectors, transpose_b=True)]

    return differentiable(_wide(np.linalg.eigvalsh), rule, x), vectors


@for_scripts("linalg.eigvalsh", "self_adjoint_eigvals")
def eigvalsh(tensor: Any, name: Any = None) -> Tensor:
    return eigh(tensor)[0]


@for_scripts("linalg.matrix_rank")
def matrix_rank(a: Any, tol: Any = None, validate_args: bool = False, name: Any = None) -> Tensor:
    return on_values(lambda m: np.linalg.matrix_rank(m, tol).astype("int32"), a)


# -- functions of matrices -------------------------------------------------------------------------------------------------------
@for_scripts("linalg.sqrtm", "matrix_square_root")
def sqrtm(input: Any, name: Any = None) -> Tensor:
    """The square root of matrices with positive eigenvalues, by Denman and Beavers' iteration; without a gradient."""

    def compute(a: np.ndarray) -> np.ndarray:
        y, z = a.astype("float64"), np.broadcast_to(np.eye(a.shape[-1]), a.shape)
        for _ in range(60):
            y, z = (y + np.linalg.inv(z)) / 2, (z + np.linalg.inv(y)) / 2
        return y.astype(a.dtype)

    return on_values(compute, input)


@for_scripts("linalg.expm")
def expm(input: Any, name: Any = None) -> Tensor:
    """The exponential of matrices: a Taylor series of a small part, squared again."""
    x = tensor(input)
    halvings = 8
    small = x * 0.5**halvings
    n = dims(x)[-1]
    one = graph.constant(np.eye(n, dtype=x.dtype))
    total: Any = one + 0.0 * x
    for k in range(14, 0, -1):
        total = one + matmul(small, total) / float(k)
    for _ in range(halvings):
        total = matmul(total, total)
    return total


@for_scripts("linalg.adjoint")
def adjoint(matrix: Any, name: Any = None) -> Tensor:
    return _t(tensor(matrix))


@for_scripts("linalg.tensor_diag")
def tensor_diag(diagonal: Any, name: Any = None) -> Tensor:
    """Zeros, but at places whose second half repeats the first."""
    x = tensor(diagonal)
    shape = dims(x)
    n = int(np.prod(shape))
    return K.reshape(diag(K.reshape(x, [n])), [*shape, *shape])
