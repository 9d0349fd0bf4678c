"""Windows of a series, under the name that tf.keras has for it."""

from __future__ import annotations

from ..lazy import lazy_attributes

__getattr__, __dir__ = lazy_attributes(globals(), {"timeseries_dataset_from_array": "..tf.data.timeseries"}, ())
