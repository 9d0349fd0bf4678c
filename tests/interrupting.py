"""Ctrl-C for tests: children that interrupt themselves in the middle of something long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

SOON = 2.0  # seconds within which Ctrl-C has to be seen: 0.1 are promised, and machines of tests are slow


def waited(run, after: float = 0.3) -> float:
    """Call ``run`` again and again, however fast the machine is, and press Ctrl-C meanwhile; the seconds until
    KeyboardInterrupt came."""

    def for_ever() -> None:
        while True:
            run()

    seconds = waited_once(for_ever, after)
    assert seconds is not None
    return seconds


def waited_once(run, after: float) -> float | None:
    """Call ``run`` and press Ctrl-C meanwhile, which all processes of this one's group get; the seconds until
    KeyboardInterrupt came, None if ``run`` had ended before."""
    sent: list[float] = []

    def press() -> None:
        sent.append(time.perf_counter())
        os.killpg(0, signal.SIGINT)

    timer = threading.Timer(after, press)
    timer.start()
    try:
        run()
    except KeyboardInterrupt:
        return time.perf_counter() - sent[0]
    timer.cancel()
    timer.join()  # the KeyboardInterrupt of a timer that had begun comes here at the latest
    return None


def in_child(script: str, timeout: float = 120, **environment: str) -> str:
    """What a script prints; it finds the names of this module. It must end well."""
    start = "import signal\nfrom interrupting import *\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    child = subprocess.run(
        [sys.executable, "-c", start + script],
        env=os.environ | {"PYTHONPATH": path, "PYTHONFAULTHANDLER": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        start_new_session=True,
    )
    assert child.returncode == 0, (child.returncode, child.stderr)
    assert "Exception ignored" not in child.stderr and "Traceback" not in child.stderr, child.stderr
    return child.stdout
