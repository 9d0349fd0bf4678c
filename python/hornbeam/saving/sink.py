"""Files for libraries that write and cannot cope with an error or with Ctrl-C meanwhile."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any


@contextmanager
def unfailing(file: Any) -> Iterator[Any]:
    """Yield a :class:`Sink` for a binary file.

    Raises:
        OSError: what the file raised, at the end of the block.
        KeyboardInterrupt: Ctrl-C was pressed.
    """
    with HeldCtrlC() as ctrl_c:
        sink = Sink(file, ctrl_c)
        try:
            yield sink
        except Exception:
            if sink.error is None:
                raise
            raise sink.error from None
        if sink.error is not None:
            raise sink.error


class Sink:
    """A binary file that is written to no more after an error, and seems to be well: a library that cannot write its
    file can often not close it either, and says in its own words what happened."""

    def __init__(self, file: Any, ctrl_c: HeldCtrlC) -> None:
        self._file, self._ctrl_c = file, ctrl_c
        self.error: BaseException | None = None
        for name in ("seek", "tell", "seekable"):
            if hasattr(file, name):
                setattr(self, name, getattr(file, name))

    def read(self, size: int = -1) -> bytes:
        self._refuse_after_error()
        return self._file.read(size)

    def readinto(self, buffer: Any) -> int:
        self._refuse_after_error()
        return self._file.readinto(buffer)

    def _refuse_after_error(self) -> None:
        if self.error is not None:  # what was to be read was perhaps never written
            raise OSError("The file could not be written.")

    def write(self, data: Any) -> Any:
        return self._attempt(self._file.write, data)

    def truncate(self, size: int) -> Any:
        return self._attempt(self._file.truncate, size)

    def flush(self) -> Any:
        return self._attempt(self._file.flush)

    def _attempt(self, operation: Callable, *args: Any) -> Any:
        if self.error is None:
            try:
                self._ctrl_c.deliver()
                return operation(*args)
            except BaseException as error:
                # Without its frames: they would keep objects of the library until Python's end, which do not outlive it.
                self.error = error.with_traceback(None)
        return None


class HeldCtrlC:
    """A block in which Ctrl-C waits for :meth:`deliver`, or for the end of the block.

    Python calls the handler of a signal in whichever Python code runs next; in the callbacks that h5py has for the end
    of its objects exceptions are ignored.
    """

    def __init__(self) -> None:
        self._handler: Any = None
        self._pressed: tuple[int, FrameType | None] | None = None

    def __enter__(self) -> HeldCtrlC:
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            if callable(handler):
                self._handler = handler
                signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
        self.deliver()

    def _press(self, number: int, frame: FrameType | None) -> None:
        self._pressed = number, frame

    def deliver(self) -> None:
        """Call Python's handler, which mostly raises KeyboardInterrupt, if Ctrl-C was pressed."""
        pressed, self._pressed = self._pressed, None
        if pressed is not None:
            self._handler(*pressed)
