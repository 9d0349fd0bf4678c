"""Locks that know of forks."""

from __future__ import annotations

import os
import threading
import weakref

_all: weakref.WeakSet[Lock] = weakref.WeakSet()


class Lock:
    """A re-entrant lock, to be used in a ``with`` statement. A copy of it is a new lock.

    In a forked child it is free unless the thread that forked has it: no other thread is there to let go of it.
    """

    __slots__ = ("__weakref__", "_lock")

    def __init__(self) -> None:
        self._lock = threading.RLock()
        _all.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()

    def __reduce__(self) -> tuple[type[Lock], tuple[()]]:
        return Lock, ()

    def _renew_if_lost(self) -> None:
        if self._lock.acquire(blocking=False):
            self._lock.release()
        else:
            self._lock = threading.RLock()


def _renew_lost_locks() -> None:
    for lock in list(_all):
        lock._renew_if_lost()


os.register_at_fork(after_in_child=_renew_lost_locks)
