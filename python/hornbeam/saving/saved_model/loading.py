"""From a SavedModel folder to a model."""

from __future__ import annotations

import os
from typing import Any

from ... import backend as K
from ...engine.tracing import is_network
from ...utils.generic_utils import allow_code_loading, get_custom_objects
from ...utils.messages import warn_user
from ...utils.registry import LAYERS
from ..compiling import compile_model
from ..configs import model_from_config
from ..hdf5 import as_damage
from ..tensor_bundle import TensorBundle
from ..trackable.matching import Match
from ..trackable.restoring import Restoration
from .folder import VARIABLES, Description, read_description


def load(path: Any, custom_objects: dict | None, compile: bool, safe_mode: bool, lambdas: dict | None) -> Any:
    """The model in a folder; the arguments are those of ``load_model``. The optimizer has its state, too.

    Raises:
        OSError: a file is missing or cut short.
        ValueError: a file is damaged, or the folder has no model of Keras that can be made here.
    """
    path = os.fspath(path)
    with as_damage(path), allow_code_loading(not safe_mode):
        of = read_description(path)
        bundle = TensorBundle(os.path.join(path, VARIABLES))
        model = model_from_config(_known(of, custom_objects), custom_objects, lambdas, of.keras_version)
        if not model.built:
            _build(model, of, path)
        Restoration(model, bundle, whole=True).check()  # before anything is made of the rest
        if compile and compile_model(model, of.training, custom_objects, of.keras_version):
            model._make_train_function()  # the optimizer makes its slots
        restoration = Restoration(model, bundle)  # with the optimizer
        _freeze(model, restoration.found, of)
        restoration.take()
    return model


def _known(of: Description, custom_objects: dict | None) -> dict:
    """The config. A class that nobody knows, made of layers all the same, is loaded as what it is made of, as tf.keras does."""
    name = of.config["class_name"]
    if name in LAYERS or name in {**get_custom_objects(), **(custom_objects or {})}:
        return of.config
    if not of.is_graph:
        raise ValueError(
            f"The model is of the class {name!r:.80}, which is Python code that the folder does not hold: give it as "
            "custom_objects={...}, or make an object of the class, call it once, and use its load_weights."
        )
    plain = "Model" if "input_layers" in of.config["config"] else "Sequential"
    warn_user(
        f"The model is of the class {name!r:.80}, which is not known here: it is loaded as a {plain} of the same layers. "
        "With custom_objects={...} it becomes one of the class."
    )
    return {**of.config, "class_name": plain}


def _build(model: Any, of: Description, path: str) -> None:
    """Make the variables of a model that its config leaves without.

    Raises:
        ValueError: the folder does not say for which inputs.
    """
    shapes = of.input_shapes
    if shapes is None:
        raise ValueError(
            f"The SavedModel folder {path!r} does not say for which inputs its model of the class "
            f"{of.config['class_name']!r:.80} was built: make one, call it, and use model.load_weights({path!r})."
        )
    if model._is_graph_network:
        model.build(shapes[0])
    else:
        model._set_inputs([K.placeholder(shape=shape) for shape in shapes])


def _freeze(model: Any, found: Match, of: Description) -> None:
    """Freeze the models in the model, and itself, whose metadata say so: their configs do not."""
    waiting = [model]
    for network in waiting:
        number = found.numbers.get(id(network))
        if number is not None and of.is_frozen(number):
            network.trainable = False
        waiting += [layer for layer in network.layers if is_network(layer)]
