"""``tf.nest``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..graph.nest import flatten, map_structure, pack
from .table import for_scripts

for_scripts("nest.flatten")(flatten)
for_scripts("nest.pack_sequence_as")(pack)


@for_scripts("nest.map_structure")
def _map_structure(func: Callable, *structures: Any, **options: Any) -> Any:
    return map_structure(func, *structures)
