"""What each op states of itself (csrc/ops/op.h), held against what it does to its sample."""

import re
import zlib

import numpy as np
import pytest
from checks import run_op
from hornbeam import _core
from hornbeam import graph as G
from hornbeam.graph.samples import SAMPLES, WITHOUT

OPS = sorted(name for name in SAMPLES if not _core.op_info(name).internal)


def sample(name):
    """Arrays of both signs, without a bias, and attributes."""
    rng = np.random.RandomState(zlib.crc32(name.encode()))
    arrays, attrs = SAMPLES[name]
    arrays = [rng.uniform(-1, 1, a.shape) if is_float(a) else a for a in arrays]
    if _core.op_info(name).bias is not None:
        arrays = arrays[: _core.op_info(name).bias]
    if name.startswith("max_pool2d_"):  # the second input is the result of the pooling
        arrays[1] = run_op("max_pool2d", arrays[:1], **attrs)[0]
    return arrays, {"dtype": "float64"} if name == "cast" else attrs, rng


def is_float(array):
    return array is not None and np.asarray(array).dtype.kind == "f"


def floats(name):
    return [i for i, a in enumerate(sample(name)[0]) if is_float(a)]


def zeroed(arrays, which):
    return [np.zeros_like(a) if i in which and is_float(a) else a for i, a in enumerate(arrays)]


def cases(inputs_of):
    return [pytest.param(name, i, id=f"{name}-{i}") for name in OPS for i in inputs_of(name)]


def test_only_ops_of_tools_and_rewrites_are_internal():
    assert {name for name in _core.op_names() if _core.op_info(name).internal} == {
        "fused", "fused_rows", "fused_multi", "sum_rows", "peak_fma", "peak_copy",
    }  # fmt: skip
    assert {*OPS} == {*SAMPLES} - {name for name in SAMPLES if _core.op_info(name).internal}
    assert {name for name in WITHOUT if not _core.op_info(name).internal} == {"scan", "cond"}


@pytest.mark.parametrize(("name", "i"), cases(floats))
def test_linear(name, i):
    arrays, attrs, rng = sample(name)

    def results(array):
        return run_op(name, [*arrays[:i], array, *arrays[i + 1 :]], **attrs)

    a, b = (rng.uniform(-1, 1, arrays[i].shape) for _ in range(2))
    with np.errstate(all="ignore"):
        adds_up = all(
            y.dtype.kind == "f" and np.allclose(ya + yb, y, rtol=1e-9, atol=1e-12)
            for y, ya, yb in zip(results(a + b), results(a), results(b))
        )
        zeros = all(not y.any() for y in results(np.zeros_like(a)))
        varies = any(y.any() for y in results(a))
    assert _core.op_info(name).is_linear(i) == (adds_up and zeros and varies)


def inputs_that(is_so):
    """Of an op those inputs, by number, of which its info says something."""
    return lambda name: [i for i in range(len(sample(name)[0])) if is_so(_core.op_info(name), i)]


jointly_linear = inputs_that(lambda info, i: info.is_jointly_linear(i))


@pytest.mark.parametrize("name", [name for name in OPS if jointly_linear(name)])
def test_jointly_linear(name):
    arrays, attrs, _ = sample(name)
    together = jointly_linear(name)
    assert all(not y.any() for y in run_op(name, zeroed(arrays, together), **attrs))
    for i in together:  # one alone does not make zeros
        assert any(y.any() for y in run_op(name, zeroed(arrays, {*together} - {i}), **attrs))


@pytest.mark.parametrize(("name", "i"), cases(inputs_that(lambda info, i: info.neutral(i) is not None)))
def test_neutral(name, i):
    arrays, attrs, _ = sample(name)
    neutral = np.full_like(arrays[i], _core.op_info(name).neutral(i))
    (y,) = run_op(name, [neutral if j == i else a for j, a in enumerate(arrays)], **attrs)
    np.testing.assert_array_equal(y, arrays[1 - i])


def integers(name):
    return [i for i, a in enumerate(SAMPLES[name][0]) if a is not None and np.asarray(a).dtype.kind == "i"]


@pytest.mark.parametrize(("name", "i"), cases(integers))
def test_sizes(name, i):
    """Shapes follow from it: they are others, unknown or refused with other values of it."""
    arrays, attrs = SAMPLES[name]

    def dims(values):
        types = [None if a is None else (np.asarray(a).dtype.name, np.shape(a), None) for a in arrays]
        for j in integers(name):
            known = values if i == j else arrays[j]
            if known is not None and np.ndim(arrays[j]) < 2:
                types[j] = (*types[j][:2], tuple(int(v) for v in np.ravel(known)))
        try:
            return [t[1] for t in _core.infer(name, attrs, types)]
        except (ValueError, TypeError):
            return None

    same = dims(arrays[i]) == dims(None) == dims(np.asarray(arrays[i]) * 2)
    assert _core.op_info(name).is_size(i) == (not same)


# Elementwise ops are fused, and their programs tested as such.
overwritten = inputs_that(lambda info, i: info.is_overwritten(i) and not info.elementwise)


@pytest.mark.parametrize(("name", "i"), cases(overwritten))
def test_overwritten(target, name, i):
    """The result has the bits that it has where the input is read again, and so is left as it was."""
    arrays, attrs, _ = sample(name)
    inputs = [
        None if a is None else G.placeholder(a.shape, "float64") if is_float(a) else G.constant(a) for a in arrays
    ]
    fed = [t for t, a in zip(inputs, arrays) if is_float(a)]
    dies = G.apply("reverse", [inputs[i]], axes=[0])
    made = G.apply(name, [*inputs[:i], dies, *inputs[i + 1 :]], **attrs)
    first = made[0] if isinstance(made, tuple) else made
    over, beside = G.Function(fed, [G.apply("reverse", [first], axes=[0])]), G.Function(fed, [first, dies])
    feeds = [a for a in arrays if is_float(a)]
    np.testing.assert_array_equal(over(feeds)[0][::-1], beside(feeds)[0])
    plan = str(over.program().bind([a.shape for a in feeds]))
    places = {op: re.search(rf"^{op} .*?@(\S+)", plan, flags=re.M).group(1) for op in ("reverse", name)}
    assert places["reverse"] == places[name], plan


@pytest.mark.parametrize("name", OPS)
def test_epilogue(name):
    """An op takes the attribute, and it is a recurrent cell's, or applied to the first output."""
    arrays, attrs, _ = sample(name)
    try:
        results = run_op(name, arrays, **attrs, **({} if "activation" in attrs else {"activation": "relu"}))
    except (TypeError, ValueError) as error:
        assert "activation" in str(error)
        assert not _core.op_info(name).epilogue
        return
    assert _core.op_info(name).epilogue == (_core.op_info(name).family != "recurrent")
    if _core.op_info(name).epilogue:
        plain = run_op(name, arrays, **attrs)
        np.testing.assert_allclose(results[0], np.maximum(plain[0], 0), rtol=1e-12, atol=1e-12)
        assert all(np.array_equal(a, b) for a, b in zip(results[1:], plain[1:]))


@pytest.mark.parametrize("name", [name for name in OPS if _core.op_info(name).bias is not None])
def test_bias(name):
    arrays, attrs, rng = sample(name)
    (plain,) = run_op(name, arrays, **attrs)
    bias = rng.uniform(-1, 1, plain.shape[-1])
    (y,) = run_op(name, [*arrays, bias], **attrs)
    np.testing.assert_allclose(y, plain + bias, rtol=1e-9, atol=1e-12)


def test_what_has_a_bias():
    biased = {name for name in OPS if "bias?" in _core.op_info(name).inputs}
    assert biased == {name for name in OPS if _core.op_info(name).bias is not None}
    assert {"matmul", "conv2d", "conv3d", "depthwise_conv2d", "conv2d_input_grad", "conv3d_input_grad"} == biased


@pytest.mark.parametrize("name", [name for name in OPS if _core.op_info(name).columns is not None])
def test_columns(name):
    """A factor for each column of the result may be multiplied into the weights."""
    arrays, attrs, rng = sample(name)
    at = _core.op_info(name).columns
    (plain,) = run_op(name, arrays, **attrs)
    factor = rng.uniform(-1, 1, plain.shape[-1])
    weights = arrays[at] * factor.reshape(-1 if arrays[at].shape[-1] == factor.size else arrays[at].shape[-2:])
    (y,) = run_op(name, [*arrays[:at], weights, *arrays[at + 1 :]], **attrs)
    np.testing.assert_allclose(y, plain * factor, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in OPS if _core.op_info(name).of_shapes])
def test_of_shapes(name):
    arrays, attrs, _ = sample(name)
    changed = [a + 1 for a in arrays]
    assert all(np.array_equal(a, b) for a, b in zip(run_op(name, arrays, **attrs), run_op(name, changed, **attrs)))


def test_limits_of_the_interpreter_are_the_cores():
    x = np.ones(3, "float32")
    attrs = {"code": [], "constants": [], "outputs": [0], "out_dtypes": [_core.dtype_names().index("float32")]}
    assert len(run_op("fused", [x] * _core.MAX_FUSED_INPUTS, **attrs, dtype="float32")) == 1
    with pytest.raises((TypeError, ValueError)):
        run_op("fused", [x] * (_core.MAX_FUSED_INPUTS + 1), **attrs, dtype="float32")
