"""How tf.keras writes into JSON what JSON does not have: tuples, shapes, ``...``."""

from __future__ import annotations

from typing import Any

from ...utils.messages import shortened

#: What is left as it is: layers know these (arrays in configs).
_KNOWN = ("__numpy__", "__tensor__", "__keras_tensor__")


def decoded(item: Any) -> Any:
    """JSON data with each encoded value in it decoded; tuples and shapes become lists, as HDF5 files have them.

    Raises:
        ValueError: a value is encoded in an unknown way.
    """
    if isinstance(item, list):
        return [decoded(part) for part in item]
    if not isinstance(item, dict):
        return item
    kind = item.get("class_name")
    if kind in ("__tuple__", "TensorShape") and isinstance(item.get("items"), list):
        return decoded(item["items"])
    if kind == "__ellipsis__":
        return ...
    if isinstance(kind, str) and kind.startswith("__") and kind not in _KNOWN:
        raise ValueError(f"The description has a value of the kind {shortened(kind, 80)!r}, which is not read.")
    return {key: decoded(value) for key, value in item.items()}
