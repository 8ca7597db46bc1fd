"""Items as they are recorded in JSON: their bytes are Base64."""

from __future__ import annotations

import base64
from typing import Any


def as_base64(value: bytes) -> str:
    """What `json.dumps` is to make of bytes, as its `default`."""
    return base64.b64encode(value).decode()


def restore_bytes(attribute: dict[str, Any]) -> None:
    """Make the bytes of an attribute, and of those within it, bytes again."""
    if "B" in attribute:
        attribute["B"] = base64.b64decode(attribute["B"])
    nested = [*attribute.get("L", []), *attribute.get("M", {}).values()]
    for one in nested:
        restore_bytes(one)
