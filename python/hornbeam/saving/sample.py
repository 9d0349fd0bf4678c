"""A sample of inputs and outputs in a model's file, by which a loaded model can be checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Function
from ..utils.generic_utils import to_list
from . import hdf5
from .snapshot import Snapshot

_GROUP = "hornbeam_sample"
#: Other machines and versions add in another order; a wrong weight shows far above this.
RTOL, ATOL = 1e-3, 1e-4


def save_sample(file: Any, model: Any, inputs: Any, snapshot: Snapshot) -> None:
    """Store inputs (as for ``predict``) and what the model makes of them with the weights that are in ``snapshot``."""
    if isinstance(inputs, dict):
        inputs = [inputs[name] for name in model.input_names]
    arrays = [np.asarray(x) for x in to_list(inputs, allow_tuple=True)]
    fed, _, _ = model._standardize_user_data(arrays[0] if len(arrays) == 1 else arrays)
    function = Function([*model._feed_inputs, *snapshot.variables], model.outputs)
    outputs = function([*fed, *snapshot.of(snapshot.variables)])
    group = file.create_group(_GROUP)
    for kind, values in (("inputs", arrays), ("outputs", outputs)):
        for i, value in enumerate(values):
            group[f"{kind}/{i}"] = value


def check_sample(file: Any, model: Any) -> None:
    """Compare what the model makes of the stored inputs with the stored outputs.

    Raises:
        ValueError: they differ, by so much; or the file has no sample.
    """
    if _GROUP not in file:
        raise ValueError("verify=True needs a file that was saved with a sample: model.save(path, sample=x).")
    group = hdf5.subgroup(file, _GROUP)
    inputs, expected = _arrays(group, "inputs", model.inputs), _arrays(group, "outputs", model.outputs)
    got = to_list(model.predict(inputs[0] if len(inputs) == 1 else inputs))
    if [y.shape for y in got] != [y.shape for y in expected]:
        raise ValueError(
            f"The model's outputs have shapes {[y.shape for y in got]}, the sample's {[y.shape for y in expected]}."
        )
    for i, (a, b) in enumerate(zip(got, expected)):
        wrong = ~np.isclose(a, b, RTOL, ATOL, equal_nan=True)
        if wrong.any():
            worst = np.nanmax(np.abs(a.astype("float64") - b))
            raise ValueError(
                f"The loaded model is not the one that was saved: {int(wrong.sum())} of {wrong.size} values of output "
                f"{i} differ from the sample in the file, by up to {worst:.3g}."
            )


def _arrays(group: Any, kind: str, tensors: list) -> list[np.ndarray]:
    found = hdf5.subgroup(group, kind)
    if len(found) != len(tensors):
        raise ValueError(f"The model has {len(tensors)} {kind}, the sample in the file {len(found)}.")
    return [np.asarray(hdf5.dataset(found, str(i))[()]) for i in range(len(found))]
