"""What code of layers asks about tensors and shapes."""

import hornbeam as keras
import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import graph as G
from hornbeam.utils import tf_utils


def test_kinds_of_tensors(eager):
    formula, value, variable = keras.Input((2,)), G.constant(3.0), G.Variable(1.0)
    assert [tf_utils.is_symbolic_tensor(x) for x in (formula, value, variable, 1)] == [True, False, False, False]
    assert [tf_utils.is_tensor_or_variable(x) for x in (formula, variable, 1)] == [True, True, False]
    assert [tf_utils.is_tensor_or_tensor_list(x) for x in (value, [value], [], [1])] == [True, True, False, False]
    assert [tf_utils.constant_value(x) for x in (value, 5, formula)] == [3.0, 5, None]


def test_a_known_condition_calls_one_function(eager):
    def other():
        raise AssertionError

    assert tf_utils.smart_cond(True, lambda: 1, other) == tf_utils.smart_cond(G.constant(1) > 0, lambda: 1, other) == 1


def test_a_formula_is_a_condition():
    x = K.placeholder((), dtype="bool")
    f = K.function([x], [tf_utils.smart_cond(x, lambda: K.constant(1.0), lambda: K.constant(2.0))])
    assert [f([np.array(holds)])[0] for holds in (True, False)] == [1, 2]


@pytest.mark.parametrize(
    "shapes, expected",
    [
        (G.StaticShape([None, 2]), (None, 2)),
        ([3, None], (3, None)),
        ([(1, 2), G.StaticShape([3])], [(1, 2), (3,)]),
        ({"a": [1, 2]}, {"a": (1, 2)}),
        (None, None),
    ],
)
def test_shapes_as_tuples(shapes, expected):
    assert tf_utils.convert_shapes(shapes) == expected
    assert isinstance(tf_utils.convert_shapes([1, 2], to_tuples=False), G.StaticShape)


def test_a_layer_that_takes_shapes_as_tuples():
    class Scale(keras.layers.Layer):
        @tf_utils.shape_type_conversion
        def build(self, input_shape):
            assert type(input_shape) is tuple
            super().build(input_shape)

        @tf_utils.shape_type_conversion
        def compute_output_shape(self, input_shape):
            return (*input_shape[:-1], input_shape[-1] * 2)

        def call(self, inputs):
            return K.concatenate([inputs, inputs])

    assert K.int_shape(Scale()(keras.Input((3,)))) == (None, 6)
