"""Decoding gives labels: nothing to differentiate."""

from . import not_differentiable

not_differentiable("ctc_greedy", "ctc_beam")
