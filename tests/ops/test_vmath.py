"""The error bounds that csrc/cpu/vmath.h states, on every instruction set."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import reference_elementwise as reference
from checks import run_op

HEADER = Path(__file__).parents[2] / "csrc" / "cpu" / "vmath.h"


def promised():
    """op -> (largest error in float, in double) in ulp, read from the table in the header's first comment."""
    comment = HEADER.read_text().split("#pragma once")[0]
    rows = re.findall(r"(\w+(?:, \w+)*) +([\d.]+) +([\d.]+)(?= |$)", comment, flags=re.M)
    return {name: (float(f), float(d)) for names, f, d in rows for name in names.split(", ")}


BOUNDS = promised()
#: Between which points to look closely: where the function bends, or leaves the numbers of its type.
AROUND = {
    "exp": (-110, 90), "expm1": (-110, 90), "log": (0, 8), "log1p": (-1, 8), "tanh": (-12, 12), "sigmoid": (-110, 110),
    "softplus": (-110, 110), "erf": (-7, 7), "sin": (-6e6, 6e6), "cos": (-6e6, 6e6), "sqrt": (0, 9), "rsqrt": (0, 9),
}  # fmt: skip
SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 1e-310, 5e-324, 88.7, 88.8, -87.4, -103.9,
           -104.1, 709.7, 709.8, -708.5, -745.1, -745.2, 1e30, -1e30, 3.3e38, 1.7e308]  # fmt: skip


def points(dtype, low, high):
    """The whole range of the type by random bits, the interesting range densely, a neighbourhood of 0, and special values."""
    rng = np.random.RandomState(0)
    bits = rng.randint(0, 2**32, 40000 * np.dtype(dtype).itemsize // 4, dtype=np.uint32).view(dtype)
    with np.errstate(over="ignore"):
        return np.concatenate(
            [bits, np.linspace(low, high, 60001), np.linspace(max(low, -2), 2, 60001), SPECIAL],
            dtype=dtype,
            casting="unsafe",
        )


def error_in_ulp(got, want):
    """|got - want| over the spacing of got's type at want; 0 where both are the same inf or NaN."""
    with np.errstate(all="ignore"):
        rounded = want.astype(got.dtype)
        same = (got == rounded) & np.isinf(got) | np.isnan(got) & np.isnan(want)
        error = np.abs(got.astype(want.dtype) - want) / np.spacing(np.abs(rounded)).astype(want.dtype)
    return np.where(same, 0, error)


def assert_bound(name, x, got, want):
    bound = BOUNDS[name][got.dtype == np.float64]
    error = error_in_ulp(got, want)
    worst = np.argmax(np.where(np.isnan(error), np.inf, error))
    assert error[worst] <= bound, f"{name}({x[worst]!r}) = {got[worst]!r}, not {want[worst]!r}: {error[worst]} ulp"


def test_each_promise_is_tested():
    assert BOUNDS.keys() == AROUND.keys() | {"pow"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", AROUND)
def test_error_bound(target, name, dtype):
    x = points(dtype, *AROUND[name])
    with np.errstate(all="ignore"):
        if name == "erf":  # NumPy has none; the C library's is good to an ulp
            want = np.array([math.erf(v) for v in x])
        else:
            want = reference.UNARY[name](x.astype("float64" if dtype == "float32" else "longdouble"))
    assert_bound(name, x, run_op(name, [x])[0], want)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pow(target, dtype):
    rng = np.random.RandomState(0)
    special = np.array([0.0, -0.0, 1, -1, 2, 3, 0.5, -2, -3, -0.5, np.inf, -np.inf, np.nan, 1e30, -1e30], dtype)
    x = np.concatenate(
        [np.repeat(special, len(special)), rng.uniform(0, 20, 40000), rng.randint(-9, 9, 2000)], dtype=dtype
    )
    y = np.concatenate(
        [np.tile(special, len(special)), rng.uniform(-20, 20, 40000), rng.randint(-9, 9, 2000)], dtype=dtype
    )
    with np.errstate(all="ignore"):
        want = np.power(x.astype("longdouble"), y.astype("longdouble"))
    assert_bound("pow", x, run_op("pow", [x, y])[0], want)


@pytest.mark.parametrize("name", ["expm1", "log1p", "tanh", "erf", "sin", "sqrt", "neg", "floor", "round"])
def test_minus_zero(target, name):
    got = run_op(name, [np.array([-0.0, 0.0], "float32")])[0]
    want = [1 if name == "neg" else -1, -1 if name == "neg" else 1]
    assert np.copysign(1, got).tolist() == want, name
