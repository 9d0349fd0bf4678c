"""Numbers that no tensor has: each is refused when the op is made, or means what NumPy means by it."""

from contextlib import suppress

import numpy as np
import pytest
from hornbeam import _core
from hornbeam import graph as G
from hornbeam.graph.samples import SAMPLES

INTEGERS = [-(2**63), -(2**62) - 1, -(2**31), -2, -1, 0, 1, 2**31, 2**46, 2**62, 2**63 - 1]
FRACTIONS = [np.nan, np.inf, -np.inf, 1e308, -1e-308]
#: what is run to see what the kernel makes of it
SMALL = 10_000


def changed(values, replacements):
    """Lists with one entry replaced, and with all of them."""
    for new in replacements:
        for i in range(len(values)):
            yield [*values[:i], new, *values[i + 1 :]]
        yield [new] * len(values)


def attributes(name):
    """The attributes of an op's sample with a number in them replaced."""
    attrs = SAMPLES[name][1]
    for key, value in attrs.items():
        if isinstance(value, bool):
            continue
        if isinstance(value, int):
            yield from ({**attrs, key: new} for new in INTEGERS)
        elif isinstance(value, float):
            yield from ({**attrs, key: new} for new in FRACTIONS + INTEGERS)
        elif isinstance(value, list):
            few = INTEGERS if len(value) < 5 else INTEGERS[::5]
            yield from ({**attrs, key: new} for new in changed(value, few))


def run(name, inputs, attrs):
    """Make the op, and compute it where that takes little; errors are those that a user may see."""
    try:
        made = G.apply(name, inputs, **attrs)
    except (ValueError, TypeError) as error:
        assert str(error).startswith(("[", "attribute", "a dimension")), error
        return
    outputs = list(made) if isinstance(made, tuple) else [made]
    tensors = [t for t in (*inputs, *outputs) if t is not None]
    if all(None not in t.shape and np.prod([float(d) for d in t.shape]) < SMALL for t in tensors):
        with suppress(MemoryError):  # the workspace of a convolution that reaches over 2**31 cells
            G.Function([], outputs)([])


def constants(name):
    return [None if a is None else G.constant(a) for a in SAMPLES[name][0]]


@pytest.mark.parametrize("name", sorted(name for name, (_, attrs) in SAMPLES.items() if attrs))
def test_attributes(name):
    inputs = constants(name)
    for attrs in attributes(name):
        run(name, inputs, attrs)


@pytest.mark.parametrize("dtype", ["int64", "int32"])
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_integer_inputs(name, dtype):
    arrays, attrs = SAMPLES[name]
    limits = np.iinfo(dtype)
    integers = [n for n in INTEGERS if limits.min <= n <= limits.max]
    for i, array in enumerate(arrays):
        if array is None or np.asarray(array).dtype != "int64":
            continue
        inputs = constants(name)
        for values in changed(np.ravel(array).tolist(), integers):
            inputs[i] = G.constant(np.array(values, dtype).reshape(np.shape(array)))
            run(name, inputs, attrs)
            if any(2**20 < abs(n) < 2**40 for n in values):
                continue  # what takes gigabytes is computed
            fed = G.placeholder(inputs[i].shape, dtype)  # the same, known only when run
            given = [*inputs[:i], fed, *inputs[i + 1 :]]
            with suppress(ValueError, TypeError, MemoryError):
                made = G.apply(name, given, **attrs)
                function = G.Function([fed], list(made) if isinstance(made, tuple) else [made])
                function([np.array(values, dtype).reshape(np.shape(array))])


def test_a_gradient_of_a_slice_that_begins_elsewhere():
    """Where a slice began is read while running: what would lie outside of the result is left out."""
    dy, begin = G.placeholder((2, 2)), G.placeholder((2,), "int64")
    shape, end = G.constant(np.array([5, 4])), G.constant(np.array([4, 3]))
    made = G.apply("slice_grad", [dy, shape, begin, end], strides=[2, 1])
    function, ones = G.Function([dy, begin], [made]), np.ones((2, 2))
    assert function([ones, np.array([2, 2])])[0].sum() == 4
    for start in ([4, 0], [0, 3], [5, 4], [2**62, 0], [0, 2**63 - 1]):
        assert function([ones, np.array(start)])[0].sum() == 0


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_an_input_that_is_absent(name):
    """It is optional, and the op works without it, or refused by name."""
    arrays, attrs = SAMPLES[name]
    info = _core.op_info(name)
    for i in range(len(arrays)):
        inputs = constants(name)
        inputs[i] = None
        what = info.inputs[min(i, len(info.inputs) - 1)]
        if what.endswith("?"):
            made = G.apply(name, inputs, **attrs)
            G.Function([], list(made) if isinstance(made, tuple) else [made])([])
        elif info.elementwise:
            with pytest.raises(TypeError, match=rf"^\[{name}\] got None where it needs a tensor"):
                G.apply(name, inputs, **attrs)
        else:
            with pytest.raises(ValueError, match=rf"^\[{name}\] got None where it needs .* its input '{what}'$"):
                G.apply(name, inputs, **attrs)


def test_a_program_with_an_input_that_is_absent():
    values = [("feed", "float32", (3,), "x"), ("computed", "float32", (3,), None)]
    with pytest.raises(ValueError, match=r"\[cumsum\] got None .* input 'x'"):
        _core.Program(values, [("cumsum", {"axis": 0}, [-1], [1], "", [])], [1], [])
    with pytest.raises(TypeError, match=r"\[cumsum\] got 0 inputs, takes \(x\)"):
        _core.Program(values, [("cumsum", {"axis": 0}, [], [1], "", [])], [1], [])
    with pytest.raises(RuntimeError, match="1 outputs"):
        _core.Program(values, [("cumsum", {"axis": 0}, [0], [], "", [])], [0], [])
    with pytest.raises(RuntimeError, match="has 1 bodies"):
        _core.Program(values, [("scan", {"states": 0, "sequences": 1, "shifts": [0]}, [0], [1], "", [])], [1], [])


@pytest.mark.parametrize("states", [-1, 2**63 - 1, -(2**63)])
def test_the_numbers_of_a_scan(states):
    with pytest.raises(ValueError, match=r"\[scan\] inputs are missing"):
        _core.infer("scan", {"states": states, "sequences": 1, "shifts": [0]}, [("float32", (3,), None)])


@pytest.mark.parametrize("shape", [(2**62, 4), (2**40, 2**40), (2**40, 2**40, 0), (2**62, 0), (-(2**63), 3), (-5, 3)])
def test_a_placeholder_of_an_impossible_shape(shape):
    with pytest.raises(ValueError, match=r"a dimension cannot be|more memory than any machine has"):
        G.placeholder(shape)


@pytest.mark.parametrize("dim", [True, np.True_, 2.5, np.nan, np.inf, 2**63, -(2**63) - 1])
def test_a_dim_that_is_no_dim(dim):
    x = G.constant(np.zeros((3, 4), "float32"))
    for make in (
        lambda: G.placeholder((dim, 3)),
        lambda: G.reshape(x, (dim, -1)),
        lambda: G.Variable(x, shape=(dim, 4)),
    ):
        with pytest.raises(ValueError, match="a dimension cannot be"):
            make()


def test_slices_mean_what_they_mean_in_numpy():
    data = np.arange(12.0, dtype="float32").reshape(3, 4)
    x, edges = G.constant(data), [None, -(2**70), -(2**63), -(2**62) - 1, -3, 0, 2, 2**62, 2**63 - 1, 2**70]
    for begin in edges:
        for end in edges:
            for step in (None, -1, 2**31, 2**63 - 1, -(2**63), 2**70):
                np.testing.assert_array_equal(x[begin:end:step].numpy(), data[begin:end:step])
    with pytest.raises(TypeError, match="cannot index"):
        x[True]
