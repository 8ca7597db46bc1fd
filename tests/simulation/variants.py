"""How the checkpoints of a scenario are stored, and a saver that stores them this way."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.ops.memory import Memory
from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy, S3Policy
from langgraph_checkpoint_dynamodb.runners.process import PerProcess
from langgraph_checkpoint_dynamodb.savers.base import SaverBase
from langgraph_checkpoint_dynamodb.settings.client import ClientSettings
from langgraph_checkpoint_dynamodb.settings.saver import Settings, ThreadIndex

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.ops.context import Context

NOW = 2_000_000_000
TTL_SECONDS = 30 * 24 * 60 * 60
_LONG = 240
"""Bytes of a value that does not stay inline if items are to be small."""


class Pickle:
    """A very fast serializer.

    Its output for anything but metadata is too long to stay inline if items are to be small.
    """

    def dumps_typed(self, value: Any) -> tuple[str, bytes]:
        data = pickle.dumps(value)
        return "pickle", data if "source" in data.decode("latin-1") else data.ljust(_LONG)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return pickle.loads(data[1])  # noqa: S301 - what the simulation itself has stored


class Saver(SaverBase):
    """A saver without a runner: it only creates operations."""

    def __init__(self, settings: Settings, token: str) -> None:
        super().__init__(serde=Pickle())
        self._settings = settings
        self._token = token
        self._memories = PerProcess(lambda _: Memory(settings.memory_bytes))

    def _context(self) -> Context:
        made = super()._context()
        return replace(made, stamp=replace(made.stamp, token=self._token))


@dataclass(frozen=True)
class Variant:
    """How values are stored.

    Attributes:
        name: A short name.
        payloads: Where values are stored.
        ttl_seconds: How long a checkpoint lives.
        delta: Whether the threads have a DeltaChannel.
        relaxed: Whether reads to resume may be stale, and runs are found by the index.
        listed: Whether the saver has a thread index.
    """

    name: str
    payloads: PayloadPolicy = field(default_factory=PayloadPolicy)
    ttl_seconds: int | None = None
    delta: bool = False
    relaxed: bool = False
    listed: bool = False

    def saver(self, token: str, now: int) -> Saver:
        """A saver with a fixed token and a fixed clock."""
        return Saver(
            Settings(
                checkpoints_table_name="checkpoints",
                writes_table_name="writes",
                client=ClientSettings(),
                payloads=self.payloads,
                ttl_seconds=self.ttl_seconds,
                consistent_reads=not self.relaxed,
                run_id_index="runs" if self.relaxed else None,
                thread_index=ThreadIndex(owner="user_id") if self.listed else None,
                clock=lambda: now,
            ),
            token,
        )


_SMALL_ITEMS = PayloadPolicy(inline_limit=1, chunk_bytes=_LONG - 40)
"""Everything but metadata is stored in two or three chunks."""
_OBJECTS = PayloadPolicy(s3=S3Policy("bucket", "p/", _LONG - 1))

INLINE = Variant("inline")
CHUNKS = Variant("chunks", _SMALL_ITEMS)
OBJECTS = Variant("s3", _OBJECTS)
DELTA = Variant("delta", delta=True)
DELTA_CHUNKS = Variant("delta in chunks", _SMALL_ITEMS, delta=True)
DELTA_OBJECTS = Variant("delta in s3", _OBJECTS, delta=True)
EXPIRING = Variant("ttl", ttl_seconds=TTL_SECONDS)
EXPIRING_DELTA = Variant("delta with ttl", _SMALL_ITEMS, TTL_SECONDS, delta=True)
LISTED = Variant("listed", listed=True)
LISTED_DELTA = Variant("listed delta in chunks", _SMALL_ITEMS, delta=True, listed=True)
RELAXED = Variant("stale reads", _SMALL_ITEMS, relaxed=True)
_DIFFERENCES = PayloadPolicy(compression="zstd", incremental=True)
"""Every checkpoint is stored as a difference from a base, however small it is."""
INCREMENTAL = Variant("incremental", _DIFFERENCES)
INCREMENTAL_CHUNKS = Variant(
    "incremental in chunks", replace(_DIFFERENCES, inline_limit=1, chunk_bytes=_LONG // 4)
)
INCREMENTAL_OBJECTS = Variant(
    "incremental in s3", replace(_DIFFERENCES, s3=S3Policy("bucket", "p/", 20))
)
INCREMENTAL_DELTA = Variant("incremental delta", _DIFFERENCES, delta=True)
INCREMENTAL_EXPIRING = Variant(
    "incremental delta with ttl",
    replace(_DIFFERENCES, inline_limit=1, chunk_bytes=_LONG // 2),
    TTL_SECONDS,
    delta=True,
)
VARIANTS = (
    INLINE,
    CHUNKS,
    OBJECTS,
    DELTA,
    DELTA_CHUNKS,
    DELTA_OBJECTS,
    EXPIRING,
    EXPIRING_DELTA,
    RELAXED,
    LISTED,
    LISTED_DELTA,
    INCREMENTAL,
    INCREMENTAL_CHUNKS,
    INCREMENTAL_OBJECTS,
    INCREMENTAL_DELTA,
    INCREMENTAL_EXPIRING,
)
