"""Threads for the pictures: a shop's assistant, with ids and times that are the same in every run.

The saver's own methods store the checkpoints one by one, as a graph would.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata

    from langgraph_checkpoint_dynamodb import DynamoDBSaver

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=timezone.utc).timestamp()
OWNER = "user_id"
_EPOCH_OF_UUIDS = datetime(1582, 10, 15, tzinfo=timezone.utc).timestamp()
_TICKS_A_SECOND = 10_000_000


@dataclass
class Clock:
    """A manually set clock for the saver."""

    now: float = NOW

    def __call__(self) -> float:
        """The time, in seconds since the epoch."""
        return self.now


@dataclass
class Teller:
    """Stores the checkpoints of a thread in order.

    Attributes:
        saver: The saver.
        clock: The saver's clock.
        thread_id: The thread.
        owner: The owner of the thread.
        now: The current time of the thread, in seconds since the epoch.
        parents: The parent checkpoint of subgraphs, by namespace.
    """

    saver: DynamoDBSaver
    clock: Clock
    thread_id: str
    owner: str
    now: float
    parents: dict[str, str] = field(default_factory=dict)

    def step(
        self,
        number: int,
        source: str,
        values: dict[str, Any],
        following: Sequence[str] = (),
        *,
        after: RunnableConfig | None = None,
        namespace: str = "",
        seconds: float = 4,
    ) -> RunnableConfig:
        """Store a checkpoint.

        Args:
            number: Number of its step.
            source: `input`, `loop` or `fork`.
            values: Values of its channels.
            following: The nodes that run next.
            after: Its parent.
            namespace: Its namespace.
            seconds: Seconds since the previous checkpoint.
        """
        self.now += seconds
        self.clock.now = self.now
        triggers = {name if name == "__start__" else f"branch:to:{name}" for name in following}
        channels = {**dict.fromkeys(sorted(triggers)), **values}
        checkpoint: Checkpoint = {
            "v": 4,
            "id": id_at(self.now),
            "ts": datetime.fromtimestamp(self.now, timezone.utc).isoformat(),
            "channel_values": channels,
            "channel_versions": dict.fromkeys(channels, f"{number + 2:032}.0"),
            "versions_seen": {},
            "updated_channels": sorted(channels),
        }
        metadata = {"source": source, "step": number, "parents": dict(self.parents)}
        config = after or self.config(namespace)
        config["configurable"][OWNER] = self.owner
        made = self.saver.put(config, checkpoint, cast("CheckpointMetadata", metadata), {})
        self.clock.now = NOW
        return made

    def config(self, namespace: str = "") -> RunnableConfig:
        """The config of a checkpoint without a parent."""
        return {"configurable": {"thread_id": self.thread_id, "checkpoint_ns": namespace}}

    def writes(self, config: RunnableConfig, task: str, *writes: tuple[str, Any]) -> None:
        """Store pending writes of a task."""
        self.clock.now = self.now = self.now + 1
        self.saver.put_writes(config, writes, task_of(task), f"~__pregel_pull, {task}")
        self.clock.now = NOW


def id_at(moment: float) -> str:
    """A checkpoint id as LangGraph would generate it at that time: a UUID of version 6."""
    ticks = round((moment - _EPOCH_OF_UUIDS) * _TICKS_A_SECOND)
    high, low = ticks >> 12, ticks & 0xFFF
    # LangGraph fills the last digits with random bits.
    node = int.from_bytes(blake2b(str(ticks).encode(), digest_size=6).digest(), "big")
    return str(UUID(int=(high << 80) | (6 << 76) | (low << 64) | (0b10 << 62) | node))


def task_of(name: str) -> str:
    """The id of a task, derived from its name."""
    return str(UUID(bytes=blake2b(name.encode(), digest_size=16).digest(), version=5))
