"""Limits that a test sets for the process."""

import resource
import signal
import sys
from contextlib import contextmanager


class TooLong(BaseException):
    """More CPU than a block may take; no ``except Exception`` may swallow it."""


def address_space() -> int:
    """Bytes of virtual memory that this process has (on Linux); AddressSanitizer alone reserves 20 TB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


@contextmanager
def files_up_to(size):
    """Inside the block no file may become larger than ``size`` bytes.

    Not a fixture: pytest writes to its log before fixtures end, and that log may be a file, too.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def bounds(seconds, memory):
    """Inside the block, more than so many seconds of CPU raise TooLong, and more than so many further bytes MemoryError."""

    def too_long(*_):
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, too_long)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (address_space() + memory, limits[1]))
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, limits)
