"""Keras's public interfaces, read from api/*.txt, and the comparison of a signature with them."""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LISTS = Path(__file__).parent / "api"


@dataclass(frozen=True)
class Name:
    """One line of the list.

    Attributes:
        module: as ``keras.losses``.
        path: ``Loss`` or, for what is in a class, ``Loss.from_config``.
        signature: what stands in brackets, or None.
        same_as: for an alias the name that is the same object.
    """

    module: str
    path: str
    signature: str | None = None
    same_as: str | None = None

    def __str__(self) -> str:
        return f"{self.module}.{self.path}"


def names(version: str = "keras2") -> Iterator[Name]:
    """Every name of a list, in its order."""
    module = owner = ""
    for line in (LISTS / f"{version}.txt").read_text(encoding="utf-8").splitlines():
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        depth = len(line) - len(text)
        if not depth:
            module = text
            continue
        text, _, same_as = (text, "", None) if "(" in text else text.partition(" = ")
        name, bracket, rest = text.removeprefix("class ").partition("(")
        if depth == 4:
            owner = name
        path = name if depth == 4 else f"{owner}.{name}"
        yield Name(module, path, rest.removesuffix(")") if bracket else None, same_as or None)


def signature_differs(thing: Any, signature: str) -> str | None:
    """What a call written for ``signature`` would not find in ``thing``; None if it finds everything.

    Arguments of our own may follow Keras's, and None may stand for ``{}``. A signature that says nothing,
    ``*args, **kwargs``, is met by anything.
    """
    wanted = ast.parse(f"def f({signature}): pass").body[0].args  # type: ignore[attr-defined]
    if wanted.vararg and wanted.kwarg and not wanted.args:
        return None
    thing = thing.__init__ if isinstance(thing, type) else thing
    parameters = list(inspect.signature(thing).parameters.values())
    has = {p.kind for p in parameters}
    for written, kind in (
        (wanted.vararg, inspect.Parameter.VAR_POSITIONAL),
        (wanted.kwarg, inspect.Parameter.VAR_KEYWORD),
    ):
        if written and kind not in has:
            return f"takes no {kind.description} arguments"
    parameters = [p for p in parameters if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    if parameters and parameters[0].name == "self":
        parameters = parameters[1:]
    defaults = [inspect.Parameter.empty] * (len(wanted.args) - len(wanted.defaults))
    defaults += [ast.literal_eval(d) for d in wanted.defaults]
    for i, (argument, default) in enumerate(zip(wanted.args, defaults)):
        if i >= len(parameters):
            return f"has no argument {argument.arg!r}"
        got = parameters[i]
        if argument.arg not in (got.name, "_"):  # what Keras calls _ is ignored and comes by position
            return f"argument {i} is {got.name!r}, not {argument.arg!r}"
        if default is inspect.Parameter.empty and got.default is not default:
            continue  # optional here, required there
        if got.default is inspect.Parameter.empty and default is not got.default:
            return f"argument {argument.arg!r} is required, not {default!r} by default"
        if (got.default is not default and got.default != default) and not (got.default is None and default == {}):
            return f"argument {argument.arg!r} is {got.default!r} by default, not {default!r}"
    for extra in parameters[len(wanted.args) :]:
        if extra.default is inspect.Parameter.empty:
            return f"argument {extra.name!r} is required"
    return None
