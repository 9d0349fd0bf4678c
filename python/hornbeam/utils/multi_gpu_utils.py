"""Data parallelism over several GPUs of one machine, which Hornbeam does not do."""

from __future__ import annotations


def multi_gpu_model(model, gpus=None, cpu_merge=True, cpu_relocation=False):
    """Return ``model`` itself for one device; more are an error.

    Args:
        model: the model.
        gpus: number of GPUs, or a list of their ids.
        cpu_merge, cpu_relocation: where results are put together; without meaning for one device.

    Raises:
        ValueError: more than one device is asked for, or a number that makes no sense.
    """
    count = len(gpus) if isinstance(gpus, (list, tuple)) else gpus
    if count is None:
        return model
    if not isinstance(count, int) or count < 1:
        raise ValueError(
            f"For multi-gpu usage to be effective, call `multi_gpu_model` with `gpus >= 2`. Received: `gpus={gpus}`"
        )
    if count > 1:
        raise ValueError(
            f"To call `multi_gpu_model` with `gpus={gpus}`, several devices have to be available. Hornbeam trains on one "
            "device; leave the call out."
        )
    return model
