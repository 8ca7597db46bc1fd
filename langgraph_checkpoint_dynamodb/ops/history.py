"""Rebuilding DeltaChannels: a checkpoint's ancestors back to where each channel was stored whole.

A DeltaChannel keeps no value in most checkpoints; its changes lie in the pending writes of the
ancestors. The ancestors are read as one range of the namespace and walked by their parents, so
that forks are respected; their writes are then read side by side.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.codec import decode_checkpoint, decode_write
from langgraph_checkpoint_dynamodb.effects import GetItem, Query, send, together
from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.items import read_checkpoint, read_checkpoint_head
from langgraph_checkpoint_dynamodb.keys import (
    Attribute,
    CheckpointRef,
    Table,
    namespace_range,
)
from langgraph_checkpoint_dynamodb.ops.read import pending_writes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langgraph.checkpoint.base import DeltaChannelHistory, PendingWrite

    from langgraph_checkpoint_dynamodb.addressing import Address
    from langgraph_checkpoint_dynamodb.effects import Operation
    from langgraph_checkpoint_dynamodb.items import CheckpointRecord
    from langgraph_checkpoint_dynamodb.ops.store import Store

_FIRST_PAGE = 64
_GROWTH = 4
_LARGEST_PAGE = 1024
"""Items per page of the range. A walk ends at a snapshot, every 100 updates unless the graph says
otherwise, so the first page is small and only long walks read pages of the service's size."""


def get_delta_channel_history(
    store: Store, address: Address, channels: Sequence[str]
) -> Operation[Mapping[str, DeltaChannelHistory]]:
    """Per channel: the writes of the ancestors, oldest first, and the value they build on.

    The writes of the addressed checkpoint itself are pending and do not count. The walk ends for
    each channel at the nearest ancestor that holds its value, whose own writes still count.
    """
    if not channels:
        return {}
    chain = _Chain(store, address)
    remaining = set(channels)
    seeds: dict[str, Any] = {}
    steps: list[tuple[CheckpointRef, frozenset[str]]] = []
    ancestor = yield from chain.parent_of_target()
    while ancestor is not None and remaining:
        steps.append((ancestor.ref, frozenset(remaining)))
        values = decode_checkpoint(store.serde, ancestor).get("channel_values", {})
        for channel in remaining & values.keys():
            seeds[channel] = values[channel]
            remaining.discard(channel)
        ancestor = (yield from chain.parent_of(ancestor)) if remaining else None

    writes: dict[str, list[PendingWrite]] = {channel: [] for channel in channels}
    found = yield from together([_channel_writes(store, ref, wanted) for ref, wanted in steps])
    for of_ancestor in reversed(found):
        for write in of_ancestor:
            writes[write[1]].append(write)
    return {
        channel: (
            {"writes": writes[channel], "seed": seeds[channel]}
            if channel in seeds
            else {"writes": writes[channel]}
        )
        for channel in channels
    }


def _channel_writes(
    store: Store, ref: CheckpointRef, channels: frozenset[str]
) -> Operation[list[PendingWrite]]:
    writes = yield from pending_writes(store, ref)
    return [decode_write(store.serde, ref, write) for write in writes if write.channel in channels]


class _Chain:
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
        self._deleted: set[str] = set()
        self._walked: set[str] = set()
        self._page_size = _FIRST_PAGE
        self._query: Query | None = Query(
            Table.CHECKPOINTS,
            address.thread_id,
            store.consistent,
            sort=namespace_range(address.namespace, None if asked is None else asked.checkpoint_id),
            forward=False,
        )

    def parent_of_target(self) -> Operation[CheckpointRecord | None]:
        """The parent of the addressed checkpoint, or of the newest one."""
        while not self._read and self._query is not None:
            yield from self._read_page()
        newest = next(iter(self._read.values()), None)
        if newest is None or self._address.checkpoint_id not in (None, newest.ref.checkpoint_id):
            return None
        self._target = newest.ref.checkpoint_id
        return (yield from self.parent_of(newest))

    def parent_of(self, record: CheckpointRecord) -> Operation[CheckpointRecord | None]:
        """The parent of a checkpoint of the chain, `None` where the chain ends."""
        self._walked.add(record.ref.checkpoint_id)
        parent = record.parent_id
        if parent is None or parent in self._walked or self._target is None:
            return None
        if parent > self._target:
            return (yield from self._read_by_key(parent))
        while self._query is not None and (self._lowest is None or parent < self._lowest):
            yield from self._read_page()
        if parent in self._deleted:
            raise self._being_deleted(parent)
        return self._read.pop(parent, None)

    def _being_deleted(self, checkpoint_id: str) -> UnreadableItemError:
        return UnreadableItemError(
            place=f"ancestor {checkpoint_id!r} of {self._target!r} in thread "
            f"{self._address.thread_id!r}, namespace {self._address.namespace!r}",
            attribute=Attribute.DELETED,
            problem="says it is being deleted; repeat the delete to finish it",
        )

    def _read_page(self) -> Operation[None]:
        if self._query is None:
            return
        page = yield from send(replace(self._query, limit=self._page_size))
        for item in page.items:
            head = read_checkpoint_head(item)
            if head.checkpoint_ns != self._address.namespace or head.checkpoint_id is None:
                continue
            self._lowest = head.checkpoint_id
            if head.deleted:
                self._deleted.add(head.checkpoint_id)
            elif (record := read_checkpoint(item, head)) is not None:
                self._read[head.checkpoint_id] = record
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
        head = read_checkpoint_head(item)
        if head.deleted:
            raise self._being_deleted(checkpoint_id)
        return read_checkpoint(item, head)
