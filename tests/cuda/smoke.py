"""One program of each kind on a GPU, beside the CPU: a JSON line for each, with the largest difference and the time.

``python tests/cuda/smoke.py cuda`` takes seconds, and is the first thing to run on a new GPU or driver.
"""

from __future__ import annotations

import json
import sys
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


def convolution(rng):
    x, w = K.placeholder((None, 17, 15, 8)), K.variable(rng.normal(size=(3, 3, 8, 16)))
    y = K.conv2d(x, w, padding="same", strides=(2, 1))
    slopes = K.gradients(K.sum(K.square(y)), [x, w])
    return G.Function([x], [y, *slopes]), [rng.normal(size=(4, 17, 15, 8))]


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


def main(device):
    failed = 0
    for build in (elementwise, reduction, product, convolution, scan, random, training, recurrent):
        try:
            outcome = compare(build, device)
        except Exception as error:  # whatever it is, the next one is to be tried
            traceback.print_exc()
            outcome = {"ok": False, "error": str(error)[:300]}
        failed += not outcome["ok"]
        print(json.dumps({"smoke": build.__name__, **outcome}), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "cuda"))
