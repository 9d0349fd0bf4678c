"""The callbacks of a training, called in order."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from ..utils.messages import warn_user
from .callback import Callback
from .loggers import History, ProgbarLogger
from .logs import Logs

_SLOW = 0.1  # seconds: hooks below this are never worth a warning


class CallbackList:
    """Calls a list of callbacks in order.

    Args:
        callbacks: list of callbacks.
        queue_length: over how many batches the time that callbacks take is watched.
        add_history, add_progbar: whether there shall be a History, which the model gets as ``history``, and a progress bar.
        model: the model being trained.
        params: what the callbacks get as ``params``.
    """

    def __init__(self, callbacks=None, queue_length=10, add_history=False, add_progbar=False, model=None, **params):
        self.callbacks = list(callbacks or [])
        self.params = {}
        self.model = None
        self._history = None
        if add_progbar and not any(isinstance(callback, ProgbarLogger) for callback in self.callbacks):
            self.callbacks.insert(0, ProgbarLogger("steps"))
        if add_history:
            known = [callback for callback in self.callbacks if isinstance(callback, History)]
            self._history = known[0] if known else History()
            self.callbacks += [] if known else [self._history]
        self.queue_length = queue_length
        self._slow_calls: dict[str, deque] = {}
        self._entered = 0.0
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)

    def append(self, callback):
        self.callbacks.append(callback)

    def set_params(self, params):
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model):
        self.model = model
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def first_epoch(self, given: int) -> int:
        """The epoch that a fit begins with, unless a callback has restored one that was interrupted."""
        resumed = [callback.resumes_at[0] for callback in self.callbacks if getattr(callback, "resumes_at", None)]
        return max([given, *resumed])

    def batches_done(self, epoch: int) -> int:
        """How many batches of an epoch were trained on before the fit was interrupted; they are left out."""
        resumed = [getattr(callback, "resumes_at", None) for callback in self.callbacks]
        return max((position[1] for position in resumed if position and position[0] == epoch), default=0)

    def watches_batches(self, mode: str) -> bool:
        """Whether any callback does something at single batches of ``mode`` (train, test or predict)."""
        return any(_overrides(callback, _batch_hooks(mode)) for callback in self.callbacks)

    def calls_scripts(self, mode: str) -> bool:
        """Whether what happens at single batches of ``mode`` is code of a script, which may do anything."""
        package = __name__.partition(".")[0]
        hooks = [getattr(callback, hook, None) for callback in self.callbacks for hook in _batch_hooks(mode)]
        return any((getattr(hook, "__module__", None) or "").partition(".")[0] != package for hook in hooks)

    def _call_batch_hook(self, mode, hook, batch, logs=None):
        name = f"on_{mode}_batch_{hook}"
        logs = Logs(logs or {})
        start = time.perf_counter()
        for callback in self.callbacks:
            getattr(callback, name)(batch, logs)
        now = time.perf_counter()
        if hook == "end" and now - start > _SLOW:
            self._warn_if_slow(name, now - start, batch_time=start - self._entered)
        if hook == "begin":
            self._entered = now

    def _warn_if_slow(self, name: str, taken: float, batch_time: float) -> None:
        calls = self._slow_calls.setdefault(name, deque(maxlen=self.queue_length))
        calls.append(taken)
        median = sorted(calls)[len(calls) // 2]
        if len(calls) == self.queue_length and median > 0.95 * batch_time:
            warn_user(
                f"Method ({name}) is slow compared to the batch update ({median:f}). Check your callbacks.",
                RuntimeWarning,
            )
            calls.clear()

    def _call_begin_hook(self, mode):
        getattr(self, f"on_{mode}_begin")()

    def _call_end_hook(self, mode):
        getattr(self, f"on_{mode}_end")()

    def on_batch_begin(self, batch, logs=None):
        self._call_batch_hook("train", "begin", batch, logs)

    def on_batch_end(self, batch, logs=None):
        self._call_batch_hook("train", "end", batch, logs)

    def on_train_batch_begin(self, batch, logs=None):
        self._call_batch_hook("train", "begin", batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        self._call_batch_hook("train", "end", batch, logs)

    def on_test_batch_begin(self, batch, logs=None):
        self._call_batch_hook("test", "begin", batch, logs)

    def on_test_batch_end(self, batch, logs=None):
        self._call_batch_hook("test", "end", batch, logs)

    def on_predict_batch_begin(self, batch, logs=None):
        self._call_batch_hook("predict", "begin", batch, logs)

    def on_predict_batch_end(self, batch, logs=None):
        self._call_batch_hook("predict", "end", batch, logs)

    def _call_all(self, name, *args):
        for callback in self.callbacks:
            getattr(callback, name)(*args)

    def on_epoch_begin(self, epoch, logs=None):
        self._slow_calls.clear()
        self._call_all("on_epoch_begin", epoch, Logs(logs or {}))

    def on_epoch_end(self, epoch, logs=None):
        self._call_all("on_epoch_end", epoch, Logs(logs or {}))

    def on_train_begin(self, logs=None):
        self._call_all("on_train_begin", logs)

    def on_train_end(self, logs=None):
        self._call_all("on_train_end", logs)

    def on_test_begin(self, logs=None):
        self._call_all("on_test_begin", logs)

    def on_test_end(self, logs=None):
        self._call_all("on_test_end", logs)

    def on_predict_begin(self, logs=None):
        self._call_all("on_predict_begin", logs)

    def on_predict_end(self, logs=None):
        self._call_all("on_predict_end", logs)

    def __iter__(self):
        return iter(self.callbacks)


def _batch_hooks(mode: str) -> Iterable[str]:
    hooks = [f"on_{mode}_batch_begin", f"on_{mode}_batch_end"]
    return hooks + ["on_batch_begin", "on_batch_end"] if mode == "train" else hooks


def _overrides(callback: Any, hooks: Iterable[str]) -> bool:
    """Whether a callback defines one of ``hooks``, in its class or (as LambdaCallback does) on itself."""
    return any(
        hook in vars(callback) or getattr(type(callback), hook, None) is not getattr(Callback, hook) for hook in hooks
    )
