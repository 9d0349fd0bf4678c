import pytest
from hornbeam import _core


@pytest.fixture(params=_core.available_isas())
def isa(request):
    """Run a test under every instruction set this machine has."""
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
