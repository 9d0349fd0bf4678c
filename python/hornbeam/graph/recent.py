"""A bounded cache that threads share."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from .locks import Lock

T = TypeVar("T")


class Recent(Generic[T]):
    """The values that were asked for last, by their keys.

    Args:
        size: how many are kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of ``key``, which ``make`` makes where there is none; threads may make it twice, and keep one."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        made = make()
        with self._lock:
            value = self._values.setdefault(key, made)
            if len(self._values) > self._size:
                self._values.popitem(last=False)
        return value

    def put(self, key: Hashable, value: T) -> None:
        """Let this be the value of ``key``."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)

    def clear(self) -> None:
        with self._lock:
            self._values.clear()
