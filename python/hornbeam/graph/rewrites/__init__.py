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


#: in this order
PASSES = (
    remove_dead,  # what nobody reads is not looked at by any of the others
    resolve_shapes,  # before all that compare shapes; `shape(y)` would be a second reader of y
    drop_absent,  # while gradients are still plain sums and products
    drop_neutral,  # what branches left: a sum with zeros would keep an epilogue away
    _rewrite_bodies,  # before the ops around them are merged: equal bodies then are one
    fold_constants,  # the shapes that are put together above are constants mostly
    eliminate_common,  # after folding, which makes equal constants of different formulas
    join_slices,  # of sums of slices; before fusion takes the sums
    sink_transposes,  # before epilogues: a transpose stands between a convolution and its bias in channels_first
    remove_dead,  # transposes that met their inverse
    sink_squeezes,  # so that fuse_epilogues sees the bias of a 1-D convolution
    fuse_epilogues,  # a bias first, which fold_affine then scales
    fold_affine,  # a batch normalization in the place of a bias
    fuse_epilogues,  # the activation behind that batch normalization
    widen_half,  # after the epilogues, which compute in float32 with them; before fusion, which takes the casts in
    remove_dead,  # so that fusion counts only readers that run
    fuse_elementwise,  # what no other op took
    keep_rows,  # `fused` ops that read a scatter_add
    merge_updates,  # last: of `fused` ops that are whole
)
