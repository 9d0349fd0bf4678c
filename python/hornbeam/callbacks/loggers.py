"""Callbacks that keep or show what training reports."""

from __future__ import annotations

import csv
import io
import os
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..utils.io_messages import show
from ..utils.io_utils import append
from ..utils.messages import warn_user
from ..utils.progbar import Progbar
from .callback import Callback
from .logs import Logs


class BaseLogger(Callback):
    """Averages metrics over an epoch, for a training loop written by hand: ``fit`` adds up for itself.

    Args:
        stateful_metrics: names of metrics that keep their own average, whose last value counts.
    """

    def __init__(self, stateful_metrics=None):
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or [])

    def on_epoch_begin(self, epoch, logs=None):
        self.seen = 0
        self.totals = {}

    def on_batch_end(self, batch, logs=None):
        logs = logs or {}
        size = logs.get("size", 0)
        self.seen += size
        for name, value in logs.items():
            if name in self.stateful_metrics:
                self.totals[name] = value
            else:
                self.totals[name] = self.totals.get(name, 0.0) + float(value) * size

    def on_epoch_end(self, epoch, logs=None):
        if logs is None:
            return
        for name in self.params["metrics"]:
            if name in self.totals:
                logs[name] = self.totals[name] if name in self.stateful_metrics else self.totals[name] / self.seen


class History(Callback):
    """Records the metrics of each epoch; ``fit`` returns it.

    Attributes:
        epoch: list of epoch numbers.
        history: :class:`Logs`, lists of values by metric name.
    """

    def on_train_begin(self, logs=None):
        self.epoch = []
        self.history = Logs()

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class ProgbarLogger(Callback):
    """Shows a progress bar with the metrics.

    Args:
        count_mode: ``'samples'`` or ``'steps'``, what the bar counts.
        stateful_metrics: names of metrics that are shown as they come, not averaged.
    """

    def __init__(self, count_mode="samples", stateful_metrics=None):
        super().__init__()
        if count_mode not in ("samples", "steps"):
            raise ValueError(f"Unknown `count_mode`: {count_mode}")
        self.use_steps = count_mode == "steps"
        self.stateful_metrics = set(stateful_metrics or [])

    def on_train_begin(self, logs=None):
        self.verbose = self.params["verbose"]
        self.epochs = self.params["epochs"]

    def on_epoch_begin(self, epoch, logs=None):
        self.seen = 0
        self.target = self.params["steps"] if self.use_steps else self.params["samples"]
        self.log_values = []
        if self.verbose:
            show(f"Epoch {epoch + 1}/{self.epochs}\n")
            self.progbar = Progbar(target=self.target, verbose=self.verbose, stateful_metrics=self.stateful_metrics)

    def on_batch_begin(self, batch, logs=None):
        if self.target is None or self.seen < self.target:
            self.log_values = []

    def on_batch_end(self, batch, logs=None):
        logs = logs or {}
        self.seen += 1 if self.use_steps else logs.get("size", 0)
        self.log_values += [(name, logs[name]) for name in self.params["metrics"] if name in logs]
        # The bar's last update comes with the end of the epoch, when validation is done.
        if self.verbose and (self.target is None or self.seen < self.target):
            self.progbar.update(self.seen, self.log_values)

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        self.log_values += [(name, logs[name]) for name in self.params["metrics"] if name in logs]
        if self.verbose:
            self.progbar.update(self.seen, self.log_values)


class CSVLogger(Callback):
    """Writes the metrics of each epoch to a CSV file, which is open only meanwhile: a training may end anywhere.

    Args:
        filename: path of the file.
        separator: between the columns.
        append: go on with an existing file instead of replacing it.

    Raises:
        OSError: in ``fit``, with the file's name: it cannot be written.
    """

    def __init__(self, filename, separator=",", append=False):
        super().__init__()
        self.sep = separator
        self.filename = filename
        self.append = append
        self.keys: list[str] | None = None
        self.append_header = True

    def on_train_begin(self, logs=None):
        if self.append and os.path.exists(self.filename):
            with open(self.filename, newline="") as file:
                self.append_header = not file.readline().strip()
        open(self.filename, "a" if self.append else "w").close()
        self._begun = False

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        if self.keys is None:
            self.keys = sorted(logs)
        if self.model is not None and getattr(self.model, "stop_training", False):
            logs = {key: logs.get(key, "NA") for key in self.keys}  # a last epoch that was cut short
        row = OrderedDict(epoch=epoch)
        row.update((key, _csv_value(logs[key])) for key in self.keys)
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=["epoch", *self.keys], delimiter=self.sep)
        if self.append_header and not self._begun:
            writer.writeheader()
        writer.writerow(row)
        append(self.filename, text.getvalue().encode())
        self._begun = True


def _csv_value(value: Any) -> Any:
    if isinstance(value, str) or np.ndim(value) == 0:
        return value
    if isinstance(value, Iterable):
        return '"[{}]"'.format(", ".join(map(str, value)))
    return value


class RemoteMonitor(Callback):
    """Sends the metrics of each epoch to a web server, as form data or JSON.

    Args:
        root: address of the server.
        path: path that takes the POST.
        field: form field under which the JSON goes, without ``send_as_json``.
        headers: dict of extra headers.
        send_as_json: send a JSON body instead of a form.
    """

    def __init__(
        self, root="http://localhost:9000", path="/publish/epoch/end/", field="data", headers=None, send_as_json=False
    ):
        super().__init__()
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch, logs=None):
        import json
        import urllib.parse
        import urllib.request

        send = {"epoch": epoch}
        send.update((k, v.item() if isinstance(v, (np.ndarray, np.generic)) else v) for k, v in (logs or {}).items())
        text = json.dumps(send)
        headers = dict(self.headers or {})
        if self.send_as_json:
            body = text.encode()
            headers.setdefault("Content-Type", "application/json")
        else:
            body = urllib.parse.urlencode({self.field: text}).encode()
        try:
            request = urllib.request.Request(self.root + self.path, data=body, headers=headers)
            urllib.request.urlopen(request, timeout=10).close()
        except OSError:
            warn_user(f"Warning: could not reach RemoteMonitor root server at {self.root}")
