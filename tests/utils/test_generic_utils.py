"""Configs and objects, custom objects, functions as bytecode, helpers on lists and shapes."""

import codecs
import marshal

import numpy as np
import pytest
from hornbeam import layers as L
from hornbeam.utils import conv_utils
from hornbeam.utils import generic_utils as g


class Thing:
    def __init__(self, size=1):
        self.size = size

    def get_config(self):
        return {"size": self.size}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def helper(x):
    return x + 1


def test_serialize():
    assert g.serialize_keras_object(None) is None
    assert g.serialize_keras_object(Thing(3)) == {"class_name": "Thing", "config": {"size": 3}}
    assert g.serialize_keras_object(helper) == "helper"
    with pytest.raises(ValueError, match="Cannot serialize"):
        g.serialize_keras_object(3)


def test_deserialize():
    config = {"class_name": "Thing", "config": {"size": 3}}
    assert g.deserialize_keras_object(config, module_objects={"Thing": Thing}).size == 3
    assert g.deserialize_keras_object(config, custom_objects={"Thing": Thing}).size == 3
    assert g.deserialize_keras_object("helper", {"helper": helper}) is helper
    assert g.deserialize_keras_object("helper", {"helper": helper}, {"helper": len}) is len, "custom objects come first"
    assert g.deserialize_keras_object({"class_name": "f", "config": {"x": 2}}, {"f": helper}) == 3
    with pytest.raises(ValueError, match="helper is a function: a layer is named without config"):
        g.deserialize_keras_object({"class_name": "helper", "config": {}}, {}, {"helper": helper}, "layer")
    with pytest.raises(ValueError, match="name of a layer is not a text"):
        g.deserialize_keras_object({"class_name": ["f"], "config": {}}, {}, None, "layer")
    with pytest.raises(ValueError, match="Unknown gadget: Thing"):
        g.deserialize_keras_object(config, printable_module_name="gadget")
    with pytest.raises(ValueError, match="Improper config"):
        g.deserialize_keras_object({"class_name": "Thing"}, {"Thing": Thing})
    with pytest.raises(ValueError, match="Could not interpret"):
        g.deserialize_keras_object(3)


def test_custom_object_scopes_nest_and_end():
    assert "Thing" not in g.get_custom_objects()
    with g.custom_object_scope({"Thing": Thing}):
        with g.CustomObjectScope({"a": 1}, {"b": 2}):
            assert {"Thing", "a", "b"} <= set(g.get_custom_objects())
            assert g.deserialize_keras_object({"class_name": "Thing", "config": {}}).size == 1
        assert set(g.get_custom_objects()) == {"Thing"}
    assert not g.get_custom_objects()


def test_custom_objects_reach_nested_configs():
    class Outer(Thing):
        @classmethod
        def from_config(cls, config):
            return cls(g.deserialize_keras_object(config["size"]))

    config = {"class_name": "Outer", "config": {"size": {"class_name": "Thing", "config": {"size": 9}}}}
    assert g.deserialize_keras_object(config, custom_objects={"Outer": Outer, "Thing": Thing}).size.size == 9


def make_adder(n, default=5):
    return lambda x, y=default: x + y + n


def test_own_functions_come_back_without_unmarshalling(monkeypatch):
    dumped = g.func_dump(make_adder(100))
    monkeypatch.setattr(marshal, "loads", None)
    assert g.func_load(list(dumped))(1) == 106
    code, defaults, closure = dumped
    assert g.func_load(code, (7,), closure)(1) == 108
    assert g.func_load(code, defaults, (200,))(1) == 206


def test_bytecode_of_others_is_refused_unless_allowed():
    code = codecs.encode(marshal.dumps((lambda x: x * 31).__code__), "base64").decode("ascii")
    with pytest.raises(ValueError, match="safe_mode=False"):
        g.func_load(code)
    with g.allow_code_loading():
        assert g.func_load(code)(2) == 62
        assert g.func_load(marshal.dumps((lambda x: x * 37).__code__).decode("raw_unicode_escape"))(2) == 74
        with g.allow_code_loading(False), pytest.raises(ValueError, match="safe_mode=False"):
            g.func_load(code)
    with pytest.raises(ValueError, match="safe_mode=False"):
        g.func_load(code)


def test_has_arg():
    def f(a, *, b=1, **kwargs):
        return a, b, kwargs

    assert g.has_arg(f, "a") and g.has_arg(f, "b") and not g.has_arg(f, "c") and not g.has_arg(f, "kwargs")
    assert g.has_arg(f, "c", accept_all=True) and not g.has_arg(helper, "c", accept_all=True)
    assert g.has_arg(L.Dropout(0.1).call, "training") and not g.has_arg(L.Dense(1).call, "training")
    assert g.getargspec(helper).args == ["x"]


def test_lists():
    assert g.to_list(3) == [3] and g.to_list([3]) == [3] and g.to_list((3,)) == [(3,)]
    assert g.to_list((3, 4), allow_tuple=True) == [3, 4]
    assert g.unpack_singleton([3]) == 3 and g.unpack_singleton([3, 4]) == [3, 4] and g.unpack_singleton(3) == 3
    assert g.is_all_none(None) and g.is_all_none([None, None]) and not g.is_all_none([None, 1])
    a, b = Thing(), Thing()
    assert g.object_list_uid([a, b]) != g.object_list_uid([b, a]) and g.object_list_uid(a) == g.object_list_uid([a])
    g.check_for_unexpected_keys("x", {"a": 1}, ["a", "b"])
    with pytest.raises(ValueError, match='Unknown entries in "x"'):
        g.check_for_unexpected_keys("x", {"c": 1}, ["a", "b"])


def test_slice_arrays():
    a, b = np.arange(10), np.arange(20).reshape(10, 2)
    np.testing.assert_array_equal(g.slice_arrays(a, 2, 5), a[2:5])
    first, missing, second = g.slice_arrays([a, None, b], np.array([3, 1]))
    np.testing.assert_array_equal(first, [3, 1])
    np.testing.assert_array_equal(second, b[[3, 1]])
    assert missing is None and g.slice_arrays(None) == [None]


def test_transpose_shape():
    assert g.transpose_shape((1, 2, 3, 4), "channels_last", (1, 2)) == (1, 2, 3, 4)
    assert g.transpose_shape((1, 2, 3, 4), "channels_first", (1, 2)) == (1, 4, 2, 3)
    with pytest.raises(ValueError, match="data_format"):
        g.transpose_shape((1, 2), "last", (1,))


# -- conv_utils -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("padding", ["valid", "same", "full", "causal"])
@pytest.mark.parametrize("size, stride, dilation", [(3, 1, 1), (3, 2, 1), (2, 3, 2), (1, 1, 1)])
def test_conv_lengths(padding, size, stride, dilation):
    reach = (size - 1) * dilation + 1
    for length in range(reach, 14):
        padded = length + {"valid": 0, "same": reach - 1, "causal": reach - 1, "full": 2 * (reach - 1)}[padding]
        starts = [i for i in range(0, padded - reach + 1, stride)]
        assert conv_utils.conv_output_length(length, size, padding, stride, dilation) == len(starts)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("size, stride", [(3, 1), (3, 2), (2, 3), (4, 2)])
def test_transposed_lengths_invert(padding, size, stride):
    for length in range(1, 9):
        out = conv_utils.deconv_length(length, stride, size, padding, None)
        assert conv_utils.conv_output_length(out, size, padding, stride) == length
    assert conv_utils.deconv_length(4, 2, 3, "valid", 1) == 10
    assert conv_utils.deconv_length(None, 2, 3, "valid", 1) is None
    assert conv_utils.conv_input_length(conv_utils.conv_output_length(9, 3, "valid", 2), 3, "valid", 2) == 9
    assert (
        conv_utils.conv_input_length(None, 3, "valid", 2) is conv_utils.conv_output_length(None, 3, "valid", 2) is None
    )


def test_kernels_are_flipped():
    k = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    np.testing.assert_array_equal(conv_utils.convert_kernel(k), k[::-1, ::-1])
    with pytest.raises(ValueError, match="Invalid kernel shape"):
        conv_utils.convert_kernel(np.zeros((2, 2)))


def test_normalize():
    assert conv_utils.normalize_tuple(3, 2, "size") == (3, 3) and conv_utils.normalize_tuple([1, 2], 2, "size") == (
        1,
        2,
    )
    assert conv_utils.normalize_padding("SAME") == "same"


@pytest.mark.parametrize("wrong", [(1, 2, 3), "ab", None], ids=str)
def test_sizes_of_another_rank(wrong):
    with pytest.raises(ValueError, match="`size` argument must be a tuple of 2 integers"):
        conv_utils.normalize_tuple(wrong, 2, "size")
