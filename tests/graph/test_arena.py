"""Memory that is shared between values whose lifetimes do not meet never changes a result."""

import subprocess
import sys

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import graph as G
from hornbeam.graph.flat import flatten
from hornbeam.graph.rewrites import rewrite
from hornbeam.layers import RNN, ConvLSTM2D, GRUCell, LSTMCell
from hypothesis import given, settings
from hypothesis import strategies as st


def random_graph(seed):
    """A random graph with views, shared tensors, several outputs, and updates of variables."""
    rng = np.random.RandomState(seed)
    x = G.placeholder((None, 6), name="x")
    variables = [G.Variable(rng.uniform(-1, 1, (6, 6)).astype("float32")) for _ in range(2)]
    row = G.Variable(rng.uniform(-1, 1, 6).astype("float32"))
    pool = [x, x * 0.5]
    for _ in range(rng.randint(5, 25)):
        a, b = (pool[rng.randint(len(pool))] for _ in range(2))
        kind = rng.randint(8)
        if kind == 0:
            new = G.apply("matmul", [a, variables[rng.randint(2)]])
        elif kind == 1:
            new = G.apply("tanh", [a])
        elif kind == 2:
            new = a + b
        elif kind == 3:
            new = G.reshape(G.reshape(a, (-1, 3, 2)), (-1, 6)) * 0.9
        elif kind == 4:
            new = a * row
        elif kind == 5:
            new = G.apply("softmax", [a])
        elif kind == 6:
            new = G.apply("concat", [a[:, 3:], b[:, :3]], axis=1)
        else:
            new = a - G.apply("reduce_mean", [b], axes=[1], keepdims=True)
        pool.append(new)
    outputs = [pool[rng.randint(len(pool))] for _ in range(2)] + [pool[-1]]
    loss = G.apply("reduce_sum", [pool[-1] * pool[-2]], axes=[0, 1], keepdims=False)
    updates = []
    for v, g in zip([*variables, row], G.gradients([loss], [*variables, row])):
        if g is not None:
            updates.append(v.assign(v - 0.01 * g))
    return x, outputs, updates, [*variables, row]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31 - 1), st.integers(0, 5))
def test_reuse_does_not_change_bits(seed, batch):
    data = np.random.RandomState(seed).uniform(-1, 1, (batch, 6)).astype("float32")
    results = []
    for reuse in (True, False):
        x, outputs, updates, variables = random_graph(seed)
        graph = flatten([x], outputs, updates)
        rewrite(graph)
        program, used = graph.lower(reuse=reuse)
        for v in used:
            v.materialize()
        runs = [program.run([data]) for _ in range(2)]
        results.append((runs, [v.get_value() for v in variables]))
    for a, b in zip(results[0][0][0] + results[0][0][1], results[1][0][0] + results[1][0][1]):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(results[0][1], results[1][1]):
        np.testing.assert_array_equal(a, b)


def test_poisoned_memory_is_never_read():
    code = (
        "import sys; sys.path.insert(0, 'tests/graph')\n"
        "import numpy as np\n"
        "from hornbeam import graph as G\n"
        "from test_arena import random_graph\n"
        "for seed in range(40):\n"
        "    x, outputs, updates, variables = random_graph(seed)\n"
        "    f = G.Function([x], outputs, updates)\n"
        "    for _ in range(2):\n"
        "        assert all(np.isfinite(a).all() for a in f([np.full((3, 6), 0.1)])), seed\n"
        "    assert all(np.isfinite(v.get_value()).all() for v in variables), seed\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=_environment("poison"))
    assert run.returncode == 0, run.stderr


def _environment(arena):
    import os

    return {**os.environ, "HORNBEAM_ARENA": arena}


def test_reuse_saves_memory():
    x = G.placeholder((None, 1000))
    y = x
    for _ in range(10):
        y = G.apply("softmax", [y * 2.0])
    graph = flatten([x], [y])
    sizes = [graph.lower(reuse=reuse)[0].bind([(100, 1000)]).peak_bytes for reuse in (True, False)]
    assert sizes[0] * 4 < sizes[1]


def test_nan_check_names_the_layer():
    code = (
        "import numpy as np\n"
        "from hornbeam import graph as G\n"
        "x = G.placeholder((2,))\n"
        "with G.name_scope('block_3'):\n"
        "    y = G.apply('log', [x])\n"
        "G.Function([x], [y + 1.0, G.apply('reduce_sum', [y], axes=[0], keepdims=False)])([np.array([1.0, -1.0])])\n"
    )
    import os

    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "HORNBEAM_CHECK": "nan"}
    )
    assert run.returncode != 0 and "layer 'block_3'" in run.stderr


@pytest.mark.parametrize("name", ["sse9", "AVX-512"])
def test_unknown_instruction_set_is_an_error_at_import(name):
    import os

    run = subprocess.run(
        [sys.executable, "-c", "import hornbeam._core"],
        capture_output=True,
        text=True,
        env={**os.environ, "HORNBEAM_ISA": name},
    )
    assert run.returncode != 0 and f"instruction set '{name}'" in run.stderr


def step_by_dot(w, u):
    return lambda x, states: (K.dot(x, w), [K.tanh(K.dot(x, w) + K.dot(states[0], u))])


def step_by_convolution(w, u):
    def step(x, states):
        h = K.tanh(K.conv2d(x, w, padding="same") + K.conv2d(states[0], u, padding="same"))
        return K.conv2d(h, u, padding="same"), [h]

    return step


def step_with_steps(w, u):
    """A scan inside of a scan: both multiply by the same matrix, transposed in the gradient of one of them."""

    def step(x, states):
        inner = K.rnn(step_by_dot(w, u), K.stack([x, x * 0.5], axis=1), states)
        return inner[0], [K.tanh(inner[2][0] + K.dot(x, K.transpose(w)))]

    return step


def step_with_branches(w, u):
    def step(x, states):
        h = K.switch(K.sum(x) > 0.0, lambda: K.dot(K.tanh(K.dot(states[0], u)), w), lambda: K.dot(x, u) + states[0])
        return K.dot(h, w), [K.tanh(h)]

    return step


def unrolling(step, w_shape, state_shape):
    def build(x):
        w, u = (K.variable(np.random.RandomState(i).randn(*w_shape) * 0.2) for i in range(2))
        _, outputs, states = K.rnn(step(w, u), x, [K.zeros(state_shape)])
        return [outputs, states[0]], [w, u]

    return build


def layer(make):
    def build(x):
        made = make()
        y = made(x)
        return [y], made.trainable_weights

    return build


#: what is built of scans whose bodies pack matrices and kernels once for all steps, and the shape of x
SCANS = {
    "dot": (unrolling(step_by_dot, (40, 40), (2, 40)), (2, 5, 40)),
    "convolution": (unrolling(step_by_convolution, (3, 3, 8, 8), (2, 9, 10, 8)), (2, 4, 9, 10, 8)),
    "scan in scan": (unrolling(step_with_steps, (40, 40), (2, 40)), (2, 3, 40)),
    "branches": (unrolling(step_with_branches, (40, 40), (2, 40)), (2, 4, 40)),
    "stacked cells": (layer(lambda: RNN([LSTMCell(17), GRUCell(20)], return_sequences=True)), (2, 4, 70)),
    "ConvLSTM2D": (layer(lambda: ConvLSTM2D(3, 3, padding="same", return_sequences=True)), (2, 3, 6, 7, 2)),
    "strided ConvLSTM2D": (layer(lambda: ConvLSTM2D(8, (3, 2), strides=2)), (2, 3, 13, 12, 8)),
}


@pytest.mark.parametrize("name", SCANS)
def test_what_a_scan_packs_once_outlives_its_steps(target, monkeypatch, name):
    build, shape = SCANS[name]
    np.random.seed(0)
    x = K.placeholder(shape)
    outputs, weights = build(x)
    grads = K.gradients(sum(K.sum(K.sin(y)) for y in outputs), [x, *weights])
    graph = flatten([x], [*outputs, *grads])
    rewrite(graph)
    data = np.random.RandomState(1).randn(*shape).astype("float32")

    def run(reuse):
        program, used = graph.lower(reuse=reuse)
        for v in used:
            v.materialize()
        return [program.run([data]) for _ in range(2)][1]

    alone, shared = run(reuse=False), run(reuse=True)
    monkeypatch.setenv("HORNBEAM_ARENA", "poison")
    for a, b, c in zip(alone, shared, run(reuse=True)):
        np.testing.assert_array_equal(b, a)
        np.testing.assert_array_equal(c, a)
