"""Tensors made from shapes and integers: constants, as far as gradients go."""

from . import not_differentiable

not_differentiable("shape", "fill", "arange")
