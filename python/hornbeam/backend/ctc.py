"""Connectionist temporal classification: losses and decoding of label sequences shorter than what was heard."""

from __future__ import annotations

from .. import graph
from ..graph import Tensor
from . import math
from .common import epsilon
from .creation import arange
from .shapes import concatenate, expand_dims, flatten
from .sparse import SparseTensor
from .variables import shape


def ctc_batch_cost(y_true: Tensor, y_pred: Tensor, input_length: Tensor, label_length: Tensor) -> Tensor:
    """``-log P(labels)``: over all ways to spell the labels with blanks between and repetitions of each.

    The algorithm is Graves et al. 2006, "Connectionist Temporal Classification". A sample whose labels do not fit into
    its steps has an infinite loss and no gradient, one with labels outside the classes has nan.

    Args:
        y_true: labels (samples, most labels), of which each sample uses its first ones.
        y_pred: probabilities (samples, steps, classes); the last class is the blank.
        input_length: steps that each sample uses, (samples, 1).
        label_length: labels that each sample uses, (samples, 1); blanks at their end do not count.

    Returns:
        (samples, 1).
    """
    labels, steps, used = (graph.cast(graph.convert(x), "int32") for x in (y_true, input_length, label_length))
    loss, _ = graph.apply("ctc_loss", [_scores(y_pred), labels, flatten(steps), flatten(used)])
    return expand_dims(loss, 1)


def ctc_decode(
    y_pred: Tensor,
    input_length: Tensor,
    greedy: bool = True,
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = False,
) -> tuple[list[Tensor], Tensor]:
    """Labels from the output of a softmax: along its best path, or by a prefix beam search.

    Args:
        y_pred: probabilities (samples, steps, classes); the last class is the blank.
        input_length: steps that each sample uses, (samples,).
        greedy: take the largest class of each step, then merge repetitions and drop blanks.
        beam_width: how many prefixes the search keeps at each step.
        top_paths: how many label sequences the search gives for each sample, likeliest first.
        merge_repeated: whether the search also merges equal neighbours in the sequences it found.

    Returns:
        A list of int64 tensors (samples, longest sequence), one for each path, filled up with -1; and their scores: minus
        the sum of the logarithms along the best path, (samples, 1), or log probabilities, (samples, top_paths).

    Raises:
        ValueError: more ``top_paths`` than ``beam_width``.
    """
    scores, steps = _scores(y_pred), flatten(graph.cast(graph.convert(input_length), "int32"))
    if greedy:
        labels, counts, score = graph.apply("ctc_greedy", [scores, steps], merge_repeated=True)
        return [_cut(labels, counts)], score
    width, paths = graph.as_integer(beam_width, "`beam_width`"), graph.as_integer(top_paths, "`top_paths`")
    attrs = {"beam_width": width, "top_paths": paths, "merge_repeated": bool(merge_repeated)}
    labels, counts, score = graph.apply("ctc_beam", [scores, steps], **attrs)
    return [_cut(labels[:, path], counts[:, path]) for path in range(top_paths)], score


def ctc_label_dense_to_sparse(labels: Tensor, label_lengths: Tensor) -> SparseTensor:
    """The labels that samples use, one behind the other, with their places.

    Args:
        labels: (samples, most labels).
        label_lengths: how many labels each sample uses, (samples,).
    """
    labels = graph.convert(labels)
    lengths = graph.cast(flatten(graph.convert(label_lengths)), "int32")
    used = math.less(arange(shape(labels)[1]), expand_dims(lengths, 1))
    return SparseTensor.of(labels, used)


def _scores(y_pred: Tensor) -> Tensor:
    return math.log(graph.convert(y_pred) + epsilon())


def _cut(labels: Tensor, counts: Tensor) -> Tensor:
    """Without the columns that no sample uses."""
    return labels[:, : math.max(concatenate([counts, graph.constant([0], "int32")], axis=0))]
