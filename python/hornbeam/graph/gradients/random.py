"""Random tensors depend on nothing but their shape."""

from . import not_differentiable

not_differentiable("random_uniform", "random_normal", "truncated_normal", "random_bernoulli")
