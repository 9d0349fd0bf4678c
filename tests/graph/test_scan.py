"""scan: one body for all steps, against the same steps laid out one after another and against NumPy."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import graph as G

W, U = np.random.RandomState(0).randn(3, 4), np.random.RandomState(1).randn(4, 4) * 0.3


def double_step(w, u):
    """Two states, of which one is read by the other, and an output that is neither."""

    def step(x, states):
        h = K.tanh(K.dot(x, w) + K.dot(states[0], u) + states[1] * 0.1)
        return h * h, [h, states[0] * x[:, :1]]

    return step


@pytest.fixture
def float64():
    K.set_floatx("float64")
    yield
    K.set_floatx("float32")


@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
def test_values_and_derivatives_are_those_of_unrolled_steps(float64, target, backwards, masked, rng):
    x, mask = K.placeholder((None, None, 3)), K.placeholder((None, None))
    starts = [K.placeholder((None, 4)), K.placeholder((None, 4))]
    w, u = K.variable(W), K.variable(U)
    feeds = [rng.randn(2, 5, 3), rng.randn(2, 4), rng.randn(2, 4), np.array([[0, 1, 1, 0, 1], [1, 0, 1, 1, 0]])]
    weights = rng.randn(2, 5, 4)
    results = []
    for unroll in (False, True):
        last, outputs, states = K.rnn(
            double_step(w, u), x, starts, backwards, mask if masked else None, unroll=unroll, input_length=5
        )
        loss = K.sum(outputs * weights) + K.sum(last * last) + K.sum(K.sin(states[0]) + states[1])
        wanted = [x, *starts, w, u]
        first = K.gradients(loss, wanted)
        second = K.gradients(sum(K.sum(K.sin(g)) for g in first), wanted)
        results.append(K.function([x, *starts, mask], [last, outputs, *states, loss, *first, *second])(feeds))
    for got, want in zip(*results):
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12)


def recurrent(reverse=False):
    x, h0 = G.placeholder((None, None, 3)), G.placeholder((None, 4))
    w, u = G.Variable(W.astype("float32")), G.Variable(U.astype("float32"))

    def step(states, rows):
        h = K.tanh(K.dot(rows[0], w) + K.dot(states[0], u))
        return [h], [h]

    return x, h0, [w, u], G.scan(step, [h0], [x], reverse=reverse)


@pytest.mark.parametrize("reverse", [False, True])
def test_any_number_of_steps(reverse, rng):
    x, h0, _, made = recurrent(reverse)
    run = G.Function([x, h0], [made.finals[0], made.states[0], made.outputs[0]])
    for steps, batch in ((3, 2), (1, 1), (0, 2), (200, 3), (4, 0)):
        data, h = rng.randn(steps, batch, 3), rng.randn(batch, 4)
        final, states, outputs = run([data, h])
        want = np.zeros((steps, batch, 4))
        for t in reversed(range(steps)) if reverse else range(steps):
            want[t] = h = np.tanh(data[t] @ W + h @ U)
        np.testing.assert_allclose(final, h, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(outputs, want, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(outputs, states)


def test_the_program_does_not_grow_with_the_steps_and_memory_only_with_saved_states():
    x, h0, weights, made = recurrent()
    loss = G.apply("reduce_sum", [made.finals[0]], axes=[0, 1])
    train = G.Function([x, h0], G.gradients(loss, weights))
    program = str(train.program())
    assert program.count("scan(") == 2 and len(program.splitlines()) < 40
    peaks = [train.program().bind([(n, 8, 3), (8, 4)]).peak_bytes for n in (100, 200, 300)]
    saved = 100 * 8 * 4 * 4  # one state per step; inputs and weights are read where they lie
    assert peaks[1] - peaks[0] == peaks[2] - peaks[1] == saved
    forward = G.Function([x, h0], [made.finals[0]])
    assert len({forward.program().bind([(n, 8, 3), (8, 4)]).peak_bytes for n in (100, 200)}) == 1


def test_plans_show_bodies():
    x, h0, _, made = recurrent()
    program = G.Function([x, h0], made.finals).program()
    assert "\n  " in str(program) and "matmul" in str(program)
    assert "body per step" in str(program.bind([(4, 2, 3), (2, 4)]))


def test_outputs_that_are_states_are_not_written_twice():
    x, h0, _, made = recurrent()
    program = str(G.Function([x, h0], [made.outputs[0]]).program())
    assert program.count("  output ") == 1


def test_what_does_not_depend_on_the_step_is_computed_once():
    x, h0, (w, _), _ = recurrent()
    run = G.Function([x, h0], G.scan(lambda s, r: ([], [s[0] * K.exp(K.sum(w))]), [h0], [x]).finals)
    before, body = str(run.program()).split("scan(")
    assert "exp" in before and "exp" not in body


@pytest.mark.cpu_kernels(reason="which kernels pack what is the CPU's")
def test_weights_are_packed_before_the_first_step():
    x, h0 = G.placeholder((None, 64, 256)), G.placeholder((64, 256))
    w = G.Variable(np.eye(256, dtype="float32") * 0.5)
    made = G.scan(lambda s, r: ([], [K.dot(s[0], w) + r[0]]), [h0], [x])
    run = G.Function([x, h0], made.finals)
    plan = run.program().bind([(3, 64, 256), (64, 256)])
    assert "packed before the first step" in str(plan)
    for scale in (1.0, 2.0):  # never stale
        w.set_value(np.eye(256) * scale)
        np.testing.assert_allclose(
            run([np.ones((3, 64, 256)), np.ones((64, 256))])[0], np.full((64, 256), scale**3 + scale**2 + scale + 1)
        )


def test_sums_over_steps_are_carried_in_place(rng):
    x, total = G.placeholder((None, 50, 50)), G.placeholder((50, 50))
    run = G.Function([x, total], G.scan(lambda s, r: ([], [s[0] + r[0] * r[0]]), [total], [x]).finals)
    data, start = rng.randn(7, 50, 50).astype("float32"), np.ones((50, 50), "float32")
    np.testing.assert_allclose(run([data, start])[0], 1 + (data * data).sum(0), rtol=1e-5)
    assert (start == 1).all() and "@feed+0" in str(run.program().bind([(7, 50, 50), (50, 50)]))


def test_states_may_swap_and_stand_still():
    a, b, x = G.placeholder((2,)), G.placeholder((2,)), G.placeholder((None,))
    made = G.scan(lambda s, r: ([s[0] + r[0]], [s[1], s[0], s[2]]), [a, b, a], [x])
    run = G.Function([a, b, x], [*made.finals, *made.states, *made.outputs])
    got = run([[1, 2], [3, 4], [10, 20, 30]])
    np.testing.assert_array_equal(got[0], [3, 4])
    np.testing.assert_array_equal(got[1], [1, 2])
    np.testing.assert_array_equal(got[2], [1, 2])
    np.testing.assert_array_equal(got[3], [[3, 4], [1, 2], [3, 4]])
    np.testing.assert_array_equal(got[6], [[11, 12], [23, 24], [31, 32]])


def test_integer_states_carry_no_gradient():
    x = K.placeholder((None, None, 3))

    def step(row, states):
        return row * K.cast(states[1], "float32") + states[0], [row, states[1] + 1]

    _, outputs, states = K.rnn(step, x, [K.zeros_like(x[:, 0]), K.zeros((1,), dtype="int32")])
    slope = K.gradients(K.sum(outputs), [x])[0]
    count, values, grad = K.function([x], [states[1], outputs, slope])([np.ones((1, 3, 3))])
    assert count.dtype == np.int32 and count[0] == 3
    np.testing.assert_array_equal(values[0, :, 0], [0, 2, 3])
    np.testing.assert_array_equal(grad[0, :, 0], [1, 2, 2])


def test_the_last_output_needs_no_zeros_for_the_others():
    x, h0, (w, u), _ = recurrent()
    batch_first = K.permute_dimensions(x, (1, 0, 2))

    def step(row, states):
        h = K.tanh(K.dot(row, w) + K.dot(states[0], u))
        return h, [h]

    last, _, _ = K.rnn(step, batch_first, [h0])
    assert "slice_grad" not in str(G.Function([x, h0], K.gradients(K.sum(last), [w, u])).program())


def test_half_precision():
    K.set_floatx("float16")
    try:
        x = K.placeholder((None, None, 3))
        last, outputs, _ = K.rnn(lambda r, s: (r + s[0] * 0.5, [r + s[0] * 0.5]), x, [K.zeros_like(x[:, 0])])
        got = K.function([x], [last, outputs, *K.gradients(K.sum(outputs), [x])])([np.ones((2, 4, 3))])
    finally:
        K.set_floatx("float32")
    assert all(a.dtype == np.float16 for a in got)
    np.testing.assert_array_equal(got[0], np.full((2, 3), 1.875))
    np.testing.assert_array_equal(got[2][0, :, 0], [1.875, 1.75, 1.5, 1])


def test_nested_scans(rng):
    x = G.placeholder((None, None, 2))

    def inner(row):
        return G.scan(lambda s, r: ([], [s[0] * 0.5 + r[0] * K.sum(row)]), [K.zeros((2,))], [row]).finals[0]

    made = G.scan(lambda s, r: ([inner(r[0])], []), [], [x]).outputs[0]
    slope = G.gradients(K.sum(made * made), [x])[0]
    data = rng.randn(3, 4, 2).astype("float32")
    got, grad = G.Function([x], [made, slope])([data])

    def reference(data):
        return np.einsum("bti,t,b->bi", data, 0.5 ** np.arange(data.shape[1])[::-1], data.sum((1, 2)))

    np.testing.assert_allclose(got, reference(data), rtol=1e-4, atol=1e-5)
    bumped = np.array(data, "float64")
    bumped[1, 2, 0] += 1e-6
    numeric = ((reference(bumped) ** 2).sum() - (reference(data.astype("float64")) ** 2).sum()) / 1e-6
    np.testing.assert_allclose(grad[1, 2, 0], numeric, rtol=1e-3)


class TestRandom:
    def masks(self, outside):
        x = G.placeholder((None, 1000))
        drawn = K.dropout(K.ones((1000,)), 0.5, seed=3)

        def step(states, rows):
            kept = drawn if outside else K.dropout(K.ones((1000,)), 0.5, seed=3)
            return [rows[0] * kept], []

        y = G.scan(step, [], [x]).outputs[0]
        return G.Function([x], [y, *G.gradients(K.sum(y), [x])])

    def test_each_step_and_each_run_draws_anew_and_the_gradient_sees_the_same(self):
        run = self.masks(outside=False)
        (a, da), (b, db) = (run([np.ones((3, 1000))]) for _ in range(2))
        np.testing.assert_array_equal(a, da)
        np.testing.assert_array_equal(b, db)
        rows = [*a, *b]
        for i, row in enumerate(rows):
            assert 0.4 < (row > 0).mean() < 0.6
            assert all(0.4 < (row == other).mean() < 0.6 for other in rows[:i])

    def test_what_was_drawn_outside_holds_for_all_steps(self):
        y, dy = self.masks(outside=True)([np.ones((3, 1000))])
        assert (y == y[0]).all() and (y == dy).all() and 0.4 < (y[0] > 0).mean() < 0.6

    def test_the_phase_decides_inside_too(self):
        x, phase = G.placeholder((None, 100)), K.learning_phase()
        y = G.scan(lambda s, r: ([K.in_train_phase(K.dropout(r[0], 0.5), r[0])], []), [], [x]).outputs[0]
        assert y._uses_learning_phase
        run = K.function([x, phase], [y])
        assert (run([np.ones((3, 100)), 0])[0] == 1).all() and (run([np.ones((3, 100)), 1])[0] != 1).all()
        assert "random" not in str(run.program(0))


class TestErrors:
    def test_updates_inside(self):
        counter = K.variable(0.0)
        with pytest.raises(RuntimeError, match="inside the body of a scan"):
            K.map_fn(lambda x: K.update_add(counter, 1.0), K.placeholder((None, 3)))
        K.update_add(counter, 1.0)  # outside it is fine again

    @pytest.mark.parametrize(
        "change", [lambda s: K.concatenate([s, s]), lambda s: K.cast(s, "float64"), lambda s: K.sum(s)]
    )
    def test_states_that_change_their_type(self, change):
        with pytest.raises(ValueError, match="state 0 of a scan begins as"):
            G.scan(lambda s, r: ([], [change(s[0])]), [K.zeros((3,))], [K.placeholder((None,))])

    def test_states_that_change_their_shape_at_bind(self):
        x, start = G.placeholder((None, None)), G.placeholder((None,))
        run = G.Function([x, start], G.scan(lambda s, r: ([], [s[0] + r[0]]), [start], [x]).finals)
        with pytest.raises(ValueError, match="state 0 has shape"):
            run([np.ones((2, 3)), np.ones(1)])

    def test_sequences_of_different_lengths(self):
        x, y = G.placeholder((None, 2)), G.placeholder((None, 2))
        run = G.Function([x, y], G.scan(lambda s, r: ([r[0] + r[1]], []), [], [x, y]).outputs)
        with pytest.raises(ValueError, match="numbers of rows"):
            run([np.ones((2, 2)), np.ones((3, 2))])

    def test_no_sequence_and_a_wrong_number_of_states(self):
        with pytest.raises(ValueError, match="needs a sequence"):
            G.scan(lambda s, r: ([], s), [K.zeros((3,))], [])
        with pytest.raises(ValueError, match="1 states, but a step gives 0"):
            G.scan(lambda s, r: ([], []), [K.zeros((3,))], [K.placeholder((None,))])


def training():
    x, h0, weights, made = recurrent()
    grads = G.gradients(K.sum(made.outputs[0] * made.outputs[0]), weights)
    return G.Function([x, h0], grads, [w.assign(w - 0.01 * g) for w, g in zip(weights, grads)])


@pytest.mark.host_only(reason="kernels of other devices may allocate")
def test_warm_runs_allocate_nothing():
    run = training()
    feeds = [np.ones((6, 2, 3), "float32"), np.zeros((2, 4), "float32")]
    for _ in range(3):
        run(feeds)
    assert run.program().bind([(6, 2, 3), (2, 4)]).last_allocations == 0


def test_many_threads_and_any_number_of_them(threads, rng):
    x, h0, _, made = recurrent()
    run = G.Function([x, h0], [made.outputs[0]])
    batches = [[rng.randn(n, 64, 3).astype("float32"), np.zeros((64, 4), "float32")] for n in (3, 9, 20) * 4]
    threads(1)
    want = [run(b)[0] for b in batches]
    threads(3)
    with ThreadPoolExecutor(6) as pool:
        for got, expected in zip(pool.map(lambda b: run(b)[0], batches), want):
            np.testing.assert_array_equal(got, expected)


def run_python(code, **env):
    path = os.pathsep.join(["tests/graph", os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **env, "PYTHONPATH": path}
    )


def test_poisoned_memory_is_never_read():
    code = (
        "import numpy as np, test_scan\n"
        "run = test_scan.training()\n"
        "for steps in (1, 5, 5): out = run([np.ones((steps, 2, 3)), np.zeros((2, 4))])\n"
        "print(all(np.isfinite(o).all() for o in out))"
    )
    done = run_python(code, HORNBEAM_ARENA="poison")
    assert done.stdout.strip() == "True", done.stderr


def test_the_first_nan_inside_is_named():
    code = (
        "import numpy as np\n"
        "from hornbeam import backend as K, graph as G\n"
        "x = K.placeholder((None, 3))\n"
        "with G.name_scope('inner'): y = K.map_fn(lambda r: K.log(K.reshape(r, (3, 1))), x)\n"
        "K.function([x], [y])([-np.ones((2, 3))])"
    )
    done = run_python(code, HORNBEAM_CHECK="nan")
    assert "layer 'inner', op 'log'" in done.stderr
