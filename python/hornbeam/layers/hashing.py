"""Categories by their hash, without a vocabulary."""

from __future__ import annotations

import numpy as np

from .. import backend as K
from ..graph import RaggedTensor, StringTensor, convert, on_host
from ..utils.fingerprint import crossed, fingerprint64, siphash
from .lookup import as_text
from .preprocessing import _Categories, _encoded, _encoded_shape


class Hashing(_Categories):
    """The bucket of each string or integer: that of tf.keras, by FarmHash, or with a salt by SipHash.

    Computed on the host, before the model's program runs; integers hash as their decimal digits.

    Args:
        num_bins: the number of buckets, with that of the mask.
        mask_value: what goes into bucket 0, where nothing else does then.
        salt: an integer or two of them, which makes other buckets.
        output_mode: ``'int'``, or what ``CategoryEncoding`` makes of the buckets.

    Raises:
        ValueError: arguments that do not fit.
    """

    takes_text = True

    def __init__(self, num_bins, mask_value=None, salt=None, output_mode="int", **kwargs):
        kwargs.setdefault("dtype", "int64")
        super().__init__(output_mode, ("int", "one_hot", "multi_hot", "count"), kwargs)
        if num_bins is None or num_bins <= 0:
            raise ValueError(
                f"The `num_bins` for `Hashing` cannot be `None` or non-positive values. Received: {num_bins}."
            )
        pair = (salt, salt) if isinstance(salt, (int, np.integer)) else salt
        if pair is not None and (not isinstance(pair, (list, tuple)) or len(pair) != 2):
            raise ValueError(
                f"The `salt` argument for `Hashing` can only be a tuple of size 2 integers, or a single integer. Received: {salt!r}."
            )
        self.num_bins = num_bins
        self.mask_value = mask_value
        self.salt = None if pair is None else [int(s) for s in pair]

    def __call__(self, inputs, *args, **kwargs):
        return super().__call__(as_text(inputs), *args, **kwargs)

    def call(self, inputs):
        if isinstance(inputs, RaggedTensor):
            return inputs.map_flat_values(self.call)
        buckets = on_host(self._buckets, [inputs], ("int64", inputs.shape))
        if self.output_mode == "int":
            return buckets
        return _encoded(buckets, self.num_bins, self.output_mode, K.floatx())

    def _buckets(self, array: np.ndarray) -> np.ndarray:
        mask = self.mask_value
        bins = self.num_bins - 1 if mask is not None and self.num_bins > 1 else self.num_bins
        first = int(mask is not None and self.num_bins > 1)
        known: dict = {}
        if mask is not None:
            known[mask.encode() if isinstance(mask, str) else mask] = 0
        for value in set(array.reshape(-1).tolist()) - known.keys():
            data = value if isinstance(value, bytes) else str(value).encode()
            number = fingerprint64(data) if self.salt is None else siphash(data, (self.salt[0], self.salt[1]))
            known[value] = number % bins + first
        return np.array([known[value] for value in array.reshape(-1).tolist()], "int64").reshape(array.shape)

    def compute_output_shape(self, input_shape):
        return _encoded_shape(input_shape, self.output_mode, self.num_bins)

    def get_config(self):
        own = {"num_bins": self.num_bins, "mask_value": self.mask_value, "salt": self.salt}
        return {**super().get_config(), **own}


class HashedCrossing(_Categories):
    """The bucket of each combination of several categories: that of ``tf.sparse.cross_hashed``.

    Computed on the host, before the model's program runs.

    Args:
        num_bins: the number of buckets.
        output_mode: ``'int'`` or ``'one_hot'``.

    Input: two or more tensors of strings or integers, of one shape: (), (batch,) or (batch, 1).

    Raises:
        ValueError: other inputs or arguments.
    """

    takes_text = True

    def __init__(self, num_bins, output_mode="int", **kwargs):
        kwargs.setdefault("dtype", "int64")
        super().__init__(output_mode, ("int", "one_hot"), kwargs)
        self.num_bins = num_bins

    def __call__(self, inputs, *args, **kwargs):
        if not isinstance(inputs, (list, tuple)) or len(inputs) < 2:
            raise ValueError(
                f"`HashedCrossing` should be called on a list of at least two inputs. Received: {inputs!r:.100}"
            )
        return super().__call__([convert(as_text(x)) for x in inputs], *args, **kwargs)

    def call(self, inputs):
        shape = tuple(inputs[0].shape)
        if (
            len(shape) > 2
            or (len(shape) == 2 and shape[1] != 1)
            or any(tuple(x.shape)[1:] != shape[1:] for x in inputs)
        ):
            raise ValueError(
                "All `HashedCrossing` inputs should have one shape: (), (batch,) or (batch, 1). "
                f"Received: {[tuple(x.shape) for x in inputs]}"
            )
        if not all(isinstance(x, StringTensor) or x.dtype.startswith(("int", "uint")) for x in inputs):
            raise ValueError(
                f"All `HashedCrossing` inputs should have an integer or string dtype. Received: {[x.dtype for x in inputs]}"
            )
        buckets = on_host(self._buckets, list(inputs), ("int64", inputs[0].shape))
        return buckets if self.output_mode == "int" else _encoded(buckets, self.num_bins, "one_hot", K.floatx())

    def _buckets(self, *columns: np.ndarray) -> np.ndarray:
        rows = zip(*(column.reshape(-1).tolist() for column in columns))
        numbers = [crossed(row) % self.num_bins for row in rows]
        return np.array(numbers, "int64").reshape(columns[0].shape)

    def compute_output_shape(self, input_shape):
        return _encoded_shape(tuple(input_shape[0]), self.output_mode, self.num_bins)

    def get_config(self):
        return {**super().get_config(), "num_bins": self.num_bins}
