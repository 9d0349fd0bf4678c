"""What models of tf.keras have beyond those of Keras 2.3.1."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import backend as K
from .. import distribution, graph
from ..settings import settings
from ..utils.generic_utils import unpack_singleton
from ..utils.overriding import default


class LaterModel:
    """The part of a Model that only tf.keras has."""

    #: accepted, as steps_per_execution is
    autotune_steps_per_execution = False
    distribute_reduction_method = "auto"  #: how values of several replicas become one; there is one
    _steps_per_execution: int | None = None

    if TYPE_CHECKING:  # what a Model has besides
        name: str
        inputs: list
        built: bool
        _is_graph_network: bool
        _built_for: Any
        _set_inputs: Any

    @property
    def steps_per_execution(self) -> Any:
        """What ``compile`` was given by this name, as a tensor; None before. It changes no result: a step is one call."""
        count = self._steps_per_execution
        return None if count is None else graph.constant(np.asarray(count, "int64"))

    @steps_per_execution.setter
    def steps_per_execution(self, value: Any) -> None:
        if not int(value) > 0:
            raise ValueError(f"`steps_per_execution` is a positive number, got {value!r}.")
        self._steps_per_execution = int(value)

    @property
    def distribute_strategy(self) -> distribution.Strategy:
        """The strategy that the model runs under, on the one device."""
        return distribution.DEFAULT

    def get_weight_paths(self) -> dict[str, Any]:
        """The weights by the attributes that lead to them (``'encoder.dense.kernel'``), those of few steps first.

        A layer of a Sequential or functional model goes by its name, in a model inside by ``layer_with_weights-0`` and so on.
        """
        from ..saving.trackable.objects import weight_paths

        return weight_paths(self)

    # -- how a file makes the model again: a class may say it in its own way --------------------------------------------
    @default
    def get_build_config(self) -> dict | None:
        """The shape, or structure of shapes, that the model was built for, for any batch size; None if it was not built."""
        shapes = unpack_singleton([tuple(K.int_shape(x)) for x in self.inputs]) if self.inputs else self._built_for
        return None if shapes is None else {"input_shape": _of_any_batch_size(shapes)}

    @default
    def build_from_config(self, config: dict) -> None:
        """Make the weights of a model with its own ``call``, as :meth:`get_build_config` says."""
        shapes = config["input_shape"]
        if not shapes or self.built:
            return
        if isinstance(shapes, dict):
            with graph.symbolic():
                self({name: K.placeholder(shape=tuple(shape)) for name, shape in shapes.items()})  # type: ignore[operator]
            return
        several = any(isinstance(shape, (list, tuple)) for shape in shapes)
        self._set_inputs([K.placeholder(shape=tuple(shape)) for shape in (shapes if several else [shapes])])

    @default
    def get_compile_config(self) -> dict | None:
        """Optimizer, loss, metrics and so on as plain data, from which :meth:`compile_from_config` compiles."""
        from ..saving.model_file import compile_config_of

        return compile_config_of(self)

    @default
    def compile_from_config(self, config: dict) -> None:
        """Compile as a config says. A class with a ``compile`` of its own defines this and :meth:`get_compile_config`, too."""
        from ..saving.compiling import compile_model

        compile_model(self, config, None, None)

    # -- what BackupAndRestore asks for -------------------------------------------------------------------------------------
    def _save_backup(self, path: str, epoch: int, batch: int) -> None:
        from ..saving.backup import save_backup

        save_backup(self, path, epoch, batch)

    def _load_backup(self, path: str) -> tuple[int, int]:
        from ..saving.backup import load_backup

        return load_backup(self, path)


def _of_any_batch_size(shapes: Any) -> Any:
    if isinstance(shapes, dict):
        return {name: _of_any_batch_size(shape) for name, shape in shapes.items()}
    if isinstance(shapes, list):
        return [_of_any_batch_size(shape) for shape in shapes]
    return (None, *tuple(shapes)[1:])


def config_of_subclass(model: Any) -> dict:
    """The config of a model whose class has its own ``call`` and no ``get_config``: the class makes it of nothing.

    Raises:
        NotImplementedError: its constructor has arguments.
    """
    parameters = list(inspect.signature(type(model).__init__).parameters.values())[1:]
    if not settings.dialect.subclasses_have_configs:
        raise NotImplementedError(
            f"{type(model).__name__} {model.name} is a subclass of Model: its topology is Python code and has no config. Define "
            "`get_config` to save it as 'name.keras', or use `save_weights`."
        )
    if any(p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.default is p.empty for p in parameters):
        raise NotImplementedError(
            f"The class {type(model).__name__} of the model {model.name} has its own `call`, and a constructor with arguments: "
            "define `get_config`, which gives them, to save it whole; or use `save_weights`."
        )
    return {}
