"""Objects to configs and back, custom objects, functions as bytecode, and small helpers on lists and shapes."""

from __future__ import annotations

import codecs
import contextlib
import inspect
import itertools
import marshal
import threading
import types
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..settings import settings
from .messages import did_you_mean
from .progbar import Progbar  # noqa: F401 - Keras has it here

_GLOBAL_CUSTOM_OBJECTS = settings.custom_objects  # Keras's name of the dict


@dataclass
class _Loading(threading.local):
    """What a thread lets configs name.

    Attributes:
        objects: custom objects inside a ``CustomObjectScope``, in place of those known everywhere.
        code: whether bytecode from a file may be run.
    """

    objects: dict[str, Any] | None = None
    code: bool = False


_loading = _Loading()


# -- custom objects ---------------------------------------------------------------------------------------
class CustomObjectScope:
    """A ``with`` block in which names in configs may mean the user's own classes and functions, for this thread.

    Args:
        *args: dicts from name to object.
    """

    def __init__(self, *args: dict[str, Any]) -> None:
        self.custom_objects = args

    def __enter__(self) -> CustomObjectScope:
        self._outer = _loading.objects
        objects = dict(get_custom_objects())
        for more in self.custom_objects:
            objects.update(more)
        _loading.objects = objects
        return self

    def __exit__(self, *exception: Any) -> None:
        _loading.objects = self._outer


def custom_object_scope(*args: dict[str, Any]) -> CustomObjectScope:
    """Return a :class:`CustomObjectScope`."""
    return CustomObjectScope(*args)


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Make a decorator: files call the class or function ``package>name``, and loading finds it without custom objects.

    Args:
        package: whose it is.
        name: the class's own by default.

    Raises:
        ValueError: a class without ``get_config``, or a name that is taken already.
    """

    def register(decorated: Any) -> Any:
        registered = f"{package}>{name or decorated.__name__}"
        if isinstance(decorated, type) and not hasattr(decorated, "get_config"):
            raise ValueError(f"Cannot register {decorated.__name__}: it has no get_config(), which files are made of.")
        other = settings.custom_objects.get(registered, decorated)
        if getattr(other, "__qualname__", None) != getattr(decorated, "__qualname__", None):
            raise ValueError(f"{registered} has been registered already, as {other}.")
        for known in (settings.custom_objects, get_custom_objects()):
            known[registered] = decorated
        return decorated

    return register


def get_registered_name(obj: Any) -> str:
    """What files call a class or function: ``package>name`` if it is registered, else its own name."""
    for name, known in get_custom_objects().items():
        if known is obj and ">" in name:
            return name
    return obj.__name__


def get_registered_object(
    name: str, custom_objects: dict[str, Any] | None = None, module_objects: dict[str, Any] | None = None
) -> Any:
    """What a registered name stands for, or a name in one of the dicts; None if there is no such object."""
    for known in (get_custom_objects(), custom_objects or {}, module_objects or {}):
        if name in known:
            return known[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """The dict of custom objects known everywhere; entries may be added and removed."""
    return settings.custom_objects if _loading.objects is None else _loading.objects


# -- objects to configs and back --------------------------------------------------------------------------
def serialize_keras_object(instance: Any) -> Any:
    """A config ``{class_name, config}`` of an object, the name of a function, or None for None.

    Raises:
        ValueError: the object has neither ``get_config`` nor a name.
    """
    if instance is None:
        return None
    if hasattr(instance, "get_config"):
        return {"class_name": get_registered_name(type(instance)), "config": instance.get_config()}
    if hasattr(instance, "__name__"):
        return get_registered_name(instance)
    raise ValueError(f"Cannot serialize {instance!r}: it has neither get_config() nor a __name__.")


def deserialize_keras_object(
    identifier: Any,
    module_objects: dict[str, Any] | None = None,
    custom_objects: dict[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The object that a config or a name stands for.

    Args:
        identifier: ``{class_name, config}``, or the name of a function.
        module_objects: names that are known without being custom.
        custom_objects: the caller's own; they come first, then those of ``get_custom_objects()``.
        printable_module_name: what it should be, for the error message.

    Raises:
        ValueError: an unknown name, or a malformed identifier.
    """
    known = [custom_objects or {}, get_custom_objects(), module_objects or {}]
    if isinstance(identifier, dict):
        if "class_name" not in identifier or "config" not in identifier:
            raise ValueError(f"Improper config format: {identifier}")
        cls = _look_up(identifier["class_name"], known, printable_module_name)
        if not isinstance(cls, type) and printable_module_name in _NOT_MADE_BY_FUNCTIONS:
            raise ValueError(
                f"{identifier['class_name']} is a function: a {printable_module_name} is named without config."
            )
        config = identifier["config"]
        if not config and inspect.isfunction(cls) and _needs_arguments(cls):
            return cls  # a user's own initializer, regularizer or constraint, and not what makes one
        if not hasattr(cls, "from_config"):
            with CustomObjectScope(custom_objects or {}):
                return cls(**config)
        if has_arg(cls.from_config, "custom_objects"):
            return cls.from_config(config, custom_objects={**get_custom_objects(), **(custom_objects or {})})
        with CustomObjectScope(custom_objects or {}):
            return cls.from_config(config)
    if isinstance(identifier, str):
        return _look_up(identifier, known, printable_module_name)
    raise ValueError(f"Could not interpret serialized {printable_module_name}: {identifier}")


#: Initializers and regularizers have functions that make them (``glorot_uniform``, ``l2``). Other functions are never
#: called on loading: a file could choose their arguments.
_NOT_MADE_BY_FUNCTIONS = ("layer", "optimizer", "activation function", "loss function", "metric function")


def _needs_arguments(function: Callable) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return any(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


def _look_up(name: Any, tables: list[dict[str, Any]], what: str) -> Any:
    if not isinstance(name, str):
        raise ValueError(f"The name of a {what} is not a text: {str(name)[:200]}")
    for table in tables:
        if table.get(name) is not None:
            return table[name]
    package, _, name = name.rpartition(">")
    if package:  # registered under a package: the user's own, whatever the library has of that name
        for table in tables[:-1]:
            if table.get(name) is not None:
                return table[name]
    raise ValueError(
        f"Unknown {what}: {name}.{did_you_mean(name, itertools.chain(*tables))} If it is your own, pass it as "
        f"custom_objects={{'{name[:80]}': ...}} or load inside a CustomObjectScope.{_WITHOUT_TRAINING.get(what, '')}"
    )


_WITHOUT_TRAINING = dict.fromkeys(
    ("loss function", "metric function", "optimizer"), " To predict only, load the model with compile=False."
)


# -- functions as bytecode --------------------------------------------------------------------------------
# A model file is data from a stranger, so bytecode in it is not run, with two exceptions: the caller allows it, or
# it equals the bytecode of a function that this process defined. Then that function's code is used and the
# file's bytes are never unmarshalled.
_own_functions: dict[bytes, types.FunctionType] = {}


@contextlib.contextmanager
def allow_code_loading(allowed: bool = True) -> Iterator[None]:
    """Inside the block, :func:`func_load` may run bytecode from a file (``safe_mode=False`` of loading)."""
    outer, _loading.code = _loading.code, allowed
    try:
        yield
    finally:
        _loading.code = outer


def func_dump(func: Callable) -> tuple[str, tuple | None, tuple | None]:
    """Bytecode (base64 text), defaults and closure values of a Python function, for a config.

    The function is remembered: a file with the same bytecode may be loaded in this process.
    """
    raw = marshal.dumps(func.__code__)
    code = codecs.encode(raw, "base64").decode("ascii")
    _own_functions[raw] = func  # type: ignore[assignment]
    closure = tuple(cell.cell_contents for cell in func.__closure__) if func.__closure__ else None
    return code, func.__defaults__, closure


def func_load(code: Any, defaults: Any = None, closure: Any = None, globs: dict | None = None) -> Callable:
    """The function that :func:`func_dump` described.

    Args:
        code: the bytecode, or a list (code, defaults, closure) as JSON gives it.
        globs: global names for the function; this module's by default.

    Raises:
        ValueError: the bytecode is none of this process, and nobody allowed to run it.
    """
    if isinstance(code, (tuple, list)):
        code, defaults, closure = code
    raw = _bytecode(code)
    own = _own_functions.get(raw)
    if own is None and not _loading.code:
        raise ValueError(
            "The file holds a Python function (a Lambda layer or a custom function) as bytecode, which could do anything "
            "on this machine, so it is not loaded. Give the function in lambdas={name of the layer: function}, "
            "or define the same one in this process before loading; or, if you trust the file, load it with safe_mode=False."
        )
    defaults = tuple(tuple(d) if isinstance(d, list) else d for d in defaults) if defaults is not None else None
    cells = tuple(c if isinstance(c, types.CellType) else types.CellType(c) for c in closure) if closure else None
    if own is not None:
        return types.FunctionType(own.__code__, own.__globals__, own.__name__, defaults, cells)
    return types.FunctionType(marshal.loads(raw), globals() if globs is None else globs, None, defaults, cells)


def _bytecode(text: Any) -> bytes:
    if not isinstance(text, str):
        raise ValueError(f"A function's bytecode is not a text but {type(text).__name__}.")
    try:
        return codecs.decode(text.encode("ascii"), "base64")
    except (UnicodeEncodeError, ValueError):
        return text.encode("raw_unicode_escape")  # Keras up to 2.0.9


def getargspec(fn: Callable) -> inspect.FullArgSpec:
    """``inspect.getfullargspec``, under the name that Keras 2 used."""
    return inspect.getfullargspec(fn)


_known_parameters: weakref.WeakKeyDictionary[Any, Mapping[str, inspect.Parameter]] = weakref.WeakKeyDictionary()


def _parameters(fn: Callable) -> Mapping[str, inspect.Parameter]:
    """What ``inspect.signature`` says, remembered for plain functions and methods: building asks for it at each call."""
    function = getattr(fn, "__func__", fn)
    if not isinstance(function, types.FunctionType):
        return inspect.signature(fn).parameters
    known = _known_parameters.get(function)
    if known is None:
        known = _known_parameters[function] = inspect.signature(function).parameters
    return known


def has_arg(fn: Callable, name: str, accept_all: bool = False) -> bool:
    """Whether ``fn`` can be called with the keyword ``name``; ``accept_all`` counts ``**kwargs`` as a yes."""
    try:
        parameters = _parameters(fn)
    except (TypeError, ValueError):
        return False
    parameter = parameters.get(name)
    if parameter is None:
        return accept_all and any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)


# -- lists, arrays, shapes --------------------------------------------------------------------------------
def to_list(x: Any, allow_tuple: bool = False) -> list:
    """A list as it is, anything else in a list of one; a tuple becomes a list if ``allow_tuple``."""
    if isinstance(x, list):
        return x
    return list(x) if allow_tuple and isinstance(x, tuple) else [x]


def unpack_singleton(x: Any) -> Any:
    """The only element of a list or tuple of one; everything else as it is."""
    return x[0] if isinstance(x, (list, tuple)) and len(x) == 1 else x


def each_once(*lists: list) -> list:
    """All items in order, each once (by identity)."""
    return list({id(item): item for items in lists for item in items}.values())


def object_list_uid(object_list: Any) -> str:
    """A string that tells lists of objects apart by the objects' identities."""
    return ", ".join(str(abs(id(x))) for x in to_list(object_list))


def is_all_none(iterable_or_element: Any) -> bool:
    """Whether a value, or each value in a list or tuple, is None."""
    return all(x is None for x in to_list(iterable_or_element, allow_tuple=True))


def slice_arrays(arrays: Any, start: Any = None, stop: int | None = None) -> Any:
    """Rows ``start`` to ``stop``, or the rows in the list ``start``, of one array or of each in a list.

    None gives ``[None]``, and None in a list stays. HDF5 data take lists of rows only, so arrays of rows are converted.
    """
    if arrays is None:
        return [None]
    if hasattr(start, "__len__"):
        if isinstance(start, np.ndarray):
            start = start.tolist()

        def part(x: Any) -> Any:
            return x[start]
    else:

        def part(x: Any) -> Any:
            return x[start:stop] if hasattr(x, "__getitem__") else [None]

    if isinstance(arrays, list):
        return [None if x is None else part(x) for x in arrays]
    return part(arrays)


def transpose_shape(shape: Sequence, target_format: str, spatial_axes: Iterable[int]) -> tuple:
    """A channels-last shape in another data format.

    Args:
        spatial_axes: the axes of the shape that are neither batch nor channels.

    Raises:
        ValueError: an unknown format.
    """
    if target_format == "channels_last":
        return tuple(shape)
    if target_format != "channels_first":
        raise ValueError(
            f'The `data_format` argument must be one of "channels_first", "channels_last". Received: {target_format}'
        )
    spatial_axes = list(spatial_axes)
    first = spatial_axes[0]
    return (*shape[:first], shape[-1], *(shape[i] for i in spatial_axes))


def check_for_unexpected_keys(name: str, input_dict: Mapping, expected_values: Sequence[str]) -> None:
    """Raise ValueError if a dict (the argument ``name``) has keys that are not expected."""
    unknown = set(input_dict).difference(expected_values)
    if unknown:
        raise ValueError(
            f'Unknown entries in "{name}" dictionary: {sorted(unknown)}. Only expected the following keys: '
            f"{list(expected_values)}"
        )
