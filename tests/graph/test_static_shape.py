"""What TensorFlow's TensorShape answers, asked of a tensor's static shape."""

import copy
import json
import pickle

import pytest
from hornbeam import backend as K


def test_a_shape_is_a_tuple():
    shape = K.placeholder((None, 3, 4)).shape
    assert shape == (None, 3, 4)
    assert hash(shape) == hash((None, 3, 4))
    assert [d for d in shape if d is None] == [None]
    assert (7,) + shape[1:] == (7, 3, 4)
    assert json.dumps(shape) == "[null, 3, 4]"


def test_a_shape_answers_as_tensorflows():
    shape = K.placeholder((None, 3, 4)).get_shape()
    assert shape.as_list() == [None, 3, 4]
    assert type(shape.as_list()[1]) is int
    assert (shape[1].value, shape[-1].value) == (3, 4)
    assert shape.ndims == shape.rank == 3
    assert shape.dims == [None, 3, 4]
    assert not shape.is_fully_defined()
    assert shape.num_elements() is None


def test_a_part_of_a_shape_is_a_shape():
    part = K.placeholder((None, 3, 4)).shape[1:]
    assert part.as_list() == [3, 4]
    assert part.is_fully_defined()
    assert part.num_elements() == 12


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda shape: pickle.loads(pickle.dumps(shape))])
def test_copies_of_a_shape_are_shapes(duplicate):
    shape = duplicate(K.placeholder((None, 3)).shape)
    assert shape.as_list() == [None, 3]
    assert shape[1].value == 3


def test_set_shape_refines_what_is_built_from_a_tensor():
    x = K.placeholder((None, None, 4))
    x.set_shape((2, None, None))
    assert x.shape == (2, None, 4)
    assert K.sum(x, axis=-1).shape == (2, None)


@pytest.mark.parametrize("shape", [(2, 4, 1), (None, 5)])
def test_set_shape_contradicts_nothing_known(shape):
    x = K.placeholder((None, 4))
    with pytest.raises(ValueError, match=r"set_shape\(.*has another shape"):
        x.set_shape(shape)
    assert x.shape == (None, 4)
