"""Values within records, and what must be stored for one record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.payloads.kinds import Inline

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.payloads.kinds import Payload
    from langgraph_checkpoint_dynamodb.payloads.placement import Part
    from langgraph_checkpoint_dynamodb.requests.items import Put


@dataclass(frozen=True, slots=True)
class Serialized:
    """A value as the serde gives it: its type tag and its bytes, wherever they are."""

    type: str
    payload: Payload

    @property
    def data(self) -> bytes:
        """The bytes of a value that has been loaded."""
        if not isinstance(self.payload, Inline) or self.payload.packed is not None:
            raise AssertionError("the value has not been loaded")
        return self.payload.data


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be stored for one record: its item, and first the parts outside it.

    Attributes:
        put: The request that stores the item.
        parts: What is stored outside it.
        payloads: Where its values are.
    """

    put: Put
    parts: tuple[Part, ...]
    payloads: tuple[Payload, ...]
