"""The chain of a checkpoint and its ancestors, read from the checkpoints table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef, namespace_range
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.carried_writes import read_carried
from langgraph_checkpoint_dynamodb.items.checkpoints import read_checkpoint, read_checkpoint_head
from langgraph_checkpoint_dynamodb.items.codec import decode_checkpoint, decode_metadata
from langgraph_checkpoint_dynamodb.ops.memory_entries import Link
from langgraph_checkpoint_dynamodb.ops.values import load_alone
from langgraph_checkpoint_dynamodb.requests.items import GetItem, Query
from langgraph_checkpoint_dynamodb.requests.operations import send

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from langgraph_checkpoint_dynamodb.format.addressing import Address
    from langgraph_checkpoint_dynamodb.items.checkpoints import (
        CheckpointHead,
        CheckpointRecord,
        Outline,
    )
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_FIRST_PAGE = 64
_GROWTH = 4
_LARGEST_PAGE = 1024
"""Items per page of the Query. A walk ends at a snapshot, which LangGraph stores every 100 updates
by default. So the first page is small, and pages grow only for long walks."""


def link_of(record: CheckpointRecord, outline: Outline) -> Link:
    """The link of a checkpoint to its parent.

    Raises:
        UnreadableItemError: The writes that it carries are damaged.
    """
    carried = read_carried(record.carried, str(record.ref))
    return Link(record.parent_id, outline.versions, outline.held, carried)


def _expired(place: str) -> UnreadableItemError:
    problem = "has passed, but a checkpoint that is rebuilt from it has not expired"
    return UnreadableItemError(place=place, attribute=Attribute.TTL, problem=problem)


class Chain:
    """A checkpoint and its ancestors, read page by page in descending order of ids.

    Ids are ordered by time only within a process, so the id of an ancestor may be higher than that
    of the checkpoint at which the Query starts. Such an ancestor is read by its key.
    """

    def __init__(self, context: Context, address: Address) -> None:
        ref = address.checkpoint
        self._context = context
        self._address = address
        self._target: str | None = None
        self._lowest: str | None = None
        self._records: dict[str, CheckpointRecord] = {}
        self._visible: list[str] = []
        self._unusable: dict[str, CheckpointHead] = {}
        self._visited: set[str] = set()
        self._page_size = _FIRST_PAGE
        self._query: Query | None = Query(
            Table.CHECKPOINTS,
            address.thread_id,
            context.consistent,
            sort=namespace_range(address.namespace, None if ref is None else ref.checkpoint_id),
            forward=False,
        )

    def target(self, *, usable: bool = False) -> Operation[CheckpointRecord | None]:
        """The addressed checkpoint, or the newest one; `None` if it does not exist.

        Args:
            usable: Whether to return an expired checkpoint too, as for an ancestor.
        """
        known: Sequence[str] = self._visible
        while not known and self._query is not None:
            yield from self._read_page()
            known = list(self._records) if usable else self._visible
        newest = self._records[known[0]] if known else None
        if newest is None or self._address.checkpoint_id not in (None, newest.ref.checkpoint_id):
            return None
        self._target = newest.ref.checkpoint_id
        return newest

    def parent_of(
        self, record: CheckpointRecord, channels: Collection[str]
    ) -> Operation[CheckpointRecord | None]:
        """The parent of a checkpoint of the chain; `None` at the end of the chain.

        Raises:
            UnreadableItemError: The parent is missing, has expired or is being deleted, and one of
                the channels is rebuilt from it.
        """
        self._visited.add(record.ref.checkpoint_id)
        parent = record.parent_id
        if parent is None or parent in self._visited or self._target is None:
            return None
        found = yield from self._find(parent)
        if found is None:
            yield from self._require_unneeded(record, channels)
        return found

    def loaded_parent_of(self, record: CheckpointRecord) -> CheckpointRecord | None:
        """The parent of a checkpoint of the chain, if it is on a page already read.

        Used to read ahead: the parent may not be needed, so a missing one raises no error.
        """
        self._visited.add(record.ref.checkpoint_id)
        return self._records.pop(record.parent_id or "", None)

    def _find(self, checkpoint_id: str) -> Operation[CheckpointRecord | None]:
        """An ancestor; `None` if it does not exist or must not be used any more."""
        if self._target is not None and checkpoint_id > self._target:
            return (yield from self._read_by_key(checkpoint_id))
        while self._query is not None and (self._lowest is None or checkpoint_id < self._lowest):
            yield from self._read_page()
        return self._records.pop(checkpoint_id, None)

    def _require_unneeded(
        self, record: CheckpointRecord, channels: Collection[str]
    ) -> Operation[None]:
        """Check that no writes to these channels were in a missing parent or its ancestors.

        A checkpoint stores the version of every channel written before it. LangGraph counts the
        steps of each DeltaChannel since its last snapshot in the metadata. A missing parent may
        have expired. Or another run has continued the thread from an earlier checkpoint, and a
        prune has kept only what that run needs.

        Raises:
            UnreadableItemError: There were writes.
        """
        context, ref = self._context, record.ref
        value = yield from load_alone(context, ref, record.checkpoint, Attribute.CHECKPOINT)
        versions: object = decode_checkpoint(context.serde, value, str(ref)).get("channel_versions")
        written = set(channels) & (versions.keys() if isinstance(versions, dict) else set())
        if not written:
            return
        unusable = self._unusable.get(record.parent_id or "")
        if unusable is not None:
            raise self._unreadable(unusable)
        value = yield from load_alone(context, ref, record.metadata, Attribute.METADATA)
        counters: object = decode_metadata(context.serde, value, str(ref)).get(
            "counters_since_delta_snapshot"
        )
        if not isinstance(counters, dict) or written.isdisjoint(counters):
            return
        place = self._ancestor(record.parent_id)
        if record.ttl is not None:
            raise _expired(place)
        problem = "names a deleted checkpoint that other checkpoints are rebuilt from; "
        problem += "start again from an earlier checkpoint, or delete the thread"
        raise UnreadableItemError(
            place=place, attribute=Attribute.PARENT_CHECKPOINT_ID, problem=problem
        )

    def _unreadable(self, ancestor: CheckpointHead) -> UnreadableItemError:
        """The error for an expired or deleted ancestor, without which the state is incomplete."""
        place = self._ancestor(ancestor.checkpoint_id)
        if not ancestor.deleted:
            return _expired(place)
        problem = "marks it as being deleted; repeat the delete to finish it"
        return UnreadableItemError(place=place, attribute=Attribute.DELETED, problem=problem)

    def _ancestor(self, checkpoint_id: str | None) -> str:
        return (
            f"ancestor {checkpoint_id!r} of {self._target!r} in thread "
            f"{self._address.thread_id!r}, namespace {self._address.namespace!r}"
        )

    def _read_page(self) -> Operation[None]:
        if self._query is None:
            return
        page = yield from send(replace(self._query, limit=self._page_size))
        for item in page.items:
            head = read_checkpoint_head(item, self._context.now)
            if head.checkpoint_ns != self._address.namespace or head.checkpoint_id is None:
                continue
            self._lowest = head.checkpoint_id
            record = read_checkpoint(head, item)
            if record is None:
                self._unusable[head.checkpoint_id] = head
            else:
                self._records[head.checkpoint_id] = record
                self._visible += [head.checkpoint_id] if head.visible else []
        self._page_size = min(_GROWTH * self._page_size, _LARGEST_PAGE)
        self._query = None if page.next is None else replace(self._query, start=page.next)

    def _read_by_key(self, checkpoint_id: str) -> Operation[CheckpointRecord | None]:
        ref = CheckpointRef.if_possible(
            self._address.thread_id, self._address.namespace, checkpoint_id
        )
        if ref is None:
            return None
        item = yield from send(GetItem(Table.CHECKPOINTS, ref.key, self._context.consistent))
        if item is None:
            return None
        head = read_checkpoint_head(item, self._context.now)
        if head.checkpoint_id is None:
            return None
        if not head.usable:
            self._unusable[head.checkpoint_id] = head
            return None
        return read_checkpoint(head, item)
