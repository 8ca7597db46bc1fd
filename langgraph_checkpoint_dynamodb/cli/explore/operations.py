"""Operations that only look, and that no method of a saver has: namespaces, ids of a history."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.cli.explore.step import above
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
    """A namespace of a thread besides the root: the call of a subgraph, or one with its own memory.

    Attributes:
        checkpoint_ns: The namespace.
        newest_id: Its newest checkpoint.
        above: By namespace, the checkpoint that its newest one was made under.
    """

    checkpoint_ns: str
    newest_id: str
    above: Mapping[str, str]

    @property
    def outer_ns(self) -> str:
        """The namespace around it."""
        return self.checkpoint_ns.rpartition("|")[0]


@dataclass(frozen=True)
class Calls:
    """Some of the namespaces of a thread.

    Attributes:
        calls: They, in no order that means anything.
        last: Where to go on; `None` after the last.
    """

    calls: tuple[Call, ...]
    last: str | None


def find_calls(store: Context, thread_id: str, after: str | None, most: int) -> Operation[Calls]:
    """Namespaces besides the root, at one request for each: the newest item of its range.

    Ranges of namespaces lie one after the other below that of the root, so what is not asked for
    in between is never read, however long their histories are.

    Args:
        store: How to read.
        thread_id: The thread.
        after: `last` of those before; `None` for the first.
        most: Most namespaces to ask for.
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
        head = read_checkpoint_head(page.items[0], store.now)
        high = namespace_range(head.checkpoint_ns).low
        if head.key.sort <= str(high):
            return Calls(tuple(found), None)  # A row that no namespace has made.
        if head.visible and head.checkpoint_id is not None:
            parents = _above(store, head, page.items[0])
            found.append(Call(head.checkpoint_ns, head.checkpoint_id, parents))
    return Calls(tuple(found), found[-1].checkpoint_ns)


def checkpoint_ids(
    store: Context, thread_id: str, checkpoint_ns: str, before: str | None, most: int
) -> Operation[list[tuple[str, str | None]]]:
    """Ids of a history with their parents', newest first, of what cannot be read too."""
    query = Query(
        Table.CHECKPOINTS,
        thread_id,
        store.consistent,
        sort=namespace_range(checkpoint_ns, before),
        forward=False,
        attributes=CHECKPOINT_KEYS,
        limit=most + 1,
    )
    found: list[tuple[str, str | None]] = []
    while not query.sort.empty:
        page = yield from send(query)
        for item in page.items:
            head = read_checkpoint_head(item, store.now)
            if head.visible and head.checkpoint_id and (not before or head.checkpoint_id < before):
                found.append((head.checkpoint_id, head.parent_id))
        if page.next is None or len(found) >= most:
            break
        query = replace(query, start=page.next)
    return found[:most]


def _above(store: Context, head: CheckpointHead, item: StoredItem) -> Mapping[str, str]:
    with suppress(UnreadableItemError):
        metadata = read_metadata(item, head)
        if is_inline(metadata):
            place = f"a checkpoint of namespace {head.checkpoint_ns!r}"
            return MappingProxyType(above(decode_metadata(store.serde, metadata, place)))
    return MappingProxyType({})
