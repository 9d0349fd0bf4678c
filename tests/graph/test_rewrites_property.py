"""Each rewrite alone, and all together, on random programs: the values are those of the program that nothing rewrote.

Values agree up to TOLERANCE of running_programs.py (1e-10 in float64, 2e-5 in float32, relative to a result's largest
number), or up to what a change of the inputs by a few units in their last place does.
"""

from __future__ import annotations

import collections

from hornbeam.graph.rewrites import PASSES
from random_programs import grow, without_slopes
from running_programs import Noise, Runner, binds, graph_of, widen_all

NAMED = {p.__name__.lstrip("_"): p for p in PASSES}
#: What makes the things that a rewrite looks for; the rest finds them in programs as they were written.
BEFORE = {
    "remove_dead": ("resolve_shapes", "drop_absent", "sink_transposes"),
    "eliminate_common": ("resolve_shapes", "fold_constants"),
    "join_slices": ("resolve_shapes", "drop_absent", "drop_neutral", "fold_constants", "eliminate_common"),
    "keep_rows": ("fuse_elementwise",),
    "merge_updates": ("fuse_elementwise",),
}
PROGRAMS = 300
#: How often a rewrite has to change something, so that the test says something about it.
LEAST = 4


def variants(name):
    """The passes before a rewrite, and the rewrite: float16 is widened where the order of all has it."""
    first = [NAMED[other] for other in BEFORE.get(name, ())]
    late = PASSES.index(NAMED[name]) > PASSES.index(NAMED["widen_half"])
    if name == "widen_half":
        return [widen_all], [widen_all, NAMED[name]]
    return ([widen_all, *first], [NAMED[name]]) if late else (first, [NAMED[name], widen_all])


def changed(program, first, last):
    """Whether the last passes change the graph that the first ones leave."""
    graph = graph_of(program)
    for rewrite_pass in first:
        rewrite_pass(graph)
    before = str(graph)
    last[0](graph)
    return str(graph) != before


def test_programs_compute_what_they_were_written_to():
    fired = collections.Counter()
    for seed in range(PROGRAMS):
        program = grow(seed, large=False)
        if not binds(program):
            continue
        if program.coarse == "float16":
            program = without_slopes(program)
        noise = Noise(program)
        found = noise.difference(Runner(program, reuse=False)())
        assert not found, f"program {seed}, all rewrites: {found}"
        for name in NAMED:
            first, last = variants(name)
            if name != "widen_half" and changed(program, first, last):
                fired[name] += 1
                found = noise.difference(Runner(program, [*first, *last], reuse=False)())
                assert not found, f"program {seed}, {name}: {found}"
    assert {name: fired[name] for name in NAMED if fired[name] < LEAST} == {"widen_half": 0}
