"""What optimizers share: their arguments, gradients and clipping, making a step, configs. What they hold is in ``state.py``.

There are three ways to write one, and what a class defines says which: ``get_updates`` (Keras 2.3.1, and the optimizers here),
``_resource_apply_dense`` (tf.keras up to 2.10) and ``update_step`` (from 2.11 on). A step is made by :meth:`apply_gradients`
in all of them.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import backend as K
from .. import graph
from ..graph import NeedsValue, Tape, Trace, described, is_eager, symbolic
from ..legacy import interfaces
from ..utils.messages import argument_names, did_you_mean, warn_user
from . import schedules
from .generations import FIRST, generation
from .legacy_protocol import LegacyProtocol
from .state import OptimizerState
from .step_protocol import StepProtocol


def clip_norm(g: Any, c: float, n: Any) -> Any:
    """The gradient ``g``, scaled by c / n if the norm ``n`` exceeds ``c``; unchanged for c <= 0."""
    return g if c <= 0 else K.switch(K.greater_equal(n, c), g * (c / n), g)


#: by what a class defines, how it makes a step; the first that it or a base of it defines counts
_PROTOCOLS = {"update_step": "steps", "_resource_apply_dense": "legacy", "get_updates": "formulas"}
#: parts of a step that a class may replace, from gradients to assignments
_PARTS = (
    "minimize", "apply_gradients", "compute_gradients", "_compute_gradients", "_get_gradients", "_transform_loss",
    "_transform_unaggregated_gradients", "_aggregate_gradients", "_transform_gradients",
)  # fmt: skip
#: arguments of tf.keras that change nothing here
_WITHOUT_EFFECT = ("gradient_aggregator", "gradient_transformers", "is_legacy_optimizer", "mesh", "lr")


class Optimizer(OptimizerState, LegacyProtocol, StepProtocol):
    """Base class. Subclasses define ``get_updates(loss, params)``, ``update_step(gradient, variable)`` beside ``build``, or
    ``_resource_apply_dense(grad, var)`` beside ``_create_slots``.

    Args:
        name: what its variables' names begin with.
        weight_decay: in each step parameters lose this part of themselves, times the learning rate.
        clipnorm: gradients are scaled down to at most this L2 norm: in tf.keras each one for itself, in Keras 2.3.1 all together.
        clipvalue: each entry of a gradient is limited to [-clipvalue, clipvalue].
        global_clipnorm: gradients are scaled down together to at most this L2 norm.
        use_ema: whether to keep an exponential moving average of the parameters, which ``fit`` sets them to at its end.
        ema_momentum: weight of the past in that average.
        ema_overwrite_frequency: after how many steps, each time, the parameters are set to their averages; None is never.
        jit_compile: accepted; every step is compiled.
        clip_each: whether ``clipnorm`` is for each gradient by itself.

    Attributes:
        weights: the optimizer's state, ``iterations`` first; known after the first step, or ``build``.
        params: what that is the state of.
    """

    clipnorm: float | None = None
    clipvalue: float | None = None
    global_clipnorm: float | None = None

    _protocol = "formulas"
    _begins_anew = True  #: whether each call of ``get_updates`` makes state of its own
    #: whether a step asks for values, so that steps are not traced; None where that is not known
    _looks_at_values: bool | None = None

    def __init__(
        self,
        name: str | None = None,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        jit_compile: bool = True,
        **kwargs: Any,
    ) -> None:
        self.name = self._name = name or type(self).__name__
        self.weight_decay = weight_decay
        if clipnorm is not None and global_clipnorm is not None:
            raise ValueError(
                f"At most one of `clipnorm` and `global_clipnorm` can be set, got {clipnorm} and {global_clipnorm}."
            )
        first = self._protocol == "formulas" and generation(self) == FIRST
        clip_each = kwargs.pop("clip_each", None)
        self.clip_each = not first if clip_each is None else bool(clip_each)
        if not self.clip_each:  # one norm of all gradients is limited by what has either name
            clipnorm, global_clipnorm = None, clipnorm if global_clipnorm is None else global_clipnorm
            if first:
                clipnorm, global_clipnorm = global_clipnorm, None
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        if use_ema and not 0 <= ema_momentum <= 1:
            raise ValueError(f"`ema_momentum` must be in the range [0, 1], got {ema_momentum}.")
        self.use_ema, self.ema_momentum, self.ema_overwrite_frequency = use_ema, ema_momentum, ema_overwrite_frequency
        self.jit_compile = False
        self._initial_decay = kwargs.pop("decay", 0.0)
        for argument in kwargs:
            if argument not in _WITHOUT_EFFECT:
                known = [*argument_names(type(self).__init__), "clipnorm", "clipvalue", "decay", "epsilon"]
                known = [other for other in known if other != argument]  # a subclass may take it, and hand it on
                raise TypeError(
                    f"Unexpected keyword argument passed to optimizer: {argument}.{did_you_mean(argument, known)}"
                )
        self.updates: list = []
        self.params: list = []
        self._weights: list = []
        self._hyper: dict[str, Any] = {}
        self._slots: dict[str, dict] = {}  # the state of parameters, by its name
        self._functions: dict[tuple, graph.Function] = {}  # steps of eager tensors by ``get_updates``

    @property
    def makes_steps_by_formulas(self) -> bool:
        """Whether a step is what ``get_updates`` says, as in Keras 2.3.1."""
        return self._protocol == "formulas"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._protocol = next(p for base in cls.__mro__ for hook, p in _PROTOCOLS.items() if hook in vars(base))

    # -- formulas: updates, for K.function or Session.run ---------------------------------------------
    @interfaces.legacy_get_updates_support
    def get_updates(self, loss: Any, params: Sequence[Any]) -> list:
        """The updates of one step."""
        if self._protocol == "formulas":
            raise NotImplementedError
        return self._traced_updates(loss, params)

    def training_updates(self, loss: Any, params: Sequence[Any]) -> list:
        """The updates of a step of ``fit``, which a class may have replaced in part."""
        return self.get_updates(loss=loss, params=params) if self._is_plain() else self._traced_updates(loss, params)

    def _is_plain(self) -> bool:
        """Whether a step is made of formulas, by no class that replaces a part of it."""
        return self._protocol == "formulas" and not any(
            getattr(type(self), part) is not getattr(Optimizer, part) for part in _PARTS
        )

    def looks_at_values(self, params: Sequence[Any]) -> bool:
        """Whether a step asks for values of tensors, by an ``if`` or the like, so that it cannot be traced for ``fit``."""
        if self._looks_at_values is None and params and not self._is_plain():
            try:
                with symbolic(), Trace().open():
                    self.apply_gradients([(K.placeholder(K.int_shape(p), dtype=K.dtype(p)), p) for p in params])
                self._looks_at_values = False
            except NeedsValue:
                self._looks_at_values = True
        return bool(self._looks_at_values)

    def _traced_updates(self, loss: Any, params: Sequence[Any]) -> list:
        trace = Trace()
        with trace.open():
            self.minimize(loss, params, tape=_OfFormulas())
        return trace.updates

    def get_gradients(self, loss: Any, params: Sequence[Any]) -> list:
        """Gradients of the loss, limited by the optimizer's clipping arguments.

        Raises:
            ValueError: the loss does not depend on a parameter by differentiable ops.
        """
        grads: list[Any] = K.gradients(loss, list(params))
        missing = [p.name for p, g in zip(params, grads) if g is None]
        if missing:
            raise ValueError(
                "An operation has `None` for gradient. Please make sure that all of your ops have a gradient defined "
                "(i.e. are differentiable). Common ops without gradient: K.argmax, K.round, K.eval. "
                f"The loss does not depend on: {', '.join(missing)}"
            )
        return self._clipped(grads)

    def _clipped(self, grads: list) -> list:
        clipnorm, clipvalue = self.clipnorm or 0, self.clipvalue or 0
        if clipnorm > 0 and self.clip_each:
            grads = [clip_norm(g, clipnorm, K.sqrt(K.sum(K.square(g)))) for g in grads]
        together = self.global_clipnorm or (0 if self.clip_each else clipnorm)
        if together > 0 and grads:
            norm = K.sqrt(functools.reduce(operator.add, [K.sum(K.square(g)) for g in grads]))
            grads = [clip_norm(g, together, norm) for g in grads]
        if clipvalue > 0:
            grads = [K.clip(g, -clipvalue, clipvalue) for g in grads]
        return grads

    # -- a step, along gradients that were computed -----------------------------------------------------
    def compute_gradients(self, loss: Any, var_list: Any, tape: Any = None) -> list[tuple]:
        """Pairs of gradients and the variables they belong to.

        Args:
            loss: a tensor, or where tensors are eager a function that gives one.
            tape: the tape on which an eager ``loss`` was computed.
        """
        if tape is None and not is_eager():
            return list(zip(self.get_gradients(loss, var_list), var_list))
        if callable(loss):
            tape = Tape() if tape is None else tape
            with tape.recording():
                loss = loss()
        elif tape is None:
            raise ValueError("`tape` is required when a `Tensor` loss is passed: minimize(loss, variables, tape=tape).")
        loss = self._transform_loss(loss)
        return self._get_gradients(tape, loss, list(var_list() if callable(var_list) else var_list))

    def _compute_gradients(self, loss: Any, var_list: Any, grad_loss: Any = None, tape: Any = None) -> list[tuple]:
        return self.compute_gradients(loss, var_list, tape=tape)

    def _get_gradients(self, tape: Any, loss: Any, var_list: Sequence[Any], grad_loss: Any = None) -> list[tuple]:
        found = tape.gradient(loss, var_list) if hasattr(tape, "gradient") else tape.gradients([loss], var_list)
        return list(zip(found, var_list))

    def minimize(
        self, loss: Any, var_list: Any, global_step: Any = None, name: Any = None, tape: Any = None, **options: Any
    ) -> Any:
        """One step that makes the loss smaller; arguments as for :meth:`compute_gradients`."""
        tape = global_step if isinstance(global_step, Tape) else tape
        if tape is None and not is_eager():
            return self.apply_gradients(self.compute_gradients(loss, var_list), global_step)
        return self.apply_gradients(self._compute_gradients(loss, var_list, tape=tape))

    def apply_gradients(
        self, grads_and_vars: Iterable[tuple], global_step: Any = None, name: Any = None, **options: Any
    ) -> Any:
        """One step along these gradients; pairs whose gradient is None are left out.

        Returns:
            The updates of the step; where tensors are eager they are made, and the counter is returned.

        Raises:
            ValueError: there is no gradient.
        """
        given = list(grads_and_vars)
        if not given:
            return self.iterations
        pairs = self._with_gradient(given)
        step = functools.partial(self._apply, pairs, [variable for _, variable in given])
        if graph.is_tracing() or (is_eager() and self._looks_at_values):
            step()
        elif is_eager() and self._protocol == "formulas" and self._begins_anew:
            self._run_formulas(pairs)
        elif is_eager() and self._protocol == "formulas":
            step()
        elif is_eager():
            self._trace_and_assign(step)
        else:
            updates = self._updates_of(step, pairs)
            counts = global_step is not None and not isinstance(global_step, str)
            return [*updates, K.update_add(global_step, 1)] if counts else updates
        return self.iterations

    def _with_gradient(self, given: list[tuple]) -> list[tuple]:
        pairs = [(gradient, variable) for gradient, variable in given if gradient is not None]
        if not pairs:
            names = ", ".join(variable.name for _, variable in given)
            raise ValueError(f"No gradients provided for any variable: {names[:300]}.")
        missing = [variable.name for gradient, variable in given if gradient is None]
        if missing and generation() != FIRST and missing != self.__dict__.get("_named_missing"):
            self._named_missing = missing
            warn_user(f"Gradients do not exist for variables {', '.join(missing)[:300]} when minimizing the loss.")
        return pairs

    def _trace_and_assign(self, step: Any) -> None:
        """Make a step of eager tensors in the program that computes its gradients."""
        trace = Trace()
        try:
            with trace.open():
                step()
        except NeedsValue:  # it looks at values, and is made op by op
            self._looks_at_values = True
            self.take_awaited()
            step()
        else:
            self.take_awaited()
            graph.assign(trace.updates)

    def _run_formulas(self, pairs: list[tuple]) -> None:
        """Make a step by a function of the gradients, which has the state that ``get_updates`` made."""
        variables = [variable for _, variable in pairs]
        key = tuple(map(id, variables))
        if key not in self._functions:
            with symbolic():
                fed = [K.placeholder(K.int_shape(v), dtype=K.dtype(v)) for v in variables]
                self._functions[key] = graph.Function(fed, [], self._updates_along(self._clipped(fed), variables))
        self._functions[key]([np.asarray(gradient) for gradient, _ in pairs])

    def _updates_of(self, step: Any, pairs: list[tuple]) -> list:
        if self._protocol == "formulas":
            return self._updates_along([g for g, _ in pairs], [v for _, v in pairs])
        trace = Trace()
        with trace.open():
            step()
        return trace.updates

    def _apply(self, pairs: list[tuple], variables: list) -> None:
        """Make a step by what the class defines."""
        self.params = [variable for _, variable in pairs]
        if self._protocol == "legacy":
            self._apply_by_variable(pairs)
        elif self._protocol == "steps":
            self._apply_by_steps(variables, pairs)
        else:
            with described():
                updates = self._updates_along(self._clipped([g for g, _ in pairs]), [v for _, v in pairs])
            graph.assign(updates)

    def _updates_along(self, gradients: list, variables: list) -> list:
        """What ``get_updates`` makes of gradients that were computed."""
        with self._given(gradients):
            updates = self.get_updates(loss=None, params=variables)
        self.take_awaited()
        return updates

    @contextmanager
    def _given(self, gradients: list) -> Iterator[None]:
        own = self.__dict__.get("get_gradients")
        self.__dict__["get_gradients"] = lambda loss, params: gradients
        try:
            yield
        finally:
            del self.__dict__["get_gradients"]
            if own is not None:
                self.__dict__["get_gradients"] = own

    # -- configs --------------------------------------------------------------------------------------
    def get_config(self) -> dict:
        clipping = {
            n: getattr(self, n) for n in ("clipnorm", "clipvalue", "global_clipnorm") if getattr(self, n) is not None
        }
        if self._protocol == "legacy":
            return {"name": self.name, **clipping}
        if self._protocol == "steps":
            return self._later_config()
        return {**clipping, "clip_each": True} if self.clip_each and self.clipnorm is not None else clipping

    def _later_config(self) -> dict:
        """What a config has since 2.11."""
        names = (
            "name", "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum",
            "ema_overwrite_frequency", "jit_compile",
        )  # fmt: skip
        each = {"clip_each": True} if self.clip_each and self.clipnorm is not None else {}
        return {**{name: getattr(self, name) for name in names}, "is_legacy_optimizer": False, **each}

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Optimizer:
        rate = config.get("learning_rate")
        if isinstance(rate, dict):
            config = {**config, "learning_rate": schedules.deserialize(rate, custom_objects)}
        return cls(**config)


class _OfFormulas:
    """Stands where a tape does for a loss that is a formula."""

    @contextmanager
    def recording(self) -> Iterator[None]:
        yield

    def __enter__(self) -> _OfFormulas:
        return self

    def __exit__(self, *error: Any) -> None: ...

    def watch(self, tensor: Any) -> None: ...

    def gradient(self, target: Any, sources: Any, output_gradients: Any = None, **options: Any) -> list:
        with described():
            return K.gradients(target, list(sources))
