"""The lines that Keras scripts say to TensorFlow before they use Keras: seeds, sessions, memory, devices, logging.

Those about graphics memory and devices have nothing to do here; seeds and threads count.
"""

from __future__ import annotations

import contextlib
import logging
import unittest
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from .. import _core, distribution
from ..backend.session import Graph, Session, get_session
from ..dialect import Dialect
from ..settings import settings


class Options:
    """``ConfigProto`` and messages like it: keeps any option, and uses the number of threads alone."""

    def __init__(self, **options: Any) -> None:
        for name, value in options.items():
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value
        if name == "intra_op_parallelism_threads":
            set_threads(value)

    def __getattr__(self, name: str) -> Options:
        if name.startswith("__"):
            raise AttributeError(name)
        option = self.__dict__[name] = Options()
        return option


class RunOptions(Options):
    NO_TRACE, SOFTWARE_TRACE, HARDWARE_TRACE, FULL_TRACE = range(4)


class OptimizerOptions(Options):
    L1, L0 = 0, -1
    DEFAULT, OFF, ON_1, ON_2 = 0, -1, 1, 2  # of its global_jit_level


class RewriterConfig(Options):
    DEFAULT, ON, OFF, AGGRESSIVE = range(4)


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
        if settings.recorder is not None:
            settings.recorder.reseed(seed)


def set_threads(num_threads: int) -> None:
    """Compute with as many threads; 0 leaves the choice, which is as it was."""
    if num_threads:
        _core.set_num_threads(num_threads)


def nothing(*args: Any, **kwargs: Any) -> None:
    """For calls that configure what Hornbeam does not have."""


class Device(str):
    """The one that TensorFlow would list, by its name."""

    name = property(str)
    device_type = "CPU"


def cpu_alone(device_type: str | None = None) -> list[Device]:
    """The devices that TensorFlow would list; scripts ask for graphics cards to set their options."""
    return [Device("/physical_device:CPU:0")] if device_type in (None, "CPU") else []


class Unprofiled(contextlib.nullcontext):
    """``with tf.profiler.experimental.Profile(folder)``: nothing is measured."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__()

    def set_metadata(self, **metadata: Any) -> None: ...


def no_tpu(*args: Any, **options: Any) -> None:
    """Scripts that look for a TPU take this for the answer that there is none."""
    raise ValueError("there is no TPU here")


def modules(dialect: Dialect) -> dict[str, dict[str, Any]]:
    """The names by module, each module by what follows ``tensorflow.``; the first has TensorFlow's own names."""
    logger = logging.getLogger("tensorflow")
    seed = Seeds()
    log = {n: getattr(logging, n) for n in ("DEBUG", "INFO", "WARN", "ERROR", "FATAL")}
    log |= {n: getattr(logger, n) for n in ("debug", "info", "warning", "error", "fatal")}
    log |= {"set_verbosity": logger.setLevel, "get_verbosity": lambda: logger.level, "warn": logger.warning}
    devices = {
        "list_physical_devices": cpu_alone,
        "get_visible_devices": cpu_alone,
        "list_logical_devices": cpu_alone,
        "set_visible_devices": nothing,
        "set_soft_device_placement": nothing,
        "get_soft_device_placement": lambda: True,
        "set_logical_device_configuration": nothing,
        "get_logical_device_configuration": nothing,
        "LogicalDeviceConfiguration": Options,
        "PhysicalDevice": Device,
        "LogicalDevice": Device,
        "experimental_connect_to_cluster": nothing,
    }
    messages = {"ConfigProto": Options, "GPUOptions": Options, "GraphOptions": Options, "RunMetadata": Options}
    messages |= {"OptimizerOptions": OptimizerOptions, "RunOptions": RunOptions}
    return {
        "": messages
        | {
            "__version__": dialect.tensorflow,
            "VERSION": dialect.tensorflow,
            "Session": Session,
            "InteractiveSession": Session,
            "Graph": Graph,
            "device": device,
            "get_default_graph": Graph,
            "get_default_session": get_session,
            "reset_default_graph": nothing,
            "global_variables_initializer": nothing,
            "local_variables_initializer": nothing,
            "variables_initializer": nothing,
            "tables_initializer": nothing,
            "initialize_all_variables": nothing,
            "disable_eager_execution": nothing,
            "disable_v2_behavior": nothing,
            "disable_v2_tensorshape": nothing,
            "executing_eagerly": lambda: dialect.eager,
            "set_random_seed": seed,
            "get_logger": lambda: logger,
        },
        "random": {"set_seed": seed, "set_random_seed": seed},
        "logging": log,
        "python.platform.tf_logging": log,
        "config": devices,
        "config.experimental": devices
        | {
            "set_memory_growth": nothing,
            "get_memory_growth": lambda device: False,
            "VirtualDeviceConfiguration": Options,
            "set_virtual_device_configuration": nothing,
            "enable_tensor_float_32_execution": nothing,
            "enable_op_determinism": nothing,
            "reset_memory_stats": nothing,
        },
        "config.optimizer": {"set_jit": nothing, "get_jit": str, "set_experimental_options": nothing},
        "config.threading": {
            "set_intra_op_parallelism_threads": set_threads,
            "set_inter_op_parallelism_threads": nothing,
            "get_inter_op_parallelism_threads": lambda: 0,
            "get_intra_op_parallelism_threads": _core.num_threads,
        },
        "test": {
            "is_gpu_available": lambda *a, **k: False,
            "is_built_with_cuda": lambda: False,
            "is_built_with_gpu_support": lambda: False,
            "main": unittest.main,
            "TestCase": unittest.TestCase,
            "gpu_device_name": str,
        },
        "core.protobuf.config_pb2": messages,
        "core.protobuf.rewriter_config_pb2": {"RewriterConfig": RewriterConfig},
        "version": {"VERSION": dialect.tensorflow, "GIT_VERSION": f"v{dialect.tensorflow}", "COMPILER_VERSION": "none"},
        "sysconfig": {"get_build_info": lambda: {"is_cuda_build": False, "is_rocm_build": False}},
        "profiler.experimental": {
            "start": nothing,
            "stop": nothing,
            "Profile": Unprofiled,
            "Trace": Unprofiled,
            "ProfilerOptions": Options,
        },
        "debugging": {
            "enable_check_numerics": nothing,
            "disable_check_numerics": nothing,
            "enable_traceback_filtering": nothing,
            "disable_traceback_filtering": nothing,
            "is_traceback_filtering_enabled": lambda: True,
            "set_log_device_placement": nothing,
            "get_log_device_placement": lambda: False,
        },
        "distribute": distribution.NAMES,
        "distribute.experimental": distribution.NAMES,
        "distribute.cluster_resolver": {"TPUClusterResolver": no_tpu},
        "python.client.device_lib": {
            "list_local_devices": lambda: [SimpleNamespace(name="/device:CPU:0", device_type="CPU")]
        },
    }
