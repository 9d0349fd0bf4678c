"""Which Keras model a SavedModel folder describes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ...utils.messages import shortened
from ...utils.protobuf import Message
from ..tensor_bundle import limits
from ..text import parse_json, parse_model
from .encoding import decoded

MODEL, METADATA, VARIABLES = "saved_model.pb", "keras_metadata.pb", os.path.join("variables", "variables")

#: Identifiers of root objects that are models: of layers in a row, of a graph, of a user's class.
_MODELS = ("_tf_keras_sequential", "_tf_keras_network", "_tf_keras_model")


@dataclass
class Description:
    """A model as its folder describes it.

    Attributes:
        config: class name and config.
        training: as in an HDF5 file; None of a model that was not compiled.
        keras_version: who wrote it.
        is_graph: whether it is made of layers, and not of a Python class.
        input_shapes: those of the inputs that it was built with, where they are one or a list.
        metadata: JSON that describes each object of Keras, by its number.
    """

    config: dict
    training: dict | None
    keras_version: str | None
    is_graph: bool
    input_shapes: list[tuple] | None
    metadata: dict[int, str]

    def is_frozen(self, number: int) -> bool:
        """Whether an object is not trainable."""
        metadata = parse_json(self.metadata.get(number, "null"))
        return isinstance(metadata, dict) and metadata.get("trainable") is False


def read_description(path: str) -> Description:
    """The model that a folder describes.

    Raises:
        OSError: a file is missing.
        ValueError: a file is damaged, or the folder has no model of Keras.
    """
    nodes = objects(path)
    identifier, metadata = nodes.get(0, ("", ""))
    if identifier not in _MODELS:
        what = f"its root is a {shortened(identifier, 60)}" if identifier else "it has functions of TensorFlow only"
        raise ValueError(
            f"The SavedModel folder {path!r} holds no Keras model: {what}. Its functions are not run here. "
            "tf.train.load_checkpoint reads its variables."
        )
    try:
        root = decoded(parse_model(metadata))
    except ValueError as error:
        raise ValueError(f"The description of the model in {path!r} is damaged: {error}") from error
    return Description(
        _config(root, identifier, path),
        root.get("training_config"),
        root.get("keras_version"),
        identifier != _MODELS[2] or root.get("is_graph_network") is True,
        _input_shapes(root),
        {number: text for number, (_, text) in nodes.items()},
    )


def _input_shapes(root: dict) -> list[tuple] | None:
    specs = root.get("save_spec")
    specs = specs if isinstance(specs, list) else [specs]
    shapes = [spec["serialized"][0] if isinstance(spec, dict) and spec.get("serialized") else None for spec in specs]
    if None in shapes:  # of before TensorFlow 2.5, and of a Sequential
        shapes = [root.get("build_input_shape")]
    known = [(None, *shape[1:]) for shape in shapes if isinstance(shape, list) and shape]
    return known if len(known) == len(shapes) else None


def _config(root: dict, identifier: str, path: str) -> dict:
    """Class name and config of the root.

    Raises:
        ValueError: its class has no config: the model is Python code, which the folder does not hold.
    """
    name, config = root.get("class_name"), root.get("config")
    if not isinstance(name, str) or not isinstance(config, dict) or "layer was saved without config" in config:
        raise ValueError(
            f"The SavedModel folder {path!r} holds a model of the class {shortened(name, 80)!r} without its config: it "
            "is Python code. Make an object of that class, call it once, and give it the weights: "
            f"model.load_weights({path!r})."
        )
    return {"class_name": name, "config": config}


def objects(path: str) -> dict[int, tuple[str, str]]:
    """Identifier and metadata (JSON) of the objects of Keras in a folder, by their numbers.

    Raises:
        OSError, ValueError: as for :func:`read_description`.
    """
    found: dict[int, tuple[str, str]] = {}
    with _blamed(path, MODEL):
        meta_graph = Message(_read(path, MODEL), (2,)).data(2)
        nodes = Message(Message(meta_graph, (7,)).data(7), (1,)).parts(1)
        for number, node in enumerate(_at_most(nodes)):
            user = Message(Message(node, (4,)).data(4))
            if user.text(1):
                found[number] = user.text(1), user.text(3)
    if os.path.exists(os.path.join(path, METADATA)):  # of TensorFlow 2.5 and later
        with _blamed(path, METADATA):
            for data in _at_most(Message(_read(path, METADATA), (1,)).parts(1)):
                stored = Message(data)
                found[stored.integer(2)] = stored.text(4), stored.text(5)
    return found


def _at_most(nodes: list[bytes]) -> list[bytes]:
    if len(nodes) > limits.MAX_NODES:
        raise ValueError(f"it has {len(nodes)} objects")
    return nodes


@contextmanager
def _blamed(path: str, name: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(f"The file {os.path.join(path, name)!r} is damaged: {error}") from error


def _read(path: str, name: str) -> bytes:
    try:
        with open(os.path.join(path, name), "rb") as file:
            return file.read()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"Unable to read {path!r} as a model: {_what_it_is(path)}") from error


def _what_it_is(path: str) -> str:
    """What a folder without a SavedModel seems to be, and what to do with it."""
    names = os.listdir(path)
    if any(name.endswith(".index") for name in names):
        return "the folder holds checkpoints: build the model, then `model.load_weights(folder)`."
    if "config.json" in names and "model.weights.h5" in names:
        return "the folder is an unpacked .keras file: pack it again (zip -0 model.keras *)."
    if "saved_model.pbtxt" in names:
        return "its saved_model is in text form, which is not read."
    return f"the folder has no {MODEL}: it is not a SavedModel."
