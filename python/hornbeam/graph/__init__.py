"""The symbolic graph: tensors, variables, gradients, and Functions that run on the compiled core."""

from . import item_assignment, nest, operators  # the last gives tensors their operators, the first variables theirs
from .arrays import as_array
from .cond import cond
from .control import control_dependencies, learning_phase, phase_switch, print_value, set_learning_phase
from .custom import with_gradient
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
from .recorder import Recorder, assign, described, is_eager, symbolic
from .scan import Loop, scan
from .static_shape import Dim, StaticShape
from .tape import Tape
from .tensor import Operation, Tensor, unique_name
from .trace import Trace
from .traced import Traced
from .variable import Variable, read_state, read_state_and_runs, write_state

__all__ = [
    "DTYPES",
    "DType",
    "Dim",
    "Function",
    "Loop",
    "Operation",
    "Recorder",
    "RunCounter",
    "StaticShape",
    "Tape",
    "Tensor",
    "Trace",
    "Traced",
    "Variable",
    "apply",
    "as_array",
    "as_integer",
    "assign",
    "cast",
    "checked_name",
    "cond",
    "constant",
    "control_dependencies",
    "convert",
    "described", "dtype_name",
    "floatx",
    "gradients",
    "is_eager",
    "learning_phase",
    "name_scope",
    "nest",
    "phase_switch",
    "placeholder",
    "print_value",
    "read_state",
    "read_state_and_runs",
    "reshape",
    "scan",
    "scoped_name",
    "set_floatx",
    "set_learning_phase",
    "shape_of",
    "shape_tensor",
    "symbolic",
    "unbroadcast",
    "unique_name",
    "with_gradient",
    "write_state",
]  # fmt: skip
