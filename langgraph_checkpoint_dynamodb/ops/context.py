"""What an operation is given besides its arguments."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.ops.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Collection

    from langgraph.checkpoint.serde.base import SerializerProtocol
    from typing_extensions import Self

    from langgraph_checkpoint_dynamodb.format.keys import BaseRef
    from langgraph_checkpoint_dynamodb.format.life import Stamp
    from langgraph_checkpoint_dynamodb.payloads.differences import Base
    from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy


@dataclass(frozen=True, slots=True)
class Bases:
    """What a call has learned of bases, so that it reads each once.

    Attributes:
        found: The bases; `None` for one that is not there.
        deleted: Those of them that were deleted with their thread.
        marks: When bases of a thread were last deleted with it, by thread.
    """

    found: dict[BaseRef, Base | None] = field(default_factory=dict)
    deleted: set[BaseRef] = field(default_factory=set)
    marks: dict[str, int | None] = field(default_factory=dict)

    def keep(self, wanted: Collection[BaseRef]) -> None:
        """Let go of the bases that are not wanted any more."""
        needless = [ref for ref, base in self.found.items() if base and ref not in wanted]
        for ref in needless:
            del self.found[ref]


@dataclass(frozen=True, slots=True)
class Context:
    """How to read and write, for the time of one call.

    Attributes:
        serde: The saver's serde as it is now.
        payloads: How values are stored.
        stamp: When and by which call items are stored.
        memory: What the saver remembers.
        bases: What the call has learned of bases.
        consistent: Whether reads on the resume path are strongly consistent.
        run_id_index: Name of the run index, `None` where there is none.
        ttl_seconds: How long a checkpoint stored now lives; `None` for ever.
        lists_threads: Whether the thread index is kept.
        fences: Whether a run may only go on from what its thread has come to.
    """

    serde: SerializerProtocol
    payloads: PayloadPolicy
    stamp: Stamp
    memory: Memory = field(default_factory=lambda: Memory(0))
    bases: Bases = field(default_factory=Bases)
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
        """The same with strongly consistent reads."""
        return replace(self, consistent=True)
