"""Well-formed checkpoints, configs and metadata for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from langgraph.checkpoint.base.id import uuid6

from langgraph_checkpoint_dynamodb import InvalidInputError, InvalidInputTypeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from langchain_core.runnables import RunnableConfig
    from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata

    from tests.support.calls import Calls


def new_id(step: int = 0) -> str:
    """An id like LangGraph's: sortable by time."""
    return str(uuid6(clock_seq=step))


def config(
    thread_id: str, checkpoint_ns: str | None = "", checkpoint_id: str | None = None
) -> RunnableConfig:
    """A config; parts that are `None` are left out."""
    parts = {
        "thread_id": thread_id,
        "checkpoint_ns": checkpoint_ns,
        "checkpoint_id": checkpoint_id,
    }
    return {"configurable": {name: value for name, value in parts.items() if value is not None}}


def checkpoint(checkpoint_id: str | None = None, **channel_values: Any) -> Checkpoint:
    """A checkpoint with these channel values, each at version 1."""
    return {
        "v": 4,
        "id": checkpoint_id or new_id(),
        "ts": "2026-01-01T00:00:00+00:00",
        "channel_values": channel_values,
        "channel_versions": dict.fromkeys(channel_values, "1"),
        "versions_seen": {},
        "updated_channels": sorted(channel_values),
    }


def metadata(**values: Any) -> CheckpointMetadata:
    """Metadata of a loop step, updated with these values."""
    return cast("CheckpointMetadata", {"source": "loop", "step": 0, "parents": {}, **values})


def put_chain(
    calls: Calls, thread_id: str, length: int, checkpoint_ns: str = "", **values: Any
) -> list[RunnableConfig]:
    """Store a chain of checkpoints, each the parent of the next; returns configs, oldest first."""
    stored: list[RunnableConfig] = []
    for step in range(length):
        parent = stored[-1] if stored else config(thread_id, checkpoint_ns)
        stored.append(
            calls.put(
                parent,
                checkpoint(new_id(step), step=step, **values),
                metadata(step=step),
                {"step": "1"},
            )
        )
    return stored


def id_of(stored: RunnableConfig) -> str:
    """The checkpoint id of a config."""
    return str(stored["configurable"]["checkpoint_id"])


def refusals(
    bad_values: Mapping[str, Iterable[Any]], bad_types: Mapping[str, Iterable[Any]]
) -> list[tuple[str, Any, type[InvalidInputError]]]:
    """Each invalid value by its argument, with the expected error."""
    kinds = ((InvalidInputError, bad_values), (InvalidInputTypeError, bad_types))
    return [
        (name, bad, kind)
        for kind, values in kinds
        for name, all_bad in values.items()
        for bad in all_bad
    ]
