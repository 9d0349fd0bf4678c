"""Symbolic tensors: what layers, losses and users' formulas are made of.

A :class:`Tensor` names one output of an :class:`Operation`, a node of the graph: one op applied to tensors. There is no
global graph: nodes are kept alive by the tensors that need them, so a dropped model is freed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..settings import settings
from . import building
from .context import context
from .dtypes import DTYPES, array_dtype
from .integers import as_integer
from .naming import current_scope
from .static_shape import StaticShape
from .tensorflow_names import name_of

_counts: dict[str, Iterator[int]] = {}
_unknown_dims = itertools.count(-2, -1)
_serials = itertools.count()


def next_serial() -> int:
    """A number larger than the serial of every node made so far."""
    return next(_serials)


def unique_name(prefix: str) -> str:
    """Return ``prefix``, ``prefix_1``, ... : a readable name, unique in this process."""
    n = next(_counts.setdefault(prefix, itertools.count()))
    return f"{prefix}_{n}" if n else prefix


def known_dims(dims: Sequence[int | None]) -> tuple[int, ...]:
    """Give each anonymous unknown dim (None or -1) a negative number of its own."""
    if None in dims or -1 in dims:
        dims = [next(_unknown_dims) if d is None or d == -1 else d for d in dims]
    return tuple(dims)  # type: ignore[arg-type]


class Operation:
    """A node of the graph: one op applied to inputs.

    Attributes:
        op: name of the op, as in ``docs/ops.md``, or one of the graph's own leaves and markers
            (``placeholder``, ``constant``, ``variable``, ``assign``, ``learning_phase``, ``phase_switch``). ``scan`` and
            ``cond`` have an attribute ``bodies`` (``graph/body.py``).
        inputs: tuple of tensors, with ``None`` for an optional input that was not given.
        attrs: dict of plain Python attributes.
        outputs: tuple of tensors.
        gradient: what gives its gradient in place of the op's own rule, given the node and a cotangent for each output
            (``graph/registered_gradients.py``); None for nearly all.
        label: the scope it was made in, usually a layer's name.
        serial: grows from node to node.
    """

    __slots__ = ("__weakref__", "_name", "attrs", "gradient", "inputs", "label", "op", "outputs", "serial")

    def __init__(self, op: str, inputs: tuple, attrs: dict) -> None:
        building.take()
        self.op = op
        self.inputs = inputs
        self.attrs = attrs
        self.outputs: tuple[Tensor, ...] = ()
        self.gradient = context.overrides.get(op)
        self.label = current_scope()
        self.serial = next(_serials)
        self._name: str | None = None

    @property
    def name(self) -> str:
        """``dense_1/relu``: what its outputs are called, without their index. Made on first use."""
        if self._name is None:
            given = self.outputs[0]._name if self.outputs else None
            scoped = f"{self.label}/{self.op}" if self.label else self.op
            self._name = unique_name(scoped) if given is None else given.removesuffix(":0")
        return self._name

    @property
    def type(self) -> str:
        """What TensorFlow calls the op."""
        return name_of(self.op)

    def __repr__(self) -> str:
        return f"<Operation {self.op}>"


class NeedsValue(TypeError):
    """Python asks for the value of something that is a formula."""


class _Shape:
    """``shape`` of a tensor, made of its dims when it is first asked for; nobody asks most tensors of a training step."""

    def __get__(self, tensor: Tensor | None, owner: type) -> Any:
        if tensor is None:
            return self
        shape = tensor.__dict__["shape"] = StaticShape([d if d >= 0 else None for d in tensor.dims])
        return shape


class _KerasShape:
    """``_keras_shape`` of a tensor on which no layer noted one: its static shape, as a tuple."""

    def __get__(self, tensor: Tensor | None, owner: type) -> Any:
        return self if tensor is None else tuple(tensor.shape)


class _NoLength:
    """``__len__`` of a tensor: not there for ``hasattr``, by which code tells tensors from lists; len() says what to use."""

    class Missing(AttributeError, NeedsValue):
        """What ``hasattr`` takes for an absent attribute, and callers of len() for the TypeError it gives."""

    def __get__(self, tensor: Tensor | None, owner: type) -> Any:
        if tensor is None:
            return self
        if tensor.is_eager and tensor.shape:
            return lambda: int(tensor.shape[0])
        raise self.Missing(f"len() of symbolic {tensor!r}: use K.int_shape(x)[0] or K.shape(x)[0].")


class Tensor:
    """A symbolic value with a dtype and a shape, in which ``None`` stands for a dim known only when run.

    Identity decides ``==`` and ``hash``, because Keras code keeps tensors in sets and dicts. Arithmetic
    operators broadcast as NumPy does; numbers and arrays take the tensor's dtype, and two tensors of
    different dtypes raise ``TypeError``. A tensor that depends on no placeholder can be evaluated with
    ``.numpy()``, ``np.asarray(t)`` or ``float(t)``.
    """

    shape: Any = _Shape()
    # What layers note on tensors, in Keras's names. The first is absent until a layer sets it.
    _keras_history: tuple[Any, int, int]  #: layer, index of its node, index among the node's outputs
    _keras_shape: Any = _KerasShape()
    _keras_mask: Any = None
    _uses_learning_phase = False
    _is_absent = False  #: zeros that stand for a gradient that is not there
    _is_metric = False
    _concrete = False  #: made by a layer from values alone: part of no model
    _known = False  #: depends on no placeholder; noted where tensors are eager, and of constants and variables
    _recorded = False  #: an eager tensor whose value was not computed yet (graph/recorder.py)
    _runs: Any  #: counts how often a random formula was evaluated on demand, from the first time on

    def __init__(
        self,
        node: Operation,
        index: int,
        dtype: str,
        dims: Sequence[int | None],
        name: str | None = None,
        ints: tuple[int | tuple[int] | None, ...] | None = None,
    ) -> None:
        self.op = node
        self.index = index
        self.dtype = DTYPES[dtype]
        #: the shape with a negative number for each unknown dim; equal numbers are surely the same dim
        self.dims = known_dims(dims)
        self._name = name
        #: what is known while building of each integer (of ``K.shape(x)`` and what is computed from it): the integer,
        #: ``(dim,)`` where it is the size of that unknown dim, None where nothing is
        self.ints = ints

    @property
    def name(self) -> str:
        """A name for people, made on first use: ``dense_1/relu:0``, from the scope, the op and the output's index."""
        if self._name is None:
            self._name = f"{self.op.name}:{self.index}"
        return self._name

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def get_shape(self) -> StaticShape:
        """The static shape; kept because Keras 2 code calls it on TensorFlow tensors."""
        return self.shape

    def set_shape(self, shape: Sequence[int | None]) -> None:
        """Say what is known of the shape beyond what was inferred: what is built from here on counts on it.

        Raises:
            ValueError: the rank or a known dim is another.
        """
        if len(shape) != self.ndim or any(None not in (d, new) and d != new for d, new in zip(self.shape, shape)):
            raise ValueError(f"set_shape({shape}): {self!r} has another shape.")
        if any(new is not None and as_integer(new) < 0 for new in shape):
            raise ValueError(f"set_shape({shape}): a dimension cannot be negative.")
        self.dims = tuple([d if new is None else int(new) for d, new in zip(self.dims, shape)])
        self.__dict__.pop("shape", None)

    device = "/job:localhost/replica:0/task:0/device:CPU:0"  #: as TensorFlow names the one there is

    def ref(self) -> Reference:
        """What stands for this very tensor in sets and as a key; its ``deref()`` is the tensor."""
        return Reference(self)

    experimental_ref = ref

    def __repr__(self) -> str:
        if self.is_eager:
            value = self.numpy()
            shown = repr(value) if self.shape else str(value)
            return f"<tf.Tensor: shape={tuple(self.shape)}, dtype={self.dtype}, numpy={shown}>"
        return f"<hornbeam.Tensor {self.name!r} shape={self.shape} dtype={self.dtype}>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.numpy(), dtype=dtype)

    def __float__(self) -> float:
        return float(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __reduce__(self) -> Any:
        """An eager tensor is copied and pickled by its value."""
        if self.is_eager:
            return known_constant, (np.asarray(self.numpy()),)
        return super().__reduce__()

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> Any:
        if settings.recorder is not None and settings.recorder.compares(self, other):
            return self.equals(other)
        return self is other

    def __ne__(self, other: object) -> Any:
        equal = self == other
        return ~equal if isinstance(equal, Tensor) else not equal

    def __str__(self) -> str:
        if self.is_eager:
            return f"tf.Tensor({self.numpy()}, shape={tuple(self.shape)}, dtype={self.dtype})"
        return repr(self)

    def __index__(self) -> int:
        if self.is_eager and not self.shape and self.dtype.is_integer:
            return int(self.numpy())
        raise NeedsValue(f"{self!r} is not an integer that is known while building.")

    def __format__(self, spec: str) -> str:
        return format(self.numpy() if self.is_eager else str(self), spec)

    @property
    def is_eager(self) -> bool:
        """Whether this is a value to look at, as everything is that a script for TensorFlow 2 computes of values."""
        recorder = settings.recorder
        return recorder is not None and self._known and recorder.records

    def __bool__(self) -> bool:
        if self.is_eager:
            return bool(self.numpy())
        raise NeedsValue(
            f"{self!r} has no truth value: it is a formula, not a number. Use K.switch to choose by its "
            "value, or K.eval(x) if it depends on no placeholder."
        )

    __len__ = _NoLength()

    def __iter__(self):
        if self.is_eager and self.shape:
            return iter([self[i] for i in range(self.shape[0])])
        raise NeedsValue(f"cannot iterate over symbolic {self!r}: take x[0], x[1], ..., or use K.map_fn.")

    def __pos__(self) -> Tensor:
        return self

    if TYPE_CHECKING:  # graph/operators.py adds these

        def numpy(self) -> Any: ...
        def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any: ...
        def equals(self, other: Any) -> Tensor: ...
        def eval(self, feed_dict: dict | None = None, session: Any = None) -> Any: ...
        def __getitem__(self, key: Any) -> Tensor: ...
        def _unary(self) -> Tensor: ...
        def _binary(self, other: Any) -> Tensor: ...

        __neg__ = __abs__ = __invert__ = _unary
        __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __and__ = __or__ = _binary
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __rand__ = __ror__ = (
            _binary
        )
        __matmul__ = __rmatmul__ = __lt__ = __le__ = __gt__ = __ge__ = _binary


class Reference:
    """A tensor, compared by identity."""

    __slots__ = ("_tensor",)

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor

    def deref(self) -> Tensor:
        return self._tensor

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self._tensor is other._tensor

    def __hash__(self) -> int:
        return id(self._tensor)


def marker(op: str, inputs: Sequence[Tensor], dtype: str, dims: Sequence[int | None], **attrs: Any) -> Tensor:
    """Make a node that is not an op of the core: a leaf, or something a Function resolves when it is built."""
    node = Operation(op, tuple(inputs), attrs)
    node.outputs = (Tensor(node, 0, dtype, dims),)
    return node.outputs[0]


def known_constant(value: np.ndarray) -> Tensor:
    """An array of numbers as it is: an eager tensor where tensors are eager."""
    tensor = marker("constant", (), array_dtype(value.dtype), value.shape, value=value)
    tensor._known = True
    return tensor
