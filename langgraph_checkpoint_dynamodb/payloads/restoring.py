"""The bytes of a value, checked and unpacked after they were read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.parts import content_digest
from langgraph_checkpoint_dynamodb.payloads.compression import (
    DecompressionError,
    MissingCodecError,
    decompress,
)
from langgraph_checkpoint_dynamodb.payloads.kinds import DamagedPayloadError, Inline

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.payloads.kinds import Payload


def restore(payload: Payload, stored: bytes, ceiling: int, base: bytes | None = None) -> bytes:
    """The bytes of a value as they were before they were stored.

    Args:
        payload: The value's description.
        stored: The bytes that were read for it.
        ceiling: Most bytes to unpack to.
        base: The bytes of the base, if the value is a difference.

    Raises:
        DamagedPayloadError: The bytes are not those that were stored.
    """
    if not isinstance(payload, Inline) and (
        len(stored) != payload.size or content_digest(stored) != payload.address.digest
    ):
        raise DamagedPayloadError("was stored outside the item and has been altered there")
    packed = payload.packed
    if packed is None:
        return stored
    if packed.size > ceiling:
        raise DamagedPayloadError(
            f"says it unpacks to {packed.size} bytes, over the ceiling of {ceiling}; "
            "if that is right, raise max_value_bytes"
        )
    try:
        return decompress(packed.codec, stored, packed.size, base)
    except (DecompressionError, MissingCodecError) as error:
        raise DamagedPayloadError(str(error)) from error
