"""What is asked of cuBLASLt and cuDNN (csrc/cuda/library), on the simulated device, which carries it out by definition."""

import itertools
import os
import pathlib
import shutil
import subprocess
import sys

import hornbeam
import numpy as np
import pytest
from fresh_process import run_python
from hornbeam import _core
from hornbeam import backend as K
from hornbeam import graph as G
from reference_conv import fits

ROOT = pathlib.Path(__file__).parents[2]
SOURCES = ROOT / "csrc"
pytestmark = pytest.mark.host_only(reason="each test names the devices that it compares")
simulated = pytest.mark.skipif("sim" not in dict(_core.devices()), reason="the simulated GPU is not built")


def draw(rng, *shape):
    return rng.uniform(-1, 1, shape).astype("float32")


def same_on_both(op, arrays, way, **attrs):
    """Compares an op's results on the CPU and the simulated device, where its kernel must be `way`."""
    inputs = [G.constant(a) if a.dtype.kind == "i" else G.placeholder(a.shape, a.dtype.name) for a in arrays]
    feeds = [a for a in arrays if a.dtype.kind != "i"]
    f = G.Function([x for x, a in zip(inputs, arrays) if a.dtype.kind != "i"], [G.apply(op, inputs, **attrs)])
    want = f(feeds)[0]
    with hornbeam.device("sim"):
        got = f(feeds)[0]
        plan = str(f.program().bind([a.shape for a in feeds]))
    np.testing.assert_allclose(got, want, rtol=2e-5, atol=2e-5)
    assert f"{op} [{way}]" in plan


BATCHES = [
    ((), ()), ((3,), (3,)), ((3,), ()), ((), (3,)), ((2, 1), (3,)), ((4, 3), (1, 3)), ((2, 3), ()), ((1,), (1,)),
    ((1, 1), (5,)), ((2, 1, 2), (3, 1)),
]  # fmt: skip


@simulated
@pytest.mark.parametrize("activation", ["linear", "relu", "tanh"])
@pytest.mark.parametrize("turn_a", [False, True])
@pytest.mark.parametrize("turn_b", [False, True])
def test_a_product_of_any_batch_is_the_librarys(rng, turn_a, turn_b, activation):
    for batch_a, batch_b in BATCHES:
        a, b = (
            draw(rng, *batch_a, *((5, 9) if turn_a else (9, 5))),
            draw(rng, *batch_b, *((6, 5) if turn_b else (5, 6))),
        )
        attrs = {"transpose_a": turn_a, "transpose_b": turn_b, "activation": activation}
        for bias in ([draw(rng, 6)], []):
            same_on_both("matmul", [a, b, *bias], "library", **attrs)


@simulated
def test_products_of_few_rows_or_of_many_separate_ones_are_not(rng):
    same_on_both("matmul", [draw(rng, 8, 5), draw(rng, 5, 6)], "product")
    same_on_both("matmul", [draw(rng, 3, 17, 9, 5), draw(rng, 1, 17, 5, 6)], "library")  # one call for each of 3
    same_on_both("matmul", [draw(rng, 17, 2, 9, 5), draw(rng, 17, 1, 5, 6)], "product")  # one for each of 17
    same_on_both("matmul", [np.zeros((9, 0), "float32"), np.zeros((0, 6), "float32")], "product")


WAYS = [((1, 1, 1), (1, 1, 1)), ((2, 1, 3), (1, 1, 1)), ((1, 1, 1), (2, 1, 2)), ((3, 2, 2), (1, 1, 1))]
SIZES = [((7, 6, 5), (3, 2, 3)), ((8, 9, 7), (1, 3, 2)), ((5, 8, 6), (2, 4, 1))]


@simulated
@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
@pytest.mark.parametrize("axes", [2, 3])
def test_a_convolution_is_the_librarys_in_its_three_directions(rng, axes, padding):
    for (strides, dilation), (sizes, kernel) in itertools.product(WAYS, SIZES):
        strides, dilation, sizes, kernel = (v[:axes] for v in (strides, dilation, sizes, kernel))
        if padding == "valid" and not fits((2, *sizes, 3, 4, kernel), (strides, dilation)):
            continue
        attrs = {"strides": strides, "dilation": dilation, "padding": padding}
        x, w = draw(rng, 2, *sizes, 3), draw(rng, *kernel, 3, 4)
        op = f"conv{axes}d"
        same_on_both(op, [x, w], "library", **attrs)
        same_on_both(op, [x, w, draw(rng, 4)], "library", activation="relu", **attrs)
        dy = draw(rng, *G.apply(op, [G.constant(x), G.constant(w)], **attrs).shape)
        same_on_both(f"{op}_input_grad", [dy, w, np.array(x.shape)], "library", **attrs)
        same_on_both(
            f"{op}_input_grad", [dy, w, np.array(x.shape), draw(rng, 3)], "library", activation="sigmoid", **attrs
        )
        same_on_both(f"{op}_filter_grad", [x, dy], "library", kernel=kernel, **attrs)


@simulated
@pytest.mark.parametrize("axes", [2, 3])
def test_windows_of_one_cell_are_a_product(rng, axes):
    op, sizes, ones = f"conv{axes}d", (4, 3, 2)[:axes], (1,) * axes
    x, w, dy = draw(rng, 2, *sizes, 11), draw(rng, *ones, 11, 6), draw(rng, 2, *sizes, 6)
    attrs = {"strides": ones, "dilation": ones}
    same_on_both(op, [x, w, draw(rng, 6)], "library product", activation="elu", **attrs)
    same_on_both(f"{op}_input_grad", [dy, w, np.array(x.shape), draw(rng, 11)], "library product", **attrs)
    same_on_both(f"{op}_filter_grad", [x, dy], "library product", kernel=ones, **attrs)
    attrs["strides"] = (2,) * axes
    same_on_both(op, [x, w], "library", **attrs)


@simulated
def test_weights_are_repacked_once_for_all_predictions(rng):
    x, w = K.placeholder((1, 6, 6, 2)), K.variable(rng.normal(size=(3, 3, 2, 4)))
    f = G.Function([x], [K.conv2d(x, w)])
    with hornbeam.device("sim"):
        assert "conv2d [library] (1, 4, 4, 4)@output+0 packed once" in str(f.program().bind([(1, 6, 6, 2)]))


TRAIN = """
    import numpy as np
    import hornbeam
    from hornbeam import _core, backend as K, graph as G
    rng = np.random.default_rng(0)
    x, w, v = K.placeholder((4, 7, 6, 3)), K.variable(rng.normal(size=(3, 2, 3, 5))), K.variable(rng.normal(size=(5, 9)))
    u, b = K.variable(rng.normal(size=5)), K.variable(rng.normal(size=9))
    y = K.relu(K.bias_add(K.conv2d(x, w, padding="same", strides=(2, 1)), u))
    loss = K.sum(K.square(K.relu(K.bias_add(K.dot(K.reshape(y, (-1, 5)), v), b))))
    slopes = K.gradients(loss, [w, v])
    train = G.Function([x], [loss, *slopes], updates=[p.assign(p - 0.01 * s) for p, s in zip([w, v], slopes)])
    feed, results = [rng.normal(size=(4, 7, 6, 3))], {}
    start = w.get_value(), v.get_value()
    for device in ("cpu", "sim"):
        w.set_value(start[0]), v.set_value(start[1])
        with hornbeam.device(device):
            for _ in range(4):  # plain, recorded, played
                results[device] = train(feed)
    for a, b in zip(results["cpu"], results["sim"]):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    with hornbeam.device("sim"):
        plan = str(train.program().bind([(4, 7, 6, 3)]))
    print(_core.libraries()[-1][1], "|", plan.count("[library]"), plan.count("[product]"), "recorded" in plan)
"""


@simulated
@pytest.mark.parametrize(
    "environment, says",
    [
        ({}, "cuBLASLt is simulated; cuDNN is simulated; NVRTC is not simulated | 4 1 True"),
        # Libraries that have no exact way for bias and relu, or for anything: our own kernels do what comes back.
        (
            {"HORNBEAM_SIM_LIBRARY": "bare"},
            "cuBLASLt is simulated; cuDNN is simulated; NVRTC is not simulated | 4 1 True",
        ),
        (
            {"HORNBEAM_SIM_LIBRARY": "none"},
            "cuBLASLt is simulated; cuDNN is simulated; NVRTC is not simulated | 4 1 True",
        ),
        (
            {"HORNBEAM_LIBRARIES": "0"},
            "; ".join(["not used, as HORNBEAM_LIBRARIES=0 says"] * 2 + ["NVRTC is not simulated"]) + " | 0 5 True",
        ),
    ],
)
def test_without_a_library_kernels_of_our_own_do_its_work(environment, says):
    run = run_python(TRAIN, **environment)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == says


@simulated
def test_tf32_reaches_the_library_and_has_a_plan_of_its_own(tmp_path):
    run = run_python(
        """
        import numpy as np, hornbeam
        from hornbeam import _core, backend as K, graph as G
        x, w = K.placeholder((1, 6, 6, 2)), K.variable(np.ones((3, 3, 2, 4)))
        f = G.Function([x], [K.conv2d(x, w)])
        assert not _core.tf32()
        for device in ("cpu", "sim"):
            for on in (False, True, False):
                _core.set_tf32(on)
                with hornbeam.device(device):
                    for _ in range(3):
                        assert f([np.ones((1, 6, 6, 2))])[0].min() == 18
                    print(device, str(f.program().bind([(1, 6, 6, 2)])).splitlines()[0])
        """,
        HORNBEAM_DUMP_LIBRARY=str(tmp_path / "convolutions"),
    )
    assert run.returncode == 0, run.stderr
    assert ["TF32" in line for line in run.stdout.splitlines()] == [False] * 4 + [True, False]
    asked = (tmp_path / "convolutions").read_text().splitlines()
    assert [line.split()[:2] + line.split()[4:5] for line in asked] == [["conv", "done", f"tf32={n}"] for n in (0, 1)]


OPENS = """
    #include <cstdio>
    #include "cuda/library/open.h"
    int main(int, char** argv) {
      hornbeam::OpenedLibrary library(argv[1], "package");
      const auto seven = library.function<int (*)()>(argv[2]);
      if (library) std::printf("%d", seven());
      else std::printf("%s", library.missing().c_str());
    }
"""


@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no g++ on this machine")
def test_a_library_is_opened_from_the_registrys_packages(tmp_path):
    def compile_text(text, *flags):
        subprocess.run(["g++", "-std=c++17", "-x", "c++", "-", *flags], input=text, text=True, check=True)

    def output(*arguments, root):
        command = [tmp_path / "program", *arguments]
        return subprocess.run(command, env={"HORNBEAM_NVIDIA_ROOT": str(root)}, capture_output=True, text=True).stdout

    opener = f"#include {str(SOURCES / 'cuda/library/open.cpp')!r}".replace("'", '"') + OPENS
    compile_text(opener, f"-I{SOURCES}", "-ldl", "-o", tmp_path / "program")
    folder = tmp_path / "root/package/lib"
    folder.mkdir(parents=True)
    compile_text('extern "C" int seven() { return 7; }', "-shared", "-fPIC", "-o", folder / "libseven.so.1")
    assert output("libseven.so.1", "seven", root=tmp_path / "root") == "7"
    assert output("libseven.so.1", "eight", root=tmp_path / "root") == "libseven.so.1 has no eight"
    assert "libseven.so.1: cannot open shared object file" in output("libseven.so.1", "seven", root=tmp_path)


def header(name):
    """The folder of a header of NVIDIA's libraries, or None."""
    found = subprocess.run([sys.executable, ROOT / "ci/nvidia_folders"], capture_output=True, text=True, check=True)
    folders = [f"{folder}/include" for folder in found.stdout.strip().split(";")]
    folders += subprocess.run([sys.executable, ROOT / "ci/cuda_headers"], capture_output=True, text=True).stdout.split()
    return next((folder for folder in folders if os.path.exists(f"{folder}/{name}")), None)


@pytest.mark.skipif(header("cublasLt.h") is None, reason="the headers of cuBLASLt are not on this machine")
def test_calls_of_cublaslt_mean_what_descriptions_do(tmp_path):
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", f"-I{SOURCES}"]
    for name in ("cuda_runtime_api.h", "cublasLt.h"):
        flags += ["-isystem", header(name)]
    folder, here = tmp_path / "cu13/lib", pathlib.Path(__file__).parent
    folder.mkdir(parents=True)
    fake = [here / "fake_cublaslt.cpp", "-shared", "-fPIC", "-o", folder / "libcublasLt.so.13"]
    parts = [SOURCES / f"cuda/library/{name}.cpp" for name in ("cublaslt", "open")]
    program = [here / "cublaslt_calls.cpp", *parts, "-ldl", "-o", tmp_path / "program"]
    for command in (fake, program):
        subprocess.run(["g++", *flags, *command], check=True)
    environment = {"HORNBEAM_NVIDIA_ROOT": str(tmp_path)}
    run = subprocess.run([tmp_path / "program"], env=environment, capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "cuBLASLt 13.2.3\n", "")
