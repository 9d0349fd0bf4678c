"""What layers of tf.keras have beyond those of Keras 2.3.1: how they are built and stored again, and other names."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import backend as K
from ..graph import StaticShape, nest
from ..utils.overriding import default


class LaterLayer:
    """The part of a Layer that only tf.keras has."""

    #: the shape of the inputs that the weights were made for
    _built_for: Any = None

    if TYPE_CHECKING:  # what a Layer has besides
        name: str
        name_scope: Any
        compute_dtype: Any
        add_weight: Callable
        build: Callable
        compute_output_shape: Callable
        _trainable_weights: list
        _non_trainable_weights: list

    def add_variable(self, *args: Any, **kwargs: Any) -> Any:
        """As :meth:`add_weight`, by the name that it had first."""
        return self.add_weight(*args, **kwargs)

    @classmethod
    def with_name_scope(cls, method: Callable) -> Callable:
        """Decorate a method: what it makes has the layer's name before its own."""

        @wraps(method)
        def scoped(self: LaterLayer, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return scoped

    def compute_output_signature(self, input_signature: Any) -> Any:
        """The specs (``tf.TensorSpec``) of the outputs for inputs of these specs, in any structure.

        The dtype is that of the output where the layer was called once, and else the layer's.

        Raises:
            TypeError: something in ``input_signature`` is not a spec.
        """
        specs = nest.flatten(input_signature)
        for spec in specs:
            if not (hasattr(spec, "shape") and hasattr(spec, "is_compatible_with")):
                raise TypeError(f"Only TensorSpec signature types are supported. Received: {spec!r:.100}.")
        shapes = nest.map_structure(lambda spec: StaticShape(spec.shape), input_signature)
        try:
            dtype = self.output.dtype  # type: ignore[attr-defined]
        except AttributeError:
            dtype = self.compute_dtype or specs[0].dtype
        make: Any = type(specs[0])
        shape = self.compute_output_shape(shapes)
        return [make(tuple(s), dtype) for s in shape] if isinstance(shape, list) else make(tuple(shape), dtype)

    # -- how the weights are made, stored and set in .keras files: a class may do it in its own way -------------------
    @default
    def get_build_config(self) -> dict | None:
        """What :meth:`build_from_config` needs to make the weights before a file's values are put into them."""
        return None if self._built_for is None else {"input_shape": _plain(self._built_for)}

    @default
    def build_from_config(self, config: dict) -> None:
        """Make the weights as :meth:`get_build_config` says."""
        if config["input_shape"] is not None:
            self.build(_shapes(config["input_shape"]))

    @default
    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put the values of the layer's own weights (not those of layers inside) into ``store``, a dict by name."""
        for i, value in enumerate(K.batch_get_value(self._own_variables())):
            store[str(i)] = value

    @default
    def load_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Set the layer's own weights to what :meth:`save_own_variables` has put into ``store``.

        Raises:
            ValueError: it has another number of values; nothing is changed then.
        """
        variables = self._own_variables()
        if len(store.keys()) != len(variables):
            raise ValueError(
                f"Layer '{self.name}' expected {len(variables)} variables, but received {len(store.keys())} variables during "
                f"loading. Expected: {[v.name for v in variables]}"
            )
        K.batch_set_value([(variable, np.asarray(store[str(i)])) for i, variable in enumerate(variables)])

    def _own_variables(self) -> list:
        return self._trainable_weights + self._non_trainable_weights

    def finalize_state(self) -> None:
        """Called after the weights were set or loaded; for what a subclass computes of them."""

    def _weights_were_set(self) -> None:
        self.finalize_state()


def _plain(shape: Any) -> Any:
    """A shape, or a structure of shapes, of tuples and numbers."""
    if isinstance(shape, dict):
        return {name: _plain(part) for name, part in shape.items()}
    if isinstance(shape, list):
        return [_plain(part) for part in shape]
    return tuple(_plain(d) if isinstance(d, (list, tuple)) else None if d is None else int(d) for d in shape)


def _shapes(config: Any) -> Any:
    """The reverse of :func:`_plain`, from JSON."""
    if isinstance(config, dict):
        return {name: _shapes(part) for name, part in config.items()}
    if any(isinstance(part, (list, tuple, dict)) for part in config):
        return [_shapes(part) for part in config]
    return StaticShape(config)
