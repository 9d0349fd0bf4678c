"""``keras.utils.FeatureSpace``: the columns of a table, each preprocessed as its kind asks for, as numbers for a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .. import backend as K
from .. import graph
from ..engine.base_layer import Layer
from ..engine.input_layer import Input
from ..graph import StringTensor, Tensor
from ..utils.generic_utils import get_registered_name
from ..utils.registry import LAYERS
from .core import Identity
from .hashing import HashedCrossing, Hashing
from .lookup import IntegerLookup, StringLookup, as_text
from .merge import Concatenate
from .preprocessing import CategoryEncoding, Discretization, Normalization, Rescaling
from .wrappers import Wrapper


def _checked(output_mode: str, modes: tuple) -> str:
    if output_mode not in modes:
        raise ValueError(f"Invalid value for argument `output_mode`. Expected one of {modes}. Received: {output_mode}")
    return output_mode


class Cross:
    """Several features that are hashed together. Made by :meth:`FeatureSpace.cross`."""

    def __init__(self, feature_names: Iterable[str], crossing_dim: int, output_mode: str = "one_hot") -> None:
        self.feature_names = tuple(feature_names)
        self.crossing_dim = crossing_dim
        self.output_mode = _checked(output_mode, ("int", "one_hot"))

    @property
    def name(self) -> str:
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict:
        return {
            "feature_names": self.feature_names,
            "crossing_dim": self.crossing_dim,
            "output_mode": self.output_mode,
        }


class Feature:
    """How a column is preprocessed and encoded. Made by the class methods of :class:`FeatureSpace`.

    Args:
        dtype: of the column.
        preprocessor: a layer.
        output_mode: what becomes of the layer's output: ``'float'`` or ``'int'``, nothing; or ``'one_hot'``.
    """

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        self.dtype = dtype
        self.preprocessor = LAYERS.deserialize(preprocessor) if isinstance(preprocessor, dict) else preprocessor
        self.output_mode = _checked(output_mode, ("int", "one_hot", "float"))

    def get_config(self) -> dict:
        layer = {"class_name": get_registered_name(type(self.preprocessor)), "config": self.preprocessor.get_config()}
        return {"dtype": self.dtype, "preprocessor": layer, "output_mode": self.output_mode}


class OnHost(Wrapper):
    """Computes a layer without weights that gives integers on the host, before the model's program, for a hash of them."""

    def call(self, inputs):
        def values(array: np.ndarray) -> np.ndarray:
            return np.asarray(self.layer(array))

        return graph.on_host(values, [inputs], ("int64", inputs.shape))

    def compute_output_shape(self, input_shape):
        return input_shape


class FeatureSpace(Layer):
    """Encodes the columns of a table as one vector for each row, or a dict of vectors.

    Args:
        features: from the name of a column to what it is: ``'float'``, ``'float_normalized'``, ``'float_rescaled'``,
            ``'float_discretized'``, ``'integer_categorical'``, ``'string_categorical'``, ``'integer_hashed'``,
            ``'string_hashed'``; or what the class method of that name gives, with arguments; or :meth:`feature`.
        output_mode: ``'concat'`` for one vector, with the features in the order of their names and the crosses behind them; or
            ``'dict'``.
        crosses: tuples of features that are hashed together, or what :meth:`cross` gives.
        crossing_dim, hashing_dim, num_discretization_bins: number of places where the feature does not say it.

    Example:
        >>> space = FeatureSpace({"age": "float_normalized", "job": "string_categorical"})
        >>> space.adapt(dataset)  # of dicts
        >>> model = Model(space.get_inputs(), Dense(1)(space.get_encoded_features()))

    Raises:
        ValueError: no or unknown features, an unknown mode; later: it is not adapted, or something cannot be encoded.
    """

    _is_graph_network = False  # how files tell models from layers
    layers_in_files = "preprocessors"

    def __init__(
        self, features, output_mode="concat", crosses=None, crossing_dim=32, hashing_dim=32, num_discretization_bins=32,
        name=None,
    ):  # fmt: skip
        super().__init__(name=name)
        if not features:
            raise ValueError("The `features` argument cannot be None or empty.")
        self.output_mode = _checked(output_mode, ("dict", "concat"))
        self.crossing_dim = crossing_dim
        self.hashing_dim = hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.features = {name: self._feature(name, feature) for name, feature in features.items()}
        self.crosses = [self._cross(cross) for cross in crosses or ()]
        self.preprocessors = {name: feature.preprocessor for name, feature in self.features.items()}
        self.crossers = {cross.name: HashedCrossing(cross.crossing_dim, name=cross.name) for cross in self.crosses}
        self.inputs = {name: Input((1,), dtype=feature.dtype, name=name) for name, feature in self.features.items()}
        self._adapted = not self._adaptable()
        self._concatenate = Concatenate(axis=-1)
        self._forget_encoding()

    def _feature(self, name: str, feature: Any) -> Feature:
        if isinstance(feature, Feature):
            return feature
        if isinstance(feature, dict):
            return Feature(**feature["config"])
        places = {"float_discretized": self.num_discretization_bins, "integer_hashed": self.hashing_dim,
                  "string_hashed": self.hashing_dim}  # fmt: skip
        if feature not in _KINDS:
            raise ValueError(f"Invalid feature type of {name!r}: {feature!r:.80}. It is one of {_KINDS}.")
        more = (places[feature],) if feature in places else ()
        return getattr(self, feature)(*more, name=name)

    def _cross(self, cross: Any) -> Cross:
        if isinstance(cross, dict):
            cross = Cross(**cross["config"])
        elif not isinstance(cross, Cross):
            cross = Cross(cross, self.crossing_dim)
        unknown = [name for name in cross.feature_names if name not in self.features]
        if unknown or not cross.crossing_dim:
            raise ValueError(
                f"The features of a cross should be in the `features` dict, and its `crossing_dim` positive. Unknown: {unknown}."
            )
        return cross

    # -- kinds of features --------------------------------------------------------------------------------------------
    @classmethod
    def cross(cls, feature_names, crossing_dim, output_mode="one_hot"):
        """Several features, hashed together into ``crossing_dim`` places."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype, preprocessor, output_mode):
        """A column of a dtype that a layer preprocesses."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name=None):
        """Numbers as they are."""
        return Feature("float32", Identity(name=_named(name, "float")), "float")

    @classmethod
    def float_rescaled(cls, scale=1.0, offset=0.0, name=None):
        """Numbers times ``scale``, plus ``offset``."""
        return Feature("float32", Rescaling(scale, offset, name=_named(name, "float_rescaled")), "float")

    @classmethod
    def float_normalized(cls, name=None):
        """Numbers minus their mean, divided by their standard deviation."""
        return Feature("float32", Normalization(axis=-1, name=_named(name, "float_normalized")), "float")

    @classmethod
    def float_discretized(cls, num_bins, bin_boundaries=None, output_mode="one_hot", name=None):
        """In which bin each number falls."""
        layer = Discretization(bin_boundaries, num_bins, name=_named(name, "float_discretized"))
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(cls, max_tokens=None, num_oov_indices=1, output_mode="one_hot", name=None):
        """The place of each integer in a vocabulary."""
        layer = IntegerLookup(max_tokens, num_oov_indices, name=_named(name, "integer_categorical"))
        return Feature("int64", layer, output_mode)

    @classmethod
    def string_categorical(cls, max_tokens=None, num_oov_indices=1, output_mode="one_hot", name=None):
        """The place of each string in a vocabulary."""
        layer = StringLookup(max_tokens, num_oov_indices, name=_named(name, "string_categorical"))
        return Feature("string", layer, output_mode)

    @classmethod
    def integer_hashed(cls, num_bins, output_mode="one_hot", name=None):
        """The bucket of each integer."""
        return Feature("int64", Hashing(num_bins, name=_named(name, "integer_hashed")), output_mode)

    @classmethod
    def string_hashed(cls, num_bins, output_mode="one_hot", name=None):
        """The bucket of each string."""
        return Feature("string", Hashing(num_bins, name=_named(name, "string_hashed")), output_mode)

    # -- learning -----------------------------------------------------------------------------------------------------
    def _adaptable(self) -> list[str]:
        """The features whose layers learn from data and were not given what they would learn."""
        return [
            name for name, layer in self.preprocessors.items()
            if hasattr(layer, "adapt")
            and getattr(layer, "input_mean", None) is None
            and not (isinstance(layer, Discretization) and not layer.learns)
        ]  # fmt: skip

    def adapt(self, dataset: Iterable[Mapping[str, Any]]) -> None:
        """Learn vocabularies, means and bins.

        Args:
            dataset: of dicts from the names of features to scalars, or to batches (batch,) or (batch, 1).

        Raises:
            ValueError: it is not a data set.
        """
        if not hasattr(dataset, "batch"):
            raise ValueError(f"`adapt()` can only be called on a tf.data.Dataset. Received: {dataset!r:.80}")
        first = next(iter(dataset), None)
        if first is not None and all(K.ndim(x) == 0 for x in first.values()):
            dataset = dataset.batch(32)
        for name in self._adaptable():
            self.preprocessors[name].adapt(_column(element[name]) for element in dataset)
        self._adapted = True
        self._forget_encoding()
        self.get_encoded_features()

    def _forget_encoding(self) -> None:
        """What is encoded depends on what was learnt: how many places a vocabulary has."""
        self._encoders: dict[str, Layer] = {}
        self._encoded: Any = None

    def _check_adapted(self) -> None:
        if not self._adapted:
            raise ValueError("You need to call `.adapt(dataset)` on the FeatureSpace before you can start using it.")

    # -- encoding -----------------------------------------------------------------------------------------------------
    def get_inputs(self) -> dict[str, Tensor]:
        """The inputs of a model that encodes the features itself, by name."""
        self._check_adapted()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """The encoded :meth:`get_inputs`."""
        self._check_adapted()
        if self._encoded is None:
            with graph.symbolic():
                self._encoded = self._encode(self.inputs)
            self.built = True
        return self._encoded

    def __call__(self, data: Any) -> Any:
        """Encode a dict of scalars, or of batches (batch,) or (batch, 1)."""
        self.get_encoded_features()
        if not isinstance(data, dict):
            raise ValueError(f"A FeatureSpace can only be called with a dict. Received: {data!r:.80}")
        tensors = {name: _tensor(data[name]) for name in self.features}
        single = all(x.ndim == 0 for x in tensors.values())
        encoded = self._encode({name: _column(x) for name, x in tensors.items()})
        if not single:
            return encoded
        if isinstance(encoded, dict):
            return {name: K.squeeze(x, 0) for name, x in encoded.items()}
        return K.squeeze(encoded, 0)

    def _encode(self, columns: dict[str, Any]) -> Any:
        found = {name: self.preprocessors[name](columns[name]) for name in sorted(self.features)}
        for cross in sorted(self.crosses, key=lambda cross: cross.name):
            crossed = [self._on_host(name, found[name], columns[name]) for name in cross.feature_names]
            found[cross.name] = self.crossers[cross.name](crossed)
        specs = {**self.features, **{cross.name: cross for cross in self.crosses}}
        encoded = {
            name: self._one_hot(name, x) if specs[name].output_mode == "one_hot" else x for name, x in found.items()
        }
        if self.output_mode == "dict":
            return encoded
        for name, x in encoded.items():
            if isinstance(x, StringTensor) or not x.dtype.startswith("float"):
                raise ValueError(
                    f"Cannot concatenate features because feature '{name}' has not been encoded (it has dtype {x.dtype}). "
                    "Consider using `output_mode='dict'`."
                )
        return next(iter(encoded.values())) if len(encoded) == 1 else self._concatenate(list(encoded.values()))

    def _on_host(self, name: str, x: Any, column: Any) -> Any:
        """A preprocessed column for the hash, which is computed on the host: before a model's program, which would make ``x``."""
        layer = self.preprocessors[name]
        if x._known or isinstance(layer, (Hashing, StringLookup)):
            return x
        return OnHost(layer)(column)

    def _one_hot(self, name: str, x: Any) -> Any:
        if name not in self._encoders:
            self._encoders[name] = CategoryEncoding(self._places(name, x), "multi_hot")
        return self._encoders[name](x)

    def _places(self, name: str, x: Any) -> int:
        """How many categories the preprocessor of a feature tells apart; ``x`` is what it gave."""
        layer = self.preprocessors.get(name) or self.crossers[name]
        if isinstance(x, StringTensor) or not x.dtype.startswith("int"):
            raise ValueError(
                f"Feature '{name}' has `output_mode='one_hot'`. Thus its preprocessor should return integers, but returns "
                f"{x.dtype}."
            )
        if isinstance(layer, (IntegerLookup, StringLookup)):
            return layer.vocabulary_size()
        if isinstance(layer, Discretization):
            return layer.num_bins or len(layer.bin_boundaries) + 1
        if isinstance(layer, (Hashing, HashedCrossing)):
            return layer.num_bins
        if isinstance(layer, CategoryEncoding):
            return layer.num_tokens
        raise ValueError(
            f"Feature '{name}' has `output_mode='one_hot'`, but its preprocessor does not say how many places there are. Try "
            "using `output_mode='int'`."
        )

    # -- files --------------------------------------------------------------------------------------------------------
    @property
    def layers(self) -> list[Layer]:
        """The preprocessors, whose weights a file holds."""
        return list(self.preprocessors.values())

    def get_config(self) -> dict:
        def described(item: Any) -> dict:
            return {"class_name": type(item).__name__, "config": item.get_config()}

        return {
            "features": {name: described(feature) for name, feature in self.features.items()},
            "output_mode": self.output_mode,
            "crosses": [described(cross) for cross in self.crosses],
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
            "name": self.name,
        }

    def get_build_config(self) -> dict:
        return {name: {"input_shape": (None, 1)} for name in self.preprocessors}

    def build_from_config(self, config: dict) -> None:
        """Make the weights of the preprocessors: what comes out of a file is adapted."""
        for name, layer in self.preprocessors.items():
            built = config.get(name)
            if built is not None and not layer.built:
                layer.build_from_config(built)
                layer.built = True
        self._adapted = True

    def save(self, filepath: Any, overwrite: bool = True) -> None:
        """Save to a ``.keras`` file, from which ``keras.models.load_model`` makes an equal one."""
        from ..saving import save_model

        save_model(self, filepath, overwrite, include_optimizer=False, save_format="keras")


_KINDS = (
    "float", "float_normalized", "float_rescaled", "float_discretized", "integer_categorical", "string_categorical",
    "integer_hashed", "string_hashed",
)  # fmt: skip


def _named(name: str | None, kind: str) -> str:
    return f"{name or f'{kind}_{K.get_uid(kind)}'}_preprocessor"


def _tensor(x: Any) -> Tensor:
    return graph.convert(as_text(x))


def _column(x: Any) -> Tensor:
    """Scalars, or a batch of them, as (batch, 1)."""
    x = _tensor(x)
    if x.ndim == 0:
        return K.reshape(x, (1, 1)) if not isinstance(x, StringTensor) else x[None, None]
    return K.expand_dims(x, -1) if x.ndim == 1 else x


LAYERS.register({"FeatureSpace": FeatureSpace, "OnHost": OnHost})
