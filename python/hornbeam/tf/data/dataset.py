"""``tf.data.Dataset``: what builds pipelines, and what goes through them."""

from __future__ import annotations

import glob
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ... import graph
from ...graph import NeedsValue, RaggedTensor, nest
from ...graph.context import context
from ..specs import TensorSpec
from ..table import for_scripts
from . import batching, caching, selecting, stage
from .ahead import Prefetch
from .element import is_dataset, map_leaves, merged, spec_of, to_array, to_arrays, to_tensors
from .mapping import FlatMap, IgnoreErrors, Interleave, Map, Mapped, Scan
from .shuffling import Shuffle
from .sparse_array import SparseArray
from .stage import INFINITE, UNKNOWN, Stage

AUTOTUNE = -1

for_scripts("data.AUTOTUNE", "data.experimental.AUTOTUNE")(AUTOTUNE)
for_scripts("data.INFINITE_CARDINALITY", "data.experimental.INFINITE_CARDINALITY")(INFINITE)
for_scripts("data.UNKNOWN_CARDINALITY", "data.experimental.UNKNOWN_CARDINALITY")(UNKNOWN)


@for_scripts("data.Dataset", "data.DatasetV2", "python.data.Dataset")
class Dataset:
    """Elements that are read, made or changed one after the other.

    An element is a tensor, or dicts and tuples of tensors. A data set does nothing until it is iterated over, or given to
    ``fit``, ``evaluate``, ``predict`` or ``adapt``; each time it begins anew. Each method that changes a data set gives another
    one. Arguments about parallelism and names are taken and change no result.

    Args:
        stage: the last of the pipeline.

    Example:
        >>> data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(1000).batch(32)
        >>> model.fit(data, epochs=3)
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    # -- where elements come from ---------------------------------------------------------------------
    @staticmethod
    def from_tensors(tensors: Any, name: Any = None) -> Dataset:
        """One element."""
        return Dataset(stage.Single(tensors))

    @staticmethod
    def from_tensor_slices(tensors: Any, name: Any = None) -> Dataset:
        """The rows of arrays, in the structure in which the arrays are.

        Raises:
            ValueError: a number has no rows, or the arrays differ in their number.
        """
        return Dataset(stage.Slices(tensors))

    @staticmethod
    def from_generator(
        generator: Callable, output_types: Any = None, output_shapes: Any = None, args: Any = None,
        output_signature: Any = None, name: Any = None,
    ) -> Dataset:  # fmt: skip
        """What a generator yields.

        Args:
            generator: a function that makes it, called for each pass.
            output_signature: ``tf.TensorSpec`` of the items; or their ``output_types`` and ``output_shapes``.
            args: the function's arguments, which it gets as arrays.

        Raises:
            TypeError: ``generator`` is not a function, or nothing is said of its items.
        """
        if not callable(generator):
            raise TypeError(
                "`generator` must be a Python callable that gives a generator: pass the function, do not call it."
            )
        if output_signature is None and output_types is None:
            raise TypeError("from_generator needs `output_signature`, or `output_types`.")
        spec = output_signature
        if spec is None:
            types = nest.flatten(output_types)
            given = [None] * len(types) if output_shapes is None else _shapes(output_types, output_shapes)
            spec = _pack_types(output_types, [TensorSpec(s, t) for s, t in zip(given, types)])
        spec = tuple(spec) if isinstance(spec, list) else spec
        arguments = tuple([to_array(a)[()] for a in args]) if args else ()
        return Dataset(stage.Generated(lambda: generator(*arguments), spec))

    @staticmethod
    def range(*args: int, output_type: Any = "int64", name: Any = None) -> Dataset:
        """``range(stop)``, ``range(start, stop)`` or ``range(start, stop, step)``, in int64."""
        numbers = range(*[int(a) for a in args])
        dtype = graph.dtype_name(output_type)
        return Dataset(stage.Counted(numbers.start, numbers.stop, numbers.step, dtype))

    @staticmethod
    def counter(start: int = 0, step: int = 1, dtype: Any = "int64", name: Any = None) -> Dataset:
        """``start, start + step, ...`` without an end."""
        name_of = graph.dtype_name(dtype)
        numbers = stage.Generated(
            lambda: (np.asarray(i, name_of) for i in itertools.count(start, step)), TensorSpec((), name_of)
        )
        numbers.cardinality = INFINITE
        return Dataset(numbers)

    @staticmethod
    def random(seed: int | None = None, rerandomize_each_iteration: Any = None, name: Any = None) -> Dataset:
        """Numbers below 2**32 without an end."""
        seed = int(np.random.randint(2**31)) if seed is None else seed

        def draw() -> Iterator[np.ndarray]:
            generator = np.random.default_rng(seed)
            while True:
                yield from generator.integers(2**32, size=256)

        numbers = stage.Generated(draw, TensorSpec((), "int64"))
        numbers.cardinality = INFINITE
        return Dataset(numbers)

    @staticmethod
    def list_files(file_pattern: Any, shuffle: Any = None, seed: int | None = None, name: Any = None) -> Dataset:
        """The paths that fit a pattern, or several patterns; in another order in each pass unless ``shuffle`` is False.

        Raises:
            ValueError: there are no such files.
        """
        patterns = [p.decode() for p in np.ravel(to_array(file_pattern)).tolist()]
        paths = sorted(path for pattern in patterns for path in glob.glob(pattern))
        if not paths:
            raise ValueError(f"No files matched pattern: {', '.join(patterns)}")
        files = Dataset(stage.Slices(paths))
        return files if shuffle is False else files.shuffle(len(paths), seed)

    @staticmethod
    def zip(*args: Any, datasets: Any = None, name: Any = None) -> Dataset:
        """Elements of several data sets side by side: ``zip(a, b)``, or a structure of data sets."""
        structure = (
            datasets if datasets is not None else args[0] if len(args) == 1 and not is_dataset(args[0]) else args
        )
        structure = tuple(structure) if isinstance(structure, list) else structure
        return Dataset(stage.Zip(structure, [d.stage for d in nest.flatten(structure)]))

    @staticmethod
    def choose_from_datasets(datasets: Any, choice_dataset: Any, stop_on_empty_dataset: bool = True) -> Dataset:
        """Each element from the data set whose number comes next in ``choice_dataset``."""
        stages = [d.stage for d in datasets]

        def choices(there: list[bool]) -> Iterator[int]:
            return (int(i) for i in choice_dataset.stage.open())

        return Dataset(stage.Chosen(stages, choices, stop_on_empty_dataset, _common(stages)))

    @staticmethod
    def sample_from_datasets(
        datasets: Any, weights: Any = None, seed: int | None = None, stop_on_empty_dataset: bool = False,
        rerandomize_each_iteration: Any = None,
    ) -> Dataset:  # fmt: skip
        """Each element from a data set that is drawn, with probabilities in proportion to ``weights``."""
        stages = [d.stage for d in datasets]
        seed = int(np.random.randint(2**31)) if seed is None else seed
        shares = np.ones(len(stages)) if weights is None else np.asarray(weights, dtype="float64")
        if len(shares) != len(stages):
            raise ValueError(f"`weights` must have the same length as `datasets`: {len(shares)} and {len(stages)}.")

        def choices(there: list[bool]) -> Iterator[int]:
            generator = np.random.default_rng(seed)
            while True:
                left = shares * there
                if not left.sum():
                    return
                yield int(generator.choice(len(left), p=left / left.sum()))

        return Dataset(stage.Chosen(stages, choices, stop_on_empty_dataset, _common(stages)))

    # -- one element after the other ------------------------------------------------------------------
    def map(
        self, map_func: Callable, num_parallel_calls: Any = None, deterministic: Any = None, name: Any = None,
        synchronous: Any = None, use_unbounded_threadpool: Any = None,
    ) -> Dataset:  # fmt: skip
        """What a function makes of each element; a tuple's parts are its arguments.

        It is traced into a program, once. One that looks at values (``if``, ``.numpy()``, ``tf.py_function``) is called for each
        element.
        """
        return Dataset(Map(self.stage, map_func))

    def filter(self, predicate: Callable, name: Any = None) -> Dataset:
        """The elements for which a function is true."""
        return Dataset(selecting.Filter(self.stage, self._test(predicate)))

    def take_while(self, predicate: Callable, name: Any = None) -> Dataset:
        """The elements before the first for which a function is not true."""
        return Dataset(selecting.Filter(self.stage, self._test(predicate), whole=False))

    def _test(self, predicate: Callable) -> Callable[[Any], bool]:
        holds = Mapped(predicate, self.stage.spec)
        return lambda element: bool(holds.arrays(element))

    def flat_map(self, map_func: Callable, name: Any = None) -> Dataset:
        """The elements of the data sets that a function gives, one data set after the other."""
        return Dataset(FlatMap(self.stage, map_func))

    def interleave(
        self, map_func: Callable, cycle_length: Any = None, block_length: Any = None, num_parallel_calls: Any = None,
        deterministic: Any = None, name: Any = None,
    ) -> Dataset:  # fmt: skip
        """The elements of the data sets that a function gives, ``block_length`` (1) at a time of ``cycle_length`` (2) of them."""
        cycle = 2 if cycle_length in (None, AUTOTUNE) else int(cycle_length)
        return Dataset(Interleave(self.stage, map_func, cycle, int(block_length or 1)))

    def scan(self, initial_state: Any, scan_func: Callable, name: Any = None) -> Dataset:
        """What ``scan_func(state, element)`` gives behind the next state."""
        return Dataset(Scan(self.stage, initial_state, scan_func))

    def enumerate(self, start: int = 0, name: Any = None) -> Dataset:
        """Pairs of a number, from ``start`` on, and an element."""
        return Dataset(selecting.Enumerated(self.stage, int(start)))

    def ignore_errors(self, log_warning: bool = False, name: Any = None) -> Dataset:
        """Without the elements that a function before it fails for."""
        return Dataset(IgnoreErrors(self.stage))

    # -- which elements, and how often ------------------------------------------------------------------
    def shuffle(
        self, buffer_size: Any, seed: int | None = None, reshuffle_each_iteration: bool | None = None, name: Any = None
    ) -> Dataset:
        """Each next element drawn from a buffer of ``buffer_size`` of those to come."""
        return Dataset(Shuffle(self.stage, int(buffer_size), seed, reshuffle_each_iteration is not False))

    def repeat(self, count: Any = None, name: Any = None) -> Dataset:
        """``count`` passes; without an end by default."""
        return Dataset(selecting.Repeat(self.stage, None if count is None else int(count)))

    def take(self, count: Any, name: Any = None) -> Dataset:
        """The first elements."""
        return Dataset(selecting.Take(self.stage, int(count)))

    def skip(self, count: Any, name: Any = None) -> Dataset:
        """The elements behind the first ones."""
        return Dataset(selecting.Skip(self.stage, int(count)))

    def shard(self, num_shards: Any, index: Any, name: Any = None) -> Dataset:
        """Every ``num_shards``-th element."""
        return Dataset(selecting.Shard(self.stage, int(num_shards), int(index)))

    def unique(self, name: Any = None) -> Dataset:
        """Each element once."""
        return Dataset(selecting.Unique(self.stage))

    def concatenate(self, dataset: Dataset, name: Any = None) -> Dataset:
        """These elements, then those of another data set."""
        return Dataset(stage.Concatenated([self.stage, dataset.stage], merged(self.stage.spec, dataset.stage.spec)))

    # -- elements together, and apart -------------------------------------------------------------------
    def batch(
        self, batch_size: Any, drop_remainder: bool = False, num_parallel_calls: Any = None, deterministic: Any = None,
        name: Any = None,
    ) -> Dataset:  # fmt: skip
        """So many elements as one, with a new first axis; the last may have fewer, unless ``drop_remainder``."""
        return Dataset(batching.Batch(self.stage, batch_size, drop_remainder))

    def padded_batch(
        self,
        batch_size: Any,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
        name: Any = None,
    ) -> Dataset:
        """As :meth:`batch`, of arrays that are filled up to the longest, or to ``padded_shapes``."""
        return Dataset(batching.PaddedBatch(self.stage, batch_size, padded_shapes, padding_values, drop_remainder))

    def ragged_batch(
        self, batch_size: Any, drop_remainder: bool = False, row_splits_dtype: Any = None, name: Any = None
    ) -> Dataset:
        """As :meth:`batch`, of arrays that differ in length, as ragged tensors."""
        return Dataset(batching.RaggedBatch(self.stage, batch_size, drop_remainder))

    def sparse_batch(self, batch_size: Any, row_shape: Any, name: Any = None) -> Dataset:
        """So many arrays, which may differ in their dims, as one sparse tensor with rows of ``row_shape``.

        Raises:
            ValueError: an array is larger.
        """
        return Dataset(batching.SparseBatch(self.stage, batch_size, row_shape))

    def unbatch(self, name: Any = None) -> Dataset:
        """The rows of each element."""
        return Dataset(batching.Unbatch(self.stage))

    def rebatch(self, batch_size: Any, drop_remainder: bool = False, name: Any = None) -> Dataset:
        """Batches of another size."""
        return self.unbatch().batch(batch_size, drop_remainder)

    def window(
        self, size: Any, shift: Any = None, stride: Any = 1, drop_remainder: bool = False, name: Any = None
    ) -> Dataset:
        """Data sets of ``size`` neighbouring elements, each ``shift`` behind the one before."""

        def held(elements: list, spec: Any) -> Dataset:
            return Dataset(batching.Held(elements, spec))

        return Dataset(batching.Window(self.stage, size, shift, stride, drop_remainder, held))

    def group_by_window(
        self,
        key_func: Callable,
        reduce_func: Callable,
        window_size: Any = None,
        window_size_func: Any = None,
        name: Any = None,
    ) -> Dataset:
        """What ``reduce_func(key, data set)`` gives for each ``window_size`` elements of one key."""
        key_of = Mapped(key_func, self.stage.spec)
        spec = self.stage.spec

        def reduce(key: int, elements: list) -> Iterator[Any]:
            group = Dataset(batching.Held(elements, spec))
            return reduce_func(graph.constant(np.asarray(key, "int64")), group).stage.open()

        def size(key: int) -> int:
            return int(
                window_size if window_size_func is None else window_size_func(graph.constant(np.asarray(key, "int64")))
            )

        return Dataset(batching.Grouped(self.stage, lambda element: int(key_of.arrays(element)), size, reduce))

    def bucket_by_sequence_length(
        self, element_length_func: Callable, bucket_boundaries: Any, bucket_batch_sizes: Any, padded_shapes: Any = None,
        padding_values: Any = None, pad_to_bucket_boundary: bool = False, no_padding: bool = False, drop_remainder: bool = False,
        name: Any = None,
    ) -> Dataset:  # fmt: skip
        """Padded batches of elements whose lengths lie between the same boundaries."""
        bounds, sizes = [int(b) for b in bucket_boundaries], [int(b) for b in bucket_batch_sizes]
        if len(sizes) != len(bounds) + 1:
            raise ValueError("`len(bucket_batch_sizes)` must equal `len(bucket_boundaries) + 1`.")
        length_of = Mapped(element_length_func, self.stage.spec)
        spec = self.stage.spec

        def reduce(bucket: int, elements: list) -> Iterator[Any]:
            if drop_remainder and len(elements) < sizes[bucket]:
                return iter(())
            group = Dataset(batching.Held(elements, spec))
            if no_padding:
                return group.batch(sizes[bucket]).stage.open()
            shapes = padded_shapes
            if pad_to_bucket_boundary:
                shapes = map_leaves(lambda x: tuple([bounds[bucket] - 1 if d is None else d for d in x.shape]), spec)
            return group.padded_batch(sizes[bucket], shapes, padding_values).stage.open()

        def bucket_of(element: Any) -> int:
            return int(np.searchsorted(bounds, int(length_of.arrays(element)), side="right"))

        return Dataset(batching.Grouped(self.stage, bucket_of, lambda bucket: sizes[bucket], reduce))

    # -- how it runs ------------------------------------------------------------------------------------
    def prefetch(self, buffer_size: Any, name: Any = None) -> Dataset:
        """A thread keeps so many elements ready; two where that is left to the data set (``AUTOTUNE``)."""
        size = int(buffer_size)
        return Dataset(Prefetch(self.stage, 2 if size == AUTOTUNE else size))

    def cache(self, filename: Any = "", name: Any = None) -> Dataset:
        """The elements of the first whole pass are kept for later ones: in memory, or in a file."""
        path = to_array(filename).item().decode()
        return Dataset(caching.FileCache(self.stage, path) if path else caching.Cache(self.stage))

    def apply(self, transformation_func: Callable, name: Any = None) -> Dataset:
        """What a function from data sets to data sets makes of this one."""
        return transformation_func(self)

    def with_options(self, options: Any, name: Any = None) -> Dataset:
        """The same: options say how TensorFlow runs a data set."""
        return self

    def options(self) -> Options:
        return Options()

    # -- going through it -------------------------------------------------------------------------------
    def __iter__(self) -> DatasetIterator:
        _check_untraced()
        return DatasetIterator(self)

    def as_numpy_iterator(self) -> Iterator[Any]:
        """The elements as arrays, NumPy's numbers and bytes."""
        return (map_leaves(_numpy, element) for element in self.stage.open())

    def get_single_element(self, name: Any = None) -> Any:
        """The element of a data set that has one.

        Raises:
            ValueError: it has none, or several.
        """
        found = list(itertools.islice(self.stage.open(), 2))
        if len(found) != 1:
            raise ValueError(f"Expected exactly one element, the data set has {'none' if not found else 'more'}.")
        return to_tensors(found[0])

    def reduce(self, initial_state: Any, reduce_func: Callable, name: Any = None) -> Any:
        """The last state, from ``initial_state`` on, of which ``reduce_func(state, element)`` makes the next."""
        state = to_arrays(initial_state)
        step = Mapped(reduce_func, None)
        for element in self.stage.open():
            state = step.arrays((state, element))
        return to_tensors(state)

    def cardinality(self, name: Any = None) -> Any:
        """The number of elements as a tensor; ``INFINITE_CARDINALITY`` (-1) or ``UNKNOWN_CARDINALITY`` (-2)."""
        return graph.constant(np.asarray(self.stage.cardinality, dtype="int64"))

    def __len__(self) -> int:
        known = self.stage.cardinality
        if known < 0:
            raise TypeError("The dataset is infinite." if known == INFINITE else "The dataset length is unknown.")
        return known

    def __bool__(self) -> bool:
        return True

    @property
    def element_spec(self) -> Any:
        """The structure of the elements' ``tf.TensorSpec``; where only an element tells, that of the first."""
        if self.stage.spec is None:
            for element in self.stage.open():
                return spec_of(element)
        return self.stage.spec

    def __repr__(self) -> str:
        return f"<{type(self).__name__} element_spec={self.stage.spec if self.stage.spec is not None else '?'}>"


class DatasetIterator:
    """One pass through a data set. The pipeline's threads end with it."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._elements = dataset.stage.open()

    @property
    def element_spec(self) -> Any:
        return self._dataset.element_spec

    def __iter__(self) -> DatasetIterator:
        return self

    def __next__(self) -> Any:
        _check_untraced()
        return to_tensors(next(self._elements))

    def get_next(self) -> Any:
        """The next element.

        Raises:
            ValueError: there are no more (``tf.errors.OutOfRangeError``).
        """
        _check_untraced()
        for element in self._elements:
            return to_tensors(element)
        raise ValueError("End of sequence")


def _check_untraced() -> None:
    """Elements are values: a function that takes some of a data set runs step by step."""
    if context.trace is not None:
        raise NeedsValue("A data set is iterated over outside of traced functions, or by one that runs step by step.")


def _numpy(x: Any) -> Any:
    if isinstance(x, RaggedTensor):
        return x
    if isinstance(x, SparseArray):
        return x.dense()
    return x.as_numpy_iterator() if is_dataset(x) else x if x is None else np.asarray(x)[()]


def _common(stages: list[Stage]) -> Any:
    spec = stages[0].spec
    for other in stages[1:]:
        spec = merged(spec, other.spec)
    return spec


def _shapes(types: Any, shapes: Any) -> list:
    """The shape of each leaf of ``types``; shapes are tuples, too."""
    if isinstance(types, dict):
        return [s for key in sorted(types) for s in _shapes(types[key], shapes[key])]
    if isinstance(types, (tuple, list)):
        return [s for t, shape in zip(types, shapes) for s in _shapes(t, shape)]
    return [shapes]


def _pack_types(types: Any, specs: list) -> Any:
    packed = nest.pack(types, specs)
    return tuple(packed) if isinstance(packed, list) else packed


@for_scripts(
    "data.Options",
    "data.ThreadingOptions",
    "data.experimental.DistributeOptions",
    "data.experimental.OptimizationOptions",
    "data.experimental.ThreadingOptions",
)
class Options:
    """How TensorFlow runs data sets; nothing here."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self.__dict__[name] = found = Options()
        return found


@for_scripts("data.experimental.AutoShardPolicy")
class AutoShardPolicy:
    """How TensorFlow deals elements out among machines, of which there is one here."""

    OFF, AUTO, FILE, DATA, HINT = -1, 0, 1, 2, 3


# -- as functions ---------------------------------------------------------------------------------------------------
for_scripts("data.experimental.Counter")(Dataset.counter)
for_scripts("data.experimental.choose_from_datasets")(Dataset.choose_from_datasets)
for_scripts("data.experimental.sample_from_datasets")(Dataset.sample_from_datasets)


@for_scripts("data.experimental.cardinality")
def cardinality(dataset: Dataset) -> Any:
    return dataset.cardinality()


@for_scripts("data.experimental.get_single_element")
def get_single_element(dataset: Dataset) -> Any:
    return dataset.get_single_element()


def _transformation(method: str) -> Callable:
    """A method as a function for ``apply``."""
    return lambda *args, **kwargs: lambda dataset: getattr(dataset, method)(*args, **kwargs)


for _name in (
    "unbatch",
    "ignore_errors",
    "group_by_window",
    "bucket_by_sequence_length",
    "scan",
    "take_while",
    "unique",
):
    for_scripts(f"data.experimental.{_name}")(_transformation(_name))


for_scripts("data.experimental.dense_to_ragged_batch")(_transformation("ragged_batch"))
for_scripts("data.experimental.dense_to_sparse_batch")(_transformation("sparse_batch"))
for_scripts("data.experimental.parallel_interleave")(_transformation("interleave"))


@for_scripts("data.experimental.shuffle_and_repeat")
def shuffle_and_repeat(buffer_size: int, count: Any = None, seed: int | None = None) -> Callable[[Dataset], Dataset]:
    return lambda dataset: dataset.shuffle(buffer_size, seed).repeat(count)


@for_scripts("data.experimental.map_and_batch")
def map_and_batch(
    map_func: Callable, batch_size: Any, num_parallel_batches: Any = None, drop_remainder: bool = False,
    num_parallel_calls: Any = None,
) -> Callable[[Dataset], Dataset]:  # fmt: skip
    return lambda dataset: dataset.map(map_func).batch(batch_size, drop_remainder)


@for_scripts("data.experimental.assert_cardinality")
def assert_cardinality(expected_cardinality: int) -> Callable[[Dataset], Dataset]:
    """State the number of elements, where it is not known."""

    def state(dataset: Dataset) -> Dataset:
        stated = selecting.Counted(dataset.stage, int(expected_cardinality))
        return Dataset(stated)

    return state
