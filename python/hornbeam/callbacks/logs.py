"""What callbacks are told about metrics, under the names of every Keras 2."""

from __future__ import annotations

from typing import Any

#: What Keras up to 2.2 called a metric given as ``'accuracy'``, ``'mse'`` ..., and what 2.3 calls it.
RENAMED = [
    ("acc", "accuracy"),
    ("mean_squared_error", "mse"),
    ("mean_absolute_error", "mae"),
    ("mean_absolute_percentage_error", "mape"),
    ("mean_squared_logarithmic_error", "msle"),
]


class Logs(dict):
    """Values by metric name.

    A name that is missing is also looked for as the version before or after 2.3 called it: scripts written for 2.2 watch
    ``'val_acc'`` where 2.3 has ``'val_accuracy'``. What the dictionary holds, and in which order, is 2.3.1's.
    """

    def __missing__(self, name: Any) -> Any:
        if isinstance(name, str):
            for old, new in RENAMED:
                for asked, held in ((old, new), (new, old)):
                    prefix = name.removesuffix(asked)
                    if prefix != name and (not prefix or prefix.endswith("_")) and prefix + held in self:
                        return self[prefix + held]
        raise KeyError(name)

    def get(self, name: Any, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default
