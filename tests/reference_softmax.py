"""Softmax over the last axis and cross entropies in NumPy, in float64."""

import numpy as np


def log_softmax(x):
    z = x.astype("float64") - x.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def softmax(x):
    return np.exp(log_softmax(x))


def softmax_grad(y, dy):
    y, dy = y.astype("float64"), dy.astype("float64")
    return y * (dy - (y * dy).sum(-1, keepdims=True))


def log_softmax_grad(y, dy):
    dy = dy.astype("float64")
    return dy - np.exp(y.astype("float64")) * dy.sum(-1, keepdims=True)


def cross_entropy(logits, labels):
    """Classes without weight do not count, whatever their logit."""
    return np.where(labels == 0, 0, -labels * log_softmax(logits)).sum(-1)


def sparse_cross_entropy(logits, labels):
    valid = (labels >= 0) & (labels < logits.shape[-1])
    picked = np.take_along_axis(log_softmax(logits), np.where(valid, labels, 0)[..., None].astype("int64"), -1)[..., 0]
    return np.where(valid, -picked, np.nan)
