"""Finding a checkpoint by as much of its id as a user has typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.cli.commands.history import nothing_of
from langgraph_checkpoint_dynamodb.cli.errors import UsageError
from langgraph_checkpoint_dynamodb.format.key_text import require_thread_id
from langgraph_checkpoint_dynamodb.format.keys import namespace_range
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.items.checkpoints import CHECKPOINT_KEYS, read_checkpoint_head
from langgraph_checkpoint_dynamodb.requests.calls import query_all
from langgraph_checkpoint_dynamodb.requests.items import Query

if TYPE_CHECKING:
    from langgraph.checkpoint.base import CheckpointTuple

    from langgraph_checkpoint_dynamodb.cli.connection import Connection

_SHOWN = 3


def find_checkpoint(
    connection: Connection, thread: str, ns: str, wanted: str | None
) -> CheckpointTuple:
    """A checkpoint of a thread.

    Args:
        connection: The saver.
        thread: The thread.
        ns: The namespace.
        wanted: The checkpoint's id, or the beginning or end of it, with dots or without; `None` for
            the newest.

    Raises:
        UsageError: There is none, or more than one.
    """
    at: Any = {"thread_id": thread, "checkpoint_ns": ns}
    if wanted is not None:
        at["checkpoint_id"] = _whole_id(connection, thread, ns, wanted)
    found = connection.saver.get_tuple({"configurable": at})
    if found is None:
        raise UsageError(nothing_of(thread, ns))
    return found


def parent_of(connection: Connection, one: CheckpointTuple) -> CheckpointTuple | None:
    """The checkpoint that another was made from; `None` for the first, and where it is gone."""
    if one.parent_config is None:
        return None
    return connection.saver.get_tuple(one.parent_config)


def _whole_id(connection: Connection, thread: str, ns: str, wanted: str) -> str:
    part = wanted.strip(".").removesuffix("…")
    query = Query(
        Table.CHECKPOINTS,
        require_thread_id(thread),
        consistent=True,
        sort=namespace_range(ns),
        attributes=CHECKPOINT_KEYS,
    )
    now = connection.store.now
    heads = [read_checkpoint_head(item, now) for item in connection.run(query_all(query))]
    ids = [head.checkpoint_id for head in heads if head.visible and head.checkpoint_ns == ns]
    if wanted in ids:
        return wanted
    fitting = [one for one in ids if one and (one.endswith(part) or one.startswith(part))]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        raise UsageError(
            f"thread {thread!r} has no checkpoint {wanted!r} in namespace {ns!r}; "
            "`langgraph-dynamodb history` shows those it has"
        )
    raise UsageError(
        f"{wanted!r} fits {len(fitting)} checkpoints of thread {thread!r}: "
        f"{', '.join(fitting[:_SHOWN])}{' and others' if len(fitting) > _SHOWN else ''}; "
        "type more of it"
    )
