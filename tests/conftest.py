import functools
import os
import random
import zlib

import numpy as np
import pytest
from hornbeam import _core
from hornbeam.dialect import TF2
from hornbeam.graph import Recorder, rewrites
from hornbeam.settings import settings
from hornbeam.tf import autograph

# Tests start Python in folders of their own; an entry such as `python` (CONTRIBUTING) would lead nowhere from there.
if "PYTHONPATH" in os.environ:
    os.environ["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, os.environ["PYTHONPATH"].split(os.pathsep)))

ISAS = _core.available_isas()
#: HORNBEAM_ISA and HORNBEAM_DEVICE choose, as everywhere: so runs of the whole suite under each repeat no test.
TARGETS = [*ISAS, *(name for name, _ in _core.devices()[1:])]
if os.environ.get("HORNBEAM_ISA"):
    TARGETS = [_core.isa()]
if os.environ.get("HORNBEAM_DEVICE"):
    TARGETS = [_core.device()]


def _checked(rewrite):
    @functools.wraps(rewrite)
    def run(graph):
        rewrite(graph)
        graph.check()

    return run


rewrites.PASSES = tuple(_checked(rewrite) for rewrite in rewrites.PASSES)


@pytest.fixture(params=TARGETS)
def target(request):
    """Run a test under every instruction set that this machine has, and on the device for tests."""
    isa, device = _core.isa(), _core.set_device(None if request.param in ISAS else request.param)
    if request.param in ISAS:
        _core.set_isa(request.param)
    yield request.param
    _core.set_isa(isa)
    _core.set_device(device)


def pytest_runtest_setup(item):
    target = item.callspec.params.get("target") if hasattr(item, "callspec") else None  # or an array: a loss's target
    device = target if isinstance(target, str) else _core.device()
    for marker, devices in (("host_only", ("cpu", *ISAS)), ("cpu_kernels", ("cpu", "apart", *ISAS))):
        for marked in item.iter_markers(marker):
            if device not in devices:
                pytest.skip(marked.kwargs["reason"])


@pytest.fixture
def tf2(monkeypatch):
    """Words mean what they mean in scripts of TensorFlow 2."""
    monkeypatch.setattr(settings, "dialect", TF2)
    monkeypatch.setattr(settings, "uids", {})


@pytest.fixture
def eager(tf2):
    """Tensors are eager, as they are for scripts that are written for TensorFlow 2."""
    settings.recorder = Recorder(autograph.convert)
    yield settings.recorder
    settings.recorder = None


@pytest.fixture
def threads():
    """A function that sets the number of threads, put back afterwards."""
    before = _core.num_threads()
    yield _core.set_num_threads
    _core.set_num_threads(before)


def seed_of(request):
    """A seed that belongs to a test: the same whichever tests run before it, and in whichever process."""
    return zlib.crc32(request.node.nodeid.encode())


@pytest.fixture
def rng(request):
    """A generator of the test's data."""
    return np.random.RandomState(seed_of(request))


@pytest.fixture(autouse=True)
def global_generators(request):
    """Seed what initial weights, dropout and shuffling draw from where a test gives no seed."""
    np.random.seed(seed_of(request))
    random.seed(seed_of(request))


@pytest.fixture(autouse=True)
def custom_objects(monkeypatch):
    """What a test registers is known in that test alone."""
    monkeypatch.setattr(settings, "custom_objects", {})


def pytest_addoption(parser):
    parser.addoption("--order-seed", type=int, help="run the tests in a random order, made from this number")


def pytest_collection_modifyitems(config, items):
    seed = config.getoption("--order-seed")
    if seed is not None:
        random.Random(seed).shuffle(items)
