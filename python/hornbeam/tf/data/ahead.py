"""Reading ahead: a thread makes the next elements while the last ones are used."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

from .selecting import Derived
from .stage import Stage

_POLL = 0.1  # seconds between two looks at whether anybody still waits


class Prefetch(Derived):
    """Keeps so many elements ready.

    The thread ends with the pass, or when its iterator is closed or dropped. An error of the pipeline is raised where the
    element would have come.
    """

    def __init__(self, source: Stage, size: int) -> None:
        super().__init__(source)
        self._size = size

    def open(self) -> Iterator[Any]:
        if self._size == 0:
            yield from self.source.open()
            return
        reader = _Reader(self.source, self._size)
        try:
            while True:
                element, error, ended = reader.ready.get()
                if ended:
                    if error is not None:
                        raise error
                    return
                yield element
        finally:
            reader.stop()


class _Reader:
    """A thread that goes through a stage and puts what comes into a queue, as triples (element, error, whether it is the end)."""

    def __init__(self, source: Stage, size: int) -> None:
        self.ready: queue.Queue = queue.Queue(size)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(source,), name="hornbeam-data", daemon=True)
        self._thread.start()

    def _read(self, source: Stage) -> None:
        error = None
        try:
            elements = source.open()
            for element in elements:
                if not self._put((element, None, False)):
                    break
            del elements  # closes the stages before this one
        except Exception as caught:
            error = caught
        self._put((None, error, True))

    def _put(self, item: tuple) -> bool:
        while not self._stopped.is_set():
            try:
                self.ready.put(item, timeout=_POLL)
                return True
            except queue.Full:
                continue
        return False

    def stop(self) -> None:
        self._stopped.set()
        try:
            while True:  # make room: the thread may be waiting to put something
                self.ready.get_nowait()
        except queue.Empty:
            pass
        if self._thread is not threading.current_thread():
            self._thread.join(10.0)
