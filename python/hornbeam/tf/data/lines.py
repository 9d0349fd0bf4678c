"""Files of lines: text, and tables of columns (CSV)."""

from __future__ import annotations

import csv
import glob
import io
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ... import graph
from ...graph import dtype_name
from ..specs import TensorSpec
from ..table import for_scripts
from .dataset import Dataset
from .element import to_array
from .records import paths_of, reading
from .stage import Generated, Stage


class _Lines(Stage):
    def __init__(self, filenames: Any, compression: str | None) -> None:
        self._paths = paths_of(filenames)
        self._compression = compression
        self.spec = TensorSpec((), "string")

    def open(self) -> Iterator[Any]:
        for path in self._paths():
            with reading(path, self._compression) as file:
                while line := file.readline():
                    yield np.array(line.removesuffix(b"\n").removesuffix(b"\r"), dtype=object)


@for_scripts("data.TextLineDataset")
class TextLineDataset(Dataset):
    """The lines of files, without their ends.

    Args:
        filenames: a path, a list of paths, or a data set of them.
        compression_type: ``''``, ``'GZIP'`` or ``'ZLIB'``.

    Raises:
        OSError: while it is read: a file is not there.
    """

    def __init__(
        self, filenames: Any, compression_type: str | None = None, buffer_size: Any = None, num_parallel_reads: Any = None,
        name: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(_Lines(filenames, compression_type))


@for_scripts("data.experimental.CsvDataset")
class CsvDataset(Dataset):
    """Tuples of the columns of files.

    Args:
        filenames: a path, a list of paths, or a data set of them.
        record_defaults: for each column its dtype, or a value for empty fields, whose dtype it is.
        header: whether a file's first line has the columns' names.
        field_delim: between fields.
        na_value: what stands for an empty field.
        select_cols: the numbers of the columns to take, in rising order.
        exclude_cols: or of those to leave out.

    Raises:
        ValueError: a field is empty and has no default, or is not a number; a line has another number of fields.
    """

    def __init__(
        self, filenames: Any, record_defaults: list, compression_type: str | None = None, buffer_size: Any = None,
        header: bool = False, field_delim: str = ",", use_quote_delim: bool = True, na_value: str = "",
        select_cols: Any = None, exclude_cols: Any = None,
    ) -> None:  # fmt: skip
        table = _Table(record_defaults, na_value, select_cols, exclude_cols)
        paths = paths_of(filenames)

        def rows() -> Iterator[Any]:
            for path in paths():
                with reading(path, compression_type) as file, io.TextIOWrapper(file, "utf-8", newline="") as text:
                    for number, row in enumerate(_rows(text, path, field_delim, use_quote_delim)):
                        if row and not (header and number == 0):
                            yield tuple(table.values(row, path, number))

        super().__init__(Generated(rows, tuple([TensorSpec((), c.dtype) for c in table.columns])))


@for_scripts("io.decode_csv", "decode_csv")
def decode_csv(
    records: Any, record_defaults: list, field_delim: str = ",", use_quote_delim: bool = True, na_value: str = "",
    select_cols: Any = None, name: Any = None,
) -> list:  # fmt: skip
    """The columns of lines of text, each as a tensor of the lines' shape; ``record_defaults`` as of ``CsvDataset``.

    Raises:
        ValueError: a field is empty and has no default, or is not a number; a line has another number of fields.
    """
    table = _Table(record_defaults, na_value, select_cols)
    columns = table.columns
    lines = graph.convert(records)

    def decode(array: np.ndarray) -> Any:
        found = [np.empty(array.size, dtype=object if c.dtype == "string" else c.dtype) for c in columns]
        for number, line in enumerate(array.reshape(-1).tolist()):
            (row,) = _rows([line.decode("utf-8", "replace")], "decode_csv", field_delim, use_quote_delim)
            for column, value in zip(found, table.values(row, "decode_csv", number)):
                column[number] = value[()]
        shaped = [values.reshape(array.shape) for values in found]
        return shaped if len(shaped) > 1 else shaped[0]

    tensors = graph.on_host(decode, [lines], *[(c.dtype, lines.shape) for c in columns])
    return list(tensors) if len(columns) > 1 else [tensors]


def _rows(lines: Iterable[str], path: str, delimiter: str, quoted: bool) -> Iterator[list[str]]:
    """The fields of each line.

    Raises:
        ValueError: a line does not consist of fields.
    """
    quoting: Any = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    try:
        yield from csv.reader(lines, delimiter=delimiter, quoting=quoting)
    except csv.Error as error:
        raise ValueError(f"{path}: {error}") from None


class _Table:
    """Columns, and which fields of a line they are."""

    def __init__(self, defaults: list, na_value: str, selected: Any = None, excluded: Any = None) -> None:
        self.columns = [_Column(default) for default in defaults]
        self._na_value = na_value
        self._selected, self._excluded = selected, excluded or ()

    def values(self, row: list[str], path: str, number: int) -> list[np.ndarray]:
        """What the columns hold in a line.

        Raises:
            ValueError: it has another number of fields, or one of them does not fit its column.
        """
        places = range(len(row)) if self._selected is None else self._selected
        kept = [row[i] for i in places if i < len(row) and i not in self._excluded]
        if len(kept) != len(self.columns):
            raise ValueError(f"{path}: Expect {len(self.columns)} fields but have {len(kept)} in line {number + 1}")
        return [c.value("" if f == self._na_value else f, path, number) for c, f in zip(self.columns, kept)]


class _Column:
    """How the fields of a column are read."""

    def __init__(self, default: Any) -> None:
        self.default: Any = None
        if isinstance(default, (str, type)) and _is_dtype(default):
            self.dtype = dtype_name(default)
        else:
            array = to_array(default).reshape(-1)
            self.dtype = "string" if array.dtype == object else array.dtype.name
            self.default = array[0] if len(array) else None

    def value(self, field: str, path: str, number: int) -> np.ndarray:
        if not field:
            if self.default is None:
                raise ValueError(f"{path}: a field of line {number + 1} is required but missing")
            return np.asarray(self.default, dtype=object if self.dtype == "string" else None)
        if self.dtype == "string":
            return np.array(field.encode(), dtype=object)
        try:
            return np.asarray(float(field) if self.dtype.startswith("float") else int(field), dtype=self.dtype)
        except ValueError:
            raise ValueError(f"{path}: field {field!r} of line {number + 1} is not a valid {self.dtype}") from None


def _is_dtype(x: Any) -> bool:
    return isinstance(x, type) or x in ("string", "float32", "float64", "int32", "int64")


@for_scripts("data.experimental.make_csv_dataset")
def make_csv_dataset(
    file_pattern: Any, batch_size: int, column_names: Any = None, column_defaults: Any = None, label_name: str | None = None,
    select_columns: Any = None, field_delim: str = ",", use_quote_delim: bool = True, na_value: str = "", header: bool = True,
    num_epochs: int | None = None, shuffle: bool = True, shuffle_buffer_size: int = 10000, shuffle_seed: int | None = None,
    prefetch_buffer_size: Any = None, num_parallel_reads: Any = None, sloppy: bool = False, num_rows_for_inference: int = 100,
    compression_type: str | None = None, ignore_errors: bool = False, encoding: str = "utf-8",
) -> Dataset:  # fmt: skip
    """Batches of columns by name, of the files that fit a pattern; with ``label_name`` pairs of the others and that one.

    Args:
        column_names: of the files' columns; by default those in the first line.
        column_defaults: as ``record_defaults`` of ``CsvDataset``; by default the dtypes of the first rows.
        select_columns: names (or numbers) of the columns to take.
        num_epochs: passes through the files; without an end by default.

    Raises:
        ValueError: no files fit, or a column is not there.
    """
    patterns = [file_pattern] if isinstance(file_pattern, str) else list(file_pattern)
    paths = sorted(p for pattern in patterns for p in glob.glob(pattern))
    if not paths:
        raise ValueError(f"No files matched pattern: {', '.join(patterns)}")
    with reading(paths[0], compression_type) as file, io.TextIOWrapper(file, encoding, newline="") as text:
        rows = _rows(text, paths[0], field_delim, use_quote_delim)
        first = list(itertools.islice(rows, num_rows_for_inference + 1))
    if not first:
        raise ValueError(f"{paths[0]} has no lines, which would tell the columns.")
    names = list(column_names) if column_names is not None else first[0]
    samples = first[1:] if header else first
    chosen = range(len(names))
    if select_columns is not None:
        chosen = sorted(names.index(c) if isinstance(c, str) else int(c) for c in select_columns)  # type: ignore[assignment]
    kept = [names[i] for i in chosen]
    if label_name is not None and label_name not in kept:
        raise ValueError(f"`label_name` {label_name!r} is none of the columns {', '.join(kept)}.")
    defaults = column_defaults or [_inferred([row[i] for row in samples if len(row) > i], na_value) for i in chosen]
    table = CsvDataset(
        paths, defaults, compression_type, header=header, field_delim=field_delim, use_quote_delim=use_quote_delim,
        na_value=na_value, select_cols=list(chosen),
    )  # fmt: skip

    def by_name(*columns: Any) -> Any:
        features = dict(zip(kept, columns))
        return features if label_name is None else (features, features.pop(label_name))

    data: Dataset = table.shuffle(shuffle_buffer_size, shuffle_seed) if shuffle else table
    data = data.repeat(num_epochs).batch(batch_size, drop_remainder=num_epochs is None).map(by_name)
    return data.prefetch(1)


def _inferred(fields: list[str], na_value: str) -> Any:
    """A default of the narrowest dtype that all fields have: int32, int64, float32 or string."""
    there = [f for f in fields if f not in ("", na_value)]
    for dtype, read in (("int32", int), ("int64", int), ("float32", float)):
        try:
            numbers = [read(f) for f in there]
        except ValueError:
            continue
        if dtype == "int32" and any(abs(n) >= 2**31 for n in numbers):
            continue
        return np.zeros(1, dtype)
    return [""]
