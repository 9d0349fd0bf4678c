"""The symbolic graph: tensors, variables, gradients, and Functions that run on the compiled core."""

from . import item_assignment, nest, operators, string_ops  # these give tensors and variables what they do
from .arrays import as_array, where_it_lies
from .cond import cond
from .control import control_dependencies, decided_later, learning_phase, phase_switch, print_value, set_learning_phase
from .custom import with_gradient
from .deciding import deciding
from .dtypes import DTYPES, DType, dtype_name
from .function import Function, RunCounter
from .gradients import gradients
from .host import on_host
from .integers import as_integer
from .naming import checked_name, name_scope, scoped_name
from .ops import (
    apply,
    cast,
    check_rank,
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
from .ragged import RaggedTensor
from .recorder import Recorder, apart, assign, described, is_eager, symbolic
from .registered_gradients import GRADIENTS, RegisterGradient, as_one_op, gradient_override_map
from .scan import Loop, scan
from .static_shape import Dim, StaticShape
from .strings import StringTensor, as_strings
from .tape import Tape
from .tensor import NeedsValue, Operation, Tensor, unique_name
from .trace import Trace, choose, is_tracing, selected
from .traced import Traced, TracedProgram
from .variable import Variable, read_state, read_state_and_runs, write_state

__all__ = [
    "DTYPES",
    "GRADIENTS",
    "DType",
    "Dim",
    "Function",
    "Loop",
    "NeedsValue",
    "Operation",
    "RaggedTensor",
    "Recorder",
    "RegisterGradient",
    "RunCounter",
    "StaticShape",
    "StringTensor",
    "Tape",
    "Tensor",
    "Trace",
    "Traced",
    "TracedProgram",
    "Variable",
    "apart",
    "apply",
    "as_array",
    "as_integer",
    "as_one_op",
    "as_strings",
    "assign",
    "cast",
    "check_rank",
    "checked_name",
    "choose",
    "cond",
    "constant",
    "control_dependencies",
    "convert",
    "decided_later",
    "deciding",
    "described",
    "dtype_name",
    "floatx",
    "gradient_override_map",
    "gradients",
    "is_eager",
    "is_tracing",
    "learning_phase",
    "name_scope",
    "nest",
    "on_host",
    "phase_switch",
    "placeholder",
    "print_value",
    "read_state",
    "read_state_and_runs",
    "reshape",
    "scan",
    "scoped_name",
    "selected",
    "set_floatx",
    "set_learning_phase",
    "shape_of",
    "shape_tensor",
    "symbolic",
    "unbroadcast",
    "unique_name",
    "where_it_lies",
    "with_gradient",
    "write_state",
]  # fmt: skip
