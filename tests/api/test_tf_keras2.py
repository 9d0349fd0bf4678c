"""The public names of tf.keras 2.15 and their arguments: which are here, and why others are not."""

import ast
import importlib
import inspect

import hornbeam
import pytest
from hornbeam import layers
from keras2_api import Name, names

from .missing import reasons

pytestmark = pytest.mark.usefixtures("eager")

#: Properties that are attributes of an instance here.
MADE = {layers.Layer: layers.Layer, hornbeam.Model: hornbeam.Model, hornbeam.Sequential: hornbeam.Sequential}


def find(name: Name):
    try:
        thing = importlib.import_module(name.module.replace("tf.keras", "hornbeam", 1))
    except ImportError:
        thing = hornbeam
        for part in name.module.split(".")[2:]:
            thing = getattr(thing, part)
    for part in name.path.split("."):
        if not hasattr(thing, part) and thing in MADE:
            thing = MADE[thing]()
        thing = getattr(thing, part)
    return thing


def not_taken(thing, signature: str) -> list[str]:
    """The arguments that a call by name would not find."""
    wanted = ast.parse(f"def f({signature}): pass").body[0].args
    try:
        parameters = inspect.signature(thing.__init__ if isinstance(thing, type) else thing).parameters
    except (TypeError, ValueError):
        return []
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return []
    return [argument.arg for argument in wanted.args if argument.arg not in parameters]


def test_what_is_missing_has_a_reason():
    count, missing = 0, []
    for name in names("tf_keras2"):
        count += 1
        try:
            thing = find(name)
        except (AttributeError, ImportError):
            missing.append(str(name))
            continue
        if name.signature and callable(thing):
            missing += [f"{name}({argument})" for argument in not_taken(thing, name.signature)]
    assert count > 1400
    assert [name for name in missing if name not in reasons("tf_keras2")] == []


def test_reasons_are_for_names_of_the_list():
    listed = {str(name) for name in names("tf_keras2")}
    assert [name for name in reasons("tf_keras2") if name.partition("(")[0] not in listed] == []
