"""Configuration, names, and what a tensor is."""

import numpy as np
import pytest
from hornbeam import backend as K


@pytest.fixture(autouse=True)
def restore():
    before = K.floatx(), K.epsilon(), K.image_data_format()
    yield
    K.set_floatx(before[0])
    K.set_epsilon(before[1])
    K.set_image_data_format(before[2])


def test_numbers():
    assert K.backend() == "tensorflow"
    K.set_epsilon(1e-5)
    assert K.epsilon() == 1e-5
    K.set_floatx("float64")
    assert K.floatx() == "float64"
    assert K.cast_to_floatx([1, 2]).dtype == np.float64
    assert K.dtype(K.variable(1.0)) == "float64"
    with pytest.raises(ValueError, match="floatx"):
        K.set_floatx("int8")


def test_data_format():
    K.set_image_data_format("channels_first")
    assert K.image_data_format() == K.normalize_data_format(None) == "channels_first"
    assert K.image_dim_ordering() == "th"
    K.set_image_dim_ordering("tf")
    assert K.image_data_format() == "channels_last"


@pytest.mark.parametrize("call", [K.set_image_data_format, K.normalize_data_format])
def test_unknown_data_formats(call):
    with pytest.raises(ValueError, match="channels_last"):
        call("channels_middle")


def test_config_file_is_read_and_not_written(tmp_path):
    import json
    import subprocess
    import sys

    (tmp_path / "keras.json").write_text(json.dumps({"floatx": "float64", "epsilon": 1e-3}))
    code = "from hornbeam import backend as K; print(K.floatx(), K.epsilon(), K.image_data_format())"
    env = {**__import__("os").environ, "KERAS_HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    assert out.split() == ["float64", "0.001", "channels_last"]
    assert [p.name for p in tmp_path.iterdir()] == ["keras.json"]


def test_where_the_configuration_lies():
    assert K.load_backend._config_path.endswith("keras.json")


def test_uids_start_again_after_clear_session():
    K.clear_session()
    assert [K.get_uid("a"), K.get_uid("a"), K.get_uid("b")] == [1, 2, 1]
    K.clear_session()
    assert K.get_uid("a") == 1
    K.reset_uids()
    assert K.get_uid("a") == 1


def test_clear_session_makes_the_learning_phase_dynamic_again():
    K.set_learning_phase(1)
    assert K.learning_phase() == 1
    K.clear_session()
    assert K.is_tensor(K.learning_phase())


def test_what_configured_tensorflow_changes_nothing():
    K.set_session(object())
    K.manual_variable_initialization(True)
    K.v1_variable_initialization()
    assert K.get_value(K.variable(3.0)) == 3


def test_decorators_of_functions_that_build_a_graph_change_nothing():
    assert K.symbolic(K.dot) is K.eager(K.dot) is K.dot


def test_pythons_functions_that_the_backend_hides():
    assert (K.py_all, K.py_any, K.py_sum, K.py_slice) == (all, any, sum, slice)


def test_names_have_their_scopes():
    with K.name_scope("outer"):
        with K.name_scope("inner"):
            assert K.variable(0.0, name="w").name == "outer/inner/w:0"
    assert K.variable(0.0, name="w").name == "w:0"


def test_what_a_tensor_is():
    v, p, c = K.variable(np.zeros((2, 3))), K.placeholder((None, 3)), K.constant(2.0)
    assert [K.is_variable(x) for x in (v, p, c)] == [True, False, False]
    assert [K.is_placeholder(x) for x in (v, p, c)] == [False, True, False]
    assert all(K.is_tensor(x) for x in (v, p, c)) and not K.is_tensor(np.zeros(2))
    assert all(K.is_symbolic(x) and not K.is_sparse(x) and K.to_dense(x) is x for x in (v, p, c))
    assert not K.is_keras_tensor(p)
    with pytest.raises(ValueError, match="symbolic tensor"):
        K.is_keras_tensor(np.zeros(2))
    assert K.int_shape(p) == (None, 3) and K.ndim(p) == 2 and K.count_params(v) == 6
    assert K.int_shape(K.placeholder(ndim=2)) == (None, None) and K.get_variable_shape(v) == (2, 3)
    assert [K.dtype(x) for x in (v, np.zeros(2), K.constant(1, "int64"))] == ["float32", "float64", "int64"]


def test_variables_keep_their_values():
    v = K.variable([[1, 2], [3, 4]], dtype="float32")
    K.set_value(v, [[5, 6], [7, 8]])
    np.testing.assert_array_equal(K.get_value(v), [[5, 6], [7, 8]])
    w = K.variable(0.0)
    K.batch_set_value([(v, np.ones((2, 2))), (w, 3)])
    got = K.batch_get_value([v, w])
    np.testing.assert_array_equal(got[0], np.ones((2, 2)))
    assert got[1] == 3
    with pytest.raises(ValueError, match="shape"):
        K.set_value(v, [1, 2])
    assert round(K.get_value(w)) == hash(K.get_value(w)) == 3  # a number, as TensorFlow's sessions gave
    got[0][:] = 9  # a copy
    np.testing.assert_array_equal(K.get_value(v), np.ones((2, 2)))


def test_shape_and_size_are_known_when_run():
    x = K.placeholder((None, 3))
    shape, size = K.function([x], [K.shape(x), K.size(x)])([np.zeros((5, 3))])
    assert shape.tolist() == [5, 3] and size == 15


def test_constants_are_laid_out_in_a_shape():
    np.testing.assert_array_equal(K.eval(K.constant([1, 2, 3, 4, 5, 6], shape=(2, 3))), [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(K.eval(K.constant([1, 2], shape=(4,))), [1, 2, 2, 2])
    np.testing.assert_array_equal(K.eval(K.constant(7, shape=(1, 2))), [[7, 7]])
    assert K.eval(K.constant([], shape=(0, 2))).shape == (0, 2)
    with pytest.raises(ValueError, match=r"3 values in the shape \(2,\)"):
        K.constant([1, 2, 3], shape=(2,))


def test_the_module_that_scripts_import_set_session_from():
    from hornbeam.backend import tensorflow_backend as KTF

    assert KTF.set_session is K.set_session and KTF.conv2d is K.conv2d
    assert KTF._get_available_gpus() == []
    assert K.tensorflow_backend is KTF and KTF._is_tf_1() is True and KTF._LOCAL_DEVICES is None
    assert K._BACKEND == K.load_backend._BACKEND == K.backend() == "tensorflow"


def test_what_layers_on_tensorflows_own_functions_take_from_there():
    from hornbeam.backend import tensorflow_backend as KTF

    epsilon = KTF._to_tensor(K.common._EPSILON, K.placeholder((2,), dtype="float64").dtype.base_dtype)
    assert epsilon.dtype == "float64" and K.eval(epsilon) == K.epsilon()
    assert [KTF._preprocess_padding(p) for p in ("same", "valid")] == ["SAME", "VALID"]
    with pytest.raises(ValueError, match="Invalid padding: causal"):
        KTF._preprocess_padding("causal")
    shape = (2, 3, 4, 5, 6)
    for rank, layout in ((1, "NWC"), (2, "NHWC"), (3, "NDHWC")):
        preprocess, x = getattr(KTF, f"_preprocess_conv{rank}d_input"), np.random.rand(*shape[: rank + 2])
        got, name = preprocess(K.constant(x), "channels_first")
        np.testing.assert_array_equal(K.eval(got), np.moveaxis(x.astype("float32"), 1, -1))
        same = K.constant(x)
        assert name == layout and preprocess(same, "channels_last") == (same, layout)


def test_every_tensor_has_the_shape_that_keras_notes_on_it():
    x = K.placeholder((None, 3))
    assert (K.dot(x, K.ones((3, 2))) * 2)._keras_shape == (None, 2) and type(x._keras_shape) is tuple
    assert K.repeat_elements(x, 2, axis=1)._keras_shape == (None, 6) and K.variable([1.0])._keras_shape == (1,)
    y = x + 1
    y._keras_shape = (8, 3)  # a layer's own knowledge comes first
    assert K.int_shape(y) == (8, 3) and y.shape[0] is None
    assert y._uses_learning_phase is False and (y + K.cast(K.learning_phase(), "float32"))._uses_learning_phase
    assert not hasattr(y, "_keras_history")


def test_a_placeholder_of_a_rank_that_no_tensor_has():
    """The number is looked at before a shape of as many dims is made."""
    with pytest.raises(ValueError, match="at most 8 dimensions, and a placeholder was asked for with 1000000000000"):
        K.placeholder(ndim=10**12)


def test_a_placeholder_without_a_shape_is_a_vector():
    lengths, x = K.placeholder(shape=(None), dtype="int64"), K.placeholder((None, None))
    assert lengths.shape == (None,) and K.ndim(K.placeholder()) == 1
    run = K.function([lengths, x], [K.sum(x, axis=1) * K.cast(lengths, "float32")])
    assert run([[1, 2], np.ones((2, 3))])[0].tolist() == [3, 6]
    with pytest.raises(ValueError, match=r"'placeholder_without_shape:0' expects shape \(None,\), got \(2, 1\)"):
        run([[[1], [2]], np.ones((2, 3))])
