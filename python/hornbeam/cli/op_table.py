"""What is there for each op: dtypes, kernels, gradients. Found by trying, op by op."""

from __future__ import annotations

from collections.abc import Iterator

from .. import _core
from ..graph import Function, gradients
from ..graph.gradients import is_differentiable
from ..graph.samples import SAMPLES, sample

_DTYPES = ("float16", "float32", "float64", "int32", "int64", "bool")


def op_table() -> Iterator[str]:
    """A heading and one line per op, sorted by family.

    Columns: family, op; dtypes whose sample a plan could be made for; whether a first and a second derivative exist, ``-``
    for an op that does not vary smoothly; and kernels, for each instruction set of this machine and each device with
    others, in the order in which they are asked (a device without one has the op computed by the CPU). Ops without a
    sample (control flow, the benchmark's own) show kernels alone.
    """
    yield f"{'family':<14} {'op':<34} {'dtypes':<30} {'derivatives':<12} kernels"
    ops = sorted((_core.op_info(name).family, name) for name in _core.op_names())
    kernels = {isa: _core.kernels(isa) for isa in _core.available_isas()}
    devices = {name: _core.kernels(name) for name, _ in _core.devices()}
    others = {name: table for name, table in devices.items() if table not in kernels.values()}
    for family, name in ops:
        found = {isa: ", ".join(dict.fromkeys(table.get(name, ()))) for isa, table in kernels.items()}
        if len(set(found.values())) == 1:
            shown = next(iter(found.values())) or ("view" if _core.op_info(name).view else "")
        else:
            shown = "; ".join(f"{isa}: {names}" for isa, names in found.items())
        if shown != "view":
            for device, table in others.items():
                shown += f"; {device}: {', '.join(dict.fromkeys(table.get(name, ['on the CPU'])))}"
        yield f"{family:<14} {name:<34} {_dtypes(name):<30} {_derivatives(name):<12} {shown}".rstrip()


def _dtypes(name: str) -> str:
    taken = [dtype for dtype in _DTYPES if name in SAMPLES and _is_taken(name, dtype)]
    return " ".join(dtype.replace("float", "f").replace("int", "i") for dtype in taken)


def _is_taken(name: str, dtype: str) -> bool:
    try:
        fed, outputs, feeds = sample(name, dtype)
        if not any(t.dtype == dtype for t in (*fed, *outputs)):
            return False
        Function(fed, outputs).program().bind([a.shape for a in feeds])
    except (TypeError, ValueError, RuntimeError):
        return False
    return True


def _derivatives(name: str) -> str:
    if name not in SAMPLES or not is_differentiable(name):
        return "-"
    fed, outputs, _ = sample(name)
    inputs = [t for t in fed if t.dtype == "float32"]
    try:
        first = [g for g in gradients(outputs, inputs) if g is not None]
        if not first:
            return "-"
    except NotImplementedError:
        return "none"
    try:
        gradients(first, inputs)
    except NotImplementedError:
        return "first"
    return "both"
