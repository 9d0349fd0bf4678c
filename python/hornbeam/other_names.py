"""Arguments that tf.keras calls otherwise than Keras 2.3.1 does: they are taken by either name."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

_Function = TypeVar("_Function", bound=Callable)


def also_called(**names: str) -> Callable[[_Function], _Function]:
    """Decorate a function whose argument ``names[name]`` may be given as ``name``, too, which its signature says then."""

    def decorate(function: _Function) -> _Function:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            for name, own in names.items():
                if name in kwargs:
                    if own in kwargs:
                        raise TypeError(f"{function.__name__}() got both {own!r} and {name!r}, which are one argument.")
                    kwargs[own] = kwargs.pop(name)
            return function(*args, **kwargs)

        signature = inspect.signature(function)
        more = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in names]
        known = list(signature.parameters.values())
        end = len(known) - (known[-1].kind is inspect.Parameter.VAR_KEYWORD)
        wrapped.__signature__ = signature.replace(parameters=[*known[:end], *more, *known[end:]])  # type: ignore[attr-defined]
        return wrapped  # type: ignore[return-value]

    return decorate
