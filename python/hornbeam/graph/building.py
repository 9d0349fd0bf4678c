"""A bound on what is built from a stranger's description: a few lines of it can ask for calls without end.

Models called twice each inside of one another make 2^28 calls out of 9 KB, and a loop that is written out step by step
makes as many steps as a number says.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from .context import context, inside


class Budget:
    def __init__(self, steps: int) -> None:
        self.steps = self.left = steps


def at_most(steps: int) -> AbstractContextManager[None]:
    """Inside the block, building may take so many steps: one for each op, and some for each layer that is called again."""
    return inside(budget=Budget(steps))


def take(steps: int = 1) -> None:
    """Count steps of building, where they are bounded.

    Raises:
        ValueError: it is too many.
    """
    budget = context.budget
    if budget is not None:
        budget.left -= steps
        if budget.left < 0:
            raise ValueError(
                f"Building the model takes more than {budget.steps:,} ops, far beyond what a description of its size is for: "
                "models that call one another again and again, or recurrent layers with `unroll=True` over long sequences."
            )
