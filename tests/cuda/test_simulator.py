"""The simulated CUDA device (csrc/cuda/sim) and what kernel files include (csrc/cuda/gpu.h, block.h)."""

import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
SOURCES = HERE.parents[1] / "csrc"
PROGRAMS = ("calls", "kernels", "mistakes")
INCLUDES = (f"-I{SOURCES}", f"-I{HERE}")
#: The four extremes of when streams run, and two of the random ones.
SEEDS = range(6)
#: Bytes of the device in the cases of calls and kernels, which use all of it.
MEMORY = 8 << 20


FOUND = subprocess.run([sys.executable, HERE.parents[1] / "ci/cuda_headers"], capture_output=True, text=True)
HEADERS = FOUND.stdout.strip()
pytestmark = [
    pytest.mark.skipif(
        FOUND.returncode != 0, reason="the headers of CUDA (cuda_runtime_api.h) are not on this machine"
    ),
    pytest.mark.skipif(shutil.which("g++") is None, reason="there is no g++ on this machine"),
]


def compile_with(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]


def build(folder, *flags):
    compiler = ("g++", "-std=c++17", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", *flags)
    sources = [*(SOURCES / "cuda/sim").glob("*.cpp"), *(HERE / f"{name}.cpp" for name in PROGRAMS)]
    objects = {source.stem: folder / f"{source.stem}.o" for source in sources}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(compile_with, *compiler, *INCLUDES, "-isystem", HEADERS, "-c", source, "-o", target)
            for source, target in zip(sources, objects.values(), strict=True)
        ]
        for job in jobs:
            job.result()
    runtime = [target for name, target in objects.items() if name not in PROGRAMS]
    for name in PROGRAMS:
        compile_with(*compiler, objects[name], *runtime, "-pthread", "-o", folder / name)
    return folder


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The folder of the three programs, built with sanitizers if HORNBEAM_SANITIZE names them."""
    sanitizers = os.environ.get("HORNBEAM_SANITIZE")
    flags = [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=undefined", "-g"] if sanitizers else ["-O1"]
    return build(tmp_path_factory.mktemp("simulator"), *flags)


def run(program, case, seed, **environment):
    """The end of a case under a schedule: its exit status, negative for a signal, and what it wrote."""
    asan = {"ASAN_OPTIONS": "handle_segv=0"}  # faults are the cases' own
    environment = {**os.environ, **asan, "HORNBEAM_SIM_SEED": str(seed), **environment}
    done = subprocess.run([program, case], env=environment, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stderr


def cases(source):
    """The names of a program's cases, which it lists as {"name", function}."""
    return re.findall(r'^    \{"(\w+)", \w+\},$', (HERE / f"{source}.cpp").read_text(), re.MULTILINE)


# ---- the program whose streams, events and memory are right, and its planted mistakes ----
@pytest.mark.parametrize("seed", SEEDS)
def test_a_right_program_is_right_under_every_schedule(programs, seed):
    assert run(programs / "mistakes", "none", seed) == (0, "")


#: By which schedules each mistake gives wrong results. "Always": the simulator's checks, of which one says why.
WRONG_UNDER = {
    "no_wait": {0, 1},
    "no_record": {0, 1},
    "refilled_pinned_memory": {0, 1},
    "overwritten_feeds": {2},
    "early_read": {0, 1, 2},
    "baked_run_number": {0, 1, 2, 3},
    "missing_barrier": {0, 1, 2, 3},
    "no_join": {0, 1},
    "one_room": {0, 1, 2},
    "flag_before_results": {0, 2},
    "no_look": {0, 2},
}
ENDS_WITH = {
    "host_read": "host code touched byte 0 of an allocation of 4000 bytes",
    "host_pointer": "add_run: argument 2 holds a pointer to the host's memory",
    "unmapped_results": "add_run: argument 0 holds a pointer to the host's memory",
    "pageable_copy": "cudaMemcpyAsync: 4000 bytes that are not pinned memory of the host",
    "use_after_free": "cudaMemcpyAsync: 4000 bytes that are not inside one allocation",
    "write_behind_allocation": "add_run wrote 0 bytes behind an allocation of 4000 bytes",
}


@pytest.mark.parametrize("mistake", WRONG_UNDER)
def test_a_mistake_of_order_is_caught_by_a_schedule(programs, mistake):
    results = {seed: run(programs / "mistakes", mistake, seed) for seed in SEEDS}
    assert {seed for seed in range(4) if results[seed] == (1, "")} == WRONG_UNDER[mistake]
    assert all(result in ((0, ""), (1, "")) for result in results.values())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("mistake", ENDS_WITH)
def test_a_mistake_of_memory_ends_the_process(programs, mistake, seed):
    status, text = run(programs / "mistakes", mistake, seed)
    assert status == -signal.SIGABRT
    assert text.startswith("simulated device: ") and ENDS_WITH[mistake] in text and text.count("\n") == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_allocation_in_a_capture_is_an_error(programs, seed):
    status, text = run(programs / "mistakes", "allocation_in_capture", seed)
    assert status == 1 and "cudaMallocAsync" in text


def test_every_mistake_is_planted(programs):
    status, text = run(programs / "mistakes", "?", 0)
    assert status == 2
    assert set(text.split(":")[1].split()) == {"none", "allocation_in_capture", *WRONG_UNDER, *ENDS_WITH}


# ---- what the runtime's calls do, and what kernels may use ----
#: What cases that end their process say. Those that fault elsewhere say nothing: that is another's to tell.
LAST_WORDS = {
    "barrier_not_reached": "barrier_for_half: __syncthreads() is not reached by every thread",
    "lane_not_there": "shuffle_without_lane: a lane in the mask of a warp operation never comes to it",
    "beyond_shared_memory": "write_behind_shared: a thread went beyond its shared memory",
    "address_in_memory": "follow touched byte 0 of an allocation of 4 bytes of the device's memory, by an address that",
    "double_free": "cudaFreeAsync of what",
    "copy_beyond": "cudaMemcpyAsync: 400 bytes that are not inside one allocation",
    "copies_overlap": "cudaMemcpyAsync: the two overlap",
    "memory_of_another_device": "double: memory of device 0, in a stream of device 1",
    "default_stream": "the default stream is never used",
    "freed_pages": "double touched the device's memory where nothing is allocated",
}
OF_TWO_DEVICES = ("memory_of_another_device", "stream_of_another_device")
FAULTS = ("fault_without_handler", "write_behind_pinned")
CASES = [(source, case) for source in ("calls", "kernels") for case in cases(source)]


@pytest.mark.parametrize(("source", "case"), CASES, ids=[case for _, case in CASES])
def test_case(programs, source, case):
    for seed in SEEDS:
        devices = "2" if case in OF_TWO_DEVICES else "1"
        status, text = run(programs / source, case, seed, HORNBEAM_SIM_MEMORY=str(MEMORY), HORNBEAM_SIM_DEVICES=devices)
        if case in LAST_WORDS:
            assert status == -signal.SIGABRT
            assert text.startswith(f"simulated device: {LAST_WORDS[case]}") and text.count("\n") == 1
        else:
            assert (status, text) == (-signal.SIGSEGV if case in FAULTS else 0, "")


def test_every_end_belongs_to_a_case():
    assert {*LAST_WORDS, *FAULTS} <= {case for _, case in CASES}


@pytest.mark.skipif(shutil.which("nvcc") is None, reason="there is no nvcc on this machine")
def test_the_same_source_compiles_for_a_gpu(tmp_path):
    flags = "-std=c++17 -arch=sm_90 -fmad=false -extended-lambda -Werror=all-warnings".split()
    flags += ["-Xcompiler=-Wall,-Wextra,-Werror", "-Xptxas=-Werror,-warn-spills"]
    compile_with("nvcc", "-x", "cu", *flags, *INCLUDES, "-c", HERE / "kernels.cpp", "-o", tmp_path / "object.o")
