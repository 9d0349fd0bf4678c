"""Data and a check for tests of layers, the user's own included."""

from __future__ import annotations

import importlib
import io
import os
import tempfile
from typing import Any

import numpy as np

from .. import backend as K
from .generic_utils import CustomObjectScope


def get_test_data(
    num_train: int = 1000,
    num_test: int = 500,
    input_shape: tuple = (10,),
    output_shape: tuple = (2,),
    classification: bool = True,
    num_classes: int = 2,
) -> tuple:
    """Random data that can be learned: inputs scatter around their class, or around a number that targets share.

    Returns:
        ((x, y) to train on, (x, y) to test on). Targets are class numbers, or of ``output_shape``.
    """
    count = num_train + num_test
    centre = np.random.randint(0, num_classes, size=count) if classification else np.random.random(count)

    def scattered(shape: tuple) -> np.ndarray:
        middle = centre.reshape((count,) + (1,) * len(shape))
        return np.random.normal(middle, 0.7, size=(count, *shape)).astype("float32")

    x = scattered(input_shape)
    y = centre if classification else scattered(output_shape)
    return (x[:num_train], y[:num_train]), (x[num_train:], y[num_train:])


def layer_test(
    layer_cls: Any,
    kwargs: dict | None = None,
    input_shape: tuple | list | None = None,
    input_dtype: str | None = None,
    input_data: np.ndarray | list | None = None,
    expected_output: np.ndarray | None = None,
    expected_output_dtype: str | None = None,
    fixed_batch_size: bool = False,
) -> np.ndarray:
    """Check a layer with one output.

    Its weights can be read and set, its shape rule agrees with what it does, its config makes an equal layer,
    a saved model loads and gives the same bits, and it can be trained.

    Args:
        layer_cls, kwargs: how to make the layer.
        input_shape: with None where the size may vary; random data is made for it. A list for several inputs.
        input_dtype: of the random data and the inputs.
        input_data: in place of random data; a list for several inputs.
        expected_output: compared with, to a relative 1e-3.

    Returns:
        The output, for further checks.

    Raises:
        AssertionError: something does not hold.
    """
    from ..layers import Input, Layer
    from ..models import Model, load_model

    assert input_shape or input_data is not None, "either input_shape or input_data is needed"
    shapes = _list(input_shape)
    data = _random(shapes, input_dtype or K.floatx()) if input_data is None else _list(input_data)
    shapes = [
        array.shape if shape is None else tuple(shape) for array, shape in zip(data, shapes or [None] * len(data))
    ]
    dtypes = [input_dtype or array.dtype.name for array in data]
    several = isinstance(input_shape, list) or isinstance(input_data, list)
    input_shape, input_data = (shapes, data) if several else (shapes[0], data[0])

    layer = layer_cls(**(kwargs or {}))
    inputs = [
        Input(batch_shape=shape if fixed_batch_size else (None, *shape[1:]), dtype=dtype)
        for shape, dtype in zip(shapes, dtypes)
    ]
    x = inputs if several else inputs[0]
    y = layer(x)
    assert K.dtype(y) == (expected_output_dtype or dtypes[0])
    layer.set_weights(layer.get_weights())

    model = Model(x, y)
    output = model.predict(input_data)
    statements = [K.int_shape(y)]
    if layer_cls.compute_output_shape is not Layer.compute_output_shape:  # left out, it is taken from `call`
        statements.append(layer.compute_output_shape(input_shape))
    for stated in statements:
        assert len(stated) == output.ndim, f"stated shape {stated}, actual {output.shape}"
        assert all(m in (None, n) for m, n in zip(stated, output.shape)), f"stated {stated}, actual {output.shape}"
    if expected_output is not None:
        np.testing.assert_allclose(output, expected_output, rtol=1e-3, atol=1e-6)

    again = layer_cls.from_config(layer.get_config())
    assert _plain(again.get_config()) == _plain(layer.get_config())
    with CustomObjectScope({layer_cls.__name__: layer_cls}):
        clone = Model.from_config(model.get_config())
        clone.set_weights(model.get_weights())
        np.testing.assert_array_equal(clone.predict(input_data), output)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "layer.h5")
            model.save(path)
            np.testing.assert_array_equal(load_model(path, compile=False).predict(input_data), output)

    if np.issubdtype(output.dtype, np.floating):
        model.compile("rmsprop", "mse")
        model.train_on_batch(input_data, output)
    return output


def _list(value: Any) -> list:
    """A list as it is; anything else alone in one, and None as no entries."""
    if value is None or isinstance(value, list):
        return value or []
    return [value]


def _random(shapes: list, dtype: str) -> list:
    """An array between 0 and 10 for each shape; equal sizes in place of their None, so that samples match."""
    size = np.random.randint(1, 4)
    return [(10 * np.random.random([size if n is None else n for n in shape])).astype(dtype) for shape in shapes]


def _plain(value: Any) -> Any:
    """Configs compare equal whether they hold tuples or lists."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value


class tf_file_io_proxy:
    """In a ``with`` block, files at ``gs://`` addresses are kept in memory: for tests of saving to such an address.

    Args:
        file_io_module: where the code under test looks for the module that opens such files.
        bucket_name: what stands after ``gs://``.
    """

    def __init__(
        self, file_io_module: str = "keras.engine.saving.tf_file_io", bucket_name: str = "mock-bucket"
    ) -> None:
        self.file_io_module = file_io_module
        self.bucket_path = f"gs://{bucket_name}"
        self.local_objects: dict[str, bytes] = {}

    def get_filepath(self, filename: str) -> str:
        """The address of a file in the bucket."""
        return f"{self.bucket_path}/{filename.lstrip('/')}"

    def FileIO(self, name: str, mode: str) -> Any:
        if mode == "wb":
            return _Kept(self.local_objects, name)
        if name not in self.local_objects:
            raise OSError(f"{name} does not exist")
        return io.BytesIO(self.local_objects[name])

    def file_exists(self, name: str) -> bool:
        return name in self.local_objects

    def delete_file(self, name: str) -> None:
        del self.local_objects[name]

    def assert_exists(self, filepath: str) -> None:
        assert self.file_exists(filepath), f"{filepath} does not exist"

    def start(self) -> None:
        module, self._attribute = self.file_io_module.rsplit(".", 1)
        self._module = importlib.import_module(module.replace("keras", "hornbeam", 1))
        self._before = getattr(self._module, self._attribute)
        setattr(self._module, self._attribute, self)

    def stop(self) -> None:
        setattr(self._module, self._attribute, self._before)

    def __enter__(self) -> tf_file_io_proxy:
        self.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.stop()


class _Kept(io.BytesIO):
    """A file that keeps its contents under its name when it is closed."""

    def __init__(self, kept: dict[str, bytes], name: str) -> None:
        super().__init__()
        self._kept, self._name = kept, name

    def close(self) -> None:
        self._kept[self._name] = self.getvalue()
        super().close()
