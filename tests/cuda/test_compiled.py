"""Formulas that are compiled while the program runs (csrc/cuda/compiled): NVRTC's part is played by g++ on the simulated
device. That its texts mean what the interpreter computes is shown without any device."""

import os
import pathlib
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout

import pytest
from fresh_process import run_python
from hornbeam import _core

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
pytestmark = [
    pytest.mark.host_only(reason="each test names its device"),
    pytest.mark.skipif(shutil.which("g++") is None, reason="there is no g++ on this machine"),
]
simulated = pytest.mark.skipif("sim" not in dict(_core.devices()), reason="the simulated GPU is not built")
HAS_HEADERS = subprocess.run([sys.executable, ROOT / "ci/cuda_headers"], capture_output=True).returncode == 0


# ---- texts ----
def check_formulas(*arguments, **environment):
    """What ci/compiled_formulas says in the end; skips where something that it needs is not there."""
    run = subprocess.run(
        [ROOT / "ci/compiled_formulas", *arguments], env={**os.environ, **environment}, capture_output=True, text=True
    )
    if run.returncode == 3:
        pytest.skip(run.stdout.strip())
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    return run.stdout


def test_texts_have_the_interpreters_bits():
    assert "186 formulas compared, 0 differ" in check_formulas("random", "8")


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="there is no nvcc on this machine")
def test_texts_compile_for_a_gpu():
    assert "31 formulas compiled by nvcc for 90" in check_formulas("random", "8", FORMULAS="nvcc", EVERY="6")


@pytest.mark.skipif(shutil.which("cmake") is None, reason="there is no cmake on this machine")
def test_nvrtc_compiles_texts():
    assert "for sm_90: 0 refused" in check_formulas("random", "8", FORMULAS="nvrtc", EVERY="3")


# ---- on the simulated device ----
TRAIN = """
    import hashlib, os, pathlib, time
    import numpy as np
    from hornbeam import layers, models
    model = models.Sequential([layers.Dense(4, activation="tanh", input_shape=(3,)), layers.Dense(2)])
    rng = np.random.RandomState(0)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    model.compile("adam", "mse")
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))

    def steps(count):
        for _ in range(count):
            model.train_on_batch(x, y)

    dump = pathlib.Path(os.environ["HORNBEAM_DUMP_FORMULAS"])
    def settled():
        events = [line.split()[0] for line in dump.read_text().splitlines()] if dump.exists() else []
        return len(events) == 2 * events.count("wanted")

    steps(4)  # plain, recorded, played
    end = time.monotonic() + 300
    while not settled() and time.monotonic() < end:
        time.sleep(0.05)
    steps(4)  # plain with what was compiled, recorded, played
    print(hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest())
"""


def train(folder, compiler="g++", cache="0"):
    """A digest of the weights after some steps on the simulated device, and how often each came of the formulas."""
    dump = folder / "dump"
    dump.unlink(missing_ok=True)
    run = run_python(
        TRAIN,
        HORNBEAM_DEVICE="sim",
        HORNBEAM_SIM_NVRTC=str(compiler),
        HORNBEAM_KERNEL_CACHE=str(cache),
        HORNBEAM_DUMP_FORMULAS=str(dump),
    )
    assert run.returncode == 0, run.stderr
    events = [line.split()[0] for line in dump.read_text().splitlines()] if dump.exists() else []
    return run.stdout.strip(), {event: events.count(event) for event in set(events)}


def planted(folder):
    """A compiler that makes differences of sums."""
    path = folder / "planted"
    path.write_text(
        '#!/bin/sh\nfor a; do case $a in *formula.cpp) sed -i s/Opcode::add,/Opcode::sub,/ "$a";; esac; done\nexec g++ "$@"\n'
    )
    path.chmod(0o755)
    return path


@simulated
def test_training_has_the_same_bits_whoever_computes(tmp_path):
    interpreted, events = train(tmp_path, compiler="")
    assert events == {}
    refused, events = train(tmp_path, compiler="false")
    count = events["wanted"]
    assert (refused, events) == (interpreted, {"wanted": count, "none": count})
    cache = tmp_path / "cache"
    compiled, events = train(tmp_path, cache=cache)
    assert (compiled, events) == (interpreted, {"wanted": count, "compiled": count})
    (file, *others) = sorted(cache.iterdir())
    assert len(others) == count - 1
    file.write_bytes(file.read_bytes()[:-1])  # is compiled again
    found, events = train(tmp_path, cache=cache)
    assert (found, events) == (interpreted, {"wanted": count, "read": count - 1, "compiled": 1})


@simulated
def test_what_is_compiled_takes_the_interpreters_place(tmp_path):
    """Without it the test above would be about nothing."""
    run = run_python(
        """
        import time
        import numpy as np
        from hornbeam import graph as G
        x, w = G.placeholder((3,)), G.Variable(np.array([1, 2, 3], "float32"))
        f = G.Function([x], [G.apply("add", [x, w])])
        feed = [np.array([5, 7, 9], "float32")]
        sums = [f(feed)[0].tolist() for _ in range(3)]
        end = time.monotonic() + 300
        while f(feed)[0].tolist() == sums[0] and time.monotonic() < end:
            time.sleep(0.01)
        differences = [f(feed)[0].tolist() for _ in range(3)]
        print(sums, differences, "recorded" in str(f.program().bind([(3,)])))
        """,
        HORNBEAM_DEVICE="sim",
        HORNBEAM_SIM_NVRTC=str(planted(tmp_path)),
        HORNBEAM_KERNEL_CACHE="0",
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == f"{[[6.0, 9.0, 12.0]] * 3} {[[4.0, 5.0, 6.0]] * 3} True"


@simulated
def test_a_first_run_may_wait_for_the_compiler(tmp_path):
    run = run_python(
        """
        import numpy as np
        from hornbeam import graph as G
        x = G.placeholder((3,))
        print(G.Function([x], [G.apply("add", [x, x])])([np.ones(3, "float32")])[0].tolist())
        """,
        HORNBEAM_DEVICE="sim",
        HORNBEAM_NVRTC="wait",
        HORNBEAM_SIM_NVRTC=str(planted(tmp_path)),
        HORNBEAM_KERNEL_CACHE="0",
    )
    assert (run.returncode, run.stdout.strip()) == (0, "[0.0, 0.0, 0.0]"), run.stderr


@simulated
def test_variables_without_elements_are_updated():
    """So many that some launch has no others."""
    run = run_python(
        """
        import numpy as np
        from hornbeam import graph as G
        x, variables = G.placeholder(()), [G.Variable(np.zeros((n, 3), "float32")) for n in (2, *[0] * 700)]
        step = G.Function([x], [], updates=[v.assign(v * 2.0 + x) for v in variables])
        for _ in range(3):
            step([np.float32(1)])
        print(variables[0].get_value().ravel().tolist(), step.program().bind([()]))
        """,
        HORNBEAM_DEVICE="sim",
        HORNBEAM_NVRTC="wait",
        HORNBEAM_SIM_NVRTC="g++",
        HORNBEAM_KERNEL_CACHE="0",
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(str([7.0] * 6)) and "fused_multi" in run.stdout


@simulated
@pytest.mark.parametrize("comes_from", ["compiled", "read"])
def test_a_process_that_ends_waits_for_what_is_being_settled(tmp_path, comes_from):
    slow, pipe = tmp_path / "slow", tmp_path / "pipe"  # code that takes its time to load: nobody reads the pipe then
    slow.write_text(
        """#!/bin/sh
        for a; do case $a in *formula.cpp)
            echo '#include <unistd.h>' >> "$a"
            echo '__attribute__((constructor)) static void load() { usleep(500000); }' >> "$a";;
        esac; done
        exec g++ "$@"
        """
    )
    slow.chmod(0o755)
    script = """
        import numpy as np
        from hornbeam import graph as G
        x = G.placeholder((3,))
        f = G.Function([x], [G.apply("add", [x, x])])
        for _ in range(2):
            f([np.ones(3, "float32")])
    """
    environment = {
        "HORNBEAM_DEVICE": "sim",
        "HORNBEAM_SIM_NVRTC": str(slow),
        "HORNBEAM_KERNEL_CACHE": str(tmp_path / "c"),
    }
    if comes_from == "read":
        assert run_python(script, HORNBEAM_NVRTC="wait", **environment).returncode == 0
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(run_python, script, HORNBEAM_DUMP_FORMULAS=str(pipe), **environment)
        assert pipe.read_text().startswith("wanted ")
        with pytest.raises(FutureTimeout):
            run.result(timeout=3)  # its compiler's thread waits for a reader
        assert pipe.read_text().startswith(f"{comes_from} ")
        assert run.result().returncode == 0


@simulated
def test_a_process_that_ends_compiles_nothing_more(tmp_path):
    slow, dump = tmp_path / "slow", tmp_path / "dump"
    slow.write_text('#!/bin/sh\nsleep 2\nexec g++ "$@"\n')
    slow.chmod(0o755)
    run = run_python(
        """
        import numpy as np
        from hornbeam import graph as G
        x = G.placeholder((3,))
        for op in ("add", "sub", "mul", "maximum", "minimum"):
            f = G.Function([x], [G.apply(op, [x, x])])
            for _ in range(2):
                f([np.ones(3, "float32")])
        """,
        HORNBEAM_DEVICE="sim",
        HORNBEAM_SIM_NVRTC=str(slow),
        HORNBEAM_KERNEL_CACHE="0",
        HORNBEAM_DUMP_FORMULAS=str(dump),
    )
    assert run.returncode == 0, run.stderr
    events = [line.split()[0] for line in dump.read_text().splitlines()]
    assert events.count("wanted") == 5 and events.count("compiled") < 5


# ---- the cache ----
@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("cache") / "program"
    sources = [HERE / "code_cache.cpp", ROOT / "csrc/cuda/compiled/cache.cpp", ROOT / "csrc/core/crc32c.cpp"]
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'csrc'}"]
    subprocess.run(["g++", *flags, *sources, "-o", path], check=True)
    return path


@pytest.fixture
def cache(program, tmp_path):
    """read(identity), write(identity, code, most) and the folder of a cache that does not exist yet."""

    class Cache:
        folder = tmp_path / "one/two"

        def read(self, identity):
            run = subprocess.run([program, "read", self.folder, identity], capture_output=True)
            assert run.returncode == (0 if run.stdout else 1), run.stderr
            return run.stdout.decode()

        def write(self, identity, code, most=1 << 20):
            assert subprocess.run([program, "write", self.folder, identity, code, str(most)]).returncode == 0

        def file(self):
            (path,) = self.folder.iterdir()
            return path

    return Cache()


def test_code_is_read_by_its_identity(cache):
    assert cache.read("a") == ""
    cache.write("a", "code of a")
    cache.write("b", "code of b")
    cache.write("a", "other code of a")
    assert [cache.read(name) for name in "abc"] == ["other code of a", "code of b", ""]
    assert sorted(path.stat().st_mode & 0o777 for path in cache.folder.iterdir()) == [0o600] * 2
    assert cache.folder.stat().st_mode & 0o777 == 0o700


def test_a_damaged_file_is_none(cache):
    cache.write("identity", "some code")
    whole = cache.file().read_bytes()
    for at in range(0, len(whole), 5):
        cache.file().write_bytes(whole[:at] + bytes([whole[at] ^ 64]) + whole[at + 1 :])
        assert cache.read("identity") == ""
    for damaged in (b"", whole[:7], whole[:-1], whole + b"x"):
        cache.file().write_bytes(damaged)
        assert cache.read("identity") == ""
    cache.write("identity", "some code")
    assert cache.read("identity") == "some code"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes into folders of others")
def test_root_leaves_nothing_in_the_folder_of_somebody_else(cache, tmp_path):
    os.chown(tmp_path, 1000, 1000)
    cache.write("identity", "some code")
    assert list(tmp_path.iterdir()) == [] and cache.read("identity") == ""
    os.chown(tmp_path, 0, 0)
    cache.write("identity", "some code")
    assert cache.read("identity") == "some code"


def test_a_file_that_others_could_have_written_is_none(cache, tmp_path):
    cache.write("identity", "some code")
    cache.file().chmod(0o620)
    assert cache.read("identity") == ""
    cache.file().chmod(0o600)
    cache.folder.chmod(0o777)
    assert cache.read("identity") == ""
    cache.folder.chmod(0o700)
    assert cache.read("identity") == "some code"
    file = cache.file()
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert cache.read("identity") == ""
    file.unlink()
    os.mkfifo(file, 0o600)
    assert cache.read("identity") == ""


def test_what_was_not_used_for_longest_goes_first(cache):
    for name in "abc":
        cache.write(name, name * 1000)
    for path in cache.folder.iterdir():
        os.utime(path, (1, 1))
    assert cache.read("b") == "b" * 1000
    cache.write("d", "d" * 1000, most=2500)
    assert [bool(cache.read(name)) for name in "abcd"] == [False, True, False, True]


def test_other_files_in_its_folder_stay(cache):
    cache.write("a", "a")
    other = cache.folder / "project.code-workspace"
    other.write_bytes(bytes(1000))
    os.utime(other, (1, 1))
    cache.write("b", "b", most=100)
    assert other.exists() and cache.read("b") == "b"


def test_where_the_cache_is(program):
    def folder(**environment):
        return subprocess.run([program, "folder"], env=environment, capture_output=True, text=True).stdout

    assert folder(HOME="/home/me") == "/home/me/.cache/hornbeam/kernels"
    assert folder(HOME="/home/me", XDG_CACHE_HOME="/cache") == "/cache/hornbeam/kernels"
    assert folder(HOME="/home/me", HORNBEAM_KERNEL_CACHE="/mine") == "/mine"
    assert folder(HOME="/home/me", HORNBEAM_KERNEL_CACHE="0") == folder() == ""
