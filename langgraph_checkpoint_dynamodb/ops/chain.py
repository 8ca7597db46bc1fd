"""A checkpoint and its ancestors as they are stored, and how they hang together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef, namespace_range
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.carried_writes import read_carried
from langgraph_checkpoint_dynamodb.items.checkpoints import read_checkpoint, read_checkpoint_head
from langgraph_checkpoint_dynamodb.items.codec import decode_checkpoint, decode_metadata
from langgraph_checkpoint_dynamodb.ops.memory import Link
from langgraph_checkpoint_dynamodb.ops.parts import load_alone
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
    from langgraph_checkpoint_dynamodb.ops.store import Store
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_FIRST_PAGE = 64
_GROWTH = 4
_LARGEST_PAGE = 1024
"""Items per page of the range. A walk ends at a snapshot, every 100 updates unless the graph says
otherwise, so the first page is small and only long walks read pages of the service's size."""


def link_of(record: CheckpointRecord, outline: Outline) -> Link:
    """How a checkpoint that was read hangs together with its parent.

    Raises:
        UnreadableItemError: What it carries is damaged.
    """
    carried = read_carried(record.carried, str(record.ref))
    return Link(record.parent_id, outline.versions, outline.held, carried)


def _expired(place: str) -> UnreadableItemError:
    problem = "has passed, though a checkpoint that is rebuilt from it still counts"
    return UnreadableItemError(place=place, attribute=Attribute.TTL, problem=problem)


class Chain:
    """A checkpoint and its ancestors, read from the top of their range downwards as needed.

    Ids grow with time within one process only, so an ancestor may sort above the checkpoint the
    range ends with. Such an ancestor is read by its key.
    """

    def __init__(self, store: Store, address: Address) -> None:
        asked = address.checkpoint
        self._store = store
        self._address = address
        self._target: str | None = None
        self._lowest: str | None = None
        self._read: dict[str, CheckpointRecord] = {}
        self._visible: list[str] = []
        self._gone: dict[str, CheckpointHead] = {}
        self._walked: set[str] = set()
        self._page_size = _FIRST_PAGE
        self._query: Query | None = Query(
            Table.CHECKPOINTS,
            address.thread_id,
            store.consistent,
            sort=namespace_range(address.namespace, None if asked is None else asked.checkpoint_id),
            forward=False,
        )

    def target(self, *, usable: bool = False) -> Operation[CheckpointRecord | None]:
        """The addressed checkpoint, or the newest one.

        Args:
            usable: Whether one that has expired a while ago will do, as of an ancestor.
        """
        known: Sequence[str] = self._visible
        while not known and self._query is not None:
            yield from self._read_page()
            known = list(self._read) if usable else self._visible
        newest = self._read[known[0]] if known else None
        if newest is None or self._address.checkpoint_id not in (None, newest.ref.checkpoint_id):
            return None
        self._target = newest.ref.checkpoint_id
        return newest

    def parent_of(
        self, record: CheckpointRecord, channels: Collection[str]
    ) -> Operation[CheckpointRecord | None]:
        """The parent of a checkpoint of the chain, `None` where the chain ends.

        Raises:
            UnreadableItemError: It is not there, has expired or is being deleted, and one of the
                channels is rebuilt from it.
        """
        self._walked.add(record.ref.checkpoint_id)
        parent = record.parent_id
        if parent is None or parent in self._walked or self._target is None:
            return None
        found = yield from self._find(parent)
        if found is None:
            yield from self._require_needless(record, channels)
        return found

    def parent_at_hand(self, record: CheckpointRecord) -> CheckpointRecord | None:
        """The parent of a checkpoint of the chain, if it has been read and can be used.

        To read ahead: nobody knows yet whether it is needed, so nothing is said where it is not.
        """
        self._walked.add(record.ref.checkpoint_id)
        return self._read.pop(record.parent_id or "", None)

    def _find(self, checkpoint_id: str) -> Operation[CheckpointRecord | None]:
        """An ancestor, `None` if it is not there or may not be used any more."""
        if self._target is not None and checkpoint_id > self._target:
            return (yield from self._read_by_key(checkpoint_id))
        while self._query is not None and (self._lowest is None or checkpoint_id < self._lowest):
            yield from self._read_page()
        return self._read.pop(checkpoint_id, None)

    def _require_needless(
        self, record: CheckpointRecord, channels: Collection[str]
    ) -> Operation[None]:
        """Check that nothing of these channels lay in the parent that is not there, or above it.

        A checkpoint knows the version of each channel that was ever written before it. And
        LangGraph counts in the metadata the steps of each DeltaChannel since it was stored whole.
        A parent that is not there may have expired. Or another run on the same thread has gone on
        from an earlier checkpoint, and a prune has kept what that run needs alone.
        """
        store, ref = self._store, record.ref
        value = yield from load_alone(store, ref, record.checkpoint, Attribute.CHECKPOINT)
        versions: object = decode_checkpoint(store.serde, value, str(ref)).get("channel_versions")
        written = set(channels) & (versions.keys() if isinstance(versions, dict) else set())
        if not written:
            return
        gone = self._gone.get(record.parent_id or "")
        if gone is not None:
            raise self._unreadable(gone)
        value = yield from load_alone(store, ref, record.metadata, Attribute.METADATA)
        counters: object = decode_metadata(store.serde, value, str(ref)).get(
            "counters_since_delta_snapshot"
        )
        if not isinstance(counters, dict) or written.isdisjoint(counters):
            return
        place = self._ancestor(record.parent_id)
        if record.ttl is not None:
            raise _expired(place)
        problem = "names a checkpoint that was deleted, though others are rebuilt from it; "
        problem += "start again from an earlier checkpoint, or delete the thread"
        raise UnreadableItemError(
            place=place, attribute=Attribute.PARENT_CHECKPOINT_ID, problem=problem
        )

    def _unreadable(self, ancestor: CheckpointHead) -> UnreadableItemError:
        """What is wrong with an ancestor that no reader may see: the state would lack its part."""
        place = self._ancestor(ancestor.checkpoint_id)
        if not ancestor.deleted:
            return _expired(place)
        problem = "says it is being deleted; repeat the delete to finish it"
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
            head = read_checkpoint_head(item, self._store.now)
            if head.checkpoint_ns != self._address.namespace or head.checkpoint_id is None:
                continue
            self._lowest = head.checkpoint_id
            record = read_checkpoint(head, item)
            if record is None:
                self._gone[head.checkpoint_id] = head
            else:
                self._read[head.checkpoint_id] = record
                self._visible += [head.checkpoint_id] if head.visible else []
        self._page_size = min(_GROWTH * self._page_size, _LARGEST_PAGE)
        self._query = None if page.next is None else replace(self._query, start=page.next)

    def _read_by_key(self, checkpoint_id: str) -> Operation[CheckpointRecord | None]:
        ref = CheckpointRef.if_possible(
            self._address.thread_id, self._address.namespace, checkpoint_id
        )
        if ref is None:
            return None
        item = yield from send(GetItem(Table.CHECKPOINTS, ref.key, self._store.consistent))
        if item is None:
            return None
        head = read_checkpoint_head(item, self._store.now)
        if head.checkpoint_id is None:
            return None
        if not head.usable:
            self._gone[head.checkpoint_id] = head
            return None
        return read_checkpoint(head, item)
