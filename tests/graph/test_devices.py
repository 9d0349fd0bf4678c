"""Devices: runs on memory that host code cannot touch, and weights that go along with the runs."""

import re
import signal

import hornbeam
import numpy as np
import pytest
from fresh_process import run_python
from hornbeam import _core, config
from hornbeam import backend as K
from hornbeam import graph as G
from together import at_once

pytestmark = pytest.mark.skipif("apart" not in dict(_core.devices()), reason="this system has no memory files")


def on_both(function, *feeds):
    """What a function gives on the host, and on the test device."""
    results = []
    for name in ("cpu", "apart"):
        with hornbeam.device(name):
            results.append(function(list(feeds)))
    return results


def equal(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)


def step(x):
    """A training step's updates, its loss, and its weight."""
    w = G.Variable(np.arange(12, dtype="float32").reshape(4, 3) / 10)
    loss = G.apply("reduce_mean", [G.apply("tanh", [G.apply("matmul", [x, w])])], axes=[0, 1], keepdims=False)
    (slope,) = G.gradients(loss, [w])
    return loss, [w.assign(w - 0.5 * slope)], w


def test_a_scope_says_where_a_thread_runs():
    before = _core.device()
    with hornbeam.device("apart"):
        assert _core.device() == "apart"
        with hornbeam.device("cpu"):
            assert _core.device() == "cpu"
        assert _core.device() == "apart"
        assert at_once(_core.device) == [before]  # another thread's
        with pytest.raises(KeyError), hornbeam.device("cpu"):
            raise KeyError
        assert _core.device() == "apart"
    assert _core.device() == before


def test_an_unknown_device_is_an_error_that_lists_those_there_are():
    with pytest.raises(ValueError, match=r"no device 'gpu'.*cpu, apart"), hornbeam.device("gpu"):
        pass
    run = run_python("import hornbeam._core", HORNBEAM_DEVICE="gpu")
    assert run.returncode == 1 and "HORNBEAM_DEVICE: there is no device 'gpu'" in run.stderr


def test_the_environment_picks_a_device():
    run = run_python("from hornbeam import _core; print(_core.device())", HORNBEAM_DEVICE="apart")
    assert run.stdout == "apart\n"


def test_a_process_has_a_device_for_threads_without_a_scope():
    run = run_python(
        """
        import threading
        import hornbeam
        from hornbeam import config

        def elsewhere():
            names = []
            thread = threading.Thread(target=lambda: names.append(config.get_device()))
            thread.start()
            thread.join()
            return names[0]

        print(config.get_device(), elsewhere())
        config.set_device("cpu:0")
        print(config.get_device(), elsewhere())
        with hornbeam.device("apart"):
            print(config.get_device(), elsewhere())
            config.set_device("apart")
            config.set_device("cpu")
            print(config.get_device(), elsewhere())
        config.set_device(None)
        try:
            config.set_device("gpu")
        except ValueError as error:
            print(error)
        print(config.get_device(), elsewhere())
        """,
        HORNBEAM_DEVICE="apart",
    )
    assert run.stderr == ""
    *names, error, last = run.stdout.splitlines()
    assert [*names, last] == ["apart apart", "cpu cpu", "apart cpu", "apart cpu", "apart apart"]
    assert error.startswith("there is no device 'gpu'") and "cpu, apart" in error


def test_plans_of_a_program_belong_to_their_device_and_bodies_to_their_plan():
    x = K.placeholder((None, 2))
    f = G.Function([x], [K.foldl(lambda total, row: K.tanh(total + row), x)])
    equal(*on_both(f, np.ones((3, 2), "float32")))
    for name in ("cpu", "apart"):
        with hornbeam.device(name):
            plans = re.findall("plan for (.*),", str(f.program().bind([(3, 2)])))
            assert len(plans) == 2 and all(("apart" in plan) == (name == "apart") for plan in plans)


def test_host_code_that_follows_a_pointer_of_the_device_faults():
    run = run_python(
        """
        import ctypes, numpy as np
        from hornbeam import graph as G
        v = G.Variable(np.arange(3.0))
        assert G.Function([], [v * 2.0])([])[0].tolist() == [0, 2, 4]
        (pages,) = [line for line in open("/proc/self/maps") if "hornbeam-apart" in line and " ---s " in line]
        ctypes.string_at(int(pages.split("-")[0], 16), 1)
        print("read")
        """,
        HORNBEAM_DEVICE="apart",
    )
    assert run.returncode == -signal.SIGSEGV and run.stdout == ""


def test_variables_go_along_with_the_runs():
    x = G.placeholder((None, 4))
    loss, updates, w = step(x)
    data = np.linspace(-1, 1, 20).reshape(5, 4).astype("float32")
    train = G.Function([x], [loss], updates=updates)
    predict = G.Function([x], [G.apply("matmul", [x, w])])
    with hornbeam.device("cpu"):
        w.set_value(w.get_value() + 1)
        start = w.get_value()
        at_start = predict([data])
        wanted = [train([data]), w.get_value(), train([data]), w.get_value(), predict([data])]
        w.set_value(start)
    got = []
    for name in ("apart", "cpu"):
        with hornbeam.device(name):
            got.append(train([data]))
        got.append(w.get_value())
    with hornbeam.device("apart"):
        got.append(predict([data]))
        equal(predict([data]), wanted[-1])
        w.set_value(start)  # while both devices have the value
        equal(predict([data]), at_start)
    for a, b in zip(got, wanted, strict=True):
        equal(a, b)


def test_random_numbers_are_the_same_and_differ_from_run_to_run():
    x = K.placeholder((None, 6))
    y = K.foldl(lambda total, row: total + K.dropout(row, 0.5, seed=3), x) + K.random_normal((6,), seed=4)
    runs = []
    for name in ("cpu", "apart"):
        f = G.Function([x], [y], phase=1, counter=G.RunCounter())
        with hornbeam.device(name):
            runs.append([f([np.ones((20, 6), "float32")])[0] for _ in range(3)])
    equal(*runs)
    assert not np.array_equal(runs[1][0], runs[1][1])


def test_weights_are_packed_again_where_they_change():
    x, w = G.placeholder((32, 64)), G.Variable(np.ones((64, 48), "float32"))
    f = G.Function([x], [G.apply("matmul", [x, w])])
    with hornbeam.device("apart"):
        for n in (1, 2):
            w.set_value(np.full((64, 48), n))
            equal(f([np.ones((32, 64), "float32")]), [np.full((32, 48), 64 * n)])
            assert "packed once" in str(f.program().bind([(32, 64)]))


#: A convolution, whose weights are packed; random numbers; loops; shapes that depend on data; updates.
EVERYTHING = """
    import numpy as np
    from hornbeam import _core, backend as K, graph as G
    rng = np.random.default_rng(0)
    x, n = K.placeholder((None, 12, 12, 8)), K.placeholder((), dtype="int32")
    w = K.variable(rng.normal(size=(3, 3, 8, 16)))
    h = K.dropout(K.relu(K.conv2d(x, w, padding="same")), 0.3, seed=1)
    rows = K.softmax(K.reshape(h, (-1, 16)))[:n]
    total = K.foldl(lambda a, row: K.tanh(a + row) * 0.9, rows)
    loss = K.sum(K.switch(K.sum(total) > 0, lambda: K.square(total), lambda: K.exp(total))) + K.sum(rows)
    (slope,) = K.gradients(K.sum(h), [w])
    train = G.Function([x, n], [loss, rows], updates=[w.assign(w - 0.01 * slope)], phase=1)
    draw = G.Function([], [K.random_normal((50,), seed=2)], counter=G.RunCounter())
    data = rng.normal(size=(2, 12, 12, 8)).astype("float32")
    results = [*train([data, 7]), *train([data, 9]), w.get_value(), *draw([]), *draw([])]
    print(" ".join(np.asarray(a).tobytes().hex() for a in results))
    print(str(draw.program().bind([])).count("on the host"))
"""


@pytest.mark.parametrize(("left_out", "steps"), [("", 0), ("random_normal,bernoulli,conv2d,gather", 1), ("all", 1)])
def test_an_op_without_a_kernel_is_a_host_step(left_out, steps):
    runs = [
        run_python(EVERYTHING, HORNBEAM_DEVICE=device, HORNBEAM_APART_WITHOUT=left_out) for device in ("cpu", "apart")
    ]
    assert [run.stderr for run in runs] == ["", ""]
    (want, _), (got, on_host) = (run.stdout.splitlines() for run in runs)
    assert got == want and int(on_host) == steps


def test_a_nan_is_found_on_a_device():
    run = run_python(
        """
        import numpy as np
        from hornbeam import backend as K
        x = K.placeholder((3,))
        K.function([x], [K.log(x)])([-np.ones(3)])
        """,
        HORNBEAM_DEVICE="apart",
        HORNBEAM_CHECK="nan",
    )
    assert "made NaN from inputs without NaN" in run.stderr


@pytest.mark.parametrize("device", [name for name, _ in _core.devices()[1:]])
def test_a_forked_child_has_the_host_but_not_the_device(device):
    run = run_python(
        f"""
        import os, numpy as np
        import hornbeam
        from hornbeam import graph as G
        v, x = G.Variable(np.ones(3)), G.placeholder((3,), "float64")
        f = G.Function([x], [v * x])
        two = [np.full(3, 2.0)]
        with hornbeam.device("{device}"):
            f(two), f(two), f(two)  # where it records, the last is played
        if os.fork() == 0:
            print(f(two)[0].tolist())
            try:
                with hornbeam.device("{device}"):
                    f(two)
            except RuntimeError as error:
                print(error, flush=True)
            os._exit(0)
        os.wait()
        with hornbeam.device("{device}"):
            print(f(two)[0].tolist())
        """
    )
    child, refusal, parent = run.stdout.splitlines()
    assert child == parent == "[2.0, 2.0, 2.0]" and "before this process was forked" in refusal


def test_tf32_is_off_until_it_is_asked_for():
    assert not config.uses_tf32()
    x = G.placeholder((None, 64))
    f = G.Function([x], [G.apply("matmul", [x, np.linspace(-1, 1, 64 * 8).reshape(64, 8).astype("float32")])])
    values = np.linspace(0.1, 0.9, 20 * 64).reshape(20, 64).astype("float32")
    exact = f([values])[0]
    config.enable_tf32()
    try:
        assert config.uses_tf32()
        np.testing.assert_allclose(f([values])[0], exact, rtol=2e-3, atol=2e-2)
    finally:
        config.enable_tf32(False)
    np.testing.assert_array_equal(f([values])[0], exact)
