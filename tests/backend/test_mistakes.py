"""What people get wrong raises where they wrote it, and says what was given, what was wanted, and what to do."""

import numpy as np
import pytest
from hornbeam import backend as K

x, y = K.placeholder((None, 4)), K.placeholder((None, 5))
whole = K.placeholder((None, 4), dtype="int32")
box, images = K.placeholder((2, 3, 4)), K.placeholder((None, 8, 8, 3))
weights = K.variable(np.zeros((3, 4)), name="w")

MISTAKES = [
    # shapes
    (lambda: x + y, ValueError, r"\[add\] shapes \(None, 4\) and \(None, 5\) cannot be broadcast together"),
    (lambda: K.dot(x, np.zeros((5, 2))), ValueError, r"\[matmul\] inner dimensions differ: a is \(None, 4\), b is \(5, 2\)"),
    (lambda: K.batch_dot(x, y, axes=1), ValueError, r"x.shape\[1\] != y.shape\[1\] \(4 != 5\)"),
    (lambda: K.concatenate([box, K.zeros((2, 5, 4))]), ValueError, "differ elsewhere than on axis 2"),
    (lambda: K.stack([x, y]), ValueError, r"tensors of one shape, got \(None, 4\) and \(None, 5\)"),
    (lambda: K.reshape(box, (5, 5)), ValueError, r"cannot reshape \(2, 3, 4\) to \(5, 5\): the element counts are 24 and 25"),
    (lambda: K.reshape(box, (-1, -1)), ValueError, "only one dimension can be -1"),
    (lambda: K.conv2d(images, K.zeros((3, 3, 4, 8))), ValueError, "kernel has 4 input channels, input has 3"),
    (lambda: K.conv2d(x, K.zeros((3, 3, 4, 8))), ValueError, r"must have 4 dimensions, got shape \(None, 4\)"),
    (lambda: K.conv2d(images, K.zeros((9, 9, 3, 8))), ValueError, "reaches over 9 cells does not fit an input of 8"),
    (lambda: K.bias_add(images, K.zeros((4,))), ValueError, "a bias for 4 channels does not fit channels_last data of shape"),
    (lambda: K.spatial_2d_padding(x), ValueError, r"with 4 axes, got shape \(None, 4\)"),
    (lambda: K.temporal_padding(x), ValueError, r"\(batch, steps, features\), got shape \(None, 4\)"),
    (lambda: K.update(weights, K.zeros((2, 2))), ValueError, r"variable 'w:0' of shape \(3, 4\) with shape \(2, 2\)"),
    (lambda: K.update_add(weights, K.zeros((3, 3))), ValueError, r"variable 'w:0' of shape \(3, 4\) with shape \(3, 3\)"),
    (lambda: K.set_value(weights, [1, 2]), ValueError, r"variable 'w:0' of shape \(3, 4\) to a value of shape \(2,\)"),
    (lambda: K.in_top_k(x, y, 1), ValueError, r"targets of shape \(batch,\), got \(None, 4\) and \(None, 5\)"),
    # axes
    (lambda: K.sum(x, axis=2), ValueError, r"Invalid axis 2 for a tensor of shape \(None, 4\): axes go from 0 to 1"),
    (lambda: K.sum(x, axis="rows"), TypeError, "an axis is an integer, got 'rows'"),
    (lambda: K.argmax(x, axis=-3), ValueError, "Invalid axis -3"),
    (lambda: K.softmax(x, axis=2), ValueError, "Invalid axis 2"),
    (lambda: K.expand_dims(x, 4), ValueError, "Invalid axis 4 .* axes go from 0 to 2"),
    (lambda: K.squeeze(box, 1), ValueError, r"axis 1 of \(2, 3, 4\) is not 1"),
    (lambda: K.concatenate([x, x], axis=2), ValueError, "Invalid axis 2"),
    (lambda: K.concatenate([]), ValueError, "at least one tensor"),
    (lambda: K.stack([]), ValueError, "at least one tensor"),
    (lambda: K.reverse(x, 2), ValueError, "Invalid axis 2"),
    (lambda: K.permute_dimensions(box, (0, 1)), ValueError, r"\(0, 1\) does not permute the axes of \(2, 3, 4\)"),
    (lambda: K.permute_dimensions(box, (0, 1, 3)), ValueError, "Invalid axis 3"),
    (lambda: box[0, 0, 0, 0], IndexError, "too many indices .* 4 for 3 dimensions"),
    (lambda: box[2], IndexError, "index 2 is out of bounds for axis 0"),
    # dtypes
    (lambda: x + whole, TypeError, "different dtypes, float32 and int32: cast one of them with K.cast"),
    (lambda: K.exp(whole), TypeError, r"\[exp\] needs a floating point input, got int32"),
    (lambda: K.gather(weights, x), TypeError, "indices must be int32 or int64, got float32"),
    (lambda: K.one_hot(x, 3), TypeError, "indices must be integers, got float32"),
    (lambda: box[1.5], TypeError, "with float: use integers, slices"),
    (lambda: x * None, TypeError, r"\[mul\] got None where it needs a tensor, an array or a number"),
    (lambda: K.variable(0, dtype="complex64"), TypeError, "unsupported dtype 'complex64'"),
    (lambda: K.cast(x, "bfloat16"), TypeError, "unsupported dtype 'bfloat16'"),
    # dims that have to be known
    (lambda: K.reshape(x, (None, 2, 2)), ValueError, r"cannot hold None, .* give K.shape\(x\)\[i\]"),
    # words
    (lambda: K.conv2d(images, K.zeros((3, 3, 3, 8)), padding="SAME"), ValueError, "Invalid padding: SAME"),
    (lambda: K.conv2d(images, K.zeros((3, 3, 3, 8)), data_format="NHWC"), ValueError, "Received: NHWC"),
    (lambda: K.pool2d(images, (2, 2), pool_mode="mean"), ValueError, "Invalid pooling mode: mean"),
    (lambda: K.dropout(x, 1.0), ValueError, "Invalid dropout rate: 1.0"),
    # formulas taken for numbers
    (lambda: 1 if K.greater(x, 0) else 2, TypeError, "has no truth value.* Use K.switch"),
    (lambda: [row for row in x], TypeError, r"cannot iterate .*K.map_fn"),
    (lambda: len(x), TypeError, r"use K.int_shape\(x\)\[0\] or K.shape\(x\)\[0\]"),
    (lambda: float(K.sum(x)), TypeError, "has no value yet: it depends on the placeholder .* Use K.function"),
    (lambda: np.asarray(x), TypeError, "has no value yet"),
    (lambda: K.eval(x), TypeError, "has no value yet"),
    (lambda: K.update(x, x), TypeError, "only variables can be updated, made by K.variable"),
    # calls
    (lambda: K.function([x], [y * 2])([np.zeros((2, 4))]), ValueError, "You must feed a value for placeholder"),
    (lambda: K.function([x, y], [x])([np.zeros((2, 4))]), ValueError, "expected 2 inputs, got 1"),
    (lambda: K.function([x], [x * 2])([np.zeros((2, 5))]), ValueError, r"expects shape \(None, 4\), got \(2, 5\)"),
    (lambda: K.function([x], [x * 2])([np.zeros(4)]), ValueError, r"expects shape \(None, 4\), got \(4,\)"),
    (lambda: K.function([x], [x * 2])([["a", "b"]]), TypeError, "which is not a number"),
    (lambda: K.function([x], [x * 2])([[[1, 2], [3]]]), TypeError, "cannot be converted to an array"),
]  # fmt: skip


@pytest.mark.parametrize("mistake, error, message", MISTAKES, ids=[message for *_, message in MISTAKES])
def test_mistakes_say_what_is_wrong(mistake, error, message):
    with pytest.raises(error, match=message):
        mistake()


def test_tensors_have_no_length_to_ask_for():
    assert not hasattr(x, "__len__")  # what tells a list of outputs from one output
