"""Rewrites of a Function's flat graph, each a small function in its own module, one linear pass each.

They never look at concrete shapes: what depends on those is decided at bind, in C++.
"""

from __future__ import annotations

from ..flat import FlatGraph
from .absent import drop_absent
from .affine import fold_affine
from .bodies import rewrite_bodies
from .common import eliminate_common
from .constants import fold_constants
from .dead import remove_dead
from .epilogue import fuse_epilogues
from .fusion import fuse_elementwise
from .half import widen_half
from .multi_tensor import merge_updates
from .neutral import drop_neutral
from .rows import keep_rows
from .shapes import resolve_shapes
from .slices import join_slices
from .transposes import sink_transposes
from .views import sink_squeezes


def rewrite(graph: FlatGraph) -> None:
    """Apply all rewrites in place."""
    for rewrite_pass in PASSES:
        rewrite_pass(graph)


def _rewrite_bodies(graph: FlatGraph) -> None:
    rewrite_bodies(graph, rewrite)


#: in this order; later ones profit from what earlier ones found
PASSES = (
    remove_dead,
    resolve_shapes,
    drop_absent,
    drop_neutral,
    _rewrite_bodies,
    fold_constants,
    eliminate_common,
    join_slices,
    sink_transposes,
    remove_dead,
    sink_squeezes,
    fuse_epilogues,
    fold_affine,
    fuse_epilogues,
    widen_half,
    remove_dead,
    fuse_elementwise,
    keep_rows,
    merge_updates,
)
