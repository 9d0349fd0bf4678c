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


def enable_tf32(on: bool = True) -> None:
    """Let GPUs compute products and convolutions of float32 in TF32, which rounds their inputs to 10 bits of mantissa.

    It is off until it is asked for, and holds for all runs from now on, where NVIDIA's libraries compute them. Each input
    then errs by up to 1/2048 of itself. Other devices compute as ever.
    """
    _core.set_tf32(on)


def uses_tf32() -> bool:
    """Whether :func:`enable_tf32` has let GPUs compute in TF32."""
    return _core.tf32()
