"""Layers, networks, models and the training loop."""

from .base_layer import InputSpec, Layer, Node
from .input_layer import Input, InputLayer
from .network import Network
from .sequential import Sequential
from .tracing import get_source_inputs
from .training import Model

__all__ = ["Input", "InputLayer", "InputSpec", "Layer", "Model", "Network", "Node", "Sequential", "get_source_inputs"]
