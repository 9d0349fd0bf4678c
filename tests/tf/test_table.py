"""The table of TensorFlow's functions."""

import pytest
from hornbeam import tf
from hornbeam.tf.table import for_scripts, function


@pytest.mark.parametrize("enter", [function, for_scripts])
def test_a_name_has_one_meaning(enter):
    """The second definition would hide the first, which nobody would miss."""
    before = dict(tf.NAMES)
    with pytest.raises(ValueError, match=r"tf\.py_function is entered twice"):
        enter("py_function")(len)
    assert tf.NAMES == before


def test_what_model_files_may_name_is_part_of_what_scripts_may():
    assert tf.PURE.items() <= tf.NAMES.items() and "py_function" not in tf.PURE
