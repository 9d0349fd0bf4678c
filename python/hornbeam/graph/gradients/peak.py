"""Ops that only measure the machine."""

from . import not_differentiable

not_differentiable("peak_fma", "peak_copy")
