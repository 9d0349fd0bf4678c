"""Rewrites of a Function's flat graph, each a small function in its own module, one linear pass each.

They never look at concrete shapes: what depends on those is decided at bind, in C++.
"""

from __future__ import annotations

from ..flat import FlatGraph
from .common import eliminate_common
from .dead import remove_dead

#: in this order; later ones profit from what earlier ones found
PASSES = (remove_dead, eliminate_common, remove_dead)


def rewrite(graph: FlatGraph) -> None:
    """Apply all rewrites in place."""
    for rewrite_pass in PASSES:
        rewrite_pass(graph)
