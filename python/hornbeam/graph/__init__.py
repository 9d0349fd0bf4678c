"""The symbolic graph: tensors, variables, gradients, and Functions that run on the compiled core."""

from . import operators  # gives tensors their operators
from .arrays import as_array, where_it_lies
from .cond import cond
from .control import control_dependencies, learning_phase, phase_switch, print_value, set_learning_phase
from .dtypes import DTYPES, DType, dtype_name
from .function import Function, RunCounter
from .gradients import gradients
from .integers import as_integer
from .naming import checked_name, name_scope, scoped_name
from .ops import (
    apply,
    cast,
    constant,
    convert,
    floatx,
    placeholder,
    reshape,
    set_floatx,
    shape_of,
    shape_tensor,
    unbroadcast,
)
from .scan import Loop, scan
from .static_shape import Dim, StaticShape
from .tensor import Operation, Tensor, unique_name
from .variable import Variable, read_state, read_state_and_runs, write_state

__all__ = [
    "DTYPES", "DType", "Dim", "Function", "Loop", "Operation", "RunCounter", "StaticShape", "Tensor", "Variable", "apply",
    "as_array", "as_integer", "cast", "checked_name", "cond", "constant", "control_dependencies", "convert", "dtype_name", "floatx", "gradients",
    "learning_phase", "name_scope", "phase_switch",
    "placeholder", "print_value", "read_state", "read_state_and_runs", "reshape", "scan", "scoped_name", "set_floatx",
    "set_learning_phase", "shape_of", "shape_tensor", "unbroadcast", "unique_name", "where_it_lies", "write_state",
]  # fmt: skip
