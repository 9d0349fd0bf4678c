"""11,228 newswires on 46 topics."""

from __future__ import annotations

import numpy as np

from ..utils.data_utils import get_file
from ..utils.io_utils import read_json_object
from . import npz
from .files import published
from .sequences import prepare, renamed_num_words, shuffled


def load_data(
    path="reuters.npz",
    num_words=None,
    skip_top=0,
    maxlen=None,
    test_split=0.2,
    seed=113,
    start_char=1,
    oov_char=2,
    index_from=3,
    **kwargs,
):
    """Load the newswires as lists of word indices; arguments as for ``imdb.load_data``.

    Args:
        test_split: share of the newswires for the test.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: object arrays of lists of int, and topics 0 to 45.
    """
    num_words = renamed_num_words(num_words, kwargs)
    x, y = npz.read(get_file(path, **published("reuters.npz")), "x", "y")
    x, y = shuffled(np.random.RandomState(seed), x, y)
    x, y = prepare(x, y, num_words, skip_top, maxlen, start_char, oov_char, index_from)
    split = int(len(x) * (1 - test_split))
    return (x[:split], y[:split]), (x[split:], y[split:])


def get_word_index(path="reuters_word_index.json"):
    """A dict from word to index, before ``index_from`` is added."""
    return read_json_object(get_file(path, **published("reuters_word_index.json")))


def get_label_names():
    """The names of the 46 topics, in the order of their numbers."""
    return tuple(_TOPICS.split())


_TOPICS = """
cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass crude nat-gas cpi
money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi iron-steel rubber heat jobs lei bop zinc
orange pet-chem dlr gas silver wpi hog lead
"""
