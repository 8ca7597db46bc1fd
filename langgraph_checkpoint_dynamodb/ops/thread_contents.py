"""The items of a thread: its checkpoints and bases, without their payloads."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.keys import ROOT_NAMESPACE, BaseRef, is_subgraph_call
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.items.bases import (
    bases_deleted_key,
    was_deleted,
)
from langgraph_checkpoint_dynamodb.items.checkpoints import (
    CHECKPOINT_METADATA,
    CheckpointHead,
    read_checkpoint_head,
    read_metadata,
)
from langgraph_checkpoint_dynamodb.items.codec import decode_metadata
from langgraph_checkpoint_dynamodb.items.threads import is_thread_item
from langgraph_checkpoint_dynamodb.ops.values import load_each
from langgraph_checkpoint_dynamodb.payloads.differences import is_settled
from langgraph_checkpoint_dynamodb.requests.calls import query_all
from langgraph_checkpoint_dynamodb.requests.items import Query

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from langgraph.checkpoint.base import CheckpointMetadata

    from langgraph_checkpoint_dynamodb.format.tables import Key
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation


@dataclass(frozen=True)
class ThreadContents:
    """A thread's items without their payloads.

    Attributes:
        thread_id: The thread.
        heads: Its checkpoints, newest first in each namespace.
        delta_channels: By namespace, the names of its DeltaChannels, past and present. LangGraph
            counts their steps since the last snapshot in the metadata of every checkpoint.
        roots: By key of a subgraph's checkpoint, the root checkpoint that the subgraph ran under,
            if the metadata names it.
        bases: The bases that checkpoints are differences from.
        bases_deleted: When bases of the thread were last deleted with it; `None` for never.
        item: The thread item; `None` for none.
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
        """The checkpoints that are visible to readers, by namespace and id."""
        found: defaultdict[str, dict[str, CheckpointHead]] = defaultdict(dict)
        for head in self.heads:
            if head.checkpoint_id is not None and head.visible and not self.is_leftover(head):
                found[head.checkpoint_ns][head.checkpoint_id] = head
        return found

    def newest(self) -> dict[str, str]:
        """The id of the newest visible checkpoint of each namespace."""
        return {checkpoint_ns: max(ids) for checkpoint_ns, ids in self.visible.items()}

    @cached_property
    def _bases_there(self) -> frozenset[BaseRef | None]:
        return frozenset(head.base for head in self.bases if not head.deleted)

    def is_leftover(self, head: CheckpointHead) -> bool:
        """Whether a run stored a checkpoint while its thread was deleted, and with it its base."""
        try:
            origin = head.origin
        except UnreadableItemError:
            return False
        if origin is None or not was_deleted(origin.created, self.bases_deleted):
            return False
        return head.based_on not in self._bases_there

    def unneeded_bases(self, doomed: Collection[CheckpointHead], now: int) -> list[CheckpointHead]:
        """The bases that nothing refers to, or can start to refer to, without these checkpoints.

        If the base of some checkpoint cannot be read, all bases are needed.
        """
        deleted = {head.key for head in doomed}
        left = [head for head in self.heads if head.usable and head.key not in deleted]
        try:
            needed = {head.based_on for head in left}
        except UnreadableItemError:
            return []
        return [
            head
            for head in self.bases
            if head.base not in needed and (head.deleted or is_settled(head.created, now))
        ]

    def unresumable_calls(self, kept_roots: Collection[str]) -> set[str]:
        """Namespaces of subgraph calls that cannot be resumed if only these roots are kept.

        A call runs under a root checkpoint and is resumed only from there. A root checkpoint that
        does not exist was deleted if its id is below the newest; if above, it is not yet stored.
        """
        newest = self.newest()
        if ROOT_NAMESPACE not in newest:
            return set()
        root_ids = {
            head.checkpoint_id for head in self.heads if head.checkpoint_ns == ROOT_NAMESPACE
        }
        found = set()
        for checkpoint_ns in filter(is_subgraph_call, newest):
            head = self.visible[checkpoint_ns][newest[checkpoint_ns]]
            root = self.roots.get(head.key)
            if root is None or root in kept_roots:
                continue
            if root in root_ids or root < newest[ROOT_NAMESPACE]:
                found.add(checkpoint_ns)
        return found


def read_thread_contents(context: Context, thread_id: str) -> Operation[ThreadContents]:
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
    thread = thread_contents_of(thread_id, items, context.now)
    by_key = {read_key(item, Table.CHECKPOINTS): item for item in items}
    usable = [(head, by_key[head.key]) for head in thread.heads if head.usable]
    loaded = yield from load_each(
        context,
        [(head.ref, read_metadata(item, head)) for head, item in usable],
        Attribute.METADATA,
    )
    delta_channels: defaultdict[str, set[str]] = defaultdict(set)
    roots: dict[Key, str] = {}
    for (head, _), value in zip(usable, loaded, strict=True):
        metadata = decode_metadata(context.serde, value, head.place)
        counters: object = metadata.get("counters_since_delta_snapshot")
        delta_channels[head.checkpoint_ns].update(counters if isinstance(counters, dict) else ())
        root = _root_of(metadata)
        if root is not None:
            roots[head.key] = root
    channels = {checkpoint_ns: frozenset(names) for checkpoint_ns, names in delta_channels.items()}
    return replace(thread, delta_channels=channels, roots=roots)


def thread_contents_of(thread_id: str, items: Sequence[StoredItem], now: int) -> ThreadContents:
    """The contents of a thread from its items, without `delta_channels` and `roots`.

    Raises:
        UnreadableItemError: An item is damaged.
    """
    known = next(filter(is_thread_item, items), None)
    heads = [read_checkpoint_head(item, now) for item in items if item is not known]
    mark = bases_deleted_key(thread_id)
    return ThreadContents(
        thread_id,
        heads=tuple(head for head in heads if head.base is None and head.key != mark),
        bases=tuple(head for head in heads if head.base is not None),
        bases_deleted=next((head.created for head in heads if head.key == mark), None),
        item=known,
    )


def _root_of(metadata: CheckpointMetadata) -> str | None:
    """The root checkpoint that a subgraph ran under; `None` if the metadata does not name it."""
    parents: object = metadata.get("parents")
    root = parents.get(ROOT_NAMESPACE) if isinstance(parents, dict) else None
    return root if isinstance(root, str) else None
