"""Finding a checkpoint by its id, or by the beginning or end of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

_MAX_IDS_IN_ERROR = 3


def find_checkpoint(
    connection: Connection, thread_id: str, checkpoint_ns: str, id_part: str | None
) -> CheckpointTuple:
    """Return a checkpoint of a thread.

    Args:
        connection: The connection.
        thread_id: The thread.
        checkpoint_ns: The namespace.
        id_part: The checkpoint's id, or the beginning or end of it, with or without dots; `None`
            for the newest checkpoint.

    Raises:
        UsageError: No checkpoint has such an id, or more than one has.
    """
    at: Any = {"thread_id": thread_id, "checkpoint_ns": checkpoint_ns}
    if id_part is not None:
        at["checkpoint_id"] = _full_id(connection, thread_id, checkpoint_ns, id_part)
    found = connection.saver.get_tuple({"configurable": at})
    if found is None:
        raise no_checkpoints_error(thread_id, checkpoint_ns)
    return found


def find_parent(connection: Connection, found: CheckpointTuple) -> CheckpointTuple | None:
    """Return the parent of a checkpoint; `None` if it has none, or if it was deleted."""
    if found.parent_config is None:
        return None
    return connection.saver.get_tuple(found.parent_config)


def no_checkpoints_error(thread_id: str, checkpoint_ns: str | None = None) -> UsageError:
    """Return the error for a thread or namespace without checkpoints."""
    where = f" in namespace {checkpoint_ns!r}" if checkpoint_ns else ""
    return UsageError(
        f"thread {thread_id!r} has no checkpoints{where}; "
        "`langgraph-dynamodb threads` lists threads"
    )


def _full_id(connection: Connection, thread_id: str, checkpoint_ns: str, id_part: str) -> str:
    query = Query(
        Table.CHECKPOINTS,
        require_thread_id(thread_id),
        consistent=True,
        sort=namespace_range(checkpoint_ns),
        attributes=CHECKPOINT_KEYS,
    )
    now = connection.now
    heads = [read_checkpoint_head(item, now) for item in connection.run(query_all(query))]
    ids = [
        head.checkpoint_id for head in heads if head.visible and head.checkpoint_ns == checkpoint_ns
    ]
    if id_part in ids:
        return id_part
    part = id_part.strip(".").removesuffix("…")
    matches = [each for each in ids if each and (each.endswith(part) or each.startswith(part))]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise UsageError(
            f"thread {thread_id!r} has no checkpoint {id_part!r} in namespace {checkpoint_ns!r}; "
            "`langgraph-dynamodb history` lists its checkpoints"
        )
    raise UsageError(
        f"{id_part!r} fits {len(matches)} checkpoints of thread {thread_id!r}: "
        f"{', '.join(matches[:_MAX_IDS_IN_ERROR])}"
        f"{' and others' if len(matches) > _MAX_IDS_IN_ERROR else ''}; type more of it"
    )
