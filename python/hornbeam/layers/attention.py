"""Attention: layers of tf.keras, beyond Keras 2.3.1."""

from __future__ import annotations

import math
import string
from typing import Any

from .. import backend as K
from .. import graph, initializers
from ..backend.einsum import einsum
from ..backend.shapes import dims_of
from ..engine.base_layer import Layer
from ..graph import Tensor
from .einsum_dense import EinsumDense
from .options import option_names, options_config, options_in, set_options

#: Added to the scores of positions that do not count.
_FAR_BELOW = -1e9


def _without(scores: Tensor, mask: Any) -> Tensor:
    """Scores with those far below the others for which ``mask`` is false."""
    return scores if mask is None else scores + _FAR_BELOW * (1.0 - K.cast(mask, scores.dtype))


def _both(a: Any, b: Any) -> Any:
    """Where both masks are true; None is true everywhere."""
    if a is None or b is None:
        return b if a is None else a
    return graph.apply("logical_and", [a, b])


def _causal(steps: Any, values: Any) -> Tensor:
    """A mask (1, steps, values): each step sees the values up to itself."""
    rows, columns = K.arange(0, steps, dtype="int32"), K.arange(0, values, dtype="int32")
    seen = graph.apply("greater_equal", [K.expand_dims(rows, 1), K.expand_dims(columns, 0)])
    return K.expand_dims(seen, 0)


class _DenseAttention(Layer):
    """Values averaged with weights that are the softmax of scores of queries and keys."""

    def __init__(self, dropout=0.0, **kwargs):
        self.causal = kwargs.pop("causal", False)  # up to 2.9 an argument of the layer, later of the call
        super().__init__(**kwargs)
        self.supports_masking = True
        self.dropout = dropout

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        raise NotImplementedError

    def call(self, inputs, mask=None, training=None, return_attention_scores=False, use_causal_mask=False):
        if not isinstance(inputs, (list, tuple)) or len(inputs) not in (2, 3):
            raise ValueError(
                f"`{type(self).__name__}` takes a list [query, value] or [query, value, key], got {inputs}."
            )
        query, value = inputs[:2]
        query_mask, value_mask = (None, None) if mask is None else mask[:2]
        scores = self._scores(query, inputs[2] if len(inputs) > 2 else value)
        seen = None if value_mask is None else K.expand_dims(value_mask, 1)
        if self.causal or use_causal_mask:
            seen = _both(seen, _causal(*dims_of(scores)[-2:]))
        weights = K.softmax(_without(scores, seen))
        if self.dropout:
            dropped = weights
            weights = K.in_train_phase(lambda: K.dropout(dropped, self.dropout), dropped, training=training)
        output = graph.apply("matmul", [weights, value])
        if query_mask is not None:
            output = output * K.cast(K.expand_dims(query_mask, -1), output.dtype)
        return [output, weights] if return_attention_scores else output

    def compute_mask(self, inputs, mask=None):
        return None if mask is None else mask[0]

    def _output_shapes(self, inputs, outputs):  # which depend on return_attention_scores, too
        return [K.int_shape(x) for x in outputs]

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], input_shape[1][-1])

    def get_config(self):
        config = {**super().get_config(), "dropout": self.dropout}
        return {**config, "causal": True} if self.causal else config


class Attention(_DenseAttention):
    """Dot-product attention (Luong's): https://arxiv.org/abs/1508.04025.

    Args:
        use_scale: whether the scores are multiplied by a weight.
        score_mode: ``'dot'``, or ``'concat'``: the sum of ``tanh(query + key)``, times a weight.
        dropout: part of the weights of the average that training drops.

    Called on a list: query (batch, Tq, dim), value (batch, Tv, dim), and key (the value, if left out), with
    ``return_attention_scores=True`` for a list of the output and the weights of the average (batch, Tq, Tv), and
    ``use_causal_mask=True`` if steps must not see later ones. Output: (batch, Tq, dim). Weights: scale, concat_score_weight
    (where used), both scalars.
    """

    def __init__(self, use_scale=False, score_mode="dot", **kwargs):
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(f"`score_mode` must be 'dot' or 'concat', got {score_mode!r}.")
        self.use_scale = use_scale
        self.score_mode = score_mode

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=(), initializer="ones") if self.use_scale else None
        self.concat_score_weight = None
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(name="concat_score_weight", shape=(), initializer="ones")
        self.built = True

    def _scores(self, query, key):
        if self.score_mode == "dot":
            scores = graph.apply("matmul", [query, key], transpose_b=True)
            return scores if self.scale is None else scores * self.scale
        both = K.expand_dims(query, -2) + K.expand_dims(key, -3)
        both = both if self.scale is None else both * self.scale
        return self.concat_score_weight * K.sum(K.tanh(both), axis=-1)

    def get_config(self):
        return {**super().get_config(), "use_scale": self.use_scale, "score_mode": self.score_mode}


class AdditiveAttention(_DenseAttention):
    """Attention whose scores are weighted sums of ``tanh(query + key)`` (Bahdanau's): https://arxiv.org/abs/1409.0473.

    Args:
        use_scale: whether the sums are weighted.
        dropout: part of the weights of the average that training drops.

    Called as :class:`Attention` is. Weights: scale (dim,).
    """

    def __init__(self, use_scale=True, **kwargs):
        super().__init__(**kwargs)
        self.use_scale = use_scale

    def build(self, input_shape):
        shape = (input_shape[1][-1],)
        self.scale = (
            self.add_weight(name="scale", shape=shape, initializer="glorot_uniform") if self.use_scale else None
        )
        self.built = True

    def _scores(self, query, key):
        terms = K.tanh(K.expand_dims(query, -2) + K.expand_dims(key, -3))
        return K.sum(terms if self.scale is None else terms * self.scale, axis=-1)

    def get_config(self):
        return {**super().get_config(), "use_scale": self.use_scale}


_OPTIONS = (*option_names("kernel", "bias"), "activity_regularizer")


class MultiHeadAttention(Layer):
    """Attention in several projections beside each other: https://arxiv.org/abs/1706.03762.

    Args:
        num_heads: number of projections.
        key_dim: length of a projected query or key.
        value_dim: length of a projected value; ``key_dim`` by default.
        dropout: part of the attention that training drops.
        use_bias: whether the projections have biases.
        output_shape: lengths of the output's last axes; the query's last axis by default.
        attention_axes: the axes that are attended over; by default all between batch and features.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint: of each projection; by name, config or as functions.

    Called as ``layer(query, value, key=value, attention_mask=None, return_attention_scores=False,
    use_causal_mask=False)``, with query (batch, T, features), value and key (batch, S, features), and a boolean mask
    (batch, T, S). Masks of query, value and key count, too. Output: (batch, T, output_shape), and the attention (batch,
    heads, T, S) if asked for. Weights: kernel and bias of the query's, key's, value's and output's projections.
    """

    def __init__(
        self,
        num_heads,
        key_dim,
        value_dim=None,
        dropout=0.0,
        use_bias=True,
        output_shape=None,
        attention_axes=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.num_heads = num_heads
        self.key_dim = key_dim
        self.value_dim = value_dim or key_dim
        self.dropout = dropout
        self.use_bias = use_bias
        self.output_lengths = [output_shape] if isinstance(output_shape, int) else output_shape
        self.attention_axes = attention_axes if attention_axes is None else list(attention_axes)
        set_options(self, **options_in(locals()))
        self._shapes = {"query_shape": None, "key_shape": None, "value_shape": None}  # which tf.keras makes weights by

    # -- calling: all tensors are inputs of the layer, in the order query, value, key, attention mask ----------------
    def __call__(self, query, value=None, key=None, attention_mask=None, **kwargs):
        if isinstance(query, list):  # a call repeated on other tensors
            return super().__call__(query, **kwargs)
        if value is None:
            raise ValueError(f"`{type(self).__name__}` is called on a query and a value, got only one of them.")
        inputs = [query, value, value if key is None else key]
        if hasattr(attention_mask, "_keras_history") or not hasattr(query, "_keras_history"):
            inputs += [] if attention_mask is None else [attention_mask]
        elif attention_mask is not None:  # a fixed one
            kwargs["fixed_mask"] = attention_mask
        return super().__call__(inputs, **kwargs)

    def describe_call(self, references: list, **kwargs: Any) -> list:
        """A call as tf.keras has it in a config."""
        query, value, key, *mask = references
        tensors = {
            "value": value,
            **({} if key == value else {"key": key}),
            **({"attention_mask": mask[0]} if mask else {}),
        }
        return [[*query, {**tensors, **kwargs}]]

    def build(self, input_shape):
        query, value, key = input_shape[:3]
        if None in (query[-1], value[-1], key[-1]):
            raise ValueError(
                f"The last axes of query, value and key must have defined lengths, got {query}, {value}, {key}."
            )
        self._shapes = {"query_shape": list(query), "key_shape": list(key), "value_shape": list(value)}
        self._query_dense = self._projection("query", query, 1, [self.num_heads, self.key_dim])
        self._key_dense = self._projection("key", key, 1, [self.num_heads, self.key_dim])
        self._value_dense = self._projection("value", value, 1, [self.num_heads, self.value_dim])
        attended = (*query[:-1], self.num_heads, self.value_dim)
        self._output_dense = self._projection("attention_output", attended, 2, self.output_lengths or [query[-1]])
        if self.attention_axes is None:
            self.attention_axes = list(range(1, len(query) - 1))
        self.built = True

    def _projection(self, name: str, shape: tuple, bound: int, lengths: list) -> EinsumDense:
        """A layer that maps the last ``bound`` axes to axes of ``lengths``, with its weights."""
        letters = iter(string.ascii_lowercase)
        free, inner, outer = (
            "".join(next(letters) for _ in range(n)) for n in (len(shape) - bound, bound, len(lengths))
        )
        options = {option: getattr(self, option) for option in _OPTIONS}
        for option in ("kernel_initializer", "bias_initializer"):  # a seed gives each projection the same values
            options[option] = initializers.deserialize(initializers.serialize(options[option]))
        layer = EinsumDense(
            f"{free}{inner},{inner}{outer}->{free}{outer}",
            output_shape=[None] * (len(free) - 1) + list(lengths),
            bias_axes=outer if self.use_bias else None,
            name=name,
            dtype=self.dtype,
            **options,
        )
        with K.name_scope(name):
            layer.build(shape)
        return layer

    def call(
        self, inputs, mask=None, training=None, return_attention_scores=False, use_causal_mask=False, fixed_mask=None
    ):
        query, value, key, *masks = inputs
        seen = masks[0] if masks else fixed_mask
        for place, own in enumerate((mask or [])[:3]):
            if own is not None:  # of queries (batch, T, 1), of values and keys (batch, 1, S)
                seen = _both(seen if seen is None else K.cast(seen, "bool"), K.expand_dims(own, 1 if place else -1))
        if use_causal_mask:
            seen = _both(seen if seen is None else K.cast(seen, "bool"), _causal(dims_of(query)[1], dims_of(value)[1]))
        query, key, value = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        scores_of, average = self._equations(query.ndim)
        scores = einsum(scores_of, key, query * (1.0 / math.sqrt(self.key_dim)))
        weights = self._softmax(scores, seen)
        kept = weights
        if self.dropout:
            kept = K.in_train_phase(lambda: K.dropout(weights, self.dropout), weights, training=training)
        output = self._output_dense(einsum(average, kept, value))
        return [output, weights] if return_attention_scores else output

    def _equations(self, rank: int) -> tuple[str, str]:
        """How scores (batch axes, axes of queries, axes of keys) are made, and how values are averaged."""
        target = string.ascii_lowercase[:rank]
        source = "".join(c.upper() if a in self.attention_axes else c for a, c in enumerate(target[:-1])) + target[-1]
        batch = "".join(c for a, c in enumerate(target[:-1]) if a not in self.attention_axes)
        attended = "".join(target[a] for a in self.attention_axes)
        scores = batch + attended + attended.upper()
        return f"{source},{target}->{scores}", f"{scores},{source}->{target}"

    def _softmax(self, scores: Tensor, mask: Any) -> Tensor:
        """Over all axes of the keys together."""
        axes = len(self.attention_axes)
        if mask is not None:
            while mask.ndim < scores.ndim:
                mask = K.expand_dims(mask, -2 * axes - 1)
            scores = _without(scores, mask)
        if axes == 1:
            return K.softmax(scores)
        dims = dims_of(scores)
        return K.reshape(K.softmax(K.reshape(scores, [*dims[:-axes], -1])), dims)

    def compute_mask(self, inputs, mask=None):
        return None if mask is None else mask[0]

    def _output_shapes(self, inputs, outputs):  # which depend on return_attention_scores, too
        return [K.int_shape(x) for x in outputs]

    def get_config(self):
        own = {
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "output_shape": self.output_lengths,
            "attention_axes": self.attention_axes,
            **self._shapes,
        }
        return {**super().get_config(), **own, **options_config(self, *_OPTIONS)}

    @classmethod
    def from_config(cls, config):
        config = {key: value for key, value in config.items() if key != "softmax_robust_masking"}  # the same results
        shapes = {key: config.pop(key, None) for key in ("query_shape", "key_shape", "value_shape")}
        layer = cls(**config)
        layer._shapes = shapes
        return layer
