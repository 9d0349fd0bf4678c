"""Symbolic tensors: what layers, losses and users' formulas are made of.

A :class:`Tensor` names one output of a :class:`Node`; a node is one op applied to tensors. There is no
global graph: nodes are kept alive by the tensors that need them, so a dropped model is freed.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .naming import current_scope

_counts: dict[str, int] = {}
_unknown_dims = itertools.count(-2, -1)


def unique_name(prefix: str) -> str:
    """Return ``prefix``, ``prefix_1``, ... : a readable name, unique in this process."""
    n = _counts.get(prefix, 0)
    _counts[prefix] = n + 1
    return f"{prefix}_{n}" if n else prefix


def known_dims(dims: Sequence[int | None]) -> tuple[int, ...]:
    """Give each anonymous unknown dim (None or -1) a negative number of its own."""
    return tuple([next(_unknown_dims) if d is None or d == -1 else d for d in dims])


class Node:
    """One op applied to inputs.

    Attributes:
        op: name of the op, as in ``docs/ops.md``, or one of the graph's own leaves and markers
            (``placeholder``, ``constant``, ``variable``, ``assign``, ``learning_phase``, ``phase_switch``).
        inputs: tuple of tensors, with ``None`` for an optional input that was not given.
        attrs: dict of plain Python attributes.
        outputs: tuple of tensors.
        label: the scope it was made in, usually a layer's name.
    """

    __slots__ = ("__weakref__", "attrs", "inputs", "label", "op", "outputs")

    def __init__(self, op: str, inputs: tuple, attrs: dict) -> None:
        self.op = op
        self.inputs = inputs
        self.attrs = attrs
        self.outputs: tuple[Tensor, ...] = ()
        self.label = current_scope()

    def __repr__(self) -> str:
        return f"<Node {self.op}>"


class Tensor:
    """A symbolic value with a dtype and a shape, in which ``None`` stands for a dim known only when run.

    Identity decides ``==`` and ``hash``, because Keras code keeps tensors in sets and dicts. Arithmetic
    operators broadcast as NumPy does; numbers and arrays take the tensor's dtype, and two tensors of
    different dtypes raise ``TypeError``. A tensor that depends on no placeholder can be evaluated with
    ``.numpy()``, ``np.asarray(t)`` or ``float(t)``.
    """

    __array_ufunc__ = None  # so that ndarray + Tensor comes here

    if TYPE_CHECKING:
        # Keras's own metadata, set by layers where there is any.
        _keras_shape: Any
        _keras_history: Any
        _keras_mask: Any
        _uses_learning_phase: bool
        _concrete: bool

        # _install_operators makes these.
        def __add__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...

        __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __add__
        __pow__ = __rpow__ = __floordiv__ = __mod__ = __matmul__ = __lt__ = __le__ = __gt__ = __ge__ = __add__

    def __init__(
        self,
        node: Node,
        index: int,
        dtype: str,
        dims: Sequence[int | None],
        name: str | None = None,
        ints: tuple[int | None, ...] | None = None,
    ) -> None:
        self.op = node
        self.index = index
        self.dtype = dtype
        #: the shape with a negative number for each unknown dim; equal numbers are surely the same dim
        self.dims = known_dims(dims)
        self.shape: tuple[int | None, ...] = tuple([d if d >= 0 else None for d in self.dims])
        self._name = name
        #: integer values known while building (``K.shape(x)`` and what is computed from it), None where not; a number
        #: below -2**62 stands for an unknown dim of a certain identity (csrc/ops/op.h)
        self.ints = ints

    @property
    def name(self) -> str:
        """A name for people, made on first use."""
        if self._name is None:
            self._name = unique_name(self.op.op)
        return self._name

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def get_shape(self) -> tuple[int | None, ...]:
        """The static shape; kept because Keras 2 code calls it on TensorFlow tensors."""
        return self.shape

    def __repr__(self) -> str:
        return f"<hornbeam.Tensor {self.name!r} shape={self.shape} dtype={self.dtype}>"

    # -- evaluation -----------------------------------------------------------------------------
    def numpy(self) -> np.ndarray:
        """Compute and return the value.

        Raises:
            TypeError: the tensor depends on a placeholder; use ``K.function`` or ``model.predict``.
        """
        from .evaluate import evaluate

        return evaluate(self)

    def eval(self) -> np.ndarray:
        return self.numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        value = self.numpy()
        return value if dtype is None else value.astype(dtype)

    def __float__(self) -> float:
        return float(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __pos__(self) -> Tensor:
        return self

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self!r} has no truth value: it is a formula, not a number. Use K.switch to choose by its "
            "value, or K.eval(x) if it depends on no placeholder."
        )

    def __len__(self) -> int:
        raise TypeError(f"len() of symbolic {self!r}: use K.int_shape(x)[0] or K.shape(x)[0].")

    def __iter__(self):
        raise TypeError(f"cannot iterate over symbolic {self!r}: use K.unstack-like slicing x[i] or K.map_fn.")

    # -- operators (the functions live in ops.py) -------------------------------------------------
    def _binary(self, op: str, other: Any, swap: bool = False) -> Tensor:
        from .ops import binary

        return binary(op, other, self) if swap else binary(op, self, other)

    def _unary(self, op: str) -> Tensor:
        from .ops import apply

        return apply(op, [self])

    def __getitem__(self, key: Any) -> Tensor:
        from .indexing import getitem

        return getitem(self, key)


def _install_operators() -> None:
    binary = {
        "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floor_div", "mod": "mod",
        "pow": "pow", "and": "logical_and", "or": "logical_or",
    }  # fmt: skip
    for python, op in binary.items():
        setattr(Tensor, f"__{python}__", lambda self, other, op=op: self._binary(op, other))
        setattr(Tensor, f"__r{python}__", lambda self, other, op=op: self._binary(op, other, swap=True))
    compare = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}
    for python, op in compare.items():
        setattr(Tensor, f"__{python}__", lambda self, other, op=op: self._binary(op, other))
    for python, op in {"neg": "neg", "abs": "abs", "invert": "logical_not"}.items():
        setattr(Tensor, f"__{python}__", lambda self, op=op: self._unary(op))
    Tensor.__matmul__ = lambda self, other: self._binary("matmul", other)  # type: ignore[attr-defined]


_install_operators()
