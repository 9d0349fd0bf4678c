"""TensorFlow's functions against NumPy in float64, by the names and arguments that scripts call them with."""

import colorsys
import math
from statistics import NormalDist

import numpy as np
import pytest
from checks import check_gradients
from hornbeam import graph
from hornbeam import tf as table

from . import names_page

RNG = np.random.RandomState(0)  # of the cases below; tests draw from the fixture
A = RNG.uniform(0.1, 2.0, (2, 3, 4))
B = RNG.uniform(0.1, 2.0, (2, 3, 4))
S = RNG.uniform(-0.9, 0.9, (3, 4))
M = RNG.normal(size=(4, 4))
IMAGES = RNG.uniform(size=(2, 6, 8, 3))
OTHERS = np.clip(IMAGES + RNG.normal(0, 0.1, IMAGES.shape), 0, 1)
I = np.array([[2, 0], [1, 1]])
V = np.array([3.0, -1.0, 2.0, 0.0])


def f(*shape):
    return RNG.normal(size=shape)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis=-1):
    e = np.exp(x)
    return e / e.sum(axis, keepdims=True)


def norm(x, axis=None):
    return np.sqrt((x**2).sum(axis, keepdims=True))


def conv2d(x, w, step=1, rate=1):
    """Valid convolution, place by place."""
    height, width = (x.shape[i + 1] - rate * (w.shape[i] - 1) for i in (0, 1))
    y = np.zeros((x.shape[0], len(range(0, height, step)), len(range(0, width, step)), w.shape[3]))
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            y += x[:, rate * i : rate * i + height : step, rate * j : rate * j + width : step] @ w[i, j]
    return y


def windows(x, n, step):
    rows, columns = ((x.shape[i] - n) // step + 1 for i in (1, 2))
    return np.stack(
        [x[:, step * i : step * i + n, step * j : step * j + n] for i in range(rows) for j in range(columns)], 1
    ).reshape(x.shape[0], rows, columns, n, n, x.shape[3])


def resized(x, size, place, taps):
    """Along both axes: ``place(i, before, after)`` in the image, ``taps(distance)`` weighs the pixels around."""
    for axis, after in ((1, size[0]), (2, size[1])):
        before = x.shape[axis]
        matrix = np.zeros((after, before))
        for i in range(after):
            at = place(i, before, after)
            for pixel, weight in taps(at, before):
                matrix[i, min(max(pixel, 0), before - 1)] += weight
        x = np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)
    return x


def legacy(i, before, after):
    return i * before / after


def half(i, before, after):
    return (i + 0.5) * before / after - 0.5


def corners(i, before, after):
    return i * (before - 1) / max(after - 1, 1)


def linear(at, before):
    low = math.floor(at)
    return [(low, 1 - at + low), (low + 1, at - low)]


def cubic(a, edges):
    def taps(at, before):
        low = math.floor(at)
        found = []
        for pixel in range(low - 1, low + 3):
            d = abs(at - pixel)
            near, far = ((a + 2) * d - (a + 3)) * d * d + 1, ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
            found.append((pixel, near if d <= 1 else far))
        if edges:
            found = [(p, w) for p, w in found if 0 <= p < before]
            found = [(p, w / sum(w for _, w in found)) for p, w in found]
        return found

    return taps


def gaussian():
    g = np.exp(-0.5 * ((np.arange(5) - 2) / 1.5) ** 2)
    return np.outer(g, g) / np.outer(g, g).sum()


def ssim_parts(a, b):
    def blur(x):
        return np.stack([conv2d(x[..., c : c + 1], gaussian()[:, :, None, None])[..., 0] for c in range(3)], -1)

    ma, mb, c1, c2 = blur(a), blur(b), 0.01**2, 0.03**2
    contrast = (2 * (blur(a * b) - ma * mb) + c2) / (blur(a * a) + blur(b * b) - ma**2 - mb**2 + c2)
    return ((2 * ma * mb + c1) / (ma**2 + mb**2 + c1) * contrast).mean((1, 2)), contrast.mean((1, 2))


def halved(x):
    return windows(x, 2, 2).mean((3, 4))


def cropped(image, box, size):
    """A box of one image, corners on corners; outside is 9."""
    y1, x1, y2, x2 = box
    height, width = image.shape[:2]
    out = np.full((*size, image.shape[2]), 9.0)
    for i in range(size[0]):
        for j in range(size[1]):
            y = (y1 + i * (y2 - y1) / (size[0] - 1)) * (height - 1)
            x = (x1 + j * (x2 - x1) / (size[1] - 1)) * (width - 1)
            if 0 <= y <= height - 1 and 0 <= x <= width - 1:
                low, left = int(y), int(x)
                down, right = min(low + 1, height - 1), min(left + 1, width - 1)
                top = image[low, left] * (1 - x + left) + image[low, right] * (x - left)
                bottom = image[down, left] * (1 - x + left) + image[down, right] * (x - left)
                out[i, j] = top * (1 - y + low) + bottom * (y - low)
    return out


BOXES = np.array([[0, 0, 1, 1], [0, 0, 0.9, 1], [2, 2, 3, 3], [1, 1, 0, 0.6], [2, 2, 3, 3.1]])
SCORES = np.array([0.9, 0.8, 0.3, 0.85, 0.2])
CROP = np.array([[0.1, 0.2, 0.9, 0.7], [-0.2, 0.0, 1.0, 1.3]])
W = f(3, 3, 3, 5)
PADDED = np.pad(IMAGES, [(0, 0), (1, 1), (1, 1), (0, 0)])
LABELS, LOGITS = softmax(f(3, 4)), f(3, 4)
HINGE = LOGITS - LOGITS.max(-1, keepdims=True)
CROSS = -(LABELS * np.log(softmax(LOGITS))).sum(-1)
ONES = (f(3, 4) > 0).astype(float)
BINARY = -(ONES * np.log(sigmoid(LOGITS)) + (1 - ONES) * np.log(1 - sigmoid(LOGITS)))
WIDE, NEAR = RNG.uniform(0.1, 9.0, (3, 4)), RNG.uniform(-0.95, 0.95, (3, 4))
LENGTHS = np.array([2, 4, 1])
U = f(3, 5, 2)
DOWN = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
SOBEL = np.stack([DOWN, DOWN.T], -1)[:, :, None]


#: name, positional arguments, named arguments, what NumPy says
CASES = [
    *[(n, [A], {}, getattr(np, n)(A)) for n in ("abs", "exp", "log", "sqrt", "square", "sign", "sin", "cos", "tan", "tanh",
                                              "sinh", "cosh", "log1p", "expm1", "floor", "ceil", "negative", "reciprocal")],
    *[(n, [A - 1], {}, r(A - 1)) for n, r in (("sinh", np.sinh), ("asinh", np.arcsinh), ("round", np.round))],
    ("sinh", [20 * S], {}, np.sinh(20 * S)), ("cosh", [20 * S], {}, np.cosh(20 * S)),
    ("asinh", [1e3 * S], {}, np.arcsinh(1e3 * S)), ("acosh", [A + 1], {}, np.arccosh(A + 1)), ("atanh", [S], {}, np.arctanh(S)),
    ("sigmoid", [S], {}, sigmoid(S)), ("math.softplus", [S], {}, np.log1p(np.exp(S))),
    ("math.log_sigmoid", [S], {}, np.log(sigmoid(S))), ("nn.softsign", [S], {}, S / (1 + abs(S))),
    ("rsqrt", [A], {}, A**-0.5), ("erf", [S], {}, np.vectorize(math.erf)(S)), ("erfc", [S], {}, np.vectorize(math.erfc)(S)),
    ("is_nan", [np.array([1.0, np.nan])], {}, [False, True]), ("is_inf", [np.array([1.0, np.inf])], {}, [False, True]),
    ("is_finite", [np.array([1.0, np.inf, -np.inf, np.nan])], {}, [True, False, False, False]),
    *[(n, [A, B], {}, r(A, B)) for n, r in (
        ("add", np.add), ("subtract", np.subtract), ("multiply", np.multiply), ("divide", np.divide), ("truediv", np.divide),
        ("floordiv", np.floor_divide), ("floormod", np.mod), ("mod", np.mod), ("pow", np.power), ("maximum", np.maximum),
        ("minimum", np.minimum), ("greater", np.greater), ("greater_equal", np.greater_equal), ("less", np.less),
        ("less_equal", np.less_equal), ("equal", np.equal), ("not_equal", np.not_equal))],
    ("multiply", [2.0, A], {}, 2 * A), ("subtract", [1, A], {}, 1 - A),
    ("squared_difference", [A, B], {}, (A - B) ** 2), ("scalar_mul", [3.0, A], {}, 3 * A),
    ("div", [A, B], {}, A / B), ("div", [np.array([7, -7]), np.array([2, 2])], {}, [3, -4]),
    ("div_no_nan", [V, np.array([2.0, 0.0, 4.0, 0.0])], {}, [1.5, 0, 0.5, 0]),
    ("math.multiply_no_nan", [np.array([np.inf, 2.0]), np.array([0.0, 3.0])], {}, [0, 6]),
    ("math.xlogy", [np.array([0.0, 2.0]), np.array([0.0, 3.0])], {}, [0, 2 * np.log(3)]),
    *[(f"logical_{n}", [A > 1, B > 1], {}, getattr(np, f"logical_{n}")(A > 1, B > 1)) for n in ("and", "or", "xor")],
    ("logical_not", [A > 1], {}, A <= 1), ("add_n", [[A, B, A]], {}, 2 * A + B),
    ("cast", [A, "int32"], {}, A.astype(int)), ("to_float", [I], {}, I), ("to_double", [I], {}, I), ("to_int32", [A], {}, A.astype(int)),
    ("to_int64", [A], {}, A.astype(int)), ("saturate_cast", [np.array([-5.0, 300.0, 7.0]), "uint8"], {}, [0, 255, 7]),
    ("saturate_cast", [I, "float32"], {}, I), ("clip_by_value", [A, 0.5, 1.0], {}, A.clip(0.5, 1)),
    # reductions
    *[(f"reduce_{n}", [A], {"axis": [1, 2], "keepdims": True}, getattr(np, n)(A, (1, 2), keepdims=True))
      for n in ("sum", "mean", "max", "min", "prod")],
    ("reduce_sum", [A], {}, A.sum()), ("reduce_mean", [A, -1], {}, A.mean(-1)), ("reduce_mean", [I, 0], {}, I.sum(0) // 2),
    ("reduce_mean", [[1.0, 2.0, 6.0]], {}, 3.0), ("reduce_sum", [A], {"reduction_indices": [1], "keep_dims": True}, A.sum(1, keepdims=True)),
    ("math.reduce_std", [A, 1], {}, A.std(1)), ("math.reduce_variance", [A, 1], {}, A.var(1)),
    ("reduce_logsumexp", [A, 2], {}, np.log(np.exp(A).sum(2))), ("math.reduce_euclidean_norm", [A, 2], {}, norm(A, 2)[..., 0]),
    ("reduce_any", [A > 1.9, 1], {}, (A > 1.9).any(1)), ("reduce_all", [A > 0.3, 1], {}, (A > 0.3).all(1)),
    ("argmax", [A], {"axis": -1}, A.argmax(-1)), ("argmax", [A], {}, A.argmax(0)), ("argmin", [A], {"dimension": 1}, A.argmin(1)),
    ("cumsum", [A, 1], {}, A.cumsum(1)), ("cumprod", [A], {"axis": -1}, A.cumprod(-1)),
    ("cumsum", [V], {"exclusive": True}, [0, 3, 2, 4]), ("cumsum", [V], {"reverse": True}, [4, 1, 2, 0]),
    ("cumprod", [V + 2], {"exclusive": True, "reverse": True}, [8, 8, 2, 1]),
    ("math.count_nonzero", [V], {}, 3), ("count_nonzero", [A > 1, 1], {}, (A > 1).sum(1)),
    ("norm", [A], {}, norm(A).ravel()[0]), ("norm", [A], {"axis": 1, "keepdims": True}, norm(A, 1)),
    ("norm", [S], {"ord": 1, "axis": 0}, abs(S).sum(0)), ("norm", [S, np.inf], {"axis": 1}, abs(S).max(1)),
    ("norm", [S, 3], {"axis": 1}, (abs(S) ** 3).sum(1) ** (1 / 3)), ("norm", [A], {"axis": [1, 2]}, norm(A, (1, 2))[:, 0, 0]),
    ("linalg.normalize", [A], {"axis": 1}, (A / norm(A, 1), norm(A, 1))), ("nn.l2_normalize", [A], {"dim": 1}, A / norm(A, 1)), ("math.l2_normalize", [A, -1], {}, A / norm(A, -1)),
    ("clip_by_norm", [A, 1.0], {}, A / norm(A)), ("clip_by_norm", [A, 100.0], {}, A), ("clip_by_norm", [0 * A, 1.0], {}, 0 * A),
    ("global_norm", [[A, B]], {}, np.sqrt((A**2).sum() + (B**2).sum())),
    ("clip_by_global_norm", [[V, V], 1.0], {}, ([V / np.sqrt(28)] * 2, np.sqrt(28))),
    ("nn.moments", [A, [0, 2]], {}, (A.mean((0, 2)), A.var((0, 2)))), ("nn.l2_loss", [A], {}, (A**2).sum() / 2),
    ("nn.zero_fraction", [V], {}, 0.25),
    # shapes
    ("identity", [A], {}, A), ("stop_gradient", [A], {}, A), ("shape", [A], {}, A.shape), ("size", [A], {}, 24), ("rank", [A], {}, 3),
    ("reshape", [A, [-1, 12]], {}, A.reshape(2, 12)), ("reshape", [A, -1], {}, A.ravel()), ("reshape", [A], {"shape": (4, 6)}, A.reshape(4, 6)),
    ("transpose", [A], {}, A.T), ("transpose", [A], {"perm": [0, 2, 1]}, A.transpose(0, 2, 1)),
    ("matrix_transpose", [A], {}, A.transpose(0, 2, 1)), ("expand_dims", [A, 1], {}, A[:, None]), ("expand_dims", [A], {"dim": -1}, A[..., None]),
    ("squeeze", [A[:1, :, :1]], {}, A[0, :, 0]), ("squeeze", [A[:1]], {"squeeze_dims": [0]}, A[0]), ("reverse", [A, [1, -1]], {}, A[:, ::-1, ::-1]),
    ("roll", [A], {"shift": 1, "axis": 2}, np.roll(A, 1, 2)), ("roll", [A, [-1, 2], [1, 2]], {}, np.roll(A, (-1, 2), (1, 2))),
    ("concat", [[A, B], -1], {}, np.concatenate([A, B], -1)), ("concat", [], {"values": [A, B], "concat_dim": 1}, np.concatenate([A, B], 1)),
    ("stack", [[A, B]], {"axis": 1}, np.stack([A, B], 1)), ("unstack", [A], {"axis": 1}, list(A.transpose(1, 0, 2))),
    ("split", [A, 2], {"axis": -1}, np.split(A, 2, -1)), ("split", [A, [1, -1], 2], {}, [A[..., :1], A[..., 1:]]),
    ("slice", [A, [0, 1, 1], [1, -1, 2]], {}, A[:1, 1:, 1:3]),
    ("__operators__.getitem", [A, [0, {"start": 1, "stop": None, "step": None}]], {}, A[0, 1:]),
    ("strided_slice", [A, [0, 2], [2, 0], [1, -1]], {}, A[:2, 2:0:-1]),
    ("strided_slice", [A, [0, 0, 1], [0, 0, 2]], {"begin_mask": 1, "end_mask": 1, "shrink_axis_mask": 2}, A[:, 0, 1:2]),
    ("tile", [A, [1, 2, 1]], {}, np.tile(A, (1, 2, 1))), ("repeat", [A, 2], {"axis": 1}, A.repeat(2, 1)), ("repeat", [V, 3], {}, V.repeat(3)),
    ("repeat", [V, [1, 0, 2, 1]], {"axis": 0}, V.repeat([1, 0, 2, 1])), ("broadcast_to", [V, [3, 4]], {}, np.broadcast_to(V, (3, 4))),
    ("pad", [A, [[0, 0], [1, 0], [0, 2]]], {}, np.pad(A, [(0, 0), (1, 0), (0, 2)])),
    ("pad", [V, [[1, 2]], "CONSTANT"], {"constant_values": 7}, np.pad(V, (1, 2), constant_values=7)),
    ("pad", [A, [[0, 0], [2, 1], [0, 3]], "REFLECT"], {}, np.pad(A, [(0, 0), (2, 1), (0, 3)], "reflect")),
    ("pad", [A, [[0, 0], [3, 1], [0, 4]], "SYMMETRIC"], {}, np.pad(A, [(0, 0), (3, 1), (0, 4)], "symmetric")),
    ("depth_to_space", [f_ := f(1, 2, 3, 8), 2], {}, f_.reshape(1, 2, 3, 2, 2, 2).transpose(0, 1, 3, 2, 4, 5).reshape(1, 4, 6, 2)),
    ("space_to_depth", [IMAGES, 2], {}, windows(IMAGES, 2, 2).reshape(2, 3, 4, 12)),
    ("nn.space_to_depth", [IMAGES.transpose(0, 3, 1, 2), 2], {"data_format": "NCHW"}, windows(IMAGES, 2, 2).reshape(2, 3, 4, 12).transpose(0, 3, 1, 2)),
    ("meshgrid", [V, [1.0, 2.0]], {}, np.meshgrid(V, [1, 2])), ("meshgrid", [V, V[:2], V[:3]], {"indexing": "ij"}, np.meshgrid(V, V[:2], V[:3], indexing="ij")),
    ("broadcast_static_shape", [(2, 1), (1, 3)], {}, (2, 3)),
    ("broadcast_dynamic_shape", [[2, 1, 4], [3, 1]], {}, (2, 3, 4)), ("broadcast_dynamic_shape", [np.array([3]), np.array([1])], {}, [3]),
    # contents
    ("constant", [[1.5, 2.0]], {}, [1.5, 2]), ("constant", [3, "float32"], {"shape": [2, 2]}, np.full((2, 2), 3)),
    ("convert_to_tensor", [[1, 2]], {}, [1, 2]), ("zeros", [[2, 3]], {}, np.zeros((2, 3))), ("ones", [3, "int32"], {}, [1, 1, 1]),
    ("fill", [[2, 2], 9.0], {}, np.full((2, 2), 9)), ("zeros_like", [A], {}, 0 * A), ("ones_like", [A], {"dtype": "int32"}, np.ones(A.shape)),
    ("zeros_like", [], {"tensor": A}, 0 * A), ("range", [5], {}, np.arange(5)), ("range", [1, 8, 3], {}, [1, 4, 7]),
    ("range", [0.0, 1.0, 0.25], {}, np.arange(0, 1, 0.25)), ("range", [4.0], {}, np.arange(4.0)),
    ("range", [3, 0, -1], {"dtype": "float32"}, [3, 2, 1]), ("linspace", [0.0, 1.0, 5], {}, np.linspace(0, 1, 5)),
    ("linspace", [2.0, 3.0, 1], {}, [2]), ("eye", [3], {}, np.eye(3)), ("eye", [2, 3], {"batch_shape": [2]}, np.stack([np.eye(2, 3)] * 2)),
    ("one_hot", [I, 3], {}, np.eye(3)[I]), ("one_hot", [I, 3, 5.0, -1.0], {"axis": 1}, (6 * np.eye(3)[I] - 1).transpose(0, 2, 1)),
    ("one_hot", [np.array([-1, 9]), 3], {"dtype": "int32"}, np.zeros((2, 3))), ("eye", [2], {"batch_shape": np.array([3])}, np.stack([np.eye(2)] * 3)), ("sequence_mask", [LENGTHS, 5], {}, np.arange(5) < LENGTHS[:, None]),
    ("sequence_mask", [LENGTHS], {"dtype": "float32"}, np.arange(4) < LENGTHS[:, None]),
    # choosing
    ("where", [A > 1, A, B], {}, np.where(A > 1, A, B)), ("where", [A > 1, A, 0.0], {}, np.where(A > 1, A, 0)),
    ("where", [A > 1.5], {}, np.argwhere(A > 1.5)), ("where", [V], {}, np.argwhere(V)),
    ("compat.v1.where", [S[:, 0] > 0, S, -S], {}, np.where(S[:, :1] > 0, S, -S)), ("compat.v1.where", [A > 1, A, B], {}, np.where(A > 1, A, B)),
    ("compat.v1.where", [V > 0, np.stack([V, V]), np.zeros((2, 4))], {}, np.where(V > 0, np.stack([V, V]), 0)),
    ("boolean_mask", [A, A > 1], {}, A[A > 1]), ("boolean_mask", [A, np.array([False, True])], {}, A[1:]),
    ("boolean_mask", [A, np.array([True, False, True])], {"axis": 1}, A[:, [0, 2]]),
    ("nn.top_k", [S, 2], {}, (-np.sort(-S)[:, :2], np.argsort(-S)[:, :2])), ("sort", [S], {"axis": 0}, np.sort(S, 0)),
    ("sort", [S], {"direction": "DESCENDING"}, -np.sort(-S)), ("argsort", [S, 0], {}, np.argsort(S, 0)),
    ("nn.in_top_k", [S, np.array([0, 1, 2]), 1], {}, S.argmax(1) == [0, 1, 2]), ("math.in_top_k", [np.array([0, 1, 2]), S, 4], {}, [True] * 3),
    ("unique", [np.array([3, 1, 3, 2, 1])], {}, ([3, 1, 2], [0, 1, 0, 2, 1])),
    ("sets.intersection", [np.array([[5, 2, 2, 9]]), np.array([[2, 7, 5]])], {}, [[2, 5]]), ("sparse.to_dense", [S], {}, S),
    ("random.shuffle", [np.full(5, 2.0)], {}, [2.0] * 5),
    # indices
    ("gather", [A, [2, 0]], {"axis": 1}, A[:, [2, 0]]), ("gather", [V, I], {}, V[I]), ("nn.embedding_lookup", [S], {"ids": [2, 2]}, S[[2, 2]]),
    ("gather", [U, [[4, 0], [1, 1], [2, 3]]], {"batch_dims": 1}, np.stack([u[i] for u, i in zip(U, [[4, 0], [1, 1], [2, 3]])])),
    ("gather", [U, [[1, 0, 1]] * 3], {"batch_dims": 1, "axis": 2}, U[:, :, [1, 0, 1]]),
    ("batch_gather", [U[..., 0], [[4, 0], [1, 1], [2, 3]]], {}, np.take_along_axis(U[..., 0], np.array([[4, 0], [1, 1], [2, 3]]), 1)),
    ("gather_nd", [A, [[1, 2], [0, 0]]], {}, A[[1, 0], [2, 0]]), ("gather_nd", [A, [[[1, 2, 3]]]], {}, [[A[1, 2, 3]]]),
    ("gather_nd", [A, [[2], [1]]], {"batch_dims": 1}, A[[0, 1], [2, 1]]),
    ("scatter_nd", [[[1], [3], [1]], [1.0, 2.0, 4.0], [5]], {}, [0, 5, 0, 2, 0]), ("scatter_nd", [[[1, 0]], [V], [2, 3, 4]], {}, np.stack([np.zeros((3, 4)), np.stack([V, 0 * V, 0 * V])])),
    ("tensor_scatter_nd_update", [V, [[1], [2]], [8.0, 9.0]], {}, [3, 8, 9, 0]), ("tensor_scatter_nd_add", [V, [[1], [1]], [8.0, 9.0]], {}, [3, 16, 2, 0]),
    ("tensor_scatter_nd_sub", [V, [[0]], [1.0]], {}, [2, -1, 2, 0]),
    ("math.unsorted_segment_sum", [V, [1, 0, 1, 3], 4], {}, [-1, 5, 0, 0]), ("math.unsorted_segment_mean", [V, [1, 0, 1, 3], 4], {}, [-1, 2.5, 0, 0]),
    ("math.segment_sum", [S, [0, 0, 1]], {}, [S[0] + S[1], S[2]]), ("math.segment_mean", [S, [0, 0, 1]], {}, [(S[0] + S[1]) / 2, S[2]]),
    ("reverse_sequence", [U, [2, 5, 1]], {"seq_axis": 1, "batch_axis": 0}, np.stack([np.r_[u[:n][::-1], u[n:]] for u, n in zip(U, [2, 5, 1])])),
    # products
    ("matmul", [A, B], {"transpose_b": True}, A @ B.transpose(0, 2, 1)), ("matmul", [S, S], {"transpose_a": True}, S.T @ S),
    ("linalg.matvec", [S, V], {}, S @ V), ("tensordot", [A, B, [[0, 2], [0, 2]]], {}, np.tensordot(A, B, [[0, 2], [0, 2]])),
    ("tensordot", [A, M, 1], {}, A @ M), ("tensordot", [S, M], {"axes": ([1], [0])}, S @ M),
    *[(n, x, {}, np.einsum(*[a if isinstance(a, str) else np.asarray(a) for a in x])) for n, x in (
        ("einsum", ["bij,bkj->bik", A, B]), ("einsum", ["ij,jk", S, M]), ("einsum", ["...ij,jk->...ik", A, M]), ("einsum", ["ij->ji", S]),
        ("einsum", ["bij->b", A]), ("einsum", ["i,j->ij", V, V]), ("einsum", ["bij,bij,jk->bk", A, B, M]), ("einsum", ["abc,cd,de->abe", A, M, M]),
        ("einsum", ["bhqd,bhkd->bhqk", A[:, None], B[:, None]]), ("einsum", ["bij,b->ij", A, V[:2]]), ("einsum", ["i,i->", V, V]))],
    ("diag", [V], {}, np.diag(V)), ("linalg.diag", [S], {}, np.stack([np.diag(s) for s in S])), ("linalg.diag_part", [M], {}, np.diag(M)),
    ("linalg.diag_part", [S], {}, np.diag(S)), ("linalg.diag_part", [S.T], {}, np.diag(S)), ("linalg.set_diag", [M, V], {}, M - np.diag(np.diag(M)) + np.diag(V)), ("linalg.trace", [M], {}, np.trace(M)),
    ("linalg.band_part", [M, -1, 0], {}, np.tril(M)), ("linalg.band_part", [M, 1, 2], {}, np.triu(np.tril(M, 2), -1)), ("linalg.band_part", [M, -1, -1], {}, M),
    ("linalg.cross", [M[:, :3], S[:, :3][[0, 1, 2, 0]]], {}, np.cross(M[:, :3], S[:, :3][[0, 1, 2, 0]])),
    # nn
    ("nn.relu", [S], {}, S.clip(0)), ("nn.relu6", [9 * S], {}, (9 * S).clip(0, 6)), ("nn.elu", [S], {}, np.where(S > 0, S, np.expm1(S))),
    ("nn.selu", [S], {}, 1.0507009873554805 * np.where(S > 0, S, 1.6732632423543772 * np.expm1(S))), ("nn.crelu", [S], {}, np.concatenate([S, -S], -1).clip(0)),
    ("nn.leaky_relu", [S], {}, np.where(S > 0, S, 0.2 * S)), ("nn.silu", [S], {}, S * sigmoid(S)), ("nn.swish", [S], {"beta": 2.0}, S * sigmoid(2 * S)),
    ("nn.gelu", [S], {}, S * 0.5 * (1 + np.vectorize(math.erf)(S / np.sqrt(2)))),
    ("nn.gelu", [S, True], {}, 0.5 * S * (1 + np.tanh(np.sqrt(2 / np.pi) * (S + 0.044715 * S**3)))),
    ("nn.softmax", [A], {}, softmax(A)), ("nn.softmax", [A], {"axis": 1}, softmax(A, 1)), ("nn.log_softmax", [A, 0], {}, np.log(softmax(A, 0))),
    ("nn.bias_add", [A, V], {}, A + V), ("nn.bias_add", [A, V[:3]], {"data_format": "NCHW"}, A + V[:3, None]), ("nn.xw_plus_b", [S, M, V], {}, S @ M + V),
    ("nn.conv2d", [IMAGES, W, [1, 2, 2, 1], "VALID"], {}, conv2d(IMAGES, W, 2)), ("nn.conv2d", [IMAGES], {"filter": W, "strides": 1, "padding": "SAME"}, conv2d(PADDED, W)),
    ("nn.conv2d", [IMAGES, W, 1, [[0, 0], [1, 1], [1, 1], [0, 0]]], {}, conv2d(PADDED, W)), ("nn.atrous_conv2d", [IMAGES, W, 2, "VALID"], {}, conv2d(IMAGES, W, rate=2)),
    ("nn.conv2d_transpose", [IMAGES, np.ones((2, 2, 1, 3)), [2, 12, 16, 1], [1, 2, 2, 1]], {}, IMAGES.sum(-1, keepdims=True).repeat(2, 1).repeat(2, 2)),
    ("nn.depthwise_conv2d", [IMAGES, W, [1, 1, 1, 1], "VALID"], {}, np.concatenate([conv2d(IMAGES[..., c:c + 1], W[:, :, c:c + 1]) for c in range(3)], -1)),
    ("nn.separable_conv2d", [IMAGES, W[..., :1], W[:1, :1], [1, 1, 1, 1], "VALID"], {},
     np.concatenate([conv2d(IMAGES[..., c:c + 1], W[:, :, c:c + 1, :1]) for c in range(3)], -1) @ W[0, 0]),
    ("nn.conv1d", [IMAGES[:, 0], W[0], 1, "VALID"], {}, conv2d(IMAGES[:, :1], W[:1])[:, 0]), ("nn.conv3d", [IMAGES[None], W[None], [1] * 5, "VALID"], {}, conv2d(IMAGES, W)[None]),
    ("nn.max_pool", [IMAGES, [1, 2, 2, 1], [1, 2, 2, 1], "VALID"], {}, windows(IMAGES, 2, 2).max((3, 4))),
    ("nn.avg_pool2d", [IMAGES, 3, 1, "VALID"], {}, windows(IMAGES, 3, 1).mean((3, 4))), ("nn.max_pool", [], {"value": IMAGES, "ksize": 2, "strides": 2}, windows(IMAGES, 2, 2).max((3, 4))),
    ("nn.batch_normalization", [S, V, V**2, V, V + 1, 0.1], {}, (S - V) / np.sqrt(V**2 + 0.1) * (V + 1) + V), ("nn.batch_normalization", [S, V, V**2, None, None, 0.1], {}, (S - V) / np.sqrt(V**2 + 0.1)),
    ("nn.lrn", [IMAGES, 1, 1.0, 0.5, 0.75], {}, IMAGES / (1 + 0.5 * (IMAGES**2 @ [[1, 1, 0], [1, 1, 1], [0, 1, 1]])) ** 0.75),
    ("image.extract_patches", [IMAGES, [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], "VALID"], {}, windows(IMAGES, 2, 2).reshape(2, 3, 4, 12)),
    # losses
    ("nn.softmax_cross_entropy_with_logits", [], {"labels": LABELS, "logits": LOGITS}, CROSS),
    ("nn.softmax_cross_entropy_with_logits_v2", [], {"labels": LABELS.T, "logits": LOGITS.T, "dim": 0}, CROSS),
    ("nn.sparse_softmax_cross_entropy_with_logits", [], {"labels": [1, 0, 3], "logits": LOGITS}, -np.log(softmax(LOGITS))[[0, 1, 2], [1, 0, 3]]),
    ("nn.sigmoid_cross_entropy_with_logits", [], {"labels": ONES, "logits": LOGITS}, BINARY),
    ("nn.weighted_cross_entropy_with_logits", [], {"targets": ONES, "logits": LOGITS, "pos_weight": 3.0}, BINARY * (1 + 2 * ONES)),
    ("nn.log_poisson_loss", [LABELS, LOGITS], {}, np.exp(LOGITS) - LOGITS * LABELS),
    ("compat.v1.losses.mean_squared_error", [LABELS, LOGITS], {}, ((LABELS - LOGITS) ** 2).mean()),
    ("compat.v1.losses.mean_squared_error", [LABELS, LOGITS, ONES], {}, ((LABELS - LOGITS) ** 2)[ONES > 0].mean()),
    ("compat.v1.losses.absolute_difference", [LABELS, LOGITS], {"weights": 2.0}, 2 * abs(LABELS - LOGITS).mean()),
    ("compat.v1.losses.huber_loss", [LABELS, LOGITS], {}, np.where(abs(LABELS - LOGITS) < 1, (LABELS - LOGITS) ** 2 / 2, abs(LABELS - LOGITS) - 0.5).mean()),
    ("compat.v1.losses.log_loss", [ONES, LABELS], {}, -(ONES * np.log(LABELS + 1e-7) + (1 - ONES) * np.log(1 - LABELS + 1e-7)).mean()),
    ("compat.v1.losses.sigmoid_cross_entropy", [ONES, LOGITS], {}, BINARY.mean()), ("compat.v1.losses.softmax_cross_entropy", [LABELS, LOGITS], {}, CROSS.mean()),
    ("compat.v1.losses.softmax_cross_entropy", [LABELS, LOGITS], {"label_smoothing": 0.2}, -((0.8 * LABELS + 0.05) * np.log(softmax(LOGITS))).sum(-1).mean()),
    ("compat.v1.losses.sparse_softmax_cross_entropy", [[1, 0, 3], LOGITS], {}, -np.log(softmax(LOGITS))[[0, 1, 2], [1, 0, 3]].mean()),
    ("compat.v1.losses.cosine_distance", [LABELS, LOGITS], {"axis": 1}, (1 - (LABELS * LOGITS).sum(1)).mean()),
    # images
    ("image.resize_images", [IMAGES, [9, 5]], {}, resized(IMAGES, (9, 5), legacy, linear)), ("image.resize_bilinear", [IMAGES, (12, 16)], {}, resized(IMAGES, (12, 16), legacy, linear)),
    ("image.resize_bilinear", [IMAGES, [9, 5], True], {}, resized(IMAGES, (9, 5), corners, linear)), ("image.resize", [IMAGES, (9, 5)], {}, resized(IMAGES, (9, 5), half, linear)),
    ("image.resize", [IMAGES[0], [3, 4]], {}, resized(IMAGES[:1], (3, 4), half, linear)[0]),
    ("image.resize_nearest_neighbor", [IMAGES, [9, 5]], {}, IMAGES[:, [i * 6 // 9 for i in range(9)]][:, :, [j * 8 // 5 for j in range(5)]]),
    ("image.resize", [IMAGES, [9, 5], "nearest"], {}, IMAGES[:, [(2 * i + 1) * 6 // 18 for i in range(9)]][:, :, [(2 * j + 1) * 8 // 10 for j in range(5)]]),
    ("image.resize_nearest_neighbor", [IMAGES, [3, 15], True], {}, IMAGES[:, [0, 3, 5]][:, :, [j // 2 + j % 2 for j in range(15)]]),
    ("image.resize_images", [IMAGES, [12, 4]], {"method": 2}, resized(IMAGES, (12, 4), legacy, cubic(-0.75, False))),
    ("image.resize", [IMAGES, [12, 5]], {"method": "bicubic"}, resized(IMAGES, (12, 5), half, cubic(-0.5, True))),
    ("image.resize_bicubic", [IMAGES, [12, 4]], {}, resized(IMAGES, (12, 4), legacy, cubic(-0.75, False))), ("image.resize_images", [IMAGES, [3, 4], 3], {}, halved(IMAGES)),
    ("image.flip_left_right", [IMAGES], {}, IMAGES[:, :, ::-1]), ("image.flip_up_down", [IMAGES[0]], {}, IMAGES[0, ::-1]),
    ("image.transpose", [IMAGES], {}, IMAGES.transpose(0, 2, 1, 3)), *[("image.rot90", [IMAGES[0], k], {}, np.rot90(IMAGES[0], k)) for k in range(4)],
    ("image.crop_to_bounding_box", [IMAGES, 1, 2, 3, 4], {}, IMAGES[:, 1:4, 2:6]), ("image.pad_to_bounding_box", [IMAGES, 1, 2, 9, 11], {}, np.pad(IMAGES, [(0, 0), (1, 2), (2, 1), (0, 0)])),
    ("atan", [WIDE - 4], {}, np.arctan(WIDE - 4)), ("atan", [np.array([0.0, -1.0, 1e-9, 1e9])], {}, np.arctan([0.0, -1.0, 1e-9, 1e9])),
    ("asin", [NEAR], {}, np.arcsin(NEAR)), ("acos", [NEAR], {}, np.arccos(NEAR)), ("asin", [np.array([1.0, -1.0])], {}, [np.pi / 2, -np.pi / 2]),
    ("atan2", [NEAR, NEAR[::-1]], {}, np.arctan2(NEAR, NEAR[::-1])),
    ("atan2", [np.array([0.0, 1.0, -1.0, 0.0]), np.array([-2.0, 0.0, 0.0, 2.0])], {}, np.arctan2([0.0, 1, -1, 0], [-2.0, 0, 0, 2])),
    ("math.lgamma", [WIDE], {}, np.vectorize(math.lgamma)(WIDE)), ("math.lgamma", [NEAR], {}, np.vectorize(math.lgamma)(NEAR)),
    ("math.digamma", [np.array([1.0, 0.5, 10.0])], {}, [-np.euler_gamma, -np.euler_gamma - 2 * np.log(2), 2.2517525890667211]),
    ("math.digamma", [np.array([-0.5])], {}, [0.03648997397857652]),
    ("math.lbeta", [WIDE], {}, np.vectorize(math.lgamma)(WIDE).sum(-1) - np.vectorize(math.lgamma)(WIDE.sum(-1))),
    ("math.erfinv", [np.vectorize(math.erf)(2 * NEAR)], {}, 2 * NEAR), ("math.erfinv", [np.array([1.0, -1.0])], {}, [np.inf, -np.inf]),
    ("math.erfcinv", [1 - NEAR], {}, np.vectorize(lambda p: NormalDist().inv_cdf(p))((NEAR + 1) / 2) / np.sqrt(2)),
    ("math.ndtri", [(NEAR + 1) / 2], {}, np.vectorize(lambda p: NormalDist().inv_cdf(p))((NEAR + 1) / 2)),
    ("math.xlog1py", [np.array([0.0, 2.0]), np.array([-1.0, 3.0])], {}, [0, 2 * np.log(4)]),
    ("math.xdivy", [np.array([0.0, 2.0]), np.array([0.0, 4.0])], {}, [0, 0.5]),
    ("math.reciprocal_no_nan", [np.array([0.0, 4.0])], {}, [0, 0.25]), ("math.rint", [WIDE], {}, np.rint(WIDE)),
    ("truncatediv", [np.array([7, -7, 7]), np.array([2, 2, -2])], {}, [3, -3, -3]),
    ("truncatemod", [np.array([7, -7, 7]), np.array([2, 2, -2])], {}, [1, -1, 1]),
    ("math.polyval", [[2.0, 0.0, -1.0], WIDE], {}, 2 * WIDE * WIDE - 1),
    ("math.cumulative_logsumexp", [WIDE, 1], {}, np.log(np.cumsum(np.exp(WIDE), 1))),
    ("math.cumulative_logsumexp", [WIDE], {"reverse": True}, np.log(np.cumsum(np.exp(WIDE)[::-1], 0)[::-1])),
    ("math.cumulative_logsumexp", [WIDE], {"exclusive": True}, np.concatenate([np.full((1, 4), -np.inf), np.log(np.cumsum(np.exp(WIDE), 0))[:-1]])),
    ("image.rgb_to_hsv", [IMAGES], {}, np.apply_along_axis(lambda c: colorsys.rgb_to_hsv(*c), -1, IMAGES)),
    ("image.rgb_to_hsv", [np.array([[0.0, 0, 0], [0.5, 0.5, 0.5]])], {}, [[0, 0, 0], [0, 0, 0.5]]),
    ("image.hsv_to_rgb", [IMAGES], {}, np.apply_along_axis(lambda c: colorsys.hsv_to_rgb(*c), -1, IMAGES)),
    ("image.adjust_hue", [IMAGES, 0.3], {}, np.apply_along_axis(lambda c: colorsys.hsv_to_rgb((c[0] + 0.3) % 1, c[1], c[2]), -1, np.apply_along_axis(lambda c: colorsys.rgb_to_hsv(*c), -1, IMAGES))),
    ("image.adjust_saturation", [IMAGES, 2.0], {}, np.apply_along_axis(lambda c: colorsys.hsv_to_rgb(c[0], min(2 * c[1], 1), c[2]), -1, np.apply_along_axis(lambda c: colorsys.rgb_to_hsv(*c), -1, IMAGES))),
    ("image.adjust_gamma", [IMAGES, 2.0, 0.5], {}, 0.5 * IMAGES**2),
    ("image.adjust_brightness", [np.array([[[10, 250, 0]]], "uint8"), 0.1], {}, [[[35, 255, 25]]]),
    ("image.rgb_to_yiq", [IMAGES], {}, IMAGES @ [[0.299, 0.59590059, 0.21153661], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]]),
    ("image.rgb_to_yuv", [IMAGES], {}, IMAGES @ [[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]]),
    ("image.yiq_to_rgb", [IMAGES], {}, IMAGES @ np.linalg.inv([[0.299, 0.59590059, 0.21153661], [0.587, -0.27455667, -0.52273617], [0.114, -0.32134392, 0.31119955]])),
    ("image.yuv_to_rgb", [IMAGES], {}, IMAGES @ np.linalg.inv([[0.299, -0.14714119, 0.61497538], [0.587, -0.28886916, -0.51496512], [0.114, 0.43601035, -0.10001026]])),
    ("image.resize_with_pad", [IMAGES, 12, 8, "nearest"], {}, np.pad(IMAGES, [(0, 0), (3, 3), (0, 0), (0, 0)])),
    ("image.central_crop", [IMAGES, 0.5], {}, IMAGES[:, 1:5, 2:6]), ("image.resize_with_crop_or_pad", [IMAGES, 3, 9], {}, np.pad(IMAGES[:, 1:4], [(0, 0), (0, 0), (0, 1), (0, 0)])),
    ("image.crop_and_resize", [IMAGES, CROP, [1, 0], [4, 5]], {"extrapolation_value": 9.0}, np.stack([cropped(IMAGES[1], CROP[0], (4, 5)), cropped(IMAGES[0], CROP[1], (4, 5))])),
    ("image.rgb_to_grayscale", [IMAGES], {}, IMAGES @ [[0.2989], [0.587], [0.114]]), ("image.grayscale_to_rgb", [IMAGES[..., :1]], {}, IMAGES[..., :1].repeat(3, -1)),
    ("image.adjust_brightness", [IMAGES, 0.1], {}, IMAGES + 0.1), ("image.adjust_contrast", [IMAGES, 2.0], {}, 2 * IMAGES - IMAGES.mean((1, 2), keepdims=True)),
    ("image.per_image_standardization", [IMAGES], {}, (IMAGES - IMAGES.mean((1, 2, 3), keepdims=True)) / IMAGES.std((1, 2, 3), keepdims=True)),
    ("image.convert_image_dtype", [np.array([0, 51, 255], "uint8"), "float32"], {}, [0, 0.2, 1]), ("image.convert_image_dtype", [np.array([0, 0.2, 1]), "uint8"], {}, [0, 51, 255]),
    ("image.total_variation", [IMAGES], {}, abs(np.diff(IMAGES, axis=1)).sum((1, 2, 3)) + abs(np.diff(IMAGES, axis=2)).sum((1, 2, 3))),
    ("image.image_gradients", [IMAGES], {}, (np.pad(np.diff(IMAGES, axis=1), [(0, 0), (0, 1), (0, 0), (0, 0)]), np.pad(np.diff(IMAGES, axis=2), [(0, 0), (0, 0), (0, 1), (0, 0)]))),
    ("image.sobel_edges", [IMAGES[..., :1]], {}, conv2d(np.pad(IMAGES[..., :1], [(0, 0), (1, 1), (1, 1), (0, 0)], "reflect"), SOBEL)[..., None, :]),
    ("image.psnr", [IMAGES, OTHERS, 1.0], {}, -10 * np.log10(((IMAGES - OTHERS) ** 2).mean((1, 2, 3)))),
    ("image.ssim", [IMAGES, OTHERS, 1.0, 5], {}, ssim_parts(IMAGES, OTHERS)[0].mean(-1)),
    ("image.ssim_multiscale", [BIG := np.tile(IMAGES, (1, 2, 2, 1)), LIKE := np.tile(OTHERS, (1, 2, 2, 1)), 1.0, (0.4, 0.6), 5], {},
     (ssim_parts(BIG, LIKE)[1] ** 0.4 * ssim_parts(halved(BIG), halved(LIKE))[0] ** 0.6).mean(-1)),
    ("image.non_max_suppression", [BOXES, SCORES, 10], {}, [0, 3, 2]), ("image.non_max_suppression", [BOXES, SCORES, 2, 0.95], {}, [0, 3]),
    ("image.non_max_suppression", [BOXES, SCORES, 10, 0.95, 0.5], {}, [0, 3, 1]), ("image.non_max_suppression", [BOXES[:0], SCORES[:0], 10], {}, []),
    ("image.non_max_suppression_padded", [BOXES, SCORES, 5], {"pad_to_max_output_size": True}, ([0, 3, 2, 0, 0], 3)),
]  # fmt: skip


def given(value):
    """Arrays as constants with their own dtype, also inside of lists."""
    if isinstance(value, np.ndarray):
        return graph.constant(value)
    if isinstance(value, list) and any(isinstance(v, np.ndarray) for v in value):
        return [given(v) for v in value]
    return value


def check(got, expected):
    if isinstance(got, (list, tuple)) and any(isinstance(g, (graph.Tensor, list)) for g in got):
        for g, e in zip(got, expected, strict=True):
            check(g, e)
        return
    got = np.asarray(got)
    assert got.shape == np.shape(expected)
    np.testing.assert_allclose(got, expected, rtol=1e-6 if got.dtype == np.float32 else 1e-9, atol=1e-10)


@pytest.mark.parametrize("name, args, named, expected", CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_values(name, args, named, expected):
    check(table.NAMES[name](*map(given, args), **{k: given(v) for k, v in named.items()}), expected)


def test_every_function_of_tensors_has_a_case():
    covered = {table.NAMES[c[0]] for c in CASES}
    assert not {name for name, f in table.PURE.items() if f not in covered}


#: of float arguments, by finite differences
DIFFERENTIABLE = {
    "boolean_mask": lambda f: lambda x: f(x, A[0] > 1), "gather": lambda f: lambda x: f(x, [[1, 0], [3, 3], [0, 2]], batch_dims=1),
    "gather_nd": lambda f: lambda x: f(x, [[1, 2], [0, 0], [1, 2]]), "image.resize": lambda f: lambda x: f(x[None, :, :, None], [4, 6]),
    "scatter_nd": lambda f: lambda x: f([[1], [3], [1]], x, [5, 4]), "nn.softmax": lambda f: lambda x: f(x, 0),
    "norm": lambda f: lambda x: f(x, axis=1), "clip_by_norm": lambda f: lambda x: f(x, 0.5), "einsum": lambda f: lambda x: f("ij,kj->ki", x, x),
    "asinh": lambda f: lambda x: f(x), "pad": lambda f: lambda x: f(x, [[2, 1], [0, 3]], "REFLECT"),
    "image.crop_and_resize": lambda f: lambda x: f(x[None, :, :, None], CROP.clip(0, 1), [0, 0], [2, 3]), "sort": lambda f: lambda x: f(x),
    "cumprod": lambda f: lambda x: f(x, 1, exclusive=True), "nn.lrn": lambda f: lambda x: f(x, 1), "linalg.band_part": lambda f: lambda x: f(x, 1, 0),
    "nn.weighted_cross_entropy_with_logits": lambda f: lambda x: f(ONES, x, 2.0), "divide": lambda f: lambda x: f(1.0, x),
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients(name, rng):
    check_gradients(DIFFERENTIABLE[name](table.NAMES[name]), [rng.uniform(0.2, 0.9, (3, 4))])


def test_zeros_have_gradients():
    """Where the formula has a root of zero, or divides by it."""
    x = graph.placeholder((2,), "float64")
    for y in (table.NAMES["clip_by_norm"](x, 1.0), table.NAMES["div_no_nan"](x, x), table.NAMES["math.xlogy"](x, x)):
        (gradient,) = graph.gradients(y, [x])
        assert np.isfinite(graph.Function([x], [gradient])([np.zeros(2)])[0]).all()


def test_the_page_lists_what_is_served():
    page = names_page.PAGE.read_text()
    rules = page.partition(names_page.BEGIN_RULES)[2].partition(names_page.END_RULES)[0]
    assert rules == names_page.rules(), "python tests/tf/names_page.py writes it again"
    text = page.partition(names_page.BEGIN)[2]
    assert text.strip() == names_page.lists().strip(), "python tests/tf/names_page.py writes it again"
