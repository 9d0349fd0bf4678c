"""What this process computes with."""

from __future__ import annotations

from . import _core


def set_device(name: str | None) -> None:
    """Let this process run on a device from now on: its models and functions, in all threads.

    It takes the place of the environment variable ``HORNBEAM_DEVICE``. Where a thread is inside of
    ``hornbeam.device(...)``, that counts. Weights go along: a model that was trained on one device predicts on the next.

    Args:
        name: one of the devices that ``hornbeam info`` lists, as ``'cpu'``, ``'cuda'`` or ``'cuda:1'``; None for the one
            that ``HORNBEAM_DEVICE`` names, or the CPU.

    Raises:
        ValueError: if this machine has no such device.
    """
    _core.set_process_device(name)


def get_device() -> str:
    """The name of the device on which this thread runs what it runs next."""
    return _core.device()
