"""Batch normalization in NumPy, in float64."""

import numpy as np


def batch_norm(x, gamma, beta, epsilon):
    """Return y, mean, variance, inv_std."""
    x = x.reshape(-1, x.shape[-1]).astype("float64")
    mean, variance = x.mean(0), x.var(0)
    inv_std = 1 / np.sqrt(variance + epsilon)
    return (x - mean) * inv_std * gamma + beta, mean, variance, inv_std


def batch_norm_grad(dy, x, mean, inv_std, gamma):
    """Return dx, dgamma, dbeta."""
    dy, x = (a.reshape(-1, a.shape[-1]).astype("float64") for a in (dy, x))
    normal = (x - mean) * inv_std
    dgamma, dbeta = (dy * normal).sum(0), dy.sum(0)
    return gamma * inv_std * (dy - dbeta / len(x) - normal * dgamma / len(x)), dgamma, dbeta
