"""The history of DeltaChannels: the writes of the ancestors since each channel's stored value.

Most checkpoints store no value of a DeltaChannel; its changes are in the pending writes of the
ancestors. The ancestors are read as one key range of the namespace and walked from parent to
parent, so that forks are respected. Then their writes are read concurrently.

If items expire, the ancestors and their writes must outlive every checkpoint that is rebuilt from
them. A run reads the history before it stores the next checkpoint, so their TTL is extended here:
see `extend_ttl`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from langgraph_checkpoint_dynamodb.items.codec import (
    current_writes,
    decode_writes,
)
from langgraph_checkpoint_dynamodb.items.writes import data_size
from langgraph_checkpoint_dynamodb.ops.attachments import read_attachments
from langgraph_checkpoint_dynamodb.ops.history_walk import (
    StaleMemoryError,
    Step,
    Walk,
    require_found,
    walk_from_target,
    walk_further,
    walk_memory,
)
from langgraph_checkpoint_dynamodb.ops.memory_entries import Link
from langgraph_checkpoint_dynamodb.ops.rereading import (
    get_usable_checkpoint,
    reread_until_consistent,
    with_reread,
)
from langgraph_checkpoint_dynamodb.ops.ttl_extension import expires_too_early, extend_ttl
from langgraph_checkpoint_dynamodb.ops.values import load_writes
from langgraph_checkpoint_dynamodb.requests.operations import compute, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langgraph.checkpoint.base import DeltaChannelHistory, PendingWrite

    from langgraph_checkpoint_dynamodb.format.addressing import Address
    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.items.writes import WriteRecord
    from langgraph_checkpoint_dynamodb.ops.attachments import Attachments
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

T = TypeVar("T")


def get_delta_channel_history(
    context: Context, address: Address, channels: Sequence[str]
) -> Operation[Mapping[str, DeltaChannelHistory]]:
    """By channel, the writes of the ancestors, oldest first, and the value they build on (seed).

    The writes of the addressed checkpoint itself are pending and do not count. The walk ends for
    each channel at the nearest ancestor that stores its value, whose own writes still count.

    Raises:
        UnreadableItemError: The addressed checkpoint, or one that it is rebuilt from, is missing.
            An empty history would silently empty the channel.
    """
    if not channels:
        return {}
    return (
        yield from reread_until_consistent(
            context, lambda context: _history(context, address, channels)
        )
    )


def _history(
    context: Context, address: Address, channels: Sequence[str]
) -> Operation[Mapping[str, DeltaChannelHistory]]:
    walk = Walk(set(channels))
    # With a TTL the items must be read, to extend it.
    if context.ttl_seconds is None and address.checkpoint is not None:
        try:
            yield from walk_memory(context, address.checkpoint, walk)
        except StaleMemoryError:
            walk = Walk(set(channels))
    target = None
    if walk.link is None:
        target = yield from walk_from_target(context, address, walk)
    elif walk.remaining and walk.link.parent_id is not None:
        try:
            yield from walk_further(context, address, walk)
        except StaleMemoryError:
            walk = Walk(set(channels))
            target = yield from walk_from_target(context, address, walk)
    return (yield from _histories(context, channels, walk, target))


def _histories(
    context: Context, channels: Sequence[str], walk: Walk, target: CheckpointRecord | None
) -> Operation[Mapping[str, DeltaChannelHistory]]:
    """The histories of the channels, with the writes of the walk's ancestors loaded."""
    steps = walk.steps
    if target is not None and context.ttl_seconds is not None:
        # The first ancestor of the next checkpoint: its writes do not count here, but its TTL is
        # extended too.
        steps = [*steps, Step(target.ref, _UNKNOWN, _UNKNOWN, target)]
    found = yield from together([_writes_of(context, step) for step in steps])
    writes: dict[str, list[PendingWrite]] = {channel: [] for channel in channels}
    for _, of_ancestor in reversed(found):
        for write in of_ancestor:
            writes[write[1]].append(write)
    used = [
        (step.record, attachments)
        for step, (attachments, _) in zip(steps, found, strict=True)
        if step.record is not None and attachments is not None
    ]
    yield from extend_ttl(context, used)
    seeds = walk.seeds
    return {
        channel: (
            {"writes": writes[channel], "seed": seeds[channel]}
            if channel in seeds
            else {"writes": writes[channel]}
        )
        for channel in channels
    }


_UNKNOWN = Link(None, {}, frozenset())


def _writes_of(
    context: Context, step: Step
) -> Operation[tuple[Attachments | None, list[PendingWrite]]]:
    """The writes of an ancestor that count, and its attachments if they were read."""
    known = step.known_writes()
    if step.channels <= known.keys() and not _needs_longer_ttl(context, step):
        writes = [write for some in known.values() for write in some]
        return step.attachments, (yield from _decoded(context, step.ref, current_writes(writes)))

    already_read = [] if step.attachments is None else [step.attachments]

    def read(
        context: Context, record: CheckpointRecord
    ) -> Operation[tuple[Attachments, list[PendingWrite]]]:
        attachments = (
            already_read.pop() if already_read else (yield from read_attachments(context, record))
        )
        wanted = [
            write
            for write in current_writes(attachments.writes)
            if write.channel in step.channels - known.keys()
        ]
        loaded = yield from load_writes(context, record.ref, attachments, wanted)
        writes = [*loaded, *(write for some in known.values() for write in some)]
        return attachments, (yield from _decoded(context, record.ref, current_writes(writes)))

    # An expired ancestor still counts for the checkpoints that are rebuilt from it.
    record = step.record or (yield from get_usable_checkpoint(context, step.ref))
    found = None
    if record is not None:
        found = yield from with_reread(context, record, read, get_usable_checkpoint)
    return require_found(found, step.ref)


def _needs_longer_ttl(context: Context, step: Step) -> bool:
    return step.record is not None and expires_too_early(context, step.record.ttl)


def _decoded(
    context: Context, ref: CheckpointRef, writes: Sequence[WriteRecord]
) -> Operation[list[PendingWrite]]:
    decode = partial(decode_writes, context.serde, ref, writes)
    return (yield from compute(decode, data_size(writes)))
