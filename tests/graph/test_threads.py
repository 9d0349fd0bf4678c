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
from concurrent.futures import ThreadPoolExecutor
import numpy
from hornbeam import _core
sys.setswitchinterval(1e-6)
with ThreadPoolExecutor(8) as pool:
    for _ in range(20):
        variable, start = _core.Variable("float32", (10_000,)), threading.Barrier(8)
        def read(_):
            start.wait()
            return _core.read_state([variable])[0][0]
        for value in pool.map(read, range(8)):
            assert value.shape == (10_000,)
"""


def test_first_calls_from_many_threads():
    # What is made at the first call (dtypes, a variable's buffer) once hung here, or was made twice.
    subprocess.run([sys.executable, "-c", FIRST_CALLS], check=True, timeout=120)


@pytest.mark.parametrize("count", [0, -1, 2**31 - 1])
def test_number_of_threads(count):
    with pytest.raises(ValueError, match="from 1 to"):
        _core.set_num_threads(count)


LARGE_PRODUCT = """
import numpy as np
from hornbeam import graph as G
x, w = G.placeholder((512, 256)), G.Variable(np.ones((256, 128), "float32"))
product, data = G.Function([x], [G.apply("matmul", [x, w])]), np.ones((512, 256), "float32")
"""


def run_large_product(more, **environment):
    text = LARGE_PRODUCT + more
    return subprocess.run(
        [sys.executable, "-c", text], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("count", ["0", "-3", "two", "4x", "99999999999999999999"])
def test_number_of_threads_in_the_environment(count):
    run = run_large_product("product([data])", HORNBEAM_NUM_THREADS=count)
    assert run.returncode == 1 and f"from 1 to 1024, got '{count}'" in run.stderr


@pytest.mark.host_only(reason="what is limited is the host's memory")
def test_a_run_goes_on_where_no_thread_can_be_made():
    limited = """
import resource
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
before = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (used + (20 << 20), before[1]))
for _ in range(3000):
    assert product([data])[0][0, 0] == 256
resource.setrlimit(resource.RLIMIT_AS, before)
assert (product([data])[0] == 256).all()
"""
    run = run_large_product(limited, HORNBEAM_NUM_THREADS="16")
    assert run.returncode == 0, run.stderr


def test_the_interpreter_ends_while_daemon_threads_compute():
    endless = """
import threading, time
def compute():
    while True:
        product([data])
for _ in range(3):
    threading.Thread(target=compute, daemon=True).start()
time.sleep(0.2)
"""
    run = run_large_product(endless)
    assert run.returncode == 0, run.stderr


@pytest.mark.host_only(reason="other devices cannot be used in a forked child")
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


def test_a_run_that_fails_midway_leaves_no_stale_packing():
    # The update of `w` is written, then that of `bad` becomes NaN: what was packed of `w` before is out of date.
    half_written = """
w, bad = G.Variable(np.ones((256, 256), "float32")), G.Variable(np.zeros(8, "float32"))
y = G.placeholder((8,))
packed = G.Function([x], [G.apply("matmul", [x, w])])
packed([data])
update = G.Function([y], [], [w.assign(w + 1.0), bad.assign(G.apply("log", [y]))])
try:
    update([-np.ones(8)])
except RuntimeError:
    assert (w.get_value() == 2).all() and (packed([data])[0] == 512).all()
else:
    raise AssertionError
"""
    run = run_large_product(half_written, HORNBEAM_CHECK="nan")
    assert run.returncode == 0, run.stderr
