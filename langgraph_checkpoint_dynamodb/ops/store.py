"""What an operation is given besides its arguments."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.memory import Memory

if TYPE_CHECKING:
    from langgraph.checkpoint.serde.base import SerializerProtocol
    from typing_extensions import Self

    from langgraph_checkpoint_dynamodb.items.life import Stamp
    from langgraph_checkpoint_dynamodb.payload import PayloadPolicy


@dataclass(frozen=True, slots=True)
class Store:
    """How to read and write, for the time of one call.

    Attributes:
        serde: The saver's serde as it is now.
        payloads: How values are stored.
        stamp: When and by which call items are stored.
        memory: What the saver remembers.
        consistent: Whether reads on the resume path are strongly consistent.
        run_id_index: Name of the run index, `None` where there is none.
        ttl_seconds: How long a checkpoint stored now lives; `None` for ever.
    """

    serde: SerializerProtocol
    payloads: PayloadPolicy
    stamp: Stamp
    memory: Memory = field(default_factory=lambda: Memory(0))
    consistent: bool = True
    run_id_index: str | None = None
    ttl_seconds: int | None = None

    @property
    def now(self) -> int:
        """The time of the call, in seconds since the epoch."""
        return self.stamp.created

    def consistently(self) -> Self:
        """The same with strongly consistent reads."""
        return replace(self, consistent=True)
