"""Which TensorFlow a script is written for, read from the names that it and its local imports use. Nothing of it is run."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..dialect import TF1, TF2, Dialect

#: The packages whose names say which.
ROOTS = ("tensorflow", "keras", "tf_keras")
MOST_FILES = 200
MOST_BYTES = 2_000_000

#: What only TensorFlow 1 has, by what follows ``tensorflow.``; what begins with one and a dot counts as well.
ONLY_1 = frozenset(
    """
    ConfigProto GPUOptions GraphDef GraphOptions InteractiveSession OptimizerOptions Print RunMetadata RunOptions Session
    SparseTensorValue all_variables app assign assign_add assign_sub batch_gather batch_matmul ceil contrib count_nonzero
    decode_raw depth_to_space diag div enable_eager_execution extract_image_patches flags get_collection get_default_graph
    get_default_session get_local_variable get_variable get_variable_scope gfile global_variables
    global_variables_initializer image.resize_bicubic image.resize_bilinear image.resize_images
    image.resize_nearest_neighbor initialize_all_variables initialize_local_variables initialize_variables is_inf is_nan
    layers lin_space local_variables local_variables_initializer log log1p log_sigmoid logging losses.absolute_difference
    losses.huber_loss losses.log_loss losses.sigmoid_cross_entropy losses.softmax_cross_entropy
    losses.sparse_softmax_cross_entropy make_template matrix_band_part matrix_determinant matrix_diag matrix_diag_part
    matrix_inverse matrix_set_diag matrix_transpose mul multinomial neg nn.bidirectional_dynamic_rnn nn.dynamic_rnn
    nn.rnn_cell nn.softmax_cross_entropy_with_logits_v2 nn.static_rnn nn.xw_plus_b parse_example parse_single_example
    placeholder placeholder_with_default py_func python_io random_crop random_normal random_shuffle random_uniform read_file
    report_uninitialized_variables reset_default_graph reverse_v2 rsqrt segment_max segment_mean segment_sum select
    set_random_seed space_to_depth sparse_placeholder sparse_reduce_sum sparse_tensor_dense_matmul sparse_tensor_to_dense
    string_split sub summary.FileWriter summary.merge_all tables_initializer to_double to_float to_int32 to_int64
    train.AdadeltaOptimizer train.AdagradOptimizer train.AdamOptimizer train.GradientDescentOptimizer
    train.MomentumOptimizer train.NewCheckpointReader train.Optimizer train.RMSPropOptimizer train.Saver train.global_step
    train.get_global_step train.get_or_create_global_step trainable_variables truncated_normal unsorted_segment_sum
    variable_scope variables_initializer verify_tensor_all_finite compat.v1.disable_v2_behavior
    """.split()
)
#: What only TensorFlow 2 has, or only means something in it.
ONLY_2 = frozenset(
    """
    GradientTape Module config.get_visible_devices config.list_logical_devices config.list_physical_devices
    config.run_functions_eagerly config.set_visible_devices data.AUTOTUNE experimental.numpy function
    random.Generator random.set_seed summary.create_file_writer summary.trace_on keras.layers.CategoryEncoding
    keras.layers.Normalization keras.layers.RandomFlip keras.layers.RandomRotation keras.layers.RandomZoom
    keras.layers.Rescaling keras.layers.Resizing keras.layers.StringLookup keras.layers.TextVectorization
    keras.layers.experimental keras.mixed_precision
    keras.optimizers.experimental keras.optimizers.legacy keras.optimizers.schedules
    keras.utils.audio_dataset_from_directory keras.utils.image_dataset_from_directory
    keras.utils.register_keras_serializable keras.utils.set_random_seed keras.utils.split_dataset
    keras.utils.text_dataset_from_directory keras.utils.timeseries_dataset_from_array
    """.split()
)
#: What TensorFlow 1 had as well, but scripts of TensorFlow 2 use: it counts where nothing above is used.
RATHER_2 = frozenset("RaggedTensor autograph data distribute io keras losses metrics optimizers saved_model".split())
#: What only Keras up to 2.3 has.
ONLY_KERAS_2_3 = frozenset(
    """
    backend.get_session backend.image_dim_ordering backend.set_image_dim_ordering backend.set_session
    backend.tensorflow_backend backend.tf engine.topology layers.CuDNNGRU layers.CuDNNLSTM legacy objectives
    utils.multi_gpu_model utils.training_utils
    """.split()
)
#: Methods that only models of TensorFlow 2 override.
METHODS_OF_2 = ("train_step", "test_step", "predict_step")
VERSIONS = (
    "tensorflow.__version__",
    "tensorflow.VERSION",
    "tensorflow.version.VERSION",
    "tensorflow.keras.__version__",
)


@dataclass(frozen=True)
class Choice:
    """A dialect, and the reason for it in a few words."""

    dialect: Dialect
    why: str


@dataclass
class Source:
    """A script's text, where its local imports are, and what lines of a notebook say beside it."""

    name: str
    text: str
    folder: str
    notes: list[str] = field(default_factory=list)


def choose(source: Source) -> Choice:
    """The TensorFlow that a script means.

    The first name that only one of the two has decides, in the script and then in what it imports from its folder; then
    names that scripts of TensorFlow 2 rather use; then whether it imports TensorFlow without a Keras of its own.
    """
    for note in source.notes:
        if match := re.search(r"tensorflow(?:-gpu|_version)?\s*(?:==)?\s*([12])\.", note):
            return Choice(TF1 if match[1] == "1" else TF2, f"{source.name} says {note.strip()!r:.60}")
    hint, roots = None, set()
    for name, tree in _trees(source):
        words = Words(tree)
        roots |= words.roots
        for line, dialect, what, sure in words.evidence():
            choice = Choice(dialect, f"{name}:{line} uses {what}")
            if sure:
                return choice
            hint = hint or choice
    if hint is not None:
        return hint
    if "tensorflow" in roots and "keras" not in roots:
        return Choice(TF2, f"{source.name} imports tensorflow, and names nothing that only TensorFlow 1 has")
    return Choice(TF1, f"{source.name} names nothing that only TensorFlow 2 has")


# -- which files ---------------------------------------------------------------------------------------------------
def _trees(source: Source) -> Iterator[tuple[str, ast.AST]]:
    """The script and, breadth first, the modules of its folder that it imports, parsed; what does not parse is left out."""
    seen: set[str] = set()
    waiting: list[tuple[str, str, str]] = [(source.name, source.text, source.folder)]
    left = MOST_BYTES
    while waiting and len(seen) < MOST_FILES:
        name, text, package = waiting.pop(0)
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        yield name, tree
        for path in _local_imports(tree, source.folder, package):
            if str(path) not in seen and path.stat().st_size <= left:
                seen.add(str(path))
                left -= path.stat().st_size
                text = path.read_bytes().decode("utf-8", "replace")
                waiting.append((os.path.relpath(path, source.folder), text, str(path.parent)))


def _local_imports(tree: ast.AST, root: str, package: str) -> Iterator[Path]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [(root, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = Path(root, package, *[".."] * (node.level - 1)) if node.level else Path(root)
            module = node.module or ""
            names = [(str(start), f"{module}.{part}".lstrip(".")) for part in ["", *(a.name for a in node.names)]]
        else:
            continue
        for start_, name in names:
            parts = [part for part in name.split(".") if part and part != "*"]
            if parts and parts[0] not in ROOTS:
                for path in (Path(start_, *parts).with_suffix(".py"), Path(start_, *parts, "__init__.py")):
                    if path.is_file():
                        yield path


# -- what a file uses ------------------------------------------------------------------------------------------------
class Words:
    """The names of TensorFlow and Keras in a file, whatever it calls them."""

    def __init__(self, tree: ast.AST) -> None:
        located = [node for node in ast.walk(tree) if isinstance(node, (ast.expr, ast.stmt))]
        self.nodes = sorted(located, key=lambda node: (node.lineno, node.col_offset))
        self.called: dict[str, str] = {}
        self.roots: set[str] = set()
        for node in self.nodes:
            for full, name in self._imported(node):
                self.called[name] = full
                self.roots.add(full.split(".")[0])

    @staticmethod
    def _imported(node: ast.AST) -> list[tuple[str, str]]:
        """Pairs of what an import statement imports and what it is called from there on."""
        if isinstance(node, ast.Import):
            pairs = [(a.name, a.asname) if a.asname else (a.name.split(".")[0],) * 2 for a in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            pairs = [(f"{node.module}.{a.name}", a.asname or a.name) for a in node.names]
        else:
            return []
        return [(full, name) for full, name in pairs if full.split(".")[0] in ROOTS]

    def evidence(self) -> Iterator[tuple[int, Dialect, str, bool]]:
        """Line, dialect, what is used there, and whether that alone decides; in the order of the file."""
        for node in self.nodes:
            if isinstance(node, (ast.Compare, ast.Call)) and (found := self._version_asked(node)):
                yield node.lineno, found, ast.unparse(node)[:60], True
            for full in self._names(node):
                if (judged := _judge(full)) is not None:
                    yield node.lineno, *judged
            if isinstance(node, ast.ClassDef):
                for part in node.body:
                    if isinstance(part, ast.FunctionDef) and part.name in METHODS_OF_2 and self.roots:
                        yield part.lineno, TF2, f"a {part.name} of its own", True

    def _names(self, node: ast.AST) -> list[str]:
        if isinstance(node, ast.Import):
            return [a.name for a in node.names]
        if isinstance(node, ast.ImportFrom) and not node.level:
            return [f"{node.module}.{a.name}" for a in node.names]
        if isinstance(node, (ast.Attribute, ast.Name)):
            return [full] if (full := self._full(node)) else []
        return []

    def _full(self, node: ast.AST) -> str | None:
        parts = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.called:
            return None
        return ".".join([self.called[node.id], *reversed(parts)])

    def _version_asked(self, node: ast.Compare | ast.Call) -> Dialect | None:
        """What a comparison of TensorFlow's version with a number says: who asks about 2 knows it."""
        if isinstance(node, ast.Call) and not (
            isinstance(node.func, ast.Attribute) and node.func.attr in ("startswith", "__contains__")
        ):
            return None
        inside = list(ast.walk(node))
        if not any(self._full(part) in VERSIONS for part in inside if isinstance(part, (ast.Attribute, ast.Name))):
            return None
        numbers = [str(part.value) for part in inside if isinstance(part, ast.Constant)]
        below = isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.Lt, ast.LtE))
        if any(re.match(r"v?2(\.|$)", n) for n in numbers):
            return TF1 if below and self._asserted(node) else TF2
        if isinstance(node, ast.Call) and any(n.startswith("1") for n in numbers) and self._asserted(node):
            return TF1
        return None

    def _asserted(self, node: ast.AST) -> bool:
        return any(isinstance(n, ast.Assert) and n.test is node for n in self.nodes)


def _judge(full: str) -> tuple[Dialect, str, bool] | None:
    """What a name says: the dialect, the name as scripts write it, and whether it decides."""
    root, _, rest = full.partition(".")
    if root == "tf_keras":
        return TF2, root, True
    if root == "keras" or rest.startswith("keras."):
        of_keras = rest.removeprefix("keras.") if root == "tensorflow" else rest
        if _among(of_keras, ONLY_KERAS_2_3):
            return TF1, f"keras.{of_keras}", True
        if _among(f"keras.{of_keras}", ONLY_2):
            return TF2, f"keras.{of_keras}", True
    if root != "tensorflow":
        return None
    shown = f"tf.{rest}"
    if _among(rest, ONLY_2):
        return TF2, shown, True
    if _among(rest, ONLY_1):
        return TF1, shown, True
    return (TF2, shown, False) if _among(rest, RATHER_2) else None


def _among(name: str, names: frozenset[str]) -> bool:
    """Whether a dotted name, or something that it is in, is one of ``names``."""
    while name:
        if name in names:
            return True
        name = name.rpartition(".")[0]
    return False
