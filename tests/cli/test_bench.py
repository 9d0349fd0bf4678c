"""``hornbeam bench``: the list of cases, and one run of the tool."""

import json

import numpy as np
import pytest
from hornbeam import _core
from hornbeam.bench import cases
from hornbeam.bench.case import Array, array, case, weight
from hornbeam.bench.measure import Subject, peaks, repeat
from hornbeam.bench.on_device import device_cases
from hornbeam.cli import main

#: What is computed when a plan is bound, what only rewrites make, what runs other ops, and the peaks themselves.
NOT_OPS_OF_A_RUN = {"shape", "arange", "fill"} | {
    name for name in _core.op_names() if _core.op_info(name).internal or _core.op_info(name).bodies
}
#: Another op of the list runs the same loop.
SAME_LOOP = {"truncated_normal", "reduce_min", "reduce_prod", "reduce_any", "reduce_all", "argmin"}
#: Their inputs are results of a forward op: measured inside whole models, in the project's bench/.
BACKWARD = {name for name in _core.op_names() if name.endswith(("_grad", "_gather"))}


def test_every_op_that_takes_time_has_a_case():
    measured = {c.op for c in cases.all_cases()}
    ops = {name for name in _core.op_names() if not _core.op_info(name).view}
    assert ops - measured - BACKWARD == NOT_OPS_OF_A_RUN | SAME_LOOP
    assert measured <= ops


def test_names_tell_cases_apart():
    names = [c.name for c in cases.all_cases()]
    assert len(set(names)) == len(names)
    assert (
        case("conv2d", array(8, 5, 5, 3), weight(3, 3, 3, 4), note="stride 2").name
        == "conv2d 8x5x5x3 [3x3x3x4] stride 2"
    )


@pytest.mark.parametrize("index", range(len(cases.all_cases())))
def test_every_case_builds(index):
    assert Subject(cases.all_cases()[index]).outputs


def test_a_subject_runs_the_op_and_counts_its_bytes():
    c = case("concat", array(3, 5), weight(3, 2), axis=1)
    subject = Subject(c)
    assert subject.run() > 0
    assert subject.nbytes(c) == 4 * (15 + 6 + 21)
    timing = repeat(subject.run, 0.001)
    assert timing.runs >= 5
    assert 0 < timing.best <= timing.median


def test_inputs_are_what_they_say():
    rng = np.random.default_rng(0)
    rows = Array((100,), "int64", 7).make(rng)
    assert rows.dtype == "int64" and rows.min() >= 0 and rows.max() == 6
    assert Array((100,), "bool").make(rng).dtype == bool
    assert array(3, 4).make(rng).dtype == "float32"


def test_peaks_follow_the_instruction_set(target):
    found = peaks(0.001, tiny=True)
    assert found.flops > 0 and found.bytes > 0


def test_peak_fma_computes_its_chains(target):
    """Every lane of chain i becomes x + i, then n times c*x + x/2. A GPU's threads have one lane each."""
    from hornbeam import graph as G

    x = G.placeholder((), "float64")
    y = G.apply("peak_fma", [x], tasks=3, iterations=4)
    chains = 0.5 + np.arange(12)
    for _ in range(4):
        chains = chains * 0.5 + 0.25
    lanes = 1 if _core.device() not in ("cpu", "apart") else {"avx512": 8, "avx2": 4}.get(_core.isa(), 2)
    np.testing.assert_allclose(G.Function([x], [y])([np.float64(0.5)])[0], [chains.sum() * lanes] * 3)


def test_peak_copy_copies():
    from checks import run_op

    x = np.random.RandomState(0).randn(700, 1000).astype("float32")
    np.testing.assert_array_equal(run_op("peak_copy", [x])[0], x)


def test_the_tool_prints_and_writes_what_it_measured(capsys, tmp_path):
    path = tmp_path / "result.json"
    assert main(["bench", "argmax", "--time", "0.001", "--json", str(path)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(f"{_core.isa()}, {_core.num_threads()} threads: ")
    result = json.loads(path.read_text())
    assert [row["name"] for row in result["cases"]] == ["argmax 4096x1000"]
    assert out[2].startswith("argmax 4096x1000")
    row = result["cases"][0]
    assert row["of_peak"] == pytest.approx(row["rate"] / result["machine"]["bytes"])


#: Ops, programs and models.
ON_DEVICES = ["add", "matmul", "adam", "chain", "mlp predict", "lstm step"]


@pytest.mark.parametrize("name", [name for name, _ in _core.devices()])
def test_a_device_is_measured_with_what_lies_there(name, capsys, tmp_path):
    path = tmp_path / "result.json"
    words = ["bench", "--device", name, "--tiny", "--time", "0.001"]
    assert main([*words, *ON_DEVICES, "--json", str(path)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows == json.loads(path.read_text()) and all(row.get("ok", True) for row in rows)
    peak, launch, *rest = rows
    assert peak["device"] == name and peak["gflops"] > 0 and peak["copy_gbs"] > 0 and launch["us"] > 0
    assert len(rest) == 7 and all(row["us"] > 0 for row in rest)
    assert sum("gbs" in row for row in rest) == 3 and sum("gflops" in row for row in rest) == 2


@pytest.mark.parametrize("name", [name for name, _ in _core.devices()[1:]])
def test_a_subject_on_a_device_is_fed_nothing_and_computes_in_each_run(name):
    import hornbeam

    with hornbeam.device(name):
        subject = Subject(case("tanh", array(8)))
        assert subject.feeds == [] and subject.run() > 0
        plan = str(subject.function.program().bind([]))
    assert "tanh" in plan or "interpreted" in plan
    assert "prologue" not in plan


def test_devices_have_cases_of_each_kind():
    for tiny in (True, False):
        names = [c.name for c in device_cases(tiny)]
        assert len(set(names)) == len(names)
    assert {c.op for c in device_cases()} <= {c.op for c in cases.all_cases()}


def test_a_device_that_is_not_there(capsys):
    assert main(["bench", "--device", "gpu"]) == 1
    assert "there is no device 'gpu'" in capsys.readouterr().err


def test_list_and_a_filter_that_fits_nothing(capsys):
    assert main(["bench", "--list", "conv2d"]) == 0
    assert all("conv2d" in line for line in capsys.readouterr().out.splitlines())
    assert main(["bench", "--list", "--device", "cpu", "step"]) == 0
    assert all("step" in line for line in capsys.readouterr().out.splitlines())
    assert main(["bench", "nonsense", "--device", "cpu"]) == 1
    assert main(["bench", "nonsense"]) == 1
    assert "no case" in capsys.readouterr().err
