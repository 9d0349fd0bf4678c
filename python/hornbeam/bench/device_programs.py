"""What an optimizer and an activation make of memory: programs whose limit is the device's bandwidth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def adam(count: int) -> tuple[Any, int]:
    """Adam's step for ``count`` parameters with a gradient that is there, and the bytes that it reads and writes."""
    from hornbeam import backend as K
    from hornbeam import graph as G
    from hornbeam import optimizers

    parameters, slope = K.zeros((count,)), K.ones((count,))
    updates = optimizers.Adam().get_updates(loss=K.sum(parameters * slope), params=[parameters])
    return G.Function([], [], updates=updates), 28 * count


def chain(count: int) -> tuple[Any, int]:
    """Eight elementwise ops over one tensor in place, which are one kernel."""
    from hornbeam import backend as K
    from hornbeam import graph as G

    x = K.variable(np.linspace(-1, 1, count))
    y = K.relu(K.square(x * 0.9 + 0.05) - 0.25) - K.abs(x * 0.5)
    return G.Function([], [], updates=[K.update(x, y)]), 8 * count


#: name: what builds it, its number of elements, and that of --tiny
PROGRAMS: dict[str, tuple[Callable[[int], tuple[Any, int]], int, int]] = {
    "adam 100M": (adam, 100_000_000, 1000),
    "elementwise chain 64M": (chain, 64 << 20, 1000),
}
