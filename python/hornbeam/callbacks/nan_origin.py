"""Where a loss stopped being a number: looked for after the fact, in the batch and weights that it came from."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Function
from .layer_outputs import layer_outputs


def nan_origin(model: Any, batch: Any, weights: dict[Any, np.ndarray]) -> str:
    """Say in a sentence where a training step met the first infinity or nan.

    Args:
        model: the model that made the step.
        batch: what the step was given: a list of feeds, or ``(x, y, sample_weight)`` from a generator.
        weights: value of each weight before the step.
    """
    feeds = [x for part in model._training_data(*batch) for x in part] if isinstance(batch, tuple) else batch
    arrays = [x[0][x[1]] if isinstance(x, tuple) else x for x in feeds]
    for tensor, array in zip(model._feed_inputs + model._feed_targets + model._feed_sample_weights, arrays):
        if not _finite(array):
            return f"The data fed for '{tensor.name.split(':')[0]}' hold nan or inf."
    for layer in model.layers:
        for weight in layer.weights:
            if not _finite(weights.get(weight, 0.0)):
                return (
                    f"It began in layer '{layer.name}': the batch before made its weight '{weight.name}' nan or inf, "
                    "so the gradient was too large. Lower the learning rate, or limit gradients with `clipnorm`."
                )
    outputs = [(layer.name, x) for layer, tensors in layer_outputs(model) for x in tensors]
    inputs = model._feed_inputs
    step = Function([*inputs, *weights], [x for _, x in outputs], phase=1)
    largest = 0.0
    for (name, _), value in zip(outputs, step([*arrays[: len(inputs)], *weights.values()])):
        if not _finite(value):
            return f"It began in layer '{name}', the first whose output is nan or inf."
        largest = float(np.abs(value).max(initial=0))
    return f"It began in the loss: the outputs of all layers are finite, the last one's up to {largest:.3g}."


def _finite(array: Any) -> bool:
    array = np.asarray(array)
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())
