"""Serialized values of records, and the plan that stores a record."""

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
    """A value as the serde returns it: its type tag, and the payload with its bytes."""

    type: str
    payload: Payload

    @property
    def data(self) -> bytes:
        """The bytes of a value that has been loaded.

        Raises:
            AssertionError: It has not been loaded.
        """
        if not isinstance(self.payload, Inline) or self.payload.packed is not None:
            raise AssertionError("the value has not been loaded")
        return self.payload.data


@dataclass(frozen=True, slots=True)
class ItemPlan:
    """What is stored for one record: first the parts outside its item, then the item.

    Attributes:
        put: The request that stores the item.
        parts: The parts that are stored outside it.
        payloads: The payloads of its values.
    """

    put: Put
    parts: tuple[Part, ...]
    payloads: tuple[Payload, ...]
