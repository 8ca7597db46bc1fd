"""The context of one call: settings, serializer, clock and memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.ops.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Collection

    from langgraph.checkpoint.serde.base import SerializerProtocol
    from typing_extensions import Self

    from langgraph_checkpoint_dynamodb.format.expiry import Stamp
    from langgraph_checkpoint_dynamodb.format.keys import BaseRef
    from langgraph_checkpoint_dynamodb.payloads.differences import Base
    from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy


@dataclass(frozen=True, slots=True)
class KnownBases:
    """The bases that a call has read, so that it reads each of them once.

    Attributes:
        loaded: The bases; `None` for one that does not exist.
        deleted: The bases that were deleted with their thread.
        deleted_at: By thread, when bases were last deleted with it; `None` for never.
    """

    loaded: dict[BaseRef, Base | None] = field(default_factory=dict)
    deleted: set[BaseRef] = field(default_factory=set)
    deleted_at: dict[str, int | None] = field(default_factory=dict)

    def retain(self, needed: Collection[BaseRef]) -> None:
        """Free the memory of all bases but these."""
        unneeded = [ref for ref, base in self.loaded.items() if base and ref not in needed]
        for ref in unneeded:
            del self.loaded[ref]


@dataclass(frozen=True, slots=True)
class Context:
    """What an operation is given besides its arguments, the same during one call.

    Attributes:
        serde: The saver's serializer.
        payloads: Where and how values are stored.
        stamp: The time of the call and its token, stored in the items that it writes.
        memory: What the saver remembers.
        bases: The bases that the call has read.
        consistent: Whether reads on the resume path are strongly consistent.
        run_id_index: Name of the run index; `None` for none.
        ttl_seconds: Lifetime of a checkpoint stored now, in seconds; `None` for unlimited.
        lists_threads: Whether thread items are kept for the thread index.
        fences: Whether a run is rejected if another run has moved its thread on.
    """

    serde: SerializerProtocol
    payloads: PayloadPolicy
    stamp: Stamp
    memory: Memory = field(default_factory=lambda: Memory(0))
    bases: KnownBases = field(default_factory=KnownBases)
    consistent: bool = True
    run_id_index: str | None = None
    ttl_seconds: int | None = None
    lists_threads: bool = False
    fences: bool = False

    @property
    def now(self) -> int:
        """The time of the call, in seconds since the epoch."""
        return self.stamp.created

    def with_consistent_reads(self) -> Self:
        """The same context with strongly consistent reads."""
        return replace(self, consistent=True)
