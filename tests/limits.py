"""Limits that a test sets for the process."""

import resource
from contextlib import contextmanager


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
