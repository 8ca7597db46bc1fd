"""The ancestors that checkpoints are rebuilt from.

A DeltaChannel stores its value only in some checkpoints. In between it is rebuilt from the writes
of the ancestors. Deleting such an ancestor raises no error: the channel is silently empty. So
before a delete, the ancestors that the remaining checkpoints need are determined here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import MissingPartError
from langgraph_checkpoint_dynamodb.format.keys import namespace_range
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.checkpoints import (
    CheckpointRecord,
    read_checkpoint,
    read_checkpoint_head,
)
from langgraph_checkpoint_dynamodb.items.codec import decode_checkpoint
from langgraph_checkpoint_dynamodb.ops.bases import (
    forget_bases_except,
    load_bases,
    was_deleted_with_base,
)
from langgraph_checkpoint_dynamodb.ops.values import load_each
from langgraph_checkpoint_dynamodb.requests.items import Query
from langgraph_checkpoint_dynamodb.requests.operations import compute, send, together

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from langgraph.checkpoint.base import Checkpoint

    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.ops.thread_contents import ThreadContents
    from langgraph_checkpoint_dynamodb.requests.operations import Operation


@dataclass(frozen=True, slots=True)
class _DeltaContents:
    """The DeltaChannels of a checkpoint: those whose value it stores, and the other ones."""

    parent_id: str | None
    stored: frozenset[str]
    missing: frozenset[str]


def needed_ancestors(
    context: Context, thread: ThreadContents, wanted: Mapping[str, Collection[str]]
) -> Operation[dict[str, set[str]]]:
    """The wanted checkpoints of each namespace and the ancestors they are rebuilt from.

    Payloads are read only in namespaces that have DeltaChannels.

    Args:
        context: Settings, serializer, clock and memory of the call.
        thread: The thread.
        wanted: By namespace, the ids that must stay readable.

    Returns:
        By namespace, the wanted ids and those of the needed ancestors.

    Raises:
        MissingPartError: A wanted checkpoint was deleted after the thread was read. The caller must
            read the thread again: another checkpoint may be the newest now.
    """
    with_deltas = [ns for ns, ids in wanted.items() if ids and thread.delta_channels.get(ns)]
    contents = yield from together([_read_contents(context, thread, ns) for ns in with_deltas])
    needed = {checkpoint_ns: set(ids) for checkpoint_ns, ids in wanted.items()}
    for checkpoint_ns, by_id in zip(with_deltas, contents, strict=True):
        for checkpoint_id in wanted[checkpoint_ns]:
            if checkpoint_id not in by_id:
                raise _changed_error(thread.thread_id, checkpoint_ns, checkpoint_id)
            needed[checkpoint_ns] |= _rebuilt_from(checkpoint_id, by_id)
    return needed


def _changed_error(thread_id: str, checkpoint_ns: str, checkpoint_id: str) -> MissingPartError:
    return MissingPartError(
        place=f"checkpoint {checkpoint_id!r} of thread {thread_id!r}, namespace {checkpoint_ns!r}",
        attribute=Attribute.CHECKPOINT,
        problem="was deleted while it was looked up what must be kept for it; repeat the call",
        part="",
    )


def _rebuilt_from(checkpoint_id: str, contents: Mapping[str, _DeltaContents]) -> set[str]:
    """The ancestors up to the one at which a value of every missing channel has been found."""
    ancestors: set[str] = set()
    current = contents.get(checkpoint_id)
    missing = frozenset[str]() if current is None else current.missing
    while missing and current is not None:
        parent_id = current.parent_id
        if parent_id is None or parent_id in ancestors or parent_id not in contents:
            break
        ancestors.add(parent_id)
        current = contents[parent_id]
        # A channel without a version here was first written after it: no older writes exist.
        missing &= current.missing
    return ancestors


def _read_contents(
    context: Context, thread: ThreadContents, checkpoint_ns: str
) -> Operation[dict[str, _DeltaContents]]:
    query = Query(
        Table.CHECKPOINTS,
        thread.thread_id,
        consistent=True,
        sort=namespace_range(checkpoint_ns),
        forward=False,
    )
    channels = thread.delta_channels[checkpoint_ns]
    found: dict[str, _DeltaContents] = {}
    while True:
        page = yield from send(query)
        heads = [(read_checkpoint_head(item, context.now), item) for item in page.items]
        records = [
            record
            for head, item in heads
            if (record := read_checkpoint(head, item)) is not None
            and record.ref.checkpoint_ns == checkpoint_ns
        ]
        values = [(record.ref, record.checkpoint) for record in records]
        forget_bases_except(context, but_of=values)
        yield from load_bases(context, values)
        there = [
            record
            for record in records
            if not was_deleted_with_base(context, record.ref, record.checkpoint)
        ]
        values = [(record.ref, record.checkpoint) for record in there]
        loaded = yield from load_each(context, values, Attribute.CHECKPOINT)
        for record, value in zip(there, loaded, strict=True):
            load_it = partial(decode_checkpoint, context.serde, value, str(record.ref))
            checkpoint = yield from compute(load_it, len(value.data))
            found[record.ref.checkpoint_id] = _delta_contents(record, checkpoint, channels)
        if page.next is None:
            return found
        query = replace(query, start=page.next)


def _delta_contents(
    record: CheckpointRecord, checkpoint: Checkpoint, channels: frozenset[str]
) -> _DeltaContents:
    stored = channels & checkpoint.get("channel_values", {}).keys()
    versioned = channels & checkpoint.get("channel_versions", {}).keys()
    return _DeltaContents(record.parent_id, stored, versioned - stored)
