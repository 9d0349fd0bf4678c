"""Values of functions of TensorFlow 2, for data that follow from a seed.

    python tests/tf/function_values.py > tests/tf/function_values.json      # with TensorFlow 2.21
    hornbeam run --tf 2 tests/tf/function_values.py

``test_function_values.py`` compares the two.
"""

import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

r = np.random.RandomState(0)


def f(*shape):
    return r.normal(size=shape).astype("float32")


x1, x2, x3 = f(2, 8, 3), f(2, 4, 4, 3), f(1, 4, 4, 4, 2)
out = {}


def rounded(a):
    return [list(a.shape), *[float(f"{v:.7g}") for v in a.astype("float64").ravel()[:300]]]


def put(n, *v):
    out[n] = [rounded(np.asarray(a)) for a in v]


put("mp1", tf.nn.max_pool1d(x1, 2, 2, "VALID"), tf.nn.avg_pool1d(x1, 3, 2, "SAME"))
put("mp3", tf.nn.max_pool3d(x3, 2, 2, "VALID"), tf.nn.avg_pool3d(x3, 3, 2, "SAME"))
put("pool", tf.nn.pool(x2, (2, 2), "AVG", padding="SAME", strides=(2, 2)), tf.nn.pool(x1, [2], "MAX"))
put("c1t", tf.nn.conv1d_transpose(x1, f(3, 5, 3), [2, 16, 5], 2))
put("c3t", tf.nn.conv3d_transpose(x3, f(3, 3, 3, 4, 2), [1, 8, 8, 8, 4], 2))
put("wm", *tf.nn.weighted_moments(x1, [0, 1], np.abs(f(2, 8, 1))))
c, m, v, s = tf.nn.sufficient_statistics(x1, [0, 1])
put("ss", c, m, v)
put("nm", *tf.nn.normalize_moments(c, m, v, None))
a, b = tf.nn.max_pool_with_argmax(x2, 2, 2, "VALID")
put("am", a, b)
a, b = tf.nn.max_pool_with_argmax(x2, 2, 2, "VALID", include_batch_in_index=True)
put("amb", a, b)
lo = f(7, 3, 5)
lab = np.array([[1, 2, 2], [3, 0, 0], [4, 1, 0]], "int32")
ll = [3, 1, 2]
tl = [7, 6, 7]
put("ctc0", tf.nn.ctc_loss(lab, lo, ll, tl))
put("ctc1", tf.nn.ctc_loss(np.array([[0, 2, 2], [3, 0, 0], [1, 0, 3]], "int32"), lo, ll, tl, blank_index=-1))
put(
    "ctcb",
    tf.nn.ctc_loss(
        np.array([[0, 1, 1], [3, 0, 0], [4, 0, 3]], "int32"),
        np.transpose(lo, (1, 0, 2)),
        ll,
        tl,
        logits_time_major=False,
        blank_index=2,
    ),
)
sp = tf.SparseTensor([[0, 0], [0, 1], [1, 0], [2, 0]], np.array([0, 2, 3, 1], "int32"), [3, 3])
put("ctcs", tf.nn.ctc_loss(sp, lo, None, tl, blank_index=-1))
d, sc = tf.nn.ctc_greedy_decoder(lo, tl)
put("greedy", d[0].indices, d[0].values, d[0].dense_shape, sc)
d, sc = tf.nn.ctc_beam_search_decoder(lo, tl, beam_width=10, top_paths=2)
put("beam", d[0].indices, d[0].values, sc)
w, bi, inp = f(20, 4), f(20), f(3, 4)
lb = np.array([[1], [5], [19]], "int64")
sv = (np.array([2, 5, 7, 11], "int64"), np.full((3, 1), 0.3, "float32"), np.array([0.4, 0.3, 0.2, 0.1], "float32"))
put("sampled", tf.nn.sampled_softmax_loss(w, bi, lb, inp, 4, 20, sampled_values=sv))
put("nce", tf.nn.nce_loss(w, bi, lb, inp, 4, 20, sampled_values=sv))
put(
    "avg",
    tf.nn.compute_average_loss(np.array([1.0, 2, 3], "float32"), global_batch_size=6),
    tf.nn.compute_average_loss(np.array([1.0, 2, 3], "float32"), sample_weight=np.array([1.0, 0, 2], "float32")),
)
img = np.random.RandomState(1).uniform(size=(2, 4, 3, 3)).astype("float32")
put("rwp", tf.image.resize_with_pad(img, 12, 8), tf.image.resize_with_pad(img, 4, 4))
put(
    "hue",
    tf.image.adjust_hue(img, 0.3),
    tf.image.adjust_saturation(img, 1.7),
    tf.image.adjust_gamma(img, 2.0, 0.5),
    tf.image.rgb_to_hsv(img),
)
u8 = (img * 255).astype("uint8")
put(
    "u8",
    tf.image.adjust_brightness(u8, 0.1),
    tf.image.adjust_contrast(u8, 1.5),
    tf.image.adjust_hue(u8, 0.1),
    tf.image.adjust_saturation(u8, 0.5),
)
put(
    "rank",
    tf.math.bincount([1, 1, 3], minlength=2),
    tf.math.confusion_matrix([1, 2], [1, 0]),
    tf.histogram_fixed_width([-1.0, 0.0, 1.5, 5.0], [0.0, 5.0], nbins=5),
)
put(
    "seg",
    tf.math.unsorted_segment_max(x1, [0, 3], 4),
    tf.math.segment_prod(x2, [0, 2]),
    tf.math.segment_max(x2, [0, 2]),
    tf.math.unsorted_segment_max(x1, [[0, 1, 2, 3, 0, 1, 2, -1], [3, 2, 1, 0, 0, 0, 0, 0]], 5),
)
put(
    "digamma",
    tf.math.digamma([0.3, -1.5, 4.0]),
    tf.math.lgamma([0.3, -1.5, 4.0, 100.0]),
    tf.math.erfinv([0.1, -0.9, 0.99]),
    tf.math.atan2([1.0, -1.0, 0.0], [-1.0, -1.0, -2.0]),
    tf.math.cumulative_logsumexp([1.0, 2.0, 3.0]),
)
a, b = tf.linalg.eigh(np.eye(3, dtype="float32") * [1, 2, 3])
put("eigh", a)
s, u, v = tf.linalg.svd(f(4, 3))
put("svd", s, np.shape(u), np.shape(v))
sd = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [1.0, 2.0, 3.0], [2, 3])
put(
    "sp",
    tf.sparse.reduce_sum(sd, 1),
    tf.sparse.to_dense(tf.sparse.softmax(sd)),
    tf.sparse.to_dense(tf.sparse.add(sd, sd)),
    tf.sparse.to_dense(tf.sets.union([[1, 2, 2]], [[2, 3, 1]])),
    tf.sparse.sparse_dense_matmul(sd, f(3, 2)),
)
print(json.dumps(out, separators=(",", ":")))
