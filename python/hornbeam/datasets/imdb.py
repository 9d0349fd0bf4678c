"""25,000 film reviews to train on and 25,000 to test on, each for or against the film."""

from __future__ import annotations

import numpy as np

from ..utils.data_utils import get_file
from ..utils.io_utils import read_json_object
from . import npz
from .files import published
from .sequences import prepare, renamed_num_words, shuffled


def load_data(
    path="imdb.npz",
    num_words=None,
    skip_top=0,
    maxlen=None,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
    **kwargs,
):
    """Load the reviews of IMDB as lists of word indices; a word's index is its rank by frequency.

    Args:
        path: name of the file in the cache.
        num_words: words of this index and above are left out; default all are kept.
        skip_top: words below this index are left out.
        maxlen: reviews that are not shorter are dropped. As in Keras, the training set is then filled up to its size
            with what would have been the test set.
        seed: of the shuffling.
        start_char: marks the start of a review; None for no mark.
        oov_char: stands for words that are left out; None drops them.
        index_from: what is added to the indices of words.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: object arrays of lists of int, and labels 0 and 1.

    Raises:
        ValueError: ``maxlen`` keeps nothing.
    """
    num_words = renamed_num_words(num_words, kwargs)
    x_train, y_train, x_test, y_test = npz.read(
        get_file(path, **published("imdb.npz")), "x_train", "y_train", "x_test", "y_test"
    )
    rng = np.random.RandomState(seed)
    x_train, y_train = shuffled(rng, x_train, y_train)
    x_test, y_test = shuffled(rng, x_test, y_test)
    split = len(x_train)
    x, y = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    x, y = prepare(x, y, num_words, skip_top, maxlen, start_char, oov_char, index_from)
    return (x[:split], y[:split]), (x[split:], y[split:])


def get_word_index(path="imdb_word_index.json"):
    """A dict from word to index, before ``index_from`` is added."""
    return read_json_object(get_file(path, **published("imdb_word_index.json")))
