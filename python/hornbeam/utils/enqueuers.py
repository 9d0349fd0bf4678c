"""Batches produced beside the training: enqueuers that run a Sequence or generator in threads or processes."""

from __future__ import annotations

import inspect
import itertools
import multiprocessing
import os
import queue
import random
import signal
import sys
import threading
import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.pool import ThreadPool
from typing import Any

import numpy as np

from ..other_names import also_called
from .messages import warn_user

_TIMEOUT = 30.0  # seconds after which a batch of a Sequence counts as lost
_PATIENCE = 2.0  # seconds for worker processes to end
_POLL = 0.2  # seconds between two looks at whether what is waited for can still come

#: sequences and generators by the id of their enqueuer; worker processes get a copy
_shared: dict[int, Any] = {}
_uids = itertools.count()


def _end(pool: Any) -> None:
    """Terminate a pool of processes, which waits for ever where a worker was sending a large batch: kill it then."""
    ending = threading.Thread(target=pool.terminate, daemon=True)
    ending.start()
    ending.join(_PATIENCE)
    if ending.is_alive():
        for process in list(pool._pool):
            process.kill()
            process.join(_PATIENCE)


def init_pool(seqs):
    """Give a worker process its copy of the sequences."""
    global _shared
    _shared = seqs


def init_pool_generator(gens, random_seed=None):
    """Give a worker process its copy of the generators, and random numbers of its own."""
    global _shared
    _shared = gens
    if random_seed is not None:
        np.random.seed(random_seed + os.getpid())


def get_index(uid, i):
    """Batch ``i`` of sequence ``uid``; runs in a worker."""
    return _shared[uid][i]


def next_sample(uid):
    """The next item of generator ``uid``; runs in a worker."""
    return next(_shared[uid])


def _context() -> Any:
    """How processes start: as the script chose, else by forking, as generators cannot be sent to a process."""
    chosen = multiprocessing.get_start_method(allow_none=True)
    return multiprocessing.get_context(chosen or ("fork" if sys.platform == "linux" else None))


class SequenceEnqueuer:
    """Keeps a queue of batches filled.

    Args:
        sequence: a Sequence or a generator.
        use_multiprocessing: processes instead of threads.

    Example:
        >>> enqueuer = OrderedEnqueuer(sequence)
        >>> enqueuer.start(workers=4)
        >>> for batch in enqueuer.get(): ...
        >>> enqueuer.stop()
    """

    def __init__(self, sequence, use_multiprocessing=False):
        self.sequence = sequence
        self.use_multiprocessing = use_multiprocessing
        self.uid = next(_uids)
        self.workers = 0
        self.queue: queue.Queue = queue.Queue()
        self.run_thread: threading.Thread | None = None
        self.stop_signal: threading.Event | None = None
        self._processes: list[Any] = []  # the pool's own list of those that run now
        self._seen: dict[int, Any] = {}

    def is_running(self):
        return self.stop_signal is not None and not self.stop_signal.is_set()

    def start(self, workers=1, max_queue_size=10):
        """Start ``workers`` threads or processes that keep up to ``max_queue_size`` batches ready."""
        self.workers = workers
        self.queue = queue.Queue(max_queue_size)
        self.stop_signal = threading.Event()
        _shared[self.uid] = self.sequence
        self.run_thread = threading.Thread(target=self._run_to_the_end, daemon=True)
        self.run_thread.start()

    def _run_to_the_end(self) -> None:
        """Run, and hand an error (of ``len(sequence)``, of ``on_epoch_end``, of making the workers) to the reader."""
        try:
            self._run()
        except Exception as error:
            if self.is_running():
                self.queue.put((None, _Failed(error)))

    def _next_result(self) -> Any:
        """The next ``(index, result)``; None once the enqueuer was stopped."""
        while self.is_running():
            try:
                return self.queue.get(timeout=_POLL)
            except queue.Empty:
                continue
        return None

    def stop(self, timeout=None):
        """Stop the workers and drop the batches that are ready."""
        if self.stop_signal is None:
            return
        self.stop_signal.set()
        thread = self.run_thread
        while thread is not None and thread.is_alive() and thread is not threading.current_thread():
            try:
                while True:  # make room: the thread may be waiting to put something
                    self.queue.get_nowait()
            except queue.Empty:
                pass
            thread.join(0.01 if timeout is None else timeout)
            if timeout is not None:
                break
        _shared.pop(self.uid, None)

    @contextmanager
    def _pool(self) -> Iterator[Any]:
        """The workers; they end with the block."""
        if not self.use_multiprocessing:
            with ThreadPool(self.workers) as pool:
                yield pool
            return
        # Ctrl-C, which a terminal sends to the workers as well, is the matter of the process that trains, which ends them.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            pool = _context().Pool(self.workers, **self._process_setup())
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        self._processes = pool._pool  # type: ignore[attr-defined]
        self._seen = {process.pid: process for process in list(self._processes)}
        try:
            yield pool
        finally:
            _end(pool)

    def _dead_workers(self) -> list[int]:
        """Exit codes of the worker processes that have died: the pool replaces them and forgets what they were doing."""
        self._seen.update((process.pid, process) for process in list(self._processes))
        return [process.exitcode for process in self._seen.values() if process.exitcode]

    def _process_setup(self) -> dict[str, Any]:
        return {"initializer": init_pool, "initargs": ({self.uid: self.sequence},)}

    @abstractmethod
    def _run(self):
        """Fill the queue until stopped."""

    @abstractmethod
    def get(self):
        """Yield the batches; those that are None are left out."""


class OrderedEnqueuer(SequenceEnqueuer):
    """Runs a :class:`Sequence`, giving its batches in order, epoch after epoch.

    Args:
        sequence: the Sequence.
        use_multiprocessing: processes instead of threads.
        shuffle: whether to shuffle the order of the batches in each epoch.
    """

    def __init__(self, sequence, use_multiprocessing=False, shuffle=False):
        super().__init__(sequence, use_multiprocessing)
        self.shuffle = shuffle
        self.end_of_epoch_signal = threading.Event()

    def _run(self):
        while self.is_running():
            order = list(range(len(self.sequence)))
            if self.shuffle:
                random.shuffle(order)
            _shared[self.uid] = self.sequence
            # A new pool for each epoch, so that processes see what on_epoch_end changed.
            with self._pool() as pool:
                for index in order:
                    if not self.is_running():
                        return
                    self.queue.put((index, pool.apply_async(get_index, (self.uid, index))))
                while self.queue.unfinished_tasks and self.is_running():
                    self.stop_signal.wait(0.005)
            if not self.is_running():
                return
            self.sequence.on_epoch_end()
            self.end_of_epoch_signal.set()

    def join_end_of_epoch(self):
        """Wait until ``on_epoch_end`` of the sequence has run."""
        self.end_of_epoch_signal.wait(timeout=_TIMEOUT)
        self.end_of_epoch_signal.clear()

    def get(self) -> Iterator:
        try:
            while item := self._next_result():
                index, result = item
                try:
                    batch = self._wait(result)
                except multiprocessing.TimeoutError:
                    warn_user(f"The input {index} could not be retrieved. It could be because a worker has died.")
                    batch = self.sequence[index]
                finally:
                    self.queue.task_done()
                if batch is not None:
                    yield batch
        except Exception:
            self.stop()
            raise

    def _wait(self, result: Any) -> Any:
        """The value of a result.

        Raises:
            multiprocessing.TimeoutError: it does not come: perhaps one worker has died.
            RuntimeError: all of them die, again and again.
        """
        end = time.monotonic() + _TIMEOUT
        while True:
            try:
                return result.get(timeout=min(_POLL, _TIMEOUT))
            except multiprocessing.TimeoutError:
                dead = self._dead_workers()
                if len(dead) > 3 * self.workers:
                    raise RuntimeError(
                        f"The worker processes die as soon as they start (exit code {dead[-1]}); what they say is printed "
                        "above. Processes that are spawned instead of forked have to import what the Sequence needs."
                    ) from None
                if time.monotonic() > end or not self.is_running():
                    raise


class GeneratorEnqueuer(SequenceEnqueuer):
    """Runs a generator. With several processes each has its own copy, so that data may come twice.

    Args:
        sequence: the generator.
        use_multiprocessing: processes instead of threads.
        random_seed: seed of the worker processes; each adds its process id.
    """

    @also_called(generator="sequence")
    def __init__(self, sequence, use_multiprocessing=False, wait_time=None, random_seed=None):
        super().__init__(sequence, use_multiprocessing)
        self.random_seed = random_seed
        if wait_time is not None:
            warn_user("`wait_time` is not used anymore.", DeprecationWarning)

    def start(self, workers=1, max_queue_size=10):
        if not self.use_multiprocessing:
            self.sequence = _Locked(self.sequence)
        elif inspect.isgenerator(self.sequence) and (method := _context().get_start_method()) != "fork":
            raise ValueError(
                f"A generator cannot be sent to worker processes that are not forked (the start method here is {method!r}). "
                "Use threads (`use_multiprocessing=False`), or give the data as a `keras.utils.Sequence`."
            )
        super().start(workers, max_queue_size)

    def _process_setup(self) -> dict[str, Any]:
        return {"initializer": init_pool_generator, "initargs": ({self.uid: self.sequence}, self.random_seed)}

    def _run(self):
        with self._pool() as pool:
            while self.is_running():
                self.queue.put((None, pool.apply_async(next_sample, (self.uid,))))

    def get(self) -> Iterator:
        try:
            while item := self._next_result():
                try:
                    batch = self._wait(item[1])
                finally:
                    self.queue.task_done()
                if batch is not None:
                    yield batch
        except StopIteration:
            # The generator has ended: give what other workers have made before, then end too. Their tasks are in the
            # queue by now, but for one that may wait for room in it.
            for _ in range(self.queue.qsize() + 1):
                item = self._next_result()
                if item is None:
                    break
                try:
                    batch = self._wait(item[1])
                except StopIteration:
                    continue
                if batch is not None:
                    yield batch
            self.stop()
        except Exception as error:
            self.stop()
            if "generator already executing" in str(error):
                raise RuntimeError(
                    "Your generator is NOT thread-safe. Keras requires a thread-safe generator when "
                    "`use_multiprocessing=False, workers > 1`. "
                ) from error
            raise

    def _wait(self, result: Any) -> Any:
        """The value of a result, however long the generator takes, unless its worker has died or is stopped."""
        while self.is_running():
            try:
                return result.get(timeout=_POLL)
            except multiprocessing.TimeoutError:
                if dead := self._dead_workers():
                    raise RuntimeError(
                        f"A worker process died (exit code {dead[0]}) and took its copy of the generator with it. "
                        "A negative code is the signal that ended it: -9 often means that memory ran out."
                    ) from None
        return None


class _Failed:
    """The result of a run that failed."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def get(self, timeout: float | None = None) -> Any:
        raise self.error


class _Locked:
    """A generator that several threads may advance. If it fails, all of them get to know, whoever comes first."""

    def __init__(self, generator: Any) -> None:
        self._iterator = iter(generator)
        self._lock = threading.Lock()
        self._error: Exception | None = None

    def __iter__(self) -> _Locked:
        return self

    def __next__(self) -> Any:
        with self._lock:
            if self._error is not None:
                raise self._error
            try:
                return next(self._iterator)
            except StopIteration:
                raise
            except Exception as error:
                self._error = error
                raise
