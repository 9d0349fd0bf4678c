"""Forks beside threads that are at work: the child has one of the states that the parent had, or says that it has none."""

import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.host_only(reason="other devices cannot be used in a forked child")

MODEL = """
import os, sys, threading, time
import numpy as np
import hornbeam as keras
from hornbeam import backend as K
from hornbeam.layers import Dense, Input

inputs = Input((16,))
ends = [Dense(1, use_bias=False, kernel_initializer="zeros")(inputs) for _ in range(2)]
model = keras.models.Model(inputs, ends)
model.compile(keras.optimizers.SGD(1.0), "mae")
x, y = np.ones((256, 16), "float32"), [np.full((256, 1), -1e9, "float32")] * 2  # so that each step subtracts 1

def step(times=1):
    for _ in range(times):
        model.train_on_batch(x, y)

def beside(work):
    threading.Thread(target=lambda: [work() for _ in iter(int, 1)], daemon=True).start()

def child_is_right():
    a, b = model.predict(x)
    assert np.array_equal(a, b) and a.min() == a.max(), (a[0], b[0])
    p, q = model.get_weights()
    assert np.array_equal(p, q)
    step()
    model.set_weights([p, q])

def fork(work=child_is_right):
    pid = os.fork()
    if not pid:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print("child:", repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    return pid

def wait(*pids):
    end = time.time() + 60
    for pid in pids:
        while True:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                assert status == 0, status
                break
            if time.time() > end:
                os.kill(pid, 9)
                raise SystemExit("a child hangs")
            time.sleep(0.002)

step(), model.predict(x)
"""


def run(script, **environment):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MODEL + textwrap.dedent(script) + "\nos._exit(0)\n"],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_beside_training_and_predicting():
    run(
        """
        beside(step)
        beside(lambda: model.predict(x))
        beside(lambda: model.set_weights(model.get_weights()))
        for _ in range(40):
            wait(fork())
        """
    )


def test_from_several_threads_at_once():
    run(
        """
        beside(step)
        failed = []
        def forks():
            try:
                for _ in range(8):
                    wait(fork())
            except BaseException as error:
                failed.append(error)
        threads = [threading.Thread(target=forks) for _ in range(4)]
        [t.start() for t in threads], [t.join() for t in threads]
        assert not failed, failed
        """
    )


def test_from_a_callback_and_in_grandchildren():
    run(
        """
        class Forks(keras.callbacks.Callback):
            def on_batch_end(self, batch, logs=None):
                wait(fork(lambda: (child_is_right(), wait(fork()))))
        beside(lambda: model.predict(x))
        model.fit(x, y, batch_size=32, verbose=0, callbacks=[Forks()])
        """
    )


def test_while_another_thread_builds_programs():
    run(
        """
        def build():
            model.compile(keras.optimizers.SGD(1.0), "mae")
            step()
        def child():
            K.eval(K.zeros((3,)) + 1)
            model.compile(keras.optimizers.SGD(1.0), "mae")
            child_is_right()
        beside(build)
        for _ in range(15):
            wait(fork(child))
        """
    )


def test_worker_processes_of_multiprocessing():
    run(
        """
        import multiprocessing
        def answer(_):
            child_is_right()
            return 1
        beside(step)
        with multiprocessing.get_context("fork").Pool(3) as pool:
            assert sum(pool.map_async(answer, range(12)).get(60)) == 12
        """
    )


def test_a_fork_from_c():
    # No hook of Python's runs: as in servers that fork by themselves.
    run(
        """
        import ctypes
        forks, goes_on = ctypes.PyDLL(None).fork, ctypes.pythonapi.PyOS_AfterFork_Child
        goes_on.restype = None
        beside(step)
        for _ in range(20):
            # The child calls both before it runs any bytecode, in which it could wait for the parent's threads for ever.
            pid = next(filter(None, map(type(forks).__call__, (forks, goes_on))), 0)
            if not pid:
                child_is_right()
                os._exit(0)
            wait(pid)
        """
    )


def test_a_child_that_could_not_wait_says_so():
    done = run(
        """
        t = K.placeholder((400, 400))
        slow = K.function([t], [K.foldl(lambda a, v: K.dot(a, t) * 1e-3, K.zeros((2000, 400)), initializer=t)])
        square = np.ones((400, 400), "float32")
        threading.Thread(target=slow, args=([square],), daemon=True).start()
        time.sleep(0.3)
        def child():
            for use in (lambda: model.predict(x), model.get_weights, step):
                try:
                    use()
                except RuntimeError as error:
                    assert "HORNBEAM_FORK_PATIENCE" in str(error)
                else:
                    raise AssertionError("used what may be torn")
        begin = time.time()
        wait(fork(child))
        model.predict(x)  # the parent goes on
        """,
        HORNBEAM_FORK_PATIENCE="0.05",
    )
    assert not done.stderr


@pytest.mark.parametrize("method", ["loky", "multiprocessing"])
def test_joblib(method):
    pytest.importorskip("joblib")
    run(
        f"""
        import joblib
        beside(step)
        def answer(i):
            import hornbeam
            return i
        assert sum(joblib.Parallel(2, backend={method!r})(joblib.delayed(answer)(i) for i in range(4))) == 6
        joblib.externals.loky.get_reusable_executor().shutdown()
        """
    )
