"""A checkpoint in a history, read without the graph that made it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.serde.types import ERROR, INTERRUPT

from langgraph_checkpoint_dynamodb.cli.threads.next_nodes import next_nodes
from langgraph_checkpoint_dynamodb.items.codec import waits_of
from langgraph_checkpoint_dynamodb.items.threads import FAILED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langgraph.checkpoint.base import CheckpointTuple


@dataclass(frozen=True)
class Step:
    """A checkpoint in a history.

    Attributes:
        checkpoint_ns: Its namespace.
        checkpoint_id: Its id.
        parent_id: The id of its parent; `None` for none.
        number: Its step, as text; empty if it has none.
        source: What made it: `input`, `loop`, `update`, `fork`.
        next: The nodes that run next.
        made: Its time, in seconds since the epoch; `None` if it has none.
        questions: Values of the interrupts that wait for an answer.
        errors: Errors of its tasks.
        problem: Why it cannot be read; `None` if it can.
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
    """Convert a checkpoint. Values of unexpected types are ignored."""
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
        next=tuple(dict.fromkeys(next_nodes(checkpoint))),
        made=_moment(checkpoint.get("ts")),
        questions=questions,
        errors=errors,
    )


def parent_ids(metadata: object) -> dict[str, str]:
    """Return the checkpoints of the outer namespaces that a subgraph ran under, by namespace."""
    found = metadata.get("parents") if isinstance(metadata, dict) else None
    return dict(found) if isinstance(found, dict) else {}


def _waits(found: CheckpointTuple) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return the questions and errors of the tasks that have not finished since."""
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


def _moment(ts: object) -> float | None:
    if not isinstance(ts, str):
        return None
    with suppress(ValueError):
        # Python 3.10 cannot parse Z.
        made = datetime.fromisoformat(ts.replace("Z", "+00:00"))
        return (made if made.tzinfo else made.replace(tzinfo=timezone.utc)).timestamp()
    return None
