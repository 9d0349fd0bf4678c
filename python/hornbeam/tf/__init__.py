"""TensorFlow's functions on Hornbeam's ops, under TensorFlow's names, with its arguments.

Model files hold some as layers (``legacy/tf_op_layers.py``), and scripts call them (``hornbeam run``). Both look them up in
the table of :mod:`~hornbeam.tf.table`, which is complete once this package is imported; nothing imports it before a name is
asked for. Where TensorFlow 1 and 2 differ, a function takes the arguments of both, and its docstring says what it does.
"""

from . import (
    arrays,
    checks,
    color,
    control,
    counting,
    create,
    custom,
    decompositions,
    eager,
    effects,
    elementwise,
    generators,
    image,
    index,
    layout,
    linalg,
    losses,
    module,
    names,
    nest,
    nn,
    nn_later,
    random,
    reduce,
    select,
    sparse,
    special,
    state,
    summary,
    symbols,
)
from .table import NAMES, PURE, find

__all__ = [
    "NAMES", "PURE", "arrays", "checks", "color", "control", "counting", "create", "custom", "decompositions", "eager", "effects", "elementwise", "find", "generators", "image", "index", "layout", "linalg", "losses",
    "module", "names", "nest", "nn", "nn_later", "random", "reduce", "select", "sparse", "special", "state", "summary", "symbols",
]  # fmt: skip
