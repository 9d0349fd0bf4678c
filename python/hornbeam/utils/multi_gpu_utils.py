"""Data parallelism over several GPUs of one machine, which Hornbeam does not do."""

from __future__ import annotations


def _get_available_devices() -> list[str]:
    """The names of the devices that a model can be trained on."""
    return ["/cpu:0"]


def _normalize_device_name(name):
    """A device's short name, ``/gpu:0`` for ``/device:GPU:0`` or ``/job:localhost/replica:0/task:0/device:GPU:0``."""
    return "/" + ":".join(name.lower().replace("device:", "").split("/")[-1].split(":")[-2:])


def multi_gpu_model(model, gpus=None, cpu_merge=True, cpu_relocation=False):
    """Raise ValueError: there are no GPUs to copy ``model`` to.

    Keras did so too on a machine without them, and scripts that catch it go on with ``model`` itself.

    Args:
        model: the model.
        gpus: number of GPUs, or a list of their ids; None for all there are.
        cpu_merge, cpu_relocation: where results are put together and weights are kept.
    """
    devices = _get_available_devices()
    found = [name for name in devices if "gpu" in name]
    count = len(found) if gpus is None else len(gpus) if isinstance(gpus, (list, tuple)) else gpus
    if count < 2:
        raise ValueError(
            f"For multi-gpu usage to be effective, call `multi_gpu_model` with `gpus >= 2`. Received: `gpus={gpus}`; "
            f"this machine has {len(found)} that Hornbeam can train on. Use the model itself."
        )
    raise ValueError(
        f"To call `multi_gpu_model` with `gpus={gpus}`, we expect as many devices to be available. However this machine "
        f"only has: {devices}. Use the model itself, or a smaller number of gpus."
    )
