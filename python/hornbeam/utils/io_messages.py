"""Where progress is shown: on the standard output, or in the log of the process (``logging.getLogger("hornbeam")``)."""

from __future__ import annotations

import sys

from ..settings import settings


def enable_interactive_logging() -> None:
    """Show progress bars and the like on the standard output, as is usual."""
    settings.interactive_logging = True


def disable_interactive_logging() -> None:
    """Put progress bars and the like into the log, as messages of the level INFO: for servers and clusters.

    ``verbose='auto'`` means 2 then, a line for each epoch.
    """
    settings.interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    return settings.interactive_logging


def show(text: str) -> None:
    """Show a part of a line, or lines."""
    if settings.interactive_logging:
        sys.stdout.write(text)
        sys.stdout.flush()
    elif message := text.strip("\r\n"):
        import logging  # costs milliseconds, and few need it

        logging.getLogger("hornbeam").info(message)
