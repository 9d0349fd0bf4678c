"""What Keras's API makes global: one value for all threads of the process.

All other state has an owner: a model, a layer, a Function, or a thread that builds (``graph/context.py``). Functions of
``keras.backend`` and ``keras.utils`` read and change these fields; nothing else does.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .dialect import TF1, Dialect


class _OfThread(threading.local):
    """What a thread has instead of the process's value."""

    recorder: Any = None


@dataclass
class Settings:
    """The values of a process.

    Attributes:
        floatx: dtype of weights and inputs for which none is given.
        epsilon: the number that keeps logarithms and divisions finite.
        image_data_format: where images have their channels, for layers whose ``data_format`` is None.
        learning_phase: 0 or 1 where the phase is fixed; None where each run says which it is.
        uids: how often each prefix was counted, from which layers get their default names.
        custom_objects: what names in configs may mean, outside of a ``CustomObjectScope``.
        policy: the name of the dtype policy of layers for which no dtype is given; None is floatx's.
        dialect: what TensorFlow's and Keras's words mean; ``hornbeam run`` decides it for a script.
        functions_run_eagerly: whether functions of ``tf.function`` are called step by step, and not traced.
        interactive_logging: whether progress is shown on the standard output, and not in the log.
        shared_recorder: what makes tensors eager (``graph/recorder.py``): a script for TensorFlow 2 has one. None is Keras 2.3.1.
            A thread may have one of its own beside it; ``recorder`` is the one that counts.
    """

    floatx: str = "float32"
    epsilon: float = 1e-7
    image_data_format: str = "channels_last"
    learning_phase: int | None = None
    uids: dict[str, Iterator[int]] = field(default_factory=dict)
    custom_objects: dict[str, Any] = field(default_factory=dict)
    policy: str | None = None
    dialect: Dialect = TF1
    functions_run_eagerly: bool = False
    interactive_logging: bool = True
    shared_recorder: Any = None
    _of_thread: _OfThread = field(default_factory=_OfThread)

    @property
    def recorder(self) -> Any:
        return self._of_thread.recorder or self.shared_recorder

    @recorder.setter
    def recorder(self, recorder: Any) -> None:
        self.shared_recorder = recorder

    @contextmanager
    def own_recorder(self, recorder: Any) -> Iterator[None]:
        """Inside the block, this thread's tensors are recorded by a recorder of its own."""
        outer, self._of_thread.recorder = self._of_thread.recorder, recorder
        try:
            yield
        finally:
            self._of_thread.recorder = outer

    def next_uid(self, prefix: str) -> int:
        """1, 2, ... for each prefix."""
        return next(self.uids.setdefault(prefix, itertools.count(1)))


settings = Settings()
