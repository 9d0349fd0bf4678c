"""Optimizers as users wrote them for tf.keras up to 2.10, by ``_resource_apply_dense``.

A step creates the slots, prepares what all variables have in common, and then updates one variable after the other; what is
assigned counts for what is read later in the same step. Gradients are dense here, so ``_resource_apply_sparse`` is never called.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import backend as K
from .. import graph, initializers
from ..graph import Tensor, Variable
from ..utils.messages import argument_names
from . import schedules


class LegacyProtocol:
    """What such a class finds in its base: hyperparameters, slots, and the parts of a step that it may replace."""

    if TYPE_CHECKING:
        name: str
        iterations: Any
        _weights: list
        _hyper: dict[str, Any]
        _slots: dict[str, dict]
        _initial_decay: float
        _clipped: Callable
        _listed: Callable
        _learning_rate: Any

    _use_locking = False

    # -- hyperparameters ----------------------------------------------------------------------------
    def _set_hyper(self, name: str, value: Any) -> None:
        """Set a hyperparameter: a number, which becomes a variable when it is first read, a schedule, or a function."""
        known = self._hyper.get(name)
        if isinstance(known, Variable) and not callable(value) and not isinstance(value, Variable):
            put(known, value)
        else:
            self._hyper[name] = value
            self.__dict__.pop(name, None)  # from here on, the attribute is the hyperparameter

    def _get_hyper(self, name: str, dtype: Any = None) -> Any:
        """A hyperparameter's variable, what its function gives, or its schedule; of ``dtype`` if that is given."""
        value = self._hyper[name] if name in self._hyper else getattr(self, name)
        if isinstance(value, schedules.LearningRateSchedule):
            return value
        if not isinstance(value, Tensor):
            if callable(value):
                value = value()
            elif name in self._hyper:
                kind = "float32" if name == "learning_rate" else graph.constant(value).dtype
                value = self._hyper[name] = self.add_weight(name, (), kind, value)
        return value if dtype is None else K.cast(value, str(dtype))

    def _create_hypers(self) -> None:
        for name in sorted(self._hyper):
            self._get_hyper(name)

    def _decayed_lr(self, var_dtype: Any) -> Any:
        """The learning rate of this step."""
        rate = self._get_hyper("learning_rate") if "learning_rate" in self._hyper else self._learning_rate
        step = K.cast(self.iterations, str(var_dtype))
        if isinstance(rate, schedules.LearningRateSchedule):
            rate = rate(step)
        rate = K.cast(rate, str(var_dtype))
        decay = self._initial_decay
        return rate / (1.0 + decay * step) if decay > 0.0 else rate

    # -- state --------------------------------------------------------------------------------------
    def _track_trackable(self, trackable: Any, name: str, overwrite: bool = False) -> None:
        """Note a part of the optimizer for checkpoints, which hold its weights here."""

    def add_weight(
        self, name: str, shape: Any = (), dtype: Any = None, initializer: Any = "zeros", trainable: Any = None,
        **placement: Any,
    ) -> Variable:  # fmt: skip
        """A variable that is not part of the optimizer's weights unless it is put there."""
        dtype = str(dtype or "float32")
        return K.variable(initial_value(initializer, tuple(shape), dtype), dtype, f"{self.name}/{name}")

    def add_slot(self, var: Any, slot_name: str, initializer: Any = "zeros", shape: Any = None) -> Variable:
        """The state of ``var`` under a name, made where it is not there yet.

        Args:
            initializer: an initializer or its name, or the first value: an array or a tensor.
        """
        slots = self._slots.setdefault(slot_name, {})
        if var not in slots:
            dtype = K.dtype(var)
            value = initial_value(initializer, K.int_shape(var) if shape is None else tuple(shape), dtype)
            slots[var] = self._listed(K.variable(value, dtype, f"{var._shared_name}/{slot_name}"))
        return slots[var]

    def get_slot(self, var: Any, slot_name: str) -> Any:
        return self._slots[slot_name][var]

    def get_slot_names(self) -> list[str]:
        return list(self._slots)

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        """Subclasses call :meth:`add_slot` here."""

    def _create_all_weights(self, var_list: Sequence[Any]) -> None:
        _ = self.iterations
        self._create_hypers()
        self._create_slots(var_list)

    # -- a step -------------------------------------------------------------------------------------
    def _prepare(self, var_list: Sequence[Any]) -> dict:
        """What :meth:`_prepare_local` computes for all variables of a dtype, by (device, dtype)."""
        state: dict = {}
        for key in dict.fromkeys((var.device, var.dtype.base_dtype) for var in var_list):
            state[key] = {}
            self._prepare_local(*key, state)
        return state

    def _prepare_local(self, var_device: str, var_dtype: Any, apply_state: dict) -> None:
        if "learning_rate" in self._hyper or hasattr(self, "_learning_rate"):
            apply_state[(var_device, var_dtype)]["lr_t"] = self._decayed_lr(var_dtype)

    def _fallback_apply_state(self, var_device: str, var_dtype: Any) -> dict:
        state: dict = {(var_device, var_dtype): {}}
        self._prepare_local(var_device, var_dtype, state)
        return state[(var_device, var_dtype)]

    def _transform_loss(self, loss: Any) -> Any:
        return loss

    def _transform_unaggregated_gradients(self, grads_and_vars: list) -> list:
        return grads_and_vars

    def _aggregate_gradients(self, grads_and_vars: list) -> list:
        return grads_and_vars

    def _transform_gradients(self, grads_and_vars: list) -> list:
        """The gradients, limited by the optimizer's clipping arguments."""
        gradients, variables = zip(*grads_and_vars)
        return list(zip(self._clipped(list(gradients)), variables))

    def _resource_apply_dense(self, grad: Any, var: Any, apply_state: dict | None = None) -> Any:
        """Subclasses update one variable here."""
        raise NotImplementedError(f"{type(self).__name__} defines no `_resource_apply_dense`.")

    @property
    def _dense_apply_args(self) -> list[str]:
        return argument_names(self._resource_apply_dense)

    @property
    def _sparse_apply_args(self) -> list[str]:
        return argument_names(self._resource_apply_sparse)

    def _resource_apply_sparse(self, grad: Any, var: Any, indices: Any, apply_state: dict | None = None) -> Any:
        raise NotImplementedError("Gradients are dense: `_resource_apply_dense` is called for all variables.")

    def _resource_scatter_add(self, x: Any, i: Any, v: Any) -> Any:
        """Add rows ``v`` to the rows ``i`` of a variable."""
        return x.assign_add(graph.apply("scatter_add", [i, v, graph.shape_of(x)]))

    def _apply_by_variable(self, pairs: list) -> None:
        """One step along pairs of gradients and variables."""
        self._create_all_weights([variable for _, variable in pairs])
        state = self._prepare([variable for _, variable in pairs])
        pairs = self._transform_gradients(self._aggregate_gradients(self._transform_unaggregated_gradients(pairs)))
        more = {"apply_state": state} if "apply_state" in self._dense_apply_args else {}
        for gradient, variable in pairs:
            self._resource_apply_dense(gradient, variable, **more)
            if getattr(variable, "constraint", None) is not None:
                variable.assign(variable.constraint(variable))
        self.iterations.assign_add(1)


def put(variable: Variable, value: Any) -> None:
    """Set a variable now, or while a function is traced whenever that runs."""
    if graph.is_eager():
        variable.assign(value)
    else:
        variable.set_value(value)


def initial_value(initializer: Any, shape: tuple, dtype: str) -> np.ndarray:
    """The first value of a variable, from an initializer, its name, or the value itself."""
    if isinstance(initializer, Tensor):
        return np.asarray(initializer.numpy())
    if not isinstance(initializer, (str, dict)) and not callable(initializer):
        return np.broadcast_to(np.asarray(initializer, dtype), shape)
    made = initializers.get(initializer)
    if isinstance(made, type):
        made = made()
    with graph.symbolic():
        return np.asarray(K.eval(made(shape, dtype=dtype)))
