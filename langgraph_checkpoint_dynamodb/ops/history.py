"""Rebuilding DeltaChannels: a checkpoint's ancestors back to where each channel was stored whole.

A DeltaChannel keeps no value in most checkpoints; its changes lie in the pending writes of the
ancestors. The ancestors are read as one range of the namespace and walked by their parents, so
that forks are respected; their writes are then read side by side.

Where items expire, the ancestors and their writes must outlive every checkpoint that is rebuilt
from them. Reading the history is what a run does before it stores the next checkpoint, so here they
are given more life: see `prolong`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph_checkpoint_dynamodb.codec import (
    current_writes,
    decode_checkpoint,
    decode_metadata,
    decode_writes,
)
from langgraph_checkpoint_dynamodb.effects import GetItem, Query, compute, send, together
from langgraph_checkpoint_dynamodb.errors import MissingPartError, UnreadableItemError
from langgraph_checkpoint_dynamodb.items.checkpoints import (
    CheckpointHead,
    read_checkpoint,
    read_checkpoint_head,
)
from langgraph_checkpoint_dynamodb.items.writes import data_size
from langgraph_checkpoint_dynamodb.keys import (
    Attribute,
    CheckpointRef,
    Table,
    namespace_range,
)
from langgraph_checkpoint_dynamodb.ops.lookup import settled, with_second_look
from langgraph_checkpoint_dynamodb.ops.parts import (
    is_inline,
    load,
    load_alone,
    load_writes,
    read_beside,
)
from langgraph_checkpoint_dynamodb.ops.prolong import prolong

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from langgraph.checkpoint.base import DeltaChannelHistory, PendingWrite

    from langgraph_checkpoint_dynamodb.addressing import Address
    from langgraph_checkpoint_dynamodb.effects import Operation
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.items.values import Serialized
    from langgraph_checkpoint_dynamodb.ops.parts import Beside
    from langgraph_checkpoint_dynamodb.ops.store import Store

T = TypeVar("T")

_FIRST_PAGE = 64
_GROWTH = 4
_LARGEST_PAGE = 1024
"""Items per page of the range. A walk ends at a snapshot, every 100 updates unless the graph says
otherwise, so the first page is small and only long walks read pages of the service's size."""
_MOST_AHEAD = 16
"""Ancestors whose values are elsewhere are fetched one, two, four at a time, up to this many: where
the walk ends shows in the values alone."""


@dataclass(frozen=True, slots=True)
class _Step:
    """An ancestor on the way.

    Attributes:
        record: The ancestor.
        checkpoint: Its checkpoint, loaded.
        beside: What lies beside it, where that had to be read for its checkpoint.
        channels: The channels whose writes here count.
    """

    record: CheckpointRecord
    checkpoint: Serialized
    beside: Beside | None
    channels: frozenset[str] = frozenset()


def get_delta_channel_history(
    store: Store, address: Address, channels: Sequence[str]
) -> Operation[Mapping[str, DeltaChannelHistory]]:
    """Per channel: the writes of the ancestors, oldest first, and the value they build on.

    The writes of the addressed checkpoint itself are pending and do not count. The walk ends for
    each channel at the nearest ancestor that holds its value, whose own writes still count.

    Raises:
        UnreadableItemError: The addressed checkpoint, or what it is rebuilt from, is not there. Who
            asks has just read it: an empty history would be an empty channel.
    """
    if not channels:
        return {}
    return (yield from settled(store, lambda store: _history(store, address, channels)))


def _history(
    store: Store, address: Address, channels: Sequence[str]
) -> Operation[Mapping[str, DeltaChannelHistory]]:
    chain = _Chain(store, address)
    remaining = set(channels)
    seeds: dict[str, Any] = {}
    steps: list[_Step] = []
    ahead = 1
    target = yield from chain.target()
    if target is None and address.checkpoint is not None:
        raise MissingPartError(
            place=str(address.checkpoint),
            attribute=Attribute.CHECKPOINT,
            problem="is not there, though its history is asked for: it was deleted or has expired",
            part=str(address.checkpoint),
        )
    ancestor = None if target is None else (yield from chain.parent_of(target, remaining))
    while ancestor is not None and remaining:
        ancestors = [ancestor]
        while not is_inline(ancestors[-1].checkpoint) and len(ancestors) < ahead:
            further = chain.parent_at_hand(ancestors[-1])
            if further is None:
                break
            ancestors.append(further)
        ahead = min(2 * ahead, _MOST_AHEAD)
        loaded = yield from together([_load_ahead(store, record) for record in ancestors])
        for record, step in zip(ancestors, loaded, strict=True):
            step = step if step is not None else (yield from _load_step(store, record))
            steps.append(replace(step, channels=frozenset(remaining)))
            load_it = partial(decode_checkpoint, store.serde, step.checkpoint, str(step.record.ref))
            checkpoint = yield from compute(load_it, len(step.checkpoint.data))
            values = checkpoint.get("channel_values", {})
            for channel in remaining & values.keys():
                seeds[channel] = values[channel]
                remaining.discard(channel)
            if not remaining:
                break
        ancestor = (yield from chain.parent_of(ancestors[-1], remaining)) if remaining else None

    writes: dict[str, list[PendingWrite]] = {channel: [] for channel in channels}
    if target is not None and store.ttl_seconds is not None:
        # The next checkpoint's first ancestor: nothing of it counts here, all of it is prolonged.
        steps.append(_Step(target, target.checkpoint, None))
    found = yield from together([_read_writes(store, step) for step in steps])
    for _, of_ancestor in reversed(found):
        for write in of_ancestor:
            writes[write[1]].append(write)
    used = [(step.record, beside) for step, (beside, _) in zip(steps, found, strict=True)]
    yield from prolong(store, used)
    return {
        channel: (
            {"writes": writes[channel], "seed": seeds[channel]}
            if channel in seeds
            else {"writes": writes[channel]}
        )
        for channel in channels
    }


def _load_ahead(store: Store, record: CheckpointRecord) -> Operation[_Step | None]:
    """A step that may not be needed; `None` where it cannot be read, which matters if it is."""
    try:
        return (yield from _load_step(store, record))
    except UnreadableItemError:
        return None


def _load_step(store: Store, record: CheckpointRecord) -> Operation[_Step]:
    step = yield from with_second_look(store, record, _load_checkpoint)
    return _there(step, record)


def _load_checkpoint(store: Store, record: CheckpointRecord) -> Operation[_Step]:
    if is_inline(record.checkpoint):
        value = yield from load_alone(store, record.ref, record.checkpoint, Attribute.CHECKPOINT)
        return _Step(record, value, None)
    beside = yield from read_beside(store, record)
    loaded, _ = yield from load(store, record, beside, ())
    return _Step(record, loaded.checkpoint, beside)


def _read_writes(store: Store, step: _Step) -> Operation[tuple[Beside, list[PendingWrite]]]:
    """What lies beside an ancestor, and its writes that count."""
    known = [] if step.beside is None else [step.beside]

    def read(
        store: Store, record: CheckpointRecord
    ) -> Operation[tuple[Beside, list[PendingWrite]]]:
        beside = known.pop() if known else (yield from read_beside(store, record))
        wanted = [
            write for write in current_writes(beside.writes) if write.channel in step.channels
        ]
        loaded = yield from load_writes(store, record.ref, beside, wanted)
        return beside, (
            yield from compute(
                partial(decode_writes, store.serde, record.ref, loaded), data_size(loaded)
            )
        )

    found = yield from with_second_look(store, step.record, read)
    return _there(found, step.record)


def _there(found: T | None, record: CheckpointRecord) -> T:
    if found is None:
        raise MissingPartError(
            place=str(record.ref),
            attribute=Attribute.CHECKPOINT,
            problem="was deleted while the history of another was being read",
            part=str(record.ref),
        )
    return found


def _expired(place: str) -> UnreadableItemError:
    problem = "has passed, though a checkpoint that is rebuilt from it still counts"
    return UnreadableItemError(place=place, attribute=Attribute.TTL, problem=problem)


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

    def target(self) -> Operation[CheckpointRecord | None]:
        """The addressed checkpoint, or the newest one."""
        while not self._visible and self._query is not None:
            yield from self._read_page()
        newest = self._read[self._visible[0]] if self._visible else None
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
