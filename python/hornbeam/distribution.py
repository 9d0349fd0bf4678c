"""``tf.distribute`` with the one device there is: what strategies run, they run here."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from . import backend as K
from . import graph


class ReduceOp(enum.Enum):
    SUM = "SUM"
    MEAN = "MEAN"


class ReplicaContext:
    """Where a replica's function runs."""

    replica_id_in_sync_group = 0
    num_replicas_in_sync = 1

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy

    def all_reduce(self, reduce_op: Any, value: Any, *args: Any, **options: Any) -> Any:
        return value

    def merge_call(self, merge_fn: Callable, args: tuple = (), kwargs: dict | None = None) -> Any:
        return merge_fn(self.strategy, *args, **(kwargs or {}))


class InputContext:
    """Which part of the data a replica reads: all of it."""

    num_input_pipelines = num_replicas_in_sync = 1
    input_pipeline_id = 0

    def get_per_replica_batch_size(self, global_batch_size: int) -> int:
        return global_batch_size


class Strategy:
    """All of ``tf.distribute``'s strategies."""

    num_replicas_in_sync = 1

    def __init__(self, *args: Any, **options: Any) -> None:
        self.extended = self
        self.worker_devices = self.parameter_devices = ("/device:CPU:0",)

    @contextlib.contextmanager
    def scope(self) -> Iterator[Strategy]:
        yield self

    def run(self, fn: Callable, args: Iterable = (), kwargs: dict | None = None, options: Any = None) -> Any:
        """Call the function."""
        return fn(*args, **(kwargs or {}))

    experimental_run_v2 = run

    def reduce(self, reduce_op: Any, value: Any, axis: Any = None) -> Any:
        """The value of the one replica, summed or averaged along an axis if one is named."""
        if axis is None:
            return value
        mean = str(getattr(reduce_op, "value", reduce_op)).upper() == "MEAN"
        return (K.mean if mean else K.sum)(graph.convert(value), axis=axis)

    def experimental_distribute_dataset(self, dataset: Any, options: Any = None) -> Any:
        return dataset

    def distribute_datasets_from_function(self, dataset_fn: Callable, options: Any = None) -> Any:
        return dataset_fn(InputContext())

    experimental_distribute_datasets_from_function = distribute_datasets_from_function

    def experimental_local_results(self, value: Any) -> tuple:
        return (value,)

    def gather(self, value: Any, axis: int) -> Any:
        return value


#: the strategy where a script opens none
DEFAULT = Strategy()

NAMES: dict[str, Any] = {
    name: Strategy
    for name in (
        "Strategy", "MirroredStrategy", "OneDeviceStrategy", "MultiWorkerMirroredStrategy", "CentralStorageStrategy",
        "ParameterServerStrategy",
    )
}  # fmt: skip
NAMES |= {
    "ReduceOp": ReduceOp, "ReplicaContext": ReplicaContext, "InputContext": InputContext,
    "get_strategy": lambda: DEFAULT, "has_strategy": lambda: False,
    "get_replica_context": lambda: ReplicaContext(DEFAULT),
    "in_cross_replica_context": lambda: False, "experimental_set_strategy": lambda strategy: None,
    "NcclAllReduce": Strategy, "HierarchicalCopyAllReduce": Strategy, "ReductionToOneDevice": Strategy,
}  # fmt: skip
