"""Runs from several threads, and the same bits for any number of them."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from hornbeam import _core
from hornbeam import graph as G


def network(batch=64, width=96, seed=0):
    rng = np.random.RandomState(seed)
    x = G.placeholder((None, width))
    h = x
    variables = []
    for _ in range(3):
        w = G.Variable(rng.uniform(-0.2, 0.2, (width, width)).astype("float32"))
        variables.append(w)
        h = G.apply("tanh", [G.apply("matmul", [h, w])])
    loss = G.apply("reduce_mean", [h * h], axes=[0, 1], keepdims=False)
    grads = G.gradients([loss], variables)
    updates = [w.assign(w - 0.1 * g) for w, g in zip(variables, grads)]
    return x, h, loss, variables, updates, rng.uniform(-1, 1, (batch, width)).astype("float32")


def test_parallel_predictions_are_right():
    x, h, _, _, _, data = network()
    f = G.Function([x], [h])
    want = f([data])[0]
    wrong = []

    def predict():
        for n in (64, 7, 32):
            for _ in range(10):
                if not np.array_equal(f([data[:n]])[0], want[:n]) and n == 64:
                    wrong.append(n)

    workers = [threading.Thread(target=predict) for _ in range(8)]
    for t in workers:
        t.start()
    for t in workers:
        t.join()
    assert not wrong


def test_predictions_beside_training_see_whole_states():
    v = G.Variable(np.zeros(10_000, "float32"))
    read = G.Function([], [v * 1.0])
    step = G.Function([], [], [v.assign_add(np.ones(10_000, "float32"))])
    stop, torn = threading.Event(), []

    def watch():
        while not stop.is_set():
            a = read([])[0]
            if a.min() != a.max():
                torn.append(a)

    workers = [threading.Thread(target=watch) for _ in range(3)]
    for t in workers:
        t.start()
    for _ in range(200):
        step([])
    stop.set()
    for t in workers:
        t.join()
    assert not torn and v.get_value()[0] == 200


def test_same_bits_for_any_number_of_threads(threads):
    results = []
    for n in (1, 2, 3):
        threads(n)
        x, _, loss, variables, updates, data = network(seed=3)
        f = G.Function([x], [loss], updates)
        losses = [f([data])[0] for _ in range(3)]
        results.append((losses, [w.get_value() for w in variables]))
    for losses, weights in results[1:]:
        np.testing.assert_array_equal(losses, results[0][0])
        for a, b in zip(weights, results[0][1]):
            np.testing.assert_array_equal(a, b)


FIRST_CALLS = """
import sys, threading
import numpy
from hornbeam import _core
sys.setswitchinterval(1e-6)
for _ in range(20):
    variable, start = _core.Variable("float32", (10_000,)), threading.Barrier(8)
    def read():
        start.wait()
        variable.get()
    readers = [threading.Thread(target=read) for _ in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
"""


def test_first_calls_from_many_threads():
    # What is made at the first call (dtypes, a variable's buffer) once hung here, or was made twice.
    subprocess.run([sys.executable, "-c", FIRST_CALLS], check=True, timeout=120)


def test_number_of_threads():
    with pytest.raises(ValueError, match="at least 1"):
        _core.set_num_threads(0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # a fork beside threads is what this is about
def test_a_forked_child_computes_too(threads):
    threads(2)
    x, h, _, _, _, data = network()
    f = G.Function([x], [h])
    want = f([data])[0]
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(f([data])[0], want) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    np.testing.assert_array_equal(f([data])[0], want)
