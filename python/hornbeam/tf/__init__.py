"""TensorFlow's functions on Hornbeam's ops, under TensorFlow's names, with its arguments.

Model files hold some as layers (``legacy/tf_op_layers.py``), and scripts call them (``hornbeam run``). Both look them up in
the table of :mod:`~hornbeam.tf.table`, which is complete once this package is imported; nothing imports it before a name is
asked for. Where TensorFlow 1 and 2 differ, a function takes the arguments of both, and its docstring says what it does.
"""

from . import (
    arrays,
    audio,
    checkpoints,
    checks,
    color,
    control,
    counting,
    create,
    custom,
    data,
    decompositions,
    eager,
    effects,
    elementwise,
    example,
    files,
    generators,
    gfile,
    image,
    index,
    layout,
    linalg,
    lookup,
    losses,
    module,
    names,
    nest,
    nn,
    nn_later,
    pictures,
    python_functions,
    ragged,
    random,
    reduce,
    select,
    sparse,
    special,
    specs,
    state,
    strings,
    summary,
    symbols,
    training_ops,
)
from .table import NAMES, PURE, find

__all__ = [
    "NAMES", "PURE", "arrays", "audio", "checkpoints", "checks", "color", "control", "counting", "create", "custom",
    "data", "decompositions", "eager", "effects", "elementwise", "example", "files", "find", "generators", "gfile",
    "image", "index", "layout", "linalg", "lookup", "losses", "module", "names", "nest", "nn", "nn_later", "pictures",
    "python_functions", "ragged", "random", "reduce", "select", "sparse", "special", "specs", "state", "strings",
    "summary", "symbols", "training_ops",
]  # fmt: skip
