"""A progress bar for the terminal."""

from __future__ import annotations

import math
import shutil
import sys
import time
from typing import Any

import numpy as np

from .io_messages import show

_LOG_INTERVAL = 10.0  # seconds between lines where the output is a file and a bar cannot be redrawn


class Progbar:
    """Shows how far something is, and averages of values.

    Args:
        target: number of steps; None if unknown.
        width: of the bar, in characters.
        verbose: 0 silent, 1 a bar, 2 one line at the end.
        interval: least number of seconds between two redraws.
        stateful_metrics: names of values that are shown as they are instead of averaged.
        unit_name: what a step is called behind the time that it takes.
    """

    def __init__(self, target, width=30, verbose=1, interval=0.05, stateful_metrics=None, unit_name="step"):
        self.target = target
        self.width = width
        self.verbose = verbose
        self.unit_name = unit_name
        self.stateful_metrics = set(stateful_metrics or [])
        self._redraws = (hasattr(sys.stdout, "isatty") and sys.stdout.isatty()) or "ipykernel" in sys.modules
        self.interval = interval if self._redraws else max(interval, _LOG_INTERVAL)
        self._shown = 0
        self._seen = 0
        self._values: dict[str, list] = {}
        self._start = time.monotonic()
        self._last_update = -math.inf if self._redraws else self._start

    def update(self, current, values=None, finalize=None):
        """Move to step ``current``.

        Args:
            current: number of steps done.
            values: list of (name, value) for the steps since the last update.
            finalize: whether this is the last update; by default, whether ``current`` has reached the target.
        """
        steps = current - self._seen
        for name, value in values or ():
            if name in self.stateful_metrics:
                self._values[name] = [value, 1]
            else:
                total = self._values.setdefault(name, [0, 0])
                total[0] += value * steps
                total[1] += steps
        self._seen = current
        if not self.verbose:
            return
        done = bool(finalize) if finalize is not None else self.target is not None and current >= self.target
        if done and self.target is None:
            self.target = current
        now = time.monotonic()
        if self.verbose == 1:
            if done or now - self._last_update >= self.interval:
                self._draw(current, now - self._start, done)
                self._last_update = now
        elif done or self.target is None:
            show(f" - {now - self._start:.0f}s{self._averages()}\n")

    def add(self, n, values=None):
        """Move ``n`` steps on."""
        self.update(self._seen + n, values)

    def _draw(self, current: int, elapsed: float, done: bool) -> None:
        per_step = elapsed / current if current else 0.0
        if self.target is None:
            line = f"{current:7d}/Unknown"
        else:
            line = _bar(current, self.target, self.width)
        if self.target is not None and not done:
            line += f" - ETA: {_clock(per_step * (self.target - current))}"
        else:
            line += f" - {elapsed:.0f}s {_duration(per_step)}/{self.unit_name}"
        line += self._averages()
        if not done and self._redraws:
            line = line[: shutil.get_terminal_size().columns - 1]  # a second line would stay on the screen
        padding = " " * max(0, self._shown - len(line))
        show(("\r" if self._redraws else "") + line + padding + ("\n" if done or not self._redraws else ""))
        self._shown = len(line)

    def _averages(self) -> str:
        text = ""
        for name, (total, count) in self._values.items():
            average = np.mean(total / max(1, count))
            text += f" - {name}: {average:.4f}" if abs(average) > 1e-3 else f" - {name}: {average:.4e}"
        return text


def _bar(current: int, target: int, width: int) -> str:
    filled = min(width, int(width * current / target)) if target else width
    head = "=" if current >= target else ">"
    bar = "=" * (filled - 1) + head if filled else ""
    return f"{current:{len(str(target))}d}/{target} [{bar}{'.' * (width - filled)}]"


def _clock(seconds: float) -> str:
    if seconds > 3600:
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}:{int(seconds % 60):02d}"
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}" if seconds > 60 else f"{int(seconds)}s"


def _duration(seconds: Any) -> str:
    if seconds >= 1:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"
