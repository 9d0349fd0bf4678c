"""From what users pass as data to lists of arrays that fit the model, or an error that says what does not."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend as K
from .. import losses
from .._core import DeviceArray
from ..graph import as_array, as_strings, where_it_lies
from ..settings import settings
from ..utils.generic_utils import to_list
from ..utils.messages import describe
from .compile_arguments import rank_of_weights

_NOT_ONE_ARRAY = (
    "the elements have different shapes or are no numbers. Pad them to one length "
    "(`keras.preprocessing.sequence.pad_sequences`) and convert with `np.asarray(x, dtype='float32')`."
)


def standardize_single_array(x):
    """Return ``x`` as something with a shape; one-dimensional data gets a second axis of size 1."""
    if x is None:
        return None
    if K.is_tensor(x):
        if None in x.shape:
            raise ValueError(
                f"When feeding symbolic tensors to a model, we expect the tensors to have a static batch size. Got "
                f"tensor with shape: {x.shape}"
            )
        return x
    if isinstance(x, np.ndarray) and x.dtype == object:
        x = as_array(x)
    if isinstance(x, np.ndarray) and x.dtype == object:
        raise ValueError(f"Failed to convert a NumPy array of dtype object: {_NOT_ONE_ARRAY}")
    if isinstance(x, DeviceArray) and x.ndim == 1:
        return x.reshape((x.shape[0], 1))
    if getattr(x, "ndim", None) == 1:
        return np.expand_dims(x, 1)
    return x


def _unwrap_frame(x: Any) -> Any:
    """The array of a pandas DataFrame or Series, or of an eager tensor."""
    if K.is_tensor(x) and x.is_eager:
        return x.numpy()
    return x.values if type(x).__name__ in ("DataFrame", "Series") else x


def standardize_input_data(data, names, shapes=None, check_batch_axis=True, exception_prefix="", text=()):
    """Return one array per name, in the order of ``names``.

    Args:
        data: an array, a list of arrays, a list of numbers, or a dict from name to array.
        names: names of the model's inputs or targets.
        shapes: for each the expected shape, with None for anything.
        check_batch_axis: whether the first axis is compared too.
        exception_prefix: ``'input'`` or ``'target'``, for messages.
        text: the names of those that take strings.

    Raises:
        ValueError: number or shape of the arrays is wrong.
    """
    where = f"Error when checking model {exception_prefix}"
    if not names:
        if data is not None and hasattr(data, "__len__") and len(data):
            raise ValueError(f"{where}: expected no data, but got: {str(data)[:200]}")
        return []
    if data is None:
        return [None] * len(names)
    if len(names) == 1 and not text and shapes and _fits(data, shapes[0], check_batch_axis):
        return [data]
    arrays = _as_list(data, names)
    if len(arrays) != len(names):
        arrays = _wrong_number(arrays, names, where)
    arrays = [where_it_lies(x) for x in arrays]
    arrays = [x if hasattr(x, "shape") and not isinstance(x, memoryview) else as_array(x) for x in arrays]
    if text:
        ranks = [None if shape is None else len(shape) for shape in shapes or [None] * len(names)]
        arrays = [_strings(x, n, rank, where) if n in text else x for n, rank, x in zip(names, ranks, arrays)]
    for i, x in enumerate(arrays):
        if x.shape == () and x.dtype == object:
            raise TypeError(
                f"{where}: data should be a Numpy array, or list/dict of Numpy arrays. "
                f"Found: {type(x[()]).__name__} for '{names[i]}': {str(x[()])[:200]}"
            )
    standard = [x if name in text else standardize_single_array(x) for name, x in zip(names, arrays)]
    for name, x in zip(names, standard):
        if name not in text and getattr(x.dtype, "kind", "f") not in "biuf":
            raise TypeError(
                f"{where}: the array for '{name}' has dtype {x.dtype}, which is not a number. Text becomes numbers with "
                "`keras.preprocessing.text.Tokenizer`, names of classes with `np.unique(y, return_inverse=True)`."
            )
    if exception_prefix == "target" and settings.dialect.short_targets and shapes:
        standard = [_with_last_axis(x, shape) for x, shape in zip(standard, shapes)]
    for name, given, x, shape in zip(names, arrays, standard, shapes or ()):
        if shape is not None:
            hint = functools.partial(_hint, tuple(given.shape), tuple(shape), exception_prefix, name)
            _check_shape(name, tuple(x.shape), tuple(shape), check_batch_axis, exception_prefix, hint)
    return standard


def _fits(data: Any, shape: tuple | None, check_batch_axis: bool) -> bool:
    """Whether it is an array of numbers to be fed as it is: nearly all are, and a training step is short."""
    if type(data) is not np.ndarray or shape is None or data.ndim != len(shape) or data.ndim < 2:
        return False
    if data.dtype.kind not in "biuf":
        return False
    start = 0 if check_batch_axis else 1
    return all([want is None or want == got for want, got in zip(shape[start:], data.shape[start:])])


def _with_last_axis(x: Any, shape: tuple | None) -> Any:
    """Targets with the axis of size 1 that they lack at the end."""
    lacks = shape is not None and len(x.shape) == len(shape) - 1 and shape[-1] == 1
    return x[..., None] if lacks and isinstance(x, np.ndarray) else x


def _strings(x: Any, name: str, rank: int | None, where: str) -> np.ndarray:
    """An array of strings, with a second axis of size 1 if it has one axis where two are wanted."""
    array = np.asarray(x.numpy(), dtype=object) if K.is_tensor(x) else x
    strings = as_strings(array)
    if strings is None:
        raise TypeError(f"{where}: '{name}' takes strings, got an array of dtype {array.dtype}.")
    if rank == 1:
        return strings.reshape(-1) if strings.ndim < 2 or strings.shape[1:] == (1,) else strings
    return strings.reshape(-1, 1) if strings.ndim < 2 else strings


def _as_list(data: Any, names: list[str]) -> list:
    if isinstance(data, dict):
        try:
            return [_unwrap_frame(data[name]) for name in names]
        except KeyError as error:
            raise ValueError(f'No data provided for "{error.args[0]}". Need data for each key in: {names}') from None
    if isinstance(data, (list, tuple)) and len(data):
        if isinstance(data[0], (list, tuple)) and not (len(names) == len(data) > 1):
            return [_from_lists(data)] if len(names) == 1 else [_from_lists(d) for d in data]
        if len(names) == 1 and isinstance(data[0], (float, int, np.number)):
            return [np.asarray(data)]
        return [_unwrap_frame(x) for x in data]
    if isinstance(data, (list, tuple)):
        return [np.asarray(data)]
    return [_unwrap_frame(data)]


def _from_lists(data: Any) -> np.ndarray:
    try:
        return np.asarray(data)
    except ValueError:
        raise ValueError(f"Failed to make an array of the list: {_NOT_ONE_ARRAY}") from None


def _wrong_number(arrays: list, names: list[str], where: str) -> list:
    if arrays and hasattr(arrays[0], "shape"):
        raise ValueError(
            f"{where}: the list of Numpy arrays that you are passing to your model is not the size the model "
            f"expected. Expected to see {len(names)} array(s), but instead got the following list of {len(arrays)} arrays: "
            f"{describe(arrays)}. The model's are {names}."
        )
    if len(names) > 1:
        raise ValueError(
            f"{where}: you are passing a list as input to your model, but the model expects a list of {len(names)} "
            f"Numpy arrays instead. The list you passed was: {str(arrays)[:200]}"
        )
    return [np.asarray(arrays)]


def _check_shape(
    name: str, got: tuple, want: tuple, check_batch_axis: bool, prefix: str, hint: Callable[[], str]
) -> None:
    if len(got) != len(want):
        raise ValueError(
            f"Error when checking {prefix}: expected {name} to have {len(want)} dimensions, but got array with "
            f"shape {got}{hint()}"
        )
    if not check_batch_axis:
        got, want = got[1:], want[1:]
    if any(w is not None and g != w for g, w in zip(got, want)):
        raise ValueError(
            f"Error when checking {prefix}: expected {name} to have shape {want} but got array with shape {got}{hint()}"
        )


def _hint(given: tuple, want: tuple, prefix: str, name: str) -> str:
    """What to do about data of shape ``given`` where ``want`` is expected, if it is one of the usual mistakes."""

    def fits(shape: tuple) -> bool:
        return len(shape) == len(want) and all(None in (m, n) or m == n for m, n in zip(shape, want))

    if prefix == "target":
        if len(want) > 2 and len(given) < len(want):
            return f". Is a `Flatten`, a global pooling or `return_sequences=False` missing before {name}?"
        numbers = given[:-1] if given[-1:] == (1,) and len(given) == len(want) else given
        if want[-1] is not None and want[-1] > 1 and fits((*numbers, want[-1])):
            return (
                ". If the targets are class numbers, use the loss `sparse_categorical_crossentropy`, or "
                f"`keras.utils.to_categorical(y, {want[-1]})`."
            )
        return ""
    if fits((1, *given)):
        return f". A single sample needs an axis for the batch, too: x[None] has shape {(1, *given)}."
    if fits((*given, 1)):
        return f". A single channel needs its axis, too: x[..., None] has shape {(*given, 1)}."
    if len(given) > 2 and fits((given[0], *given[2:], given[1])):
        return ". The data have their channels first: np.moveaxis(x, 1, -1) puts them last."
    if len(given) > 2 and fits((given[0], given[-1], *given[1:-1])):
        return ". The data have their channels last: np.moveaxis(x, -1, 1) puts them first."
    return ""


def standardize_sample_or_class_weights(x_weight, output_names, weight_type):
    """Return one weight (or None) per output from an array, a list or a dict by output name."""
    if x_weight is None or len(x_weight) == 0:
        return [None] * len(output_names)
    if len(output_names) == 1:
        if isinstance(x_weight, list) and len(x_weight) == 1:
            return x_weight
        if isinstance(x_weight, dict) and output_names[0] in x_weight:
            return [x_weight[output_names[0]]]
        return [x_weight]
    if isinstance(x_weight, list):
        if len(x_weight) != len(output_names):
            raise ValueError(
                f"Provided `{weight_type}` was a list of {len(x_weight)} elements, but the model has "
                f"{len(output_names)} outputs. You should provide one `{weight_type}` array per model output."
            )
        return x_weight
    if isinstance(x_weight, dict):
        return [x_weight.get(name) for name in output_names]
    raise TypeError(
        f"The model has multiple outputs, so `{weight_type}` should be either a list or a dict. Provided "
        f"`{weight_type}` type not understood: {str(x_weight)[:200]}"
    )


def standardize_class_weights(class_weight, output_names):
    """One dict from class to weight (or None) per output."""
    return standardize_sample_or_class_weights(class_weight, output_names, "class_weight")


def standardize_sample_weights(sample_weight, output_names):
    """One array of weights (or None) per output."""
    return standardize_sample_or_class_weights(sample_weight, output_names, "sample_weight")


def standardize_weights(y, sample_weight=None, class_weight=None, sample_weight_mode=None):
    """Return the weight of each sample (or of each time step) of one output, as an array.

    Args:
        y: the targets.
        sample_weight: given weights, one per sample; with mode ``'temporal'`` one per sample and step.
        class_weight: dict from class to a factor of the weights of its samples.
        sample_weight_mode: None, ``'temporal'``, or the rank of the weights.
    """
    if sample_weight is not None:
        sample_weight = np.asarray(_unwrap_frame(sample_weight))
    _check_weight_mode(y, sample_weight, sample_weight_mode)
    if sample_weight is not None:
        if sample_weight.ndim > len(y.shape):
            raise ValueError(
                f"Found a sample_weight with shape {sample_weight.shape}. Expected sample_weight with rank less than "
                f"or equal to {len(y.shape)}"
            )
        if y.shape[: sample_weight.ndim] != sample_weight.shape:
            raise ValueError(
                f"Found a sample_weight array with shape {sample_weight.shape} for an input with shape {y.shape}. "
                "sample_weight cannot be broadcast."
            )
    by_class = _weights_by_class(y, class_weight) if isinstance(class_weight, dict) else None
    if sample_weight is not None:
        return sample_weight if by_class is None else sample_weight * by_class
    if by_class is not None:
        return by_class
    return np.ones(y.shape[: rank_of_weights(sample_weight_mode)], dtype=K.floatx())


def _check_weight_mode(y: Any, sample_weight: Any, mode: str | int | None) -> None:
    if isinstance(mode, int):
        return
    if mode is None:
        if sample_weight is not None and sample_weight.ndim != 1:
            raise ValueError(
                f"Found a sample_weight array with shape {sample_weight.shape}. In order to use timestep-wise sample "
                'weights, you should specify sample_weight_mode="temporal" in compile(). If you just mean to use '
                "sample-wise weights, make sure your sample_weight array is 1D."
            )
        return
    if mode != "temporal":
        raise ValueError(f'"sample_weight_mode should be None or "temporal". Found: {mode}')
    if len(y.shape) < 3:
        raise ValueError(
            f"Found a sample_weight array for an input with shape {y.shape}. Timestep-wise sample weighting (use of "
            'sample_weight_mode="temporal") is restricted to outputs that are at least 3D, i.e. that have a time '
            "dimension."
        )
    if sample_weight is not None and sample_weight.ndim != 2:
        raise ValueError(
            f"Found a sample_weight array with shape {sample_weight.shape}. In order to use timestep-wise sample "
            "weighting, you should pass a 2D sample_weight array."
        )


def _weights_by_class(y: Any, class_weight: dict) -> np.ndarray:
    if len(y.shape) > 2:
        raise ValueError("`class_weight` not supported for 3+ dimensional targets.")
    y = np.asarray(y)
    classes = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(y.shape[0])
    present, where = np.unique(classes, return_inverse=True)
    missing = {c.item() for c in present if c not in class_weight}
    if missing:
        raise ValueError(
            f"`class_weight` must contain all classes in the data. The classes {missing} exist in the data but not "
            "in `class_weight`."
        )
    return np.asarray([class_weight[c] for c in present])[where.reshape(-1)]


def check_array_length_consistency(inputs, targets, weights=None):
    """Check that inputs, targets and weights have one number of samples; None counts as no samples."""

    def lengths(arrays: Any) -> set[int]:
        return {0 if x is None else x.shape[0] for x in to_list(arrays)}

    def shapes(arrays: Any) -> str:
        return str([x.shape for x in to_list(arrays) if x is not None])

    of_x, of_y, of_w = lengths(inputs), lengths(targets), lengths(weights)
    if len(of_x) > 1:
        raise ValueError(
            f"All input arrays (x) should have the same number of samples. Got array shapes: {shapes(inputs)}"
        )
    if len(of_y) > 1:
        raise ValueError(
            f"All target arrays (y) should have the same number of samples. Got array shapes: {shapes(targets)}"
        )
    if of_x and of_y and of_x != of_y:
        raise ValueError(
            f"Input arrays should have the same number of samples as target arrays. Found {of_x.pop()} input samples "
            f"and {of_y.pop()} target samples."
        )
    if len(of_w) > 1:
        raise ValueError(
            f"All sample_weight arrays should have the same number of samples. Got array shapes: {shapes(weights)}"
        )
    if of_y and of_w and of_y != of_w:
        raise ValueError(
            f"Sample_weight arrays should have the same number of samples as target arrays. Got {of_y.pop()} input "
            f"samples and {of_w.pop()} target samples."
        )


_SAME_SHAPE = ("mean_squared_error", "binary_crossentropy", "categorical_crossentropy")


def expects_shape_of_output(loss):
    """Whether a loss compares targets with outputs number by number."""
    return _name(loss) in _SAME_SHAPE


def _name(loss):
    return getattr(getattr(loss, "fn", loss), "__name__", type(loss).__name__)


def check_loss_and_target_compatibility(targets, loss_fns, output_shapes):
    """Catch targets that broadcasting would make something of, though surely not what was meant."""
    for y, loss, shape in zip(targets, loss_fns, output_shapes):
        if y is None or loss is None or K.is_tensor(y):
            continue
        fn = getattr(loss, "fn", loss)
        if fn is losses.categorical_crossentropy and y.shape[-1] == 1:
            raise ValueError(
                f"You are passing a target array of shape {y.shape} while using as loss `categorical_crossentropy`. "
                "`categorical_crossentropy` expects targets to be binary matrices (1s and 0s) of shape (samples, "
                "classes). If your targets are integer classes, you can convert them to the expected format via:\n"
                "```\nfrom keras.utils import to_categorical\ny_binary = to_categorical(y_int)\n```\n\n"
                "Alternatively, you can use the loss function `sparse_categorical_crossentropy` instead, which does "
                "expect integer targets."
            )
        if expects_shape_of_output(loss) and shape is not None:
            if any(want is not None and got != want for got, want in zip(y.shape[1:], shape[1:])):
                raise ValueError(
                    f"A target array with shape {y.shape} was passed for an output of shape {shape} while using as "
                    f"loss `{_name(loss)}`. This loss expects targets to have the same shape as the output."
                )


def check_class_numbers(targets, loss_fns, output_shapes):
    """Raise ValueError where a class number is none of the output's classes: its loss would be nan."""
    for y, loss, shape in zip(targets, loss_fns, output_shapes):
        if getattr(loss, "fn", loss) is not losses.sparse_categorical_crossentropy or not isinstance(y, np.ndarray):
            continue
        classes = shape[-1]
        ignored = getattr(loss, "_fn_kwargs", {}).get("ignore_class")
        y = y if ignored is None else y[y != ignored]
        if classes_first(shape) or classes is None or not y.size:
            continue
        low, high = y.min(), y.max()
        if low < 0 or high >= classes:
            raise ValueError(
                f"The targets hold the class number {low if low < 0 else high}, but an output of shape {shape} has the "
                f"classes 0 to {classes - 1}. Number the classes from 0, or give the last layer a unit for each."
            )


def classes_first(shape: tuple) -> bool:
    """Whether the classes of an output lie on axis 1, as in feature maps of ``channels_first``."""
    return K.image_data_format() == "channels_first" and len(shape) in (4, 5)


def check_num_samples(ins, batch_size=None, steps=None, steps_name="steps"):
    """The number of samples in ``ins``, or None where ``steps`` counts batches instead."""
    if steps is not None and batch_size is not None:
        raise ValueError(f"If {steps_name} is set, the `batch_size` must be None.")
    if not ins or any(K.is_tensor(x) for x in ins):
        if steps is None:
            raise ValueError(
                f"If your data is in the form of symbolic tensors, you should specify the `{steps_name}` argument "
                "(instead of the `batch_size` argument, because symbolic tensors are expected to produce batches of "
                "input data)."
            )
        return None
    return int(ins[0].shape[0]) if hasattr(ins[0], "shape") else None
