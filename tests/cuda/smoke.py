"""One program of each kind on a GPU, beside the CPU: a JSON line for each, with the largest difference and the time.

Then one for each library, with how many descriptions it carried out, and for how many it had no way.
``python tests/cuda/smoke.py cuda`` takes seconds, and is the first thing to run on a new GPU or driver.
"""

from __future__ import annotations

import collections
import json
import os
import pathlib
import sys
import tempfile
import time
import traceback

import hornbeam
import numpy as np
from hornbeam import backend as K
from hornbeam import graph as G
from hornbeam import layers, models

RUNS = 4  # the first is plain, the second recorded, the others played


def elementwise(rng):
    x = K.placeholder((None, 33))
    return G.Function([x], [K.tanh(x) * 2 + K.exp(-K.square(x))]), [rng.normal(size=(1000, 33))]


def reduction(rng):
    x = K.placeholder((None, 65))
    return G.Function([x], [K.sum(x, axis=0), K.max(x, axis=1), K.softmax(x)]), [rng.normal(size=(501, 65))]


def product(rng):
    x, w = K.placeholder((None, 70)), K.variable(rng.normal(size=(70, 90)))
    return G.Function([x], [K.relu(K.dot(x, w))]), [rng.normal(size=(130, 70))]


def batched_product(rng):
    x, y = K.placeholder((None, 6, 20, 24)), K.placeholder((None, 1, 24, 17))
    bias = K.variable(rng.normal(size=17))
    z = [G.apply("matmul", [x, y, bias], activation=name) for name in ("linear", "relu", "tanh")]
    turned = G.apply("matmul", [x, x], transpose_a=True)
    return G.Function([x, y], [*z, turned]), [rng.normal(size=(3, 6, 20, 24)), rng.normal(size=(3, 1, 24, 17))]


def convolution(rng):
    x, w = K.placeholder((None, 17, 15, 8)), K.variable(rng.normal(size=(3, 3, 8, 16)))
    y = K.conv2d(x, w, padding="same", strides=(2, 1))
    slopes = K.gradients(K.sum(K.square(y)), [x, w])
    return G.Function([x], [y, *slopes]), [rng.normal(size=(4, 17, 15, 8))]


def volumes(rng):
    x, w = K.placeholder((None, 7, 9, 8, 5), dtype="float64"), K.variable(rng.normal(size=(3, 2, 3, 5, 6)), "float64")
    y = K.relu(K.bias_add(K.conv3d(x, w, padding="same", strides=(1, 2, 1)), K.variable(rng.normal(size=6), "float64")))
    return G.Function([x], [y, *K.gradients(K.sum(K.square(y)), [x, w])]), [rng.normal(size=(2, 7, 9, 8, 5))]


def windows_of_one_cell(rng):
    x, w = K.placeholder((None, 6, 5, 20)), K.variable(rng.normal(size=(1, 1, 20, 12)))
    y = K.relu(K.conv2d(x, w))
    return G.Function([x], [y, *K.gradients(K.sum(K.square(y)), [x, w])]), [rng.normal(size=(3, 6, 5, 20))]


def not_a_number(rng):
    x, w = K.placeholder((None, 9, 9, 4)), K.variable(rng.normal(size=(3, 3, 4, 8)))
    y, z = K.relu(K.conv2d(x, w)), K.relu(K.dot(K.reshape(x, (-1, 36)), K.variable(rng.normal(size=(36, 5)))))
    feed = rng.normal(size=(2, 9, 9, 4))
    feed[1, 4, 4, 2] = np.nan
    return G.Function([x], [K.cast(K.not_equal(v, v), "float32") for v in (y, z)]), [feed]


def scan(rng):
    x = K.placeholder((None, 12))
    y = K.foldl(lambda total, row: K.tanh(total + K.dropout(row, 0.5, seed=1)), x)
    return G.Function([x], [y], phase=1, counter=G.RunCounter()), [rng.normal(size=(9, 12))]


def random(rng):
    return G.Function([], [K.random_normal((1000,), seed=1), K.random_uniform((99,), seed=2)]), []


def training(rng):
    x, y = K.placeholder((None, 20)), K.placeholder((None, 3))
    w = K.variable(rng.normal(size=(20, 3)) / 5)
    loss = K.mean(K.categorical_crossentropy(y, K.softmax(K.dot(x, w))))
    (slope,) = K.gradients(loss, [w])
    data = [rng.normal(size=(64, 20)), np.eye(3)[rng.randint(3, size=64)]]
    return G.Function([x, y], [loss], updates=[w.assign(w - 0.1 * slope)]), data


def recurrent(rng):
    model = models.Sequential([layers.LSTM(24, input_shape=(11, 7)), layers.Dense(2)])
    return model.predict_on_batch, rng.normal(size=(5, 11, 7))


def results(build, device):
    function, data = build(np.random.RandomState(0))
    with hornbeam.device(device):
        return [[np.asarray(a, "float64") for a in _list(function(data))] for _ in range(RUNS)]


def _list(value):
    return value if isinstance(value, list) else [value]


def compare(build, device):
    np.random.seed(0)  # initial weights
    want = results(build, "cpu")
    np.random.seed(0)
    start = time.perf_counter()
    got = results(build, device)
    seconds = time.perf_counter() - start
    worst = max(
        float(np.max(np.abs(a - b) / (1 + np.abs(a)), initial=0))
        for run, other in zip(want, got, strict=True)
        for a, b in zip(run, other, strict=True)
    )
    return {"difference": worst, "seconds": round(seconds, 3), "ok": worst < 1e-4}


PROGRAMS = (
    elementwise, reduction, product, batched_product, convolution, volumes, windows_of_one_cell, not_a_number, scan, random,
    training, recurrent,
)  # fmt: skip


def library_lines(dump):
    """Of each library, how many descriptions it carried out, and how many it did not."""
    done = collections.Counter(tuple(line.split()[:2]) for line in dump.splitlines())
    for kind in ("gemm", "conv"):
        yield {"library": kind, **{outcome: done[kind, outcome] for outcome in ("done", "none")}}


def main(device):
    failed = 0
    for build in PROGRAMS:
        try:
            outcome = compare(build, device)
        except Exception as error:  # whatever it is, the next one is to be tried
            traceback.print_exc()
            outcome = {"ok": False, "error": str(error)[:300]}
        failed += not outcome["ok"]
        print(json.dumps({"smoke": build.__name__, **outcome}), flush=True)
    return failed


def main_with_libraries(device):
    with tempfile.TemporaryDirectory() as folder:
        dump = pathlib.Path(folder, "descriptions")
        os.environ["HORNBEAM_DUMP_LIBRARY"] = str(dump)  # read at the first call of a library
        failed = main(device)
        for line in library_lines(dump.read_text() if dump.exists() else ""):
            print(json.dumps(line), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main_with_libraries(sys.argv[1] if len(sys.argv) > 1 else "cuda"))
