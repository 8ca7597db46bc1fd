"""Which checkpoints a thread has, and which of them others are rebuilt from.

A DeltaChannel stores its value in some checkpoints only; in between it is rebuilt from the writes
of the ancestors. Deleting such an ancestor raises nothing: the channel just comes back empty. So
before a delete, the ancestors that the survivors need are found here.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import MissingPartError, UnreadableItemError
from langgraph_checkpoint_dynamodb.format.keys import (
    ROOT_NAMESPACE,
    BaseRef,
    is_subgraph_call,
    namespace_range,
)
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.items.bases import (
    bases_deleted_key,
    was_deleted,
)
from langgraph_checkpoint_dynamodb.items.checkpoints import (
    CHECKPOINT_METADATA,
    CheckpointHead,
    CheckpointRecord,
    read_checkpoint,
    read_checkpoint_head,
    read_metadata,
)
from langgraph_checkpoint_dynamodb.items.codec import decode_checkpoint, decode_metadata
from langgraph_checkpoint_dynamodb.items.threads import is_thread_item
from langgraph_checkpoint_dynamodb.ops.parts import (
    find_bases,
    let_go_of_bases,
    load_each,
    was_deleted_with_base,
)
from langgraph_checkpoint_dynamodb.payloads.differences import is_settled
from langgraph_checkpoint_dynamodb.requests.calls import query_all
from langgraph_checkpoint_dynamodb.requests.items import Query
from langgraph_checkpoint_dynamodb.requests.operations import compute, send, together

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata

    from langgraph_checkpoint_dynamodb.format.tables import Key
    from langgraph_checkpoint_dynamodb.ops.store import Store
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation


@dataclass(frozen=True)
class Thread:
    """A thread's items without their payloads.

    Attributes:
        heads: All items, newest first within each namespace.
        delta_channels: The names of the DeltaChannels each namespace has ever had. LangGraph counts
            their steps since the last snapshot in the metadata of every checkpoint between two.
        roots: Of the checkpoints that say so, by their key: the root checkpoint they were made
            under.
        bases: What checkpoints are differences from.
        bases_deleted: When bases of the thread were last deleted with it; `None` for never.
        item: What is known of the thread as a whole; `None` for nothing.
    """

    thread_id: str
    heads: tuple[CheckpointHead, ...]
    delta_channels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    roots: Mapping[Key, str] = field(default_factory=dict)
    bases: tuple[CheckpointHead, ...] = ()
    bases_deleted: int | None = None
    item: StoredItem | None = None

    @cached_property
    def visible(self) -> dict[str, dict[str, CheckpointHead]]:
        """The checkpoints that readers see, by namespace and id."""
        found: defaultdict[str, dict[str, CheckpointHead]] = defaultdict(dict)
        for head in self.heads:
            if head.checkpoint_id is not None and head.visible and not self.is_left_over(head):
                found[head.checkpoint_ns][head.checkpoint_id] = head
        return found

    def newest(self) -> dict[str, str]:
        """The id of the newest checkpoint that readers see of each namespace."""
        return {checkpoint_ns: max(ids) for checkpoint_ns, ids in self.visible.items()}

    @cached_property
    def _bases_there(self) -> frozenset[BaseRef | None]:
        return frozenset(head.base for head in self.bases if not head.deleted)

    def is_left_over(self, head: CheckpointHead) -> bool:
        """Whether a run stored a checkpoint while its thread, and its base, were being deleted."""
        try:
            origin = head.origin
        except UnreadableItemError:
            return False
        if origin is None or not was_deleted(origin.created, self.bases_deleted):
            return False
        return head.based_on not in self._bases_there

    def needless_bases(self, doomed: Collection[CheckpointHead], now: int) -> list[CheckpointHead]:
        """The bases that nothing refers to once these checkpoints are gone, nor can come to.

        Where a checkpoint does not tell what it is the difference from, all bases are needed.
        """
        going = {head.key for head in doomed}
        staying = [head for head in self.heads if head.usable and head.key not in going]
        try:
            needed = {head.based_on for head in staying}
        except UnreadableItemError:
            return []
        return [
            head
            for head in self.bases
            if head.base not in needed and (head.deleted or is_settled(head.created, now))
        ]

    def outlived(self, kept_roots: Collection[str]) -> set[str]:
        """Namespaces of subgraph calls that nothing can go on from once only those roots are kept.

        Each call runs under a root checkpoint, and is found again from there alone. One that is not
        there was deleted before, if it sorts below the newest; above it, it is still to be stored.
        """
        newest = self.newest()
        if ROOT_NAMESPACE not in newest:
            return set()
        there = {head.checkpoint_id for head in self.heads if head.checkpoint_ns == ROOT_NAMESPACE}
        found = set()
        for checkpoint_ns in filter(is_subgraph_call, newest):
            head = self.visible[checkpoint_ns][newest[checkpoint_ns]]
            root = self.roots.get(head.key)
            if root is None or root in kept_roots:
                continue
            if root in there or root < newest[ROOT_NAMESPACE]:
                found.add(checkpoint_ns)
        return found


@dataclass(frozen=True, slots=True)
class _Contents:
    """Of one checkpoint: the DeltaChannels it stores whole, and those it has without storing."""

    parent_id: str | None
    stored: frozenset[str]
    missing: frozenset[str]


def read_thread(store: Store, thread_id: str) -> Operation[Thread]:
    """A thread's items without their payloads, read consistently."""
    items = yield from query_all(
        Query(
            Table.CHECKPOINTS,
            thread_id,
            consistent=True,
            forward=False,
            attributes=CHECKPOINT_METADATA,
        )
    )
    thread = thread_of(thread_id, items, store.now)
    by_key = {read_key(item, Table.CHECKPOINTS): item for item in items}
    usable = [(head, by_key[head.key]) for head in thread.heads if head.usable]
    loaded = yield from load_each(
        store, [(head.ref, read_metadata(item, head)) for head, item in usable], Attribute.METADATA
    )
    delta_channels: defaultdict[str, set[str]] = defaultdict(set)
    roots: dict[Key, str] = {}
    for (head, _), value in zip(usable, loaded, strict=True):
        metadata = decode_metadata(store.serde, value, head.place)
        counters: object = metadata.get("counters_since_delta_snapshot")
        delta_channels[head.checkpoint_ns].update(counters if isinstance(counters, dict) else ())
        root = _root_of(metadata)
        if root is not None:
            roots[head.key] = root
    channels = {checkpoint_ns: frozenset(names) for checkpoint_ns, names in delta_channels.items()}
    return replace(thread, delta_channels=channels, roots=roots)


def thread_of(thread_id: str, items: Sequence[StoredItem], now: int) -> Thread:
    """A thread of these items, without what their metadata say.

    Raises:
        UnreadableItemError: What one of them says of itself is damaged.
    """
    known = next(filter(is_thread_item, items), None)
    heads = [read_checkpoint_head(item, now) for item in items if item is not known]
    mark = bases_deleted_key(thread_id)
    return Thread(
        thread_id,
        heads=tuple(head for head in heads if head.base is None and head.key != mark),
        bases=tuple(head for head in heads if head.base is not None),
        bases_deleted=next((head.created for head in heads if head.key == mark), None),
        item=known,
    )


def _root_of(metadata: CheckpointMetadata) -> str | None:
    """The root checkpoint that a subgraph's was made under, where the metadata says so."""
    parents: object = metadata.get("parents")
    root = parents.get(ROOT_NAMESPACE) if isinstance(parents, dict) else None
    return root if isinstance(root, str) else None


def needed_ancestors(
    store: Store, thread: Thread, wanted: Mapping[str, Collection[str]]
) -> Operation[dict[str, set[str]]]:
    """The wanted checkpoints of each namespace and every ancestor they are rebuilt from.

    Reads payloads only in namespaces that have DeltaChannels.

    Args:
        store: How to read.
        thread: The thread.
        wanted: Namespace to ids that must stay readable.

    Returns:
        Namespace to ids, those wanted included.

    Raises:
        MissingPartError: A wanted checkpoint was deleted since the thread was read. What the others
            need must be found anew: another one may be the newest now.
    """
    with_deltas = [ns for ns, ids in wanted.items() if ids and thread.delta_channels.get(ns)]
    contents = yield from together([_read_contents(store, thread, ns) for ns in with_deltas])
    needed = {checkpoint_ns: set(ids) for checkpoint_ns, ids in wanted.items()}
    for checkpoint_ns, by_id in zip(with_deltas, contents, strict=True):
        for checkpoint_id in wanted[checkpoint_ns]:
            if checkpoint_id not in by_id:
                raise _changed(thread.thread_id, checkpoint_ns, checkpoint_id)
            needed[checkpoint_ns] |= _rebuilt_from(checkpoint_id, by_id)
    return needed


def _changed(thread_id: str, checkpoint_ns: str, checkpoint_id: str) -> MissingPartError:
    return MissingPartError(
        place=f"checkpoint {checkpoint_id!r} of thread {thread_id!r}, namespace {checkpoint_ns!r}",
        attribute=Attribute.CHECKPOINT,
        problem="was deleted while it was looked up what must be kept for it; repeat the call",
        part="",
    )


def _rebuilt_from(checkpoint_id: str, contents: Mapping[str, _Contents]) -> set[str]:
    """The ancestors up to the one by which every missing channel has been found whole."""
    ancestors: set[str] = set()
    current = contents.get(checkpoint_id)
    missing = frozenset[str]() if current is None else current.missing
    while missing and current is not None:
        parent_id = current.parent_id
        if parent_id is None or parent_id in ancestors or parent_id not in contents:
            break
        ancestors.add(parent_id)
        current = contents[parent_id]
        # One that it has no version of was first written by its own writes: nothing lies above.
        missing &= current.missing
    return ancestors


def _read_contents(
    store: Store, thread: Thread, checkpoint_ns: str
) -> Operation[dict[str, _Contents]]:
    query = Query(
        Table.CHECKPOINTS,
        thread.thread_id,
        consistent=True,
        sort=namespace_range(checkpoint_ns),
        forward=False,
    )
    channels = thread.delta_channels[checkpoint_ns]
    found: dict[str, _Contents] = {}
    while True:
        page = yield from send(query)
        heads = [(read_checkpoint_head(item, store.now), item) for item in page.items]
        records = [
            record
            for head, item in heads
            if (record := read_checkpoint(head, item)) is not None
            and record.ref.checkpoint_ns == checkpoint_ns
        ]
        values = [(record.ref, record.checkpoint) for record in records]
        let_go_of_bases(store, but_of=values)
        yield from find_bases(store, values)
        there = [
            record
            for record in records
            if not was_deleted_with_base(store, record.ref, record.checkpoint)
        ]
        values = [(record.ref, record.checkpoint) for record in there]
        loaded = yield from load_each(store, values, Attribute.CHECKPOINT)
        for record, value in zip(there, loaded, strict=True):
            load_it = partial(decode_checkpoint, store.serde, value, str(record.ref))
            checkpoint = yield from compute(load_it, len(value.data))
            found[record.ref.checkpoint_id] = _contents(record, checkpoint, channels)
        if page.next is None:
            return found
        query = replace(query, start=page.next)


def _contents(
    record: CheckpointRecord, checkpoint: Checkpoint, channels: frozenset[str]
) -> _Contents:
    stored = channels & checkpoint.get("channel_values", {}).keys()
    versioned = channels & checkpoint.get("channel_versions", {}).keys()
    return _Contents(record.parent_id, stored, versioned - stored)
