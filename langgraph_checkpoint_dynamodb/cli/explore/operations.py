"""Read operations that savers do not have: namespaces of a thread, ids of a history."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.cli.explore.step import parent_ids
from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.keys import (
    ROOT_NAMESPACE,
    is_auxiliary_key,
    namespace_range,
)
from langgraph_checkpoint_dynamodb.format.ranges import SortRange
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.items.checkpoints import (
    CHECKPOINT_KEYS,
    CHECKPOINT_METADATA,
    read_checkpoint_head,
    read_metadata,
)
from langgraph_checkpoint_dynamodb.items.codec import decode_metadata
from langgraph_checkpoint_dynamodb.ops.attachments import is_inline
from langgraph_checkpoint_dynamodb.requests.items import Query
from langgraph_checkpoint_dynamodb.requests.operations import send

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointHead
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation


@dataclass(frozen=True)
class Call:
    """A namespace of a thread other than the root: a call of a subgraph, or a stateful subgraph.

    Attributes:
        checkpoint_ns: The namespace.
        newest_id: The id of its newest checkpoint.
        outer_ids: By outer namespace, the id of the checkpoint that the newest one ran under.
    """

    checkpoint_ns: str
    newest_id: str
    outer_ids: Mapping[str, str]

    @property
    def outer_ns(self) -> str:
        """The namespace that contains it."""
        return self.checkpoint_ns.rpartition("|")[0]


@dataclass(frozen=True)
class Calls:
    """A page of the namespaces of a thread.

    Attributes:
        calls: The namespaces, in no particular order.
        last: The cursor of the next page; `None` after the last.
    """

    calls: tuple[Call, ...]
    last: str | None


def find_calls(context: Context, thread_id: str, after: str | None, most: int) -> Operation[Calls]:
    """Find namespaces other than the root with one request for each, for its newest item.

    The sort key ranges of namespaces follow each other below that of the root. Each request starts
    below the range that was found last, so it skips the histories, however long they are.

    Args:
        context: Settings and time of the call.
        thread_id: The thread.
        after: `last` of the page before; `None` for the first page.
        most: Maximum number of namespaces.
    """
    root_floor = namespace_range(ROOT_NAMESPACE).low
    high = root_floor if after is None else namespace_range(after).low
    query = Query(
        Table.CHECKPOINTS,
        thread_id,
        consistent=False,
        forward=False,
        limit=1,
        attributes=CHECKPOINT_METADATA,
    )
    found: list[Call] = []
    while len(found) < most:
        page = yield from send(replace(query, sort=SortRange(None, high)))
        if not page.items or is_auxiliary_key(read_key(page.items[0], Table.CHECKPOINTS).sort):
            return Calls(tuple(found), None)
        head = read_checkpoint_head(page.items[0], context.now)
        high = namespace_range(head.checkpoint_ns).low
        if head.key.sort <= str(high):
            return Calls(tuple(found), None)  # An item outside of its namespace.
        if head.visible and head.checkpoint_id is not None:
            parents = _outer_checkpoints(context, head, page.items[0])
            found.append(Call(head.checkpoint_ns, head.checkpoint_id, parents))
    return Calls(tuple(found), found[-1].checkpoint_ns)


def checkpoint_ids(
    context: Context, thread_id: str, checkpoint_ns: str, before: str | None, most: int
) -> Operation[list[tuple[str, str | None]]]:
    """Return the ids of checkpoints and their parents, newest first, unreadable ones included."""
    query = Query(
        Table.CHECKPOINTS,
        thread_id,
        context.consistent,
        sort=namespace_range(checkpoint_ns, before),
        forward=False,
        attributes=CHECKPOINT_KEYS,
        limit=most + 1,
    )
    found: list[tuple[str, str | None]] = []
    while not query.sort.empty:
        page = yield from send(query)
        for item in page.items:
            head = read_checkpoint_head(item, context.now)
            if head.visible and head.checkpoint_id and (not before or head.checkpoint_id < before):
                found.append((head.checkpoint_id, head.parent_id))
        if page.next is None or len(found) >= most:
            break
        query = replace(query, start=page.next)
    return found[:most]


def _outer_checkpoints(
    context: Context, head: CheckpointHead, item: StoredItem
) -> Mapping[str, str]:
    with suppress(UnreadableItemError):
        metadata = read_metadata(item, head)
        if is_inline(metadata):
            place = f"a checkpoint of namespace {head.checkpoint_ns!r}"
            return MappingProxyType(parent_ids(decode_metadata(context.serde, metadata, place)))
    return MappingProxyType({})
