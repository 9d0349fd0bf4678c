"""What a stranger's description costs follows from its size, and what is wrong with it is said in a few words."""

import json
import pathlib
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).parent / "hostile.py"
SECONDS, MIB, LENGTH = 20, 500, 700  # each case has a few kilobytes to a few megabytes


@pytest.mark.host_only(reason="its cases run in forked children, in which other devices cannot be used")
@pytest.mark.parametrize("family", ["structures", "sizes", "nonsense", "texts", "training"])
def test_cost_and_errors(family, tmp_path):
    done = subprocess.run([sys.executable, SCRIPT, family], cwd=tmp_path, capture_output=True, text=True, check=False)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and rows.pop() == "complete", (
        f"ended with {done.returncode} after {rows[-1:]}: {done.stderr[-500:]}"
    )
    bad = [
        row
        for row in rows
        if row["result"] not in ("loaded", "ValueError", "OSError")
        or not (row["seconds"] < SECONDS and row["mib"] < MIB and row["length"] < LENGTH)
    ]
    assert len(rows) > 10 and not bad
    if family == "structures":
        results = {row["case"]: row["result"] for row in rows}
        assert results["models called twice each, 8 levels"] == "loaded"
        assert results["models called twice each, 28 levels"] == "ValueError"
        assert {results[case] for case in results if case.startswith("4000")} == {"loaded"}
