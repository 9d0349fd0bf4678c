"""ctc_greedy and ctc_beam, against the probabilities of all label sequences."""

import itertools
from collections import defaultdict

import numpy as np
import pytest
from hornbeam import graph as G


def decode(op, scores, steps, **attrs):
    feeds = [np.asarray(scores), np.asarray(steps, "int32")]
    inputs = [G.placeholder(a.shape, a.dtype.name) for a in feeds]
    return G.Function(inputs, list(G.apply(op, inputs, **attrs)))(feeds)


def log_softmax(x):
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def all_sequences(scores):
    """Label sequences of one sample with the sums over their paths, likeliest first."""
    p = np.exp(log_softmax(scores))
    blank = p.shape[1] - 1
    found = defaultdict(float)
    for path in itertools.product(range(blank + 1), repeat=len(p)):
        spelled = tuple(k for k, before in zip(path, (None, *path)) if k != before and k != blank)
        found[spelled] += np.prod(p[np.arange(len(p)), path])
    return sorted(((v, k) for k, v in found.items()), reverse=True)


def padded(rows, width):
    return [list(row) + [-1] * (width - len(row)) for row in rows]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_wide_beam_finds_the_likeliest(target, dtype):
    rng = np.random.RandomState(0)
    scores = rng.normal(size=(3, 5, 4)).astype(dtype) * 2
    steps = [5, 3, 4]
    labels, counts, logs = decode("ctc_beam", scores, steps, beam_width=400, top_paths=6)
    for b, t in enumerate(steps):
        want = all_sequences(scores[b, :t].astype("float64"))[:6]
        np.testing.assert_array_equal(labels[b], padded([k for _, k in want], 5))
        np.testing.assert_array_equal(counts[b], [len(k) for _, k in want])
        np.testing.assert_allclose(logs[b], np.log([v for v, _ in want]), rtol=1e-5 if dtype == "float32" else 1e-12)


class Prefix:
    """A node of the tree of prefixes, with its probabilities now and a step before: total, ending in a blank, in a label."""

    def __init__(self, parent=None, label=None):
        self.parent, self.label, self.children = parent, label, {}
        self.now = self.before = [-np.inf] * 3

    @property
    def active(self):
        return self.now[0] > -np.inf

    def spelled(self):
        return [] if self.parent is None else [*self.parent.spelled(), self.label]


def by_tree(scores, width):
    """The same search on a tree of objects: a prefix that leaves the beam loses its probabilities."""
    root = Prefix()
    root.now = [0.0, 0.0, -np.inf]
    leaves = [root]
    for p in log_softmax(scores):
        branches = sorted(leaves, key=lambda b: -b.now[0])
        for b in branches:
            b.before = b.now
        for b in branches:
            ending = b.before[2]
            if b.parent is not None:
                if b.parent.active:
                    ending = np.logaddexp(ending, b.parent.before[1 if b.label == b.parent.label else 0])
                ending += p[b.label]
            blank = b.before[0] + p[-1]
            b.now = [np.logaddexp(blank, ending), blank, ending]
        leaves = list(branches)
        for b in branches:
            worst = min(leaves, key=lambda e: e.now[0])
            if len(leaves) == width and b.before[0] <= worst.now[0]:
                continue
            for k in range(scores.shape[1] - 1):
                child = b.children.setdefault(k, Prefix(b, k))
                if child.active:
                    continue
                total = b.before[1 if k == b.label else 0] + p[k]
                worst = min(leaves, key=lambda e: e.now[0])
                if total > -np.inf and (len(leaves) < width or total > worst.now[0]):
                    if len(leaves) == width:
                        worst.now = [-np.inf] * 3
                        leaves.remove(worst)
                    child.now = [total, -np.inf, total]
                    leaves.append(child)
                else:
                    child.before = [-np.inf] * 3
    leaves.sort(key=lambda b: -b.now[0])
    return [(b.spelled(), b.now[0]) for b in leaves]


@pytest.mark.parametrize("width, classes", [(1, 5), (2, 5), (7, 5), (12, 9)])
def test_a_narrow_beam_keeps_the_best_prefixes_of_each_step(target, width, classes):
    scores = np.random.RandomState(width).normal(size=(4, 30, classes)) * 1.5
    labels, counts, logs = decode("ctc_beam", scores, [30] * 4, beam_width=width, top_paths=width)
    for b in range(4):
        want = by_tree(scores[b], width)
        np.testing.assert_array_equal(labels[b], padded([k for k, _ in want], 30))
        np.testing.assert_array_equal(counts[b], [len(k) for k, _ in want])
        np.testing.assert_allclose(logs[b], [v for _, v in want], rtol=1e-10)


@pytest.mark.parametrize("merge, want", [(False, [0, 0, -1]), (True, [0, -1, -1])], ids=str)
def test_merging_what_the_search_found(target, merge, want):
    scores = np.log(np.array([[[0.9, 0.05, 0.05], [0.05, 0.05, 0.9], [0.9, 0.05, 0.05]]]))
    labels, counts, _ = decode("ctc_beam", scores, [3], beam_width=10, top_paths=1, merge_repeated=merge)
    np.testing.assert_array_equal(labels[0, 0], want)
    assert counts[0, 0] == sum(k >= 0 for k in want)


def test_fewer_sequences_than_asked_for(target):
    labels, _, logs = decode("ctc_beam", np.zeros((2, 1, 2)), [1, 0], beam_width=4, top_paths=3)
    np.testing.assert_array_equal(labels[..., 0], [[-1, 0, -1], [-1, -1, -1]])
    np.testing.assert_allclose(np.exp(logs), [[0.5, 0.5, 0], [1, 0, 0]])


@pytest.mark.parametrize("merge", [True, False])
def test_greedy(target, merge):
    rng = np.random.RandomState(1)
    scores = rng.normal(size=(6, 20, 3))
    steps = [20, 0, 1, 7, 19, 20]
    labels, counts, score = decode("ctc_greedy", scores, steps, merge_repeated=merge)
    for b, t in enumerate(steps):
        best = scores[b, :t].argmax(1)
        want = [k for k, before in zip(best, [None, *best]) if k != 2 and not (merge and k == before)]
        np.testing.assert_array_equal(labels[b], padded([want], 20)[0])
        assert counts[b] == len(want)
        np.testing.assert_allclose(score[b], [-scores[b, :t].max(1).sum()] if t else [0])


@pytest.mark.parametrize("op, attrs", [("ctc_greedy", {}), ("ctc_beam", {"beam_width": 3, "top_paths": 2})])
@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (2, 3, 1)], ids=str)
def test_edges(target, op, attrs, shape):
    labels, counts, _ = decode(op, np.zeros(shape), [9] * shape[0], **attrs)
    assert (labels == -1).all() and not counts.any()
    assert labels.shape[0] == shape[0] and labels.shape[-1] == shape[1]


def test_refuses():
    with pytest.raises(ValueError, match="top_paths 3 and beam_width 2"):
        decode("ctc_beam", np.zeros((1, 2, 3)), [2], beam_width=2, top_paths=3)
    with pytest.raises(ValueError, match=r"\[ctc_greedy\]"):
        decode("ctc_greedy", np.zeros((2, 2, 3)), [2])


def test_a_beam_wider_than_any_search():
    with pytest.raises(ValueError, match="beam_width <= 1048576, got top_paths 1 and beam_width"):
        decode("ctc_beam", np.zeros((1, 3, 2), "float32"), [3], beam_width=2**63 - 1, top_paths=1)
