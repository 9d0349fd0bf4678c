"""What Keras scripts say to TensorFlow before they use Keras: seeds, sessions, memory, logging.

:func:`install` puts a module named ``tensorflow`` in place that takes these lines. Those about graphics memory and
sessions have nothing to do here; seeds and threads count. Any other name raises ``AttributeError``: Hornbeam runs
Keras, not TensorFlow.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np

from .. import backend
from ..backend.session import Graph, Session, get_session

VERSION = "1.15.5"  # the last that standalone Keras 2.3 ran on

#: What losses and layers say most often to TensorFlow, where keras.backend has another name for it.
IN_K = {
    "Variable": "variable",
    "add_n": "sum(K.stack(tensors), axis=0)",
    "assign": "update",
    "assign_add": "update_add",
    "clip_by_value": "clip",
    "concat": "concatenate",
    "matmul": "dot or K.batch_dot",
    "range": "arange",
    "reduce_all": "all",
    "reduce_any": "any",
    "reduce_logsumexp": "logsumexp",
    "reduce_max": "max",
    "reduce_mean": "mean",
    "reduce_min": "min",
    "reduce_prod": "prod",
    "reduce_sum": "sum",
    "resize_bilinear": "resize_images",
    "sigmoid_cross_entropy_with_logits": "binary_crossentropy(target, output, from_logits=True)",
    "softmax_cross_entropy_with_logits": "categorical_crossentropy(target, output, from_logits=True)",
    "transpose": "permute_dimensions",
    "where": "switch",
}


class Facade(ModuleType):
    """A module of the names given, that explains itself where another is asked for."""

    def __init__(self, name: str, names: dict[str, Any]) -> None:
        super().__init__(name, "Hornbeam's stand-in for the lines that Keras scripts say to TensorFlow.")
        self.__path__: list[str] = []  # a package, so that `import tensorflow.x` comes to Finder
        self.__dict__.update(names)

    def __getattr__(self, name: str) -> Any:
        if name == "keras":
            return importlib.import_module("hornbeam")
        if name.startswith("__"):
            raise AttributeError(name)
        known = IN_K.get(name) or (name if hasattr(backend, name) else None)
        hint = f" Here: K.{known}." if known else ""
        raise AttributeError(
            f"{self.__name__}.{name}: Hornbeam runs Keras, not TensorFlow. Of TensorFlow it takes only what Keras scripts "
            f"usually start with (seeds, sessions, memory and logging options); write the rest with keras.backend.{hint}"
        )


class Options:
    """``ConfigProto`` and its kin: keeps any option, and does nothing with it unless it is the number of threads."""

    def __init__(self, **options: Any) -> None:
        for name, value in options.items():
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value
        if name == "intra_op_parallelism_threads" and value:  # 0 lets TensorFlow choose
            set_threads(value)

    def __getattr__(self, name: str) -> Options:
        if name.startswith("__"):
            raise AttributeError(name)
        option = self.__dict__[name] = Options()
        return option


@contextlib.contextmanager
def device(name: Any) -> Iterator[None]:
    """``with tf.device('/gpu:0')``: where things run is decided by Hornbeam."""
    yield


class Seeds:
    """``tf.set_random_seed``: Keras on Hornbeam draws its seeds from NumPy.

    A script that seeds NumPy itself keeps the numbers it gets from there; only where it has not, the seed goes to NumPy.
    """

    def __init__(self) -> None:
        self.untouched = np.random.get_state()[1].copy()  # type: ignore[index, union-attr]

    def __call__(self, seed: int) -> None:
        if np.array_equal(np.random.get_state()[1], self.untouched):  # type: ignore[index]
            np.random.seed(seed % 2**32)


def set_threads(count: int) -> None:
    from hornbeam import set_num_threads

    set_num_threads(count)


def nothing(*args: Any, **kwargs: Any) -> None:
    """For calls that configure what Hornbeam does not have."""


def build() -> dict[str, Facade]:
    """The stand-in modules by their full names."""
    logger = logging.getLogger("tensorflow")
    seed = Seeds()
    log = {n: getattr(logging, n) for n in ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")}
    log |= {n: getattr(logger, n) for n in ("debug", "info", "warning", "error", "fatal")}
    log |= {"set_verbosity": logger.setLevel, "get_verbosity": lambda: logger.level, "warn": logger.warning}
    threading = {
        "set_intra_op_parallelism_threads": set_threads,
        "set_inter_op_parallelism_threads": nothing,
        "get_intra_op_parallelism_threads": lambda: importlib.import_module("hornbeam._core").num_threads(),
    }
    devices = {
        "list_physical_devices": no_gpu,
        "get_visible_devices": no_gpu,
        "list_logical_devices": no_gpu,
        "set_visible_devices": nothing,
        "set_soft_device_placement": nothing,
    }
    common = {
        "__version__": VERSION,
        "VERSION": VERSION,
        "ConfigProto": Options,
        "GPUOptions": Options,
        "Session": Session,
        "InteractiveSession": Session,
        "Graph": Graph,
        "device": device,
        "get_default_graph": Graph,
        "get_default_session": get_session,
        "reset_default_graph": nothing,
        "global_variables_initializer": nothing,
        "local_variables_initializer": nothing,
        "tables_initializer": nothing,
        "initialize_all_variables": nothing,
        "disable_eager_execution": nothing,
        "disable_v2_behavior": nothing,
        "disable_v2_tensorshape": nothing,
        "executing_eagerly": lambda: False,
        "set_random_seed": seed,
        "get_logger": lambda: logger,
    }
    modules: dict[str, Facade] = {}

    def module(name: str, names: dict[str, Any]) -> Facade:
        modules[name] = Facade(name, names)
        return modules[name]

    def namespace(prefix: str) -> dict[str, Any]:
        experimental = module(f"{prefix}.config.experimental", devices | {"set_memory_growth": nothing})
        return common | {
            "random": module(f"{prefix}.random", {"set_seed": seed, "set_random_seed": seed}),
            "logging": module(f"{prefix}.logging", log),
            "config": module(
                f"{prefix}.config",
                devices | {"experimental": experimental, "threading": module(f"{prefix}.config.threading", threading)},
            ),
            "test": module(
                f"{prefix}.test",
                {
                    "is_gpu_available": lambda *a, **k: False,
                    "is_built_with_cuda": lambda: False,
                    "gpu_device_name": str,
                },
            ),
            **{n: module(f"{prefix}.{n}", {}) for n in ("image", "linalg", "math", "nn")},
            "version": module(f"{prefix}.version", {"VERSION": VERSION}),
        }

    v1 = module("tensorflow.compat.v1", namespace("tensorflow.compat.v1"))
    v2 = module("tensorflow.compat.v2", namespace("tensorflow.compat.v2"))
    compat = module("tensorflow.compat", {"v1": v1, "v2": v2})
    module("tensorflow", namespace("tensorflow") | {"compat": compat})
    module("tensorflow.python", {})
    return modules


def no_gpu(kind: str | None = None) -> list[str]:
    """The devices TensorFlow would list; scripts ask to set options of the graphics cards."""
    return ["CPU:0"] if kind in (None, "CPU") else []


class Finder(MetaPathFinder, Loader):
    """Gives the stand-ins for ``import tensorflow...`` and refuses every other module of TensorFlow by name."""

    def __init__(self) -> None:
        self.modules = build()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != "tensorflow":
            return None
        if fullname not in self.modules:
            raise ModuleNotFoundError(f"{fullname}: Hornbeam runs Keras, not TensorFlow.", name=fullname)
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self.modules[spec.name]

    def exec_module(self, module: ModuleType) -> None: ...


def install() -> None:
    """Let ``import tensorflow`` give the stand-in in this process. Aliases of Keras must be installed after it."""
    for name in [n for n in sys.modules if n.partition(".")[0] == "tensorflow"]:
        del sys.modules[name]
    sys.meta_path.insert(0, Finder())
