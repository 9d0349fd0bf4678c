"""Embeddings for another vocabulary."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .. import backend as K
from .. import initializers
from ..graph import Tensor, constant


def warmstart_embedding_matrix(
    base_vocabulary: Any, new_vocabulary: Any, base_embeddings: Any, new_embeddings_initializer: Any = "uniform"
) -> Tensor:
    """An embedding matrix for ``new_vocabulary``, with the rows of tokens that ``base_vocabulary`` has, too.

    Args:
        base_vocabulary, new_vocabulary: tokens in order: a list, array or tensor, or the path of a text file with one in each line.
        base_embeddings: (tokens, dim).
        new_embeddings_initializer: of the rows of other tokens.

    Raises:
        ValueError: there is no such file, or no token.
    """
    base = {token: i for i, token in enumerate(_tokens(base_vocabulary))}
    new = _tokens(new_vocabulary)
    rows = np.asarray(base_embeddings.numpy() if isinstance(base_embeddings, Tensor) else base_embeddings)
    initializer = initializers.get(new_embeddings_initializer or "uniform")
    matrix = np.array(K.eval(initializer((len(new), rows.shape[1]), dtype=rows.dtype.name)))
    known = [i for i, token in enumerate(new) if token in base]
    matrix[known] = rows[[base[new[i]] for i in known]]
    return constant(matrix)


def _tokens(vocabulary: Any) -> list:
    if isinstance(vocabulary, (str, os.PathLike)):
        if not os.path.exists(vocabulary):
            raise ValueError(f"Vocabulary file {os.fspath(vocabulary)} does not exist.")
        with open(vocabulary, encoding="utf-8") as file:
            found = file.read().splitlines()
    elif isinstance(vocabulary, (Tensor, np.ndarray, list, tuple)):
        found = (
            vocabulary.numpy() if isinstance(vocabulary, Tensor) else np.asarray(vocabulary, dtype=object)
        ).tolist()
    else:
        raise ValueError(
            f"Vocabulary is expected to be an array, list, tensor or a text file, got {type(vocabulary).__name__}."
        )
    if not found:
        raise ValueError("Vocabulary is expected to have at least one token.")
    return [token.decode() if isinstance(token, bytes) else token for token in found]
