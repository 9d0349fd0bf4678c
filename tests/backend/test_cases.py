"""Every row of the case table: values, gradients, gradients of gradients."""

from pathlib import Path

import numpy as np
import pytest
import reference
from cases import CASES
from checks import as_placeholder, check_gradients
from hornbeam import backend as K
from keras2_api import names

#: What a row does not fit: functions without a value of their own, or with a random one. The file that tests them.
ELSEWHERE = {
    "test_common.py": (
        "batch_get_value", "batch_set_value", "cast_to_floatx", "clear_session", "constant", "count_params", "dtype",
        "eager", "epsilon", "eval", "floatx", "get_uid", "get_value", "get_variable_shape",
        "image_data_format", "image_dim_ordering", "int_shape", "is_keras_tensor", "is_placeholder", "is_sparse",
        "is_symbolic", "is_tensor", "is_variable", "manual_variable_initialization", "name_scope", "ndim",
        "normalize_data_format", "placeholder", "py_all", "py_any", "py_slice", "py_sum", "reset_uids", "set_epsilon",
        "set_floatx", "set_image_data_format", "set_image_dim_ordering", "set_session", "set_value", "symbolic",
        "to_dense", "v1_variable_initialization", "variable",
    ),
    "test_control.py": (
        "control_dependencies", "function", "gradients", "learning_phase", "moving_average_update", "print_tensor",
        "random_binomial", "random_normal", "random_normal_variable", "random_uniform", "random_uniform_variable",
        "set_learning_phase", "truncated_normal", "update", "update_add", "update_sub",
    ),
    "test_ctc.py": ("ctc_decode", "ctc_label_dense_to_sparse"),
    "test_nn.py": ("dropout",),
    "test_session.py": ("get_graph", "get_session"),
}  # fmt: skip

each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_smooth_case = pytest.mark.parametrize("case", [c for c in CASES if c.smooth], ids=str)


def compute(case, arrays):
    inputs = [as_placeholder(a) for a in arrays]
    outputs = case.run(K, inputs)
    return K.function(inputs, outputs)(arrays), outputs


@each_case
def test_value(case, target):
    expected = case.run(reference, case.draw("float64"))
    for dtype, rtol in (("float32", case.rtol), ("float64", 1e-10)):
        got, tensors = compute(case, case.draw(dtype))
        assert len(got) == len(expected)
        for value, wanted, tensor in zip(got, expected, tensors):
            assert value.shape == np.shape(wanted) == tensor.shape
            assert value.dtype.name == tensor.dtype
            np.testing.assert_allclose(value, wanted, rtol=rtol, atol=rtol / 10)


def weighted(case, inputs):
    """The outputs as one scalar, with a random weight for each of their elements."""
    rng = np.random.RandomState(3)
    total = 0
    for out in case.run(K, inputs):
        if out.dtype == "float64":
            total = total + K.sum(out * K.constant(rng.uniform(-1, 1, out.shape), "float64"))
    return total


def with_real_inputs(case, scalar):
    """A function of the inputs that have fractions, and their arrays."""
    arrays = case.draw("float64")
    real = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]

    def build(*tensors):
        inputs = [K.constant(a, a.dtype.name) for a in arrays]
        for i, t in zip(real, tensors):
            inputs[i] = t
        return scalar(case, inputs)

    return build, [arrays[i] for i in real]


@each_smooth_case
def test_gradient(case, target):
    build, arrays = with_real_inputs(case, weighted)
    check_gradients(build, arrays)


@each_smooth_case
def test_gradient_of_gradient(case):
    def slopes(case, inputs):
        rng = np.random.RandomState(5)
        real = [x for x in inputs if x.dtype == "float64"]
        grads = K.gradients(weighted(case, inputs), real)
        assert all(g is not None for g in grads)
        weights = [K.constant(rng.uniform(-1, 1, g.shape), "float64") for g in grads]
        return K.py_sum(K.sum(g * w) for g, w in zip(grads, weights))

    build, arrays = with_real_inputs(case, slopes)
    check_gradients(build, arrays, unconnected=True)


@pytest.mark.parametrize("case", [c for c in CASES if not c.smooth], ids=str)
def test_no_gradient(case):
    inputs = [as_placeholder(a) for a in case.draw("float64")]
    for x, grad in zip(inputs, K.gradients(case.run(K, inputs), inputs)):
        if grad is not None:
            assert not K.function(inputs, [grad])(case.draw("float64"))[0].any(), x


def test_every_function_of_the_backend_is_tested():
    later = {name.path for name in names("tf_keras2") if name.module == "tf.keras.backend"}
    listed = {name.path for name in names() if name.module == "keras.backend"}
    elsewhere = {name for those in ELSEWHERE.values() for name in those}
    rows = {case.name for case in CASES}
    assert rows | elsewhere <= listed | later
    assert listed - rows - elsewhere == set()
    for file, those in ELSEWHERE.items():
        text = (Path(__file__).parent / file).read_text(encoding="utf-8")
        assert [name for name in those if f"K.{name}" not in text] == []
