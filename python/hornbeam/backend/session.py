"""TensorFlow 1's session, as far as Keras scripts use one: ``K.get_session().run(tensors, feed_dict={...})``.

A session holds no state here: variables hold their own values, and a run is a :class:`~hornbeam.graph.Function` made for
what is fetched and fed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..graph import Function, Tensor, gradient_override_map
from ..graph.recent import Recent

#: What TensorFlow's sessions took besides what to run: scripts hand it to ``compile``, ``K.function`` and ``Session.run``.
#: It reports memory and traces, and changes no value; here it does nothing.
RUN_OPTIONS = ("options", "run_metadata")
#: Functions kept by a session; scripts fetch the same few tensors in a loop.
KEPT = 32


class Graph:
    """There is no global graph; scripts enter one to predict from another thread, which works anyway."""

    @contextlib.contextmanager
    def as_default(self) -> Iterator[Graph]:
        yield self

    def finalize(self) -> None:
        """Does nothing: scripts call it before they predict from several threads."""

    gradient_override_map = staticmethod(gradient_override_map)


class Session:
    """Computes tensors. Arguments are those of ``tf.Session``, for which there is nothing to do here."""

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None) -> None:
        self.graph = graph or Graph()
        self._functions: Recent[Function] = Recent(KEPT)

    def run(
        self, fetches: Any, feed_dict: Mapping[Tensor, Any] | None = None, options: Any = None, run_metadata: Any = None
    ) -> Any:
        """Compute ``fetches``: a tensor, or lists, tuples and dictionaries of them.

        A fetched update (of ``K.update``, say) is carried out. None, which stands for TensorFlow's initializers, gives
        None: variables initialize themselves.

        Args:
            fetches: what to compute.
            feed_dict: values by tensor. The learning phase is 0 unless it is fed.
            options, run_metadata: do nothing, see :data:`RUN_OPTIONS`.

        Returns:
            Arrays in the structure of ``fetches``.

        Raises:
            TypeError: something else than a tensor is fetched or fed.
        """
        feeds = dict(feed_dict or {})
        wanted: dict[Tensor, int] = {}
        structure = _map(fetches, lambda t: wanted.setdefault(_tensor(t), len(wanted)))
        if not wanted:
            return structure
        values = self._function(tuple(wanted), tuple(feeds))(list(feeds.values()))
        return _map(structure, values.__getitem__)

    def _function(self, fetches: tuple[Tensor, ...], feeds: tuple[Tensor, ...]) -> Function:
        def made() -> Function:
            updates = [t for t in fetches if t.op.op == "assign"]
            return Function(feeds, fetches, updates=updates, name="Session.run")

        return self._functions.get((fetches, feeds), made)

    @contextlib.contextmanager
    def as_default(self) -> Iterator[Session]:
        """Nothing to enter: ``K.get_session()`` stays what it is."""
        yield self

    def close(self) -> None:
        """Forget the functions made so far."""
        self._functions.clear()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _map(structure: Any, function: Callable[[Any], Any]) -> Any:
    """``function`` of every leaf of lists, tuples and dictionaries, None aside."""
    if structure is None:
        return None
    if isinstance(structure, dict):
        return {key: _map(value, function) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)([_map(value, function) for value in structure])
    return function(structure)


def _tensor(fetch: Any) -> Tensor:
    if not isinstance(fetch, Tensor):
        raise TypeError(f"Session.run computes tensors (or lists, tuples, dictionaries of them), got {fetch!r:.80}.")
    return fetch


_default = Session()


def get_session() -> Session:
    """The session for ``K.get_session().run(tensors, feed_dict={...})``; ``K.function`` does the same with less typing."""
    return _default


def set_session(session: Any) -> None:
    """Does nothing: scripts call it to configure TensorFlow's threads and memory."""


def get_graph() -> Graph:
    """A graph to enter and to leave; each tensor holds the nodes that it comes from."""
    return _default.graph
