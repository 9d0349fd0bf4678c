import functools
import os

import pytest
from hornbeam import _core
from hornbeam.graph import rewrites

#: HORNBEAM_ISA chooses one, as everywhere: so a run of the whole suite under each repeats no test.
ISAS = [_core.isa()] if os.environ.get("HORNBEAM_ISA") else _core.available_isas()


def _checked(rewrite):
    @functools.wraps(rewrite)
    def run(graph):
        rewrite(graph)
        graph.check()

    return run


rewrites.PASSES = tuple(_checked(rewrite) for rewrite in rewrites.PASSES)


@pytest.fixture(params=ISAS)
def isa(request):
    """Run a test under every instruction set that this machine has."""
    before = _core.isa()
    _core.set_isa(request.param)
    yield request.param
    _core.set_isa(before)


@pytest.fixture
def threads():
    """A function that sets the number of threads, put back afterwards."""
    before = _core.num_threads()
    yield _core.set_num_threads
    _core.set_num_threads(before)
