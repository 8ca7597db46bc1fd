"""What a history shows of a checkpoint, told from what is stored: the graph itself is not here."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.serde.types import ERROR, INTERRUPT, TASKS

from langgraph_checkpoint_dynamodb.items.codec import waits_of
from langgraph_checkpoint_dynamodb.items.threads import FAILED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from langgraph.checkpoint.base import CheckpointTuple

_START = "__start__"
_BRANCH = "branch:"
_JOIN = "join:"


@dataclass(frozen=True)
class Step:
    """A checkpoint in a history.

    Attributes:
        checkpoint_ns: Its namespace.
        checkpoint_id: Its id.
        parent_id: Its parent; `None` for none.
        number: Its step, as text; empty where it does not say.
        source: What made it: `input`, `loop`, `update`, `fork`.
        next: The nodes that run next.
        made: When it was made, in seconds since the epoch; `None` where it does not say.
        questions: What its tasks wait for.
        errors: What its tasks have failed with.
        problem: Why it cannot be read; `None` where it can.
    """

    checkpoint_ns: str
    checkpoint_id: str
    parent_id: str | None = None
    number: str = ""
    source: str = ""
    next: tuple[str, ...] = ()
    made: float | None = None
    questions: tuple[Any, ...] = ()
    errors: tuple[Any, ...] = ()
    problem: str | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Namespace and id."""
        return (self.checkpoint_ns, self.checkpoint_id)


def step_of(found: CheckpointTuple) -> Step:
    """What is shown of a checkpoint. Nothing that it holds is taken to be as it should be."""
    named = found.config["configurable"]
    metadata: Mapping[str, Any] = {**found.metadata}
    checkpoint: Mapping[str, Any] = {**found.checkpoint}
    parent = (found.parent_config or {}).get("configurable", {})
    questions, errors = _waits(found)
    number: object = metadata.get("step")
    return Step(
        checkpoint_ns=named.get("checkpoint_ns") or "",
        checkpoint_id=named["checkpoint_id"],
        parent_id=parent.get("checkpoint_id") or None,
        number=str(number) if isinstance(number, int) else "",
        source=str(metadata.get("source") or ""),
        next=tuple(dict.fromkeys(_next_nodes(checkpoint))),
        made=_moment(checkpoint.get("ts")),
        questions=questions,
        errors=errors,
    )


def above(metadata: object) -> dict[str, str]:
    """By namespace, the checkpoint that one of a subgraph was made under."""
    found = metadata.get("parents") if isinstance(metadata, dict) else None
    return dict(found) if isinstance(found, dict) else {}


def _waits(found: CheckpointTuple) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The questions and errors of the tasks that have not gone on since."""
    writes = found.pending_writes or []
    waiting = waits_of(writes)
    questions: list[Any] = []
    errors: list[Any] = []
    for task_id, channel, value in writes:
        if task_id not in waiting:
            continue
        if channel == INTERRUPT and waiting[task_id] != FAILED:
            several = value if isinstance(value, (list, tuple)) else [value]
            questions += [getattr(one, "value", one) for one in several]
        elif channel == ERROR:
            errors.append(value)
    return tuple(questions), tuple(errors)


def _next_nodes(checkpoint: Mapping[str, Any]) -> Iterator[str]:
    """The nodes whose triggers hold something that they have not seen.

    LangGraph's names of triggers: `branch:to:NODE`, `join:A+B:NODE` once A and B were there, and
    `__start__`. `__pregel_tasks` holds what was sent.
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


def _moment(ts: object) -> float | None:
    if not isinstance(ts, str):
        return None
    with suppress(ValueError):
        # Python 3.10 knows no Z.
        made = datetime.fromisoformat(ts.replace("Z", "+00:00"))
        return (made if made.tzinfo else made.replace(tzinfo=timezone.utc)).timestamp()
    return None
