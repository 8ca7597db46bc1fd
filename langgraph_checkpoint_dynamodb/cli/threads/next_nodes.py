"""Which nodes run next, read from a checkpoint without its graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.serde.types import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_START = "__start__"
_BRANCH = "branch:"
_JOIN = "join:"


def next_nodes(checkpoint: Mapping[str, Any]) -> Iterator[str]:
    """Yield the nodes that have a trigger with a newer version than they have seen.

    LangGraph's triggers are `branch:to:NODE`, `join:A+B:NODE` when A and B have run, and
    `__start__`. `__pregel_tasks` holds the `Send`s.
    """
    values = checkpoint.get("channel_values")
    versions, seen = checkpoint.get("channel_versions"), checkpoint.get("versions_seen")
    if not isinstance(values, dict) or not isinstance(versions, dict) or not isinstance(seen, dict):
        return
    for channel, value in values.items():
        node = _triggered(channel, value)
        if node is not None and _newer(versions.get(channel), seen.get(node), channel):
            yield node
    sent = values.get(TASKS)
    for one in sent if isinstance(sent, (list, tuple)) else ():
        yield str(getattr(one, "node", "?"))


def _triggered(channel: object, value: object) -> str | None:
    if not isinstance(channel, str):
        return None
    if channel == _START:
        return _START
    if channel.startswith(_BRANCH):
        return channel.rpartition(":")[2]
    if channel.startswith(_JOIN) and isinstance(value, (set, list, tuple)):
        names, _, node = channel.removeprefix(_JOIN).rpartition(":")
        return node if set(value) == set(names.split("+")) else None
    return None


def _newer(version: Any, seen: object, channel: str) -> bool:
    before = seen.get(channel) if isinstance(seen, dict) else None
    if version is None or before is None:
        return version is not None
    try:
        return bool(version > before)
    except TypeError:
        return bool(version != before)
