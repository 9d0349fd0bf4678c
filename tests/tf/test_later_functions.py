"""Functions of TensorFlow 2 that look at values, or hold state, against NumPy in float64; their gradients by differences."""

import numpy as np
import pytest
from hornbeam import graph as G
from hornbeam.tf import NAMES
from hornbeam.tf.eager import GradientTape

from .test_functions import check, given, norm

pytestmark = pytest.mark.usefixtures("eager")

RNG = np.random.RandomState(1)
S = RNG.uniform(-0.95, 0.95, (3, 4))
A = RNG.uniform(0.1, 9.0, (3, 4))
M = RNG.normal(size=(2, 3, 3)) + 3 * np.eye(3)
P = M @ M.transpose(0, 2, 1)
TALL = RNG.normal(size=(5, 3))
IDS = np.array([2, 0, 2, 0, 3])
ROWS = RNG.uniform(0.5, 2, (5, 2))
NUMBERS = np.array([1, 3, 1, 0, 3, 3])


def of_segments(function, empty, count=5, ids=IDS):
    return np.stack([function(ROWS[ids == i], 0) if (ids == i).any() else np.full(2, empty) for i in range(count)])


def eigen(matrix, function):
    values, vectors = np.linalg.eigh(matrix)
    return vectors * function(values)[:, None, :] @ vectors.transpose(0, 2, 1)


LEAST, LARGEST = np.finfo("float64").min, np.finfo("float64").max

#: name, positional arguments, named arguments, what NumPy says
CASES = [
    ("math.bincount", [NUMBERS], {}, [1, 2, 0, 3]), ("math.bincount", [NUMBERS], {"minlength": 6}, [1, 2, 0, 3, 0, 0]),
    ("math.bincount", [NUMBERS], {"maxlength": 2}, [1, 2]),
    ("math.bincount", [NUMBERS, np.arange(6.0)], {}, [3, 2, 0, 10]),
    ("math.bincount", [np.array([[0, 1, 1], [2, 2, 2]])], {"axis": -1}, [[1, 2, 0], [0, 0, 3]]),
    ("math.bincount", [np.array([[0, 1, 1], [2, 2, 2]])], {"axis": -1, "binary_output": True}, [[1, 1, 0], [0, 0, 1]]),
    ("math.confusion_matrix", [[0, 1, 2, 1], [0, 2, 2, 1]], {}, [[1, 0, 0], [0, 1, 1], [0, 0, 1]]),
    ("math.confusion_matrix", [[0, 1], [0, 1], 3, [0.5, 2.0]], {"dtype": "float32"}, [[0.5, 0, 0], [0, 2, 0], [0, 0, 0]]),
    ("histogram_fixed_width", [[-1.0, 0.0, 1.5, 2.0, 5.0, 15.0], [0.0, 5.0], 5], {}, [2, 1, 1, 0, 2]),
    ("histogram_fixed_width_bins", [[-1.0, 0.0, 1.5, 2.0, 5.0, 15.0], [0.0, 5.0], 5], {}, [0, 0, 1, 2, 4, 4]),
    ("math.unsorted_segment_max", [ROWS, IDS, 5], {}, of_segments(np.max, LEAST)),
    ("math.unsorted_segment_min", [ROWS, IDS, 5], {}, of_segments(np.min, LARGEST)),
    ("math.unsorted_segment_prod", [ROWS, IDS, 5], {}, of_segments(np.prod, 1)),
    ("math.unsorted_segment_max", [ROWS, IDS - 1, 3], {}, of_segments(np.max, LEAST, 4)[1:]),  # negative ones are left out
    ("math.unsorted_segment_sqrt_n", [ROWS, IDS, 5], {}, of_segments(lambda r, axis: r.sum(axis) / len(r) ** 0.5, 0)),
    ("math.segment_max", [ROWS, np.sort(IDS)], {}, of_segments(np.max, 0, 4, np.sort(IDS))),
    ("math.segment_min", [ROWS, np.sort(IDS)], {}, of_segments(np.min, 0, 4, np.sort(IDS))),
    ("math.segment_prod", [ROWS, np.sort(IDS)], {}, of_segments(np.prod, 1, 4, np.sort(IDS))),
    ("searchsorted", [[1.0, 2.0, 2.0, 5.0], [0.0, 2.0, 3.0, 9.0]], {}, [0, 1, 3, 4]),
    ("searchsorted", [[[1, 3], [2, 4]], [[3], [2]], "right"], {}, [[2], [1]]),
    ("unique_with_counts", [np.array([4, 4, 1, 2, 1, 4])], {}, ([4, 1, 2], [0, 0, 1, 2, 1, 0], [3, 2, 1])),
    ("math.invert_permutation", [[3, 4, 0, 2, 1]], {}, [2, 4, 3, 0, 1]),
    ("unravel_index", [[2, 5, 7], [3, 3]], {}, [[0, 1, 2], [2, 2, 1]]),
    ("math.is_non_decreasing", [[1, 1, 2]], {}, True), ("math.is_strictly_increasing", [[1, 1, 2]], {}, False),
    ("dynamic_partition", [ROWS, [0, 2, 0, 0, 2], 3], {}, [ROWS[[0, 2, 3]], ROWS[:0], ROWS[[1, 4]]]),
    ("dynamic_stitch", [[np.array([0, 3]), np.array([2, 1])], [ROWS[:2], ROWS[2:4]]], {}, ROWS[[0, 3, 2, 1]]),
    ("tensor_scatter_nd_max", [np.array([1.0, 5.0, 3.0]), [[0], [1], [0]], np.array([4.0, 2.0, 7.0])], {}, [7, 5, 3]),
    ("tensor_scatter_nd_min", [np.array([1.0, 5.0, 3.0]), [[0], [1], [0]], np.array([4.0, 2.0, -7.0])], {}, [-7, 2, 3]),
    ("linalg.inv", [M], {}, np.linalg.inv(M)), ("linalg.inv", [M], {"adjoint": True}, np.linalg.inv(M).transpose(0, 2, 1)),
    ("linalg.pinv", [TALL], {}, np.linalg.pinv(TALL)), ("linalg.pinv", [TALL.T], {}, np.linalg.pinv(TALL.T)),
    ("linalg.det", [M], {}, np.linalg.det(M)), ("linalg.slogdet", [-M], {}, np.linalg.slogdet(-M)),
    ("linalg.logdet", [P], {}, np.linalg.slogdet(P)[1]),
    ("linalg.solve", [M, P], {}, np.linalg.solve(M, P)),
    ("linalg.solve", [M, P], {"adjoint": True}, np.linalg.solve(M.transpose(0, 2, 1), P)),
    ("linalg.triangular_solve", [M, P], {}, np.linalg.solve(np.tril(M), P)),
    ("linalg.triangular_solve", [M, P, False], {}, np.linalg.solve(np.triu(M), P)),
    ("linalg.cholesky_solve", [np.linalg.cholesky(P), M], {}, np.linalg.solve(P, M)),
    ("linalg.lstsq", [TALL, ROWS], {}, np.linalg.lstsq(TALL, ROWS, rcond=None)[0]),
    ("linalg.lstsq", [TALL.T, ROWS[:3]], {}, np.linalg.lstsq(TALL.T, ROWS[:3], rcond=None)[0]),
    ("linalg.lstsq", [TALL, ROWS, 0.5], {}, np.linalg.solve(TALL.T @ TALL + 0.5 * np.eye(3), TALL.T @ ROWS)),
    ("linalg.cholesky", [P], {}, np.linalg.cholesky(P)), ("linalg.qr", [TALL], {}, np.linalg.qr(TALL)),
    ("linalg.svd", [TALL], {"compute_uv": False}, np.linalg.svd(TALL, compute_uv=False)),
    ("linalg.eigh", [P], {}, np.linalg.eigh(P)), ("linalg.eigvalsh", [P], {}, np.linalg.eigvalsh(P)),
    ("linalg.matrix_rank", [np.ones((3, 3))], {}, 1), ("linalg.sqrtm", [P], {}, eigen(P, np.sqrt)),
    ("linalg.expm", [P / 9], {}, eigen(P / 9, np.exp)), ("linalg.adjoint", [TALL], {}, TALL.T),
    ("linalg.tensor_diag", [np.array([[1, 2]])], {}, np.array([[[[1, 0]], [[0, 2]]]]).transpose(0, 1, 2, 3).reshape(1, 2, 1, 2)),
    ("math.bessel_i0", [A], {}, np.i0(A)), ("math.bessel_i1", [A[:1]], {}, (np.i0(A[:1] + 1e-6) - np.i0(A[:1] - 1e-6)) / 2e-6),
]  # fmt: skip
LOOSE = {"math.bessel_i1": 1e-7}  # its reference is a difference


@pytest.mark.parametrize("name, args, named, expected", CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_values(name, args, named, expected):
    got = NAMES[name](*map(given, args), **{k: given(v) for k, v in named.items()})
    if name in LOOSE:
        np.testing.assert_allclose(got, expected, rtol=LOOSE[name])
    else:
        check(got, expected)


#: of float64 arguments
DIFFERENTIABLE = {
    "linalg.inv": ([M], lambda f, x: f(x)), "linalg.det": ([M], lambda f, x: f(x)), "linalg.logdet": ([P], lambda f, x: f(x)),
    "linalg.solve": ([M, P], lambda f, a, b: f(a, b)), "linalg.triangular_solve": ([M, P], lambda f, a, b: f(a, b)),
    "linalg.cholesky": ([P], lambda f, x: f((x + G.apply("transpose", [x], perm=[0, 2, 1])) * 0.5)),
    "linalg.svd": ([TALL], lambda f, x: f(x, compute_uv=False)), "linalg.eigvalsh": ([P], lambda f, x: f((x + G.apply("transpose", [x], perm=[0, 2, 1])) * 0.5)),
    "linalg.pinv": ([TALL], lambda f, x: f(x)), "linalg.lstsq": ([TALL, ROWS], lambda f, a, b: f(a, b)),
    "linalg.expm": ([P / 9], lambda f, x: f(x)), "math.unsorted_segment_max": ([ROWS], lambda f, x: f(x, [2, 0, 2, 0, 1], 3)),
    "math.unsorted_segment_min": ([ROWS], lambda f, x: f(x, [2, 0, 2, 0, 1], 3)), "math.unsorted_segment_prod": ([ROWS], lambda f, x: f(x, [2, 0, 2, 0, 1], 3)),
    "tensor_scatter_nd_max": ([A[0], A[1]], lambda f, x, y: f(x, [[0], [1], [3], [2]], y)),
    "atan": ([A - 4], lambda f, x: f(x)), "asin": ([S], lambda f, x: f(x)), "acos": ([S], lambda f, x: f(x)),
    "atan2": ([S, S[::-1]], lambda f, y, x: f(y, x)), "math.lgamma": ([A], lambda f, x: f(x)), "math.digamma": ([A], lambda f, x: f(x)),
    "math.erfinv": ([S], lambda f, x: f(x)), "math.cumulative_logsumexp": ([A], lambda f, x: f(x, 1)),
    "math.bessel_i0": ([A[:1]], lambda f, x: f(x)), "math.xlog1py": ([A, A[::-1]], lambda f, x, y: f(x, y)),
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients(name, rng):
    arrays, call = DIFFERENTIABLE[name]
    arrays = [np.array(a) for a in arrays]
    function = NAMES[name]

    def value(*inputs):
        return call(function, *[G.constant(a) for a in inputs])

    weights = rng.uniform(-1, 1, value(*arrays).shape)
    xs = [G.constant(a) for a in arrays]
    with GradientTape() as tape:
        tape.watch(xs)
        total = G.apply("reduce_sum", [call(function, *xs) * weights], axes=list(range(weights.ndim)), keepdims=False)
    for i, found in enumerate(tape.gradient(total, xs)):
        numeric = np.zeros_like(arrays[i])
        for place in np.ndindex(*numeric.shape):
            sums = []
            for step in (1e-6, -1e-6):
                moved = [a.copy() for a in arrays]
                moved[i][place] += step
                sums.append((value(*moved).numpy() * weights).sum())
            numeric[place] = (sums[0] - sums[1]) / 2e-6
        np.testing.assert_allclose(found, numeric, rtol=1e-5, atol=1e-6 * norm(numeric).max())
