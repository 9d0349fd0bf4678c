"""The backend under the module path from which scripts import ``set_session`` and its like."""

from . import *  # noqa: F403


def _get_available_gpus() -> list[str]:
    """No GPU: scripts count them to choose between one and several."""
    return []
