"""Items recorded as JSON, with bytes in Base64."""

from __future__ import annotations

import base64
from typing import Any


def as_base64(value: bytes) -> str:
    """Encode bytes for `json.dumps`, as its `default`."""
    return base64.b64encode(value).decode()


def restore_bytes(attribute: dict[str, Any]) -> None:
    """Decode the bytes of an attribute and of its nested values."""
    if "B" in attribute:
        attribute["B"] = base64.b64decode(attribute["B"])
    nested = [*attribute.get("L", []), *attribute.get("M", {}).values()]
    for one in nested:
        restore_bytes(one)
