"""One call of every op there is, on every instruction set, with NumPy's own arithmetic switched off.

Values are checked family by family in the other files; here it is that the list is whole, that each op has a kernel on each
instruction set, and that none is computed in Python.
"""

import numpy as np
import pytest
from hornbeam import _core
from hornbeam import graph as G
from hornbeam.graph.samples import SAMPLES, WITHOUT, sample


def test_the_list_is_whole():
    assert sorted(set(_core.op_names()) - WITHOUT) == sorted(SAMPLES)


def function_of(name, dtype="float32"):
    fed, outputs, feeds = sample(name, dtype)
    return G.Function(fed, outputs), feeds


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_ops_are_computed_in_the_core(name, target, monkeypatch):
    function, feeds = function_of(name)
    function(feeds)
    function.counter.value = 0
    expected = function(feeds)

    def forbidden(*args, **kwargs):
        raise AssertionError("an op was computed with NumPy")

    for attribute in dir(np):
        if isinstance(getattr(np, attribute), np.ufunc) or attribute in ("dot", "einsum", "tensordot", "inner", "vdot"):
            monkeypatch.setattr(np, attribute, forbidden)
    function.counter.value = 0
    got = function(feeds)
    monkeypatch.undo()
    for a, b in zip(defined(name, got), defined(name, expected)):
        assert a.tobytes() == b.tobytes()


def defined(name, outputs):
    """The outputs without those of which it is not defined what a masked step leaves in them."""
    return outputs[: {"lstm": 3, "gru": 2}.get(name)]


@pytest.mark.parametrize(
    "name", sorted(set(SAMPLES) - {"fused", "fused_rows", "fused_multi"})
)  # these have float16 at their ends only
def test_ops_take_float16(name, target):
    """They give what they give for the same numbers in float32, rounded."""
    function, feeds = function_of(name, "float16")
    reference, _ = function_of(name)
    expected = reference([a.astype("float32") if a.dtype == np.float16 else a for a in feeds])
    for a, b in zip(defined(name, function(feeds)), defined(name, expected)):
        assert a.dtype == ("float16" if b.dtype == np.float32 else b.dtype)
        np.testing.assert_array_equal(a, b.astype(a.dtype))
