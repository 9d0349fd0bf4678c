"""Lists to which scripts of Keras 2.0 to 2.2 appended, and which are computed anew today."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


class Appended(list):
    """A list that hands on what is appended to it.

    Args:
        items: what it holds.
        take: called with each item that is appended.
    """

    def __init__(self, items: Iterable[Any], take: Callable[[Any], None]) -> None:
        super().__init__(items)
        self._take = take

    def append(self, item: Any) -> None:
        super().append(item)
        self._take(item)

    def extend(self, items: Iterable[Any]) -> None:
        for item in items:
            self.append(item)

    def __iadd__(self, items: Iterable[Any]) -> Appended:  # type: ignore[override,misc]
        self.extend(items)
        return self

    def __reduce__(self) -> tuple:
        return list, (list(self),)
