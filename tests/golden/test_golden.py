"""Files that real Keras wrote, with its outputs and the losses of three further training steps.

``index.json`` says what each file holds; arrays are ``x*`` (inputs), ``y*`` (outputs), ``tx*``/``ty*`` (training data),
``losses`` and ``p*`` (outputs after the training).
"""

import json
import os
import pathlib
import warnings

import numpy as np
import pytest
from hornbeam.models import load_model, model_from_json, model_from_yaml

HERE = pathlib.Path(__file__).parent
FILES = HERE / "files"
CASES = json.loads((HERE / "index.json").read_text())
RTOL, ATOL = 1e-4, 1e-5


def one_or_all(arrays):
    return arrays[0] if len(arrays) == 1 else arrays


def arrays_of(case, prefix, count):
    with np.load(FILES / case["data"]) as stored:
        return [stored[f"{prefix}{i}"] for i in range(count)]


def load(case):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # several files were never compiled
        return load_model(FILES / case["file"])


def assert_outputs(model, case, prefix):
    got = model.predict(one_or_all(arrays_of(case, "x", case["inputs"])), verbose=0)
    got = got if isinstance(got, list) else [got]
    for a, b in zip(got, arrays_of(case, prefix, case["outputs"]), strict=True):
        np.testing.assert_allclose(a, b, rtol=case.get("rtol", RTOL), atol=case.get("atol", ATOL))


def cases(**wanted):
    chosen = [
        c for c in CASES if all(c.get(key, "must_load" if key == "list" else None) == v for key, v in wanted.items())
    ]
    return pytest.mark.parametrize("case", chosen, ids=[c["name"] for c in chosen])


@cases(list="must_load", kind="predict")
def test_outputs(case):
    assert_outputs(load(case), case, "y")


@cases(list="must_load", kind="weights")
@pytest.mark.parametrize("read, suffix", [(model_from_json, "json"), (model_from_yaml, "yaml")])
def test_weights_beside_text(case, read, suffix):
    model = read((FILES / f"{case['name']}.{suffix}").read_text())
    model.load_weights(FILES / case["file"])
    assert_outputs(model, case, "y")


@cases(list="must_load", kind="train")
def test_training_goes_on(case):
    model, training = load(case), case["train"]
    assert_outputs(model, case, "y")
    x, y = (arrays_of(case, f"t{which}", training.get(name, 1)) for which, name in (("x", "inputs"), ("y", "outputs")))
    with np.load(FILES / case["data"]) as stored:
        losses = stored["losses"]
        weights = {"sample_weight": stored["sw"]} if training.get("sample_weight") else {}
    if training.get("class_weight"):
        weights["class_weight"] = {int(k): v for k, v in training["class_weight"].items()}
    got = [
        np.atleast_1d(model.train_on_batch(one_or_all(x), one_or_all(y), **weights)) for _ in range(training["steps"])
    ]
    np.testing.assert_allclose(np.array(got)[:, 0], losses[:, 0], rtol=RTOL, atol=ATOL)
    if "generation" not in case:  # later writers counted accuracy otherwise
        np.testing.assert_allclose(got, losses, rtol=RTOL, atol=ATOL)
    assert_outputs(model, case, "p")


@cases(list="must_refuse", kind="predict")
def test_code_in_a_file_is_not_run(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the code would leave a file in the current folder
    with pytest.raises(ValueError, match="safe_mode=False"):
        load(case)
    assert os.listdir(tmp_path) == []
