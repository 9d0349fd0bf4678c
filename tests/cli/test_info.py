"""``hornbeam info``."""

import subprocess
import sys

import hornbeam
import numpy as np
from hornbeam import _core
from hornbeam.cli import main


def test_info_says_what_is_in_use(capsys):
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    lines = dict(line.split("  ", 1) for line in out.splitlines())
    facts = {name: value.strip() for name, value in lines.items()}
    assert facts["hornbeam"].endswith(f"Keras {hornbeam.__version__}")
    assert facts["instruction set"].startswith(_core.isa())
    assert all(isa in facts["instruction set"] for isa in _core.available_isas())
    assert facts["threads"].startswith(f"{_core.num_threads()} ")
    for name, description in _core.devices():
        assert facts[f"device {name}"].startswith(description)
        assert ("in use" in facts[f"device {name}"]) == (name == _core.device())
    assert facts["numpy"] == np.__version__


def test_op_table_has_every_op(capsys):
    assert main(["info", "--ops"]) == 0
    table = capsys.readouterr().out.split("\n\n")[1].splitlines()
    columns = [table[0].index(word) for word in ("op", "dtypes", "derivatives", "kernels")]
    rows = {}
    for line in table[1:]:
        cells = [line[a:b].strip() for a, b in zip(columns, [*columns[1:], None])]
        rows[cells[0]] = cells[1:]
    assert sorted(rows) == sorted(_core.op_names())
    assert rows["tanh"][:2] == ["f16 f32 f64", "both"]
    assert rows["reduce_any"][:2] == ["bool", "-"]
    assert rows["conv2d_filter_grad"][:2] == ["f16 f32 f64", "both"]
    assert rows["matmul"][1] == "both"
    assert rows["lstm"][1] != "-" and rows["argmax"][1] == "-"
    assert rows["reshape"] == ["f16 f32 f64 i32 i64 bool", "both", "view"]
    assert "winograd" in rows["conv2d"][2]


def test_a_reader_that_leaves_early_is_no_error():
    command = [sys.executable, "-m", "hornbeam", "info", "--ops"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait()
