"""Names that scripts for TensorFlow 2 pass on, ask for, or call before anything else."""

import subprocess
import sys

import numpy as np
import pytest
from hornbeam import graph as G
from hornbeam.tf import NAMES
from hornbeam.tf.eager import GradientTape, function

pytestmark = pytest.mark.usefixtures("eager")


def test_about_tensors():
    x = G.constant([[1.0, 2.0]])
    assert [t.numpy().tolist() for t in NAMES["identity_n"]([x, 3])] == [[[1, 2]], 3]
    assert [t.numpy().tolist() for t in NAMES["shape_n"]([x, 3])] == [[1, 2], []]
    assert NAMES["get_static_value"](x).tolist() == [[1, 2]] and NAMES["get_static_value"](G.placeholder((1,))) is None
    assert NAMES["is_symbolic_tensor"](G.placeholder((1,))) and not NAMES["is_symbolic_tensor"](x)
    seen = []
    function(lambda: seen.append(NAMES["inside_function"]()))()
    assert seen == [True] and not NAMES["inside_function"]()
    with G.name_scope("a"):
        assert NAMES["get_current_name_scope"]() == "a"


def test_bits():
    a, b = np.array([12, 5]), np.array([10, 1])
    for name, twin in (("and", np.bitwise_and), ("or", np.bitwise_or), ("xor", np.bitwise_xor)):
        np.testing.assert_array_equal(NAMES[f"bitwise.bitwise_{name}"](a, b), twin(a, b))
    np.testing.assert_array_equal(NAMES["bitwise.left_shift"](a, 1), a << 1)
    np.testing.assert_array_equal(NAMES["bitwise.invert"](a), ~a)


def test_hessians(rng):
    matrix = rng.normal(size=(3, 3))
    x = G.placeholder((3,), "float64")
    (found,) = NAMES["hessians"](NAMES["reduce_sum"](x * NAMES["linalg.matvec"](matrix, x)), x)
    np.testing.assert_allclose(G.Function([x], [found])([np.ones(3)])[0], matrix + matrix.T)


def test_derivatives_along_a_direction():
    x, v = G.constant([1.0, 2.0, 3.0]), G.Variable(2.0)
    tangents = [G.constant([1.0, 0.0, -1.0]), G.constant(0.5)]
    with NAMES["autodiff.ForwardAccumulator"]([x, v], tangents) as along:
        y = x * x * v
        other = G.constant(1.0) * 2
    np.testing.assert_allclose(along.jvp(y), [2 * 1 * 2 + 0.5, 2.0, -2 * 3 * 2 + 4.5])
    assert along.jvp(other) is None and float(along.jvp(other, "zero")) == 0
    assert float(v.numpy()) == 2


def test_structures():
    assert NAMES["nest.is_nested"]({"a": 1}) and not NAMES["nest.is_nested"](1)
    NAMES["nest.assert_same_structure"]([1, {"a": 2}], [3, {"a": 4}])
    with pytest.raises(ValueError, match="same nested structure"):
        NAMES["nest.assert_same_structure"]([1], [1, 2])


def test_functions_may_be_called_step_by_step():
    calls = []

    @function
    def f(x):
        calls.append(type(x.numpy()) is np.float32)
        return x

    NAMES["config.run_functions_eagerly"](True)
    try:
        assert NAMES["config.functions_run_eagerly"]()
        f(G.constant(1.0)), f(G.constant(2.0))
        assert calls == [True, True]
    finally:
        NAMES["config.run_functions_eagerly"](False)


SCRIPT = """
import os
import tensorflow as tf
strategy = tf.distribute.MirroredStrategy()
with strategy.scope():
    v = tf.Variable(1.0)
def step(x):
    context = tf.distribute.get_replica_context()
    return context.all_reduce("sum", v * x)
@tf.function
def run(x):
    per_replica = strategy.run(step, args=(x,))
    return strategy.reduce(tf.distribute.ReduceOp.SUM, per_replica, axis=None)
assert float(run(tf.constant(3.0))) == 3 and strategy.num_replicas_in_sync == 1
assert float(strategy.reduce("MEAN", tf.constant([1.0, 3.0]), axis=0)) == 2
assert list(strategy.experimental_distribute_dataset([1, 2])) == [1, 2]
for gpu in tf.config.list_physical_devices("GPU"):
    tf.config.experimental.set_memory_growth(gpu, True)
cpu, = tf.config.list_physical_devices("CPU")
assert cpu.device_type == "CPU" and "CPU:0" in cpu.name
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()])
with tf.profiler.experimental.Profile("log"):
    tf.profiler.experimental.start("log"), tf.profiler.experimental.stop()
assert not os.path.exists("log") and tf.compat.v2.constant(1).numpy() == 1
tf.debugging.enable_check_numerics()
assert tf.executing_eagerly() and tf.version.VERSION.startswith("2.")
print("OK")
"""


def test_a_script_that_is_written_for_several_devices(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    run = subprocess.run(
        [sys.executable, "-m", "hornbeam", "run", "script.py"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert run.stdout == "OK\n", run.stderr


# -- summaries ----------------------------------------------------------------------------------------------------------
def written(folder):
    """Tags and steps of an event file, found by their names: no reader is needed for these."""
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_summaries_are_written_by_steps_and_by_traced_functions(tmp_path):
    writer = NAMES["summary.create_file_writer"](str(tmp_path))
    step = G.Variable(0, "int64")

    @function
    def train(x):
        with writer.as_default(step=step):
            NAMES["summary.scalar"]("traced", x * 2)
        step.assign_add(1)

    for i in range(3):
        train(G.constant(float(i)))
    with writer.as_default(step=7):
        assert NAMES["summary.scalar"]("eager", G.constant(1.0))
        NAMES["summary.histogram"]("weights", np.arange(9.0))
        NAMES["summary.image"]("picture", np.ones((2, 4, 5, 3), "float32"))
        with NAMES["summary.record_if"](False):
            assert not NAMES["summary.scalar"]("left out", 1.0)
    found = written(tmp_path)
    assert found.count(b"traced") == 3 and found.count(b"eager") == 1 and b"left out" not in found
    assert b"weights" in found and found.count(b"\x89PNG") == 2 and b"picture/image/1" in found


def test_summaries_need_a_writer():
    with pytest.raises(RuntimeError, match="create_file_writer"):
        NAMES["summary.scalar"]("a", 1.0)
    with NAMES["summary.create_noop_writer"]().as_default():
        assert not NAMES["summary.scalar"]("a", 1.0)


def test_gradients_flow_past_summaries(tmp_path):
    with NAMES["summary.create_file_writer"](str(tmp_path)).as_default(), GradientTape() as tape:
        x = G.constant(3.0)
        tape.watch(x)
        y = x * x
        NAMES["summary.scalar"]("y", y, step=1)
    assert float(tape.gradient(y, x)) == 6.0
