"""Rebuilding DeltaChannels: a checkpoint's ancestors back to where each channel was stored whole.

A DeltaChannel keeps no value in most checkpoints; its changes lie in the pending writes of the
ancestors. The ancestors are read as one range of the namespace and walked by their parents, so
that forks are respected; their writes are then read side by side.

Where items expire, the ancestors and their writes must outlive every checkpoint that is rebuilt
from them. Reading the history is what a run does before it stores the next checkpoint, so here they
are given more life: see `extend_ttl`.
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
from langgraph_checkpoint_dynamodb.ops.parts import load_writes
from langgraph_checkpoint_dynamodb.ops.rereading import (
    get_usable_checkpoint,
    reread_until_consistent,
    with_reread,
)
from langgraph_checkpoint_dynamodb.ops.ttl_extension import expires_too_early, extend_ttl
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
    """Per channel: the writes of the ancestors, oldest first, and the value they build on.

    The writes of the addressed checkpoint itself are pending and do not count. The walk ends for
    each channel at the nearest ancestor that holds its value, whose own writes still count.

    Raises:
        UnreadableItemError: The addressed checkpoint, or what it is rebuilt from, is not there. Who
            asks has just read it: an empty history would be an empty channel.
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
    # What expires must be prolonged, so it is read.
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
    return (yield from _gathered(context, channels, walk, target))


def _gathered(
    context: Context, channels: Sequence[str], walk: Walk, target: CheckpointRecord | None
) -> Operation[Mapping[str, DeltaChannelHistory]]:
    """The writes of the steps, and the seeds."""
    steps = walk.steps
    if target is not None and context.ttl_seconds is not None:
        # The next checkpoint's first ancestor: nothing of it counts here, all of it is prolonged.
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
    """The writes of an ancestor that count, and what lies beside it, where that was read."""
    given = step.gives()
    if step.channels <= given.keys() and not _needs_longer_ttl(context, step):
        writes = [write for some in given.values() for write in some]
        return step.attachments, (yield from _decoded(context, step.ref, current_writes(writes)))

    looked = [] if step.attachments is None else [step.attachments]

    def read(
        context: Context, record: CheckpointRecord
    ) -> Operation[tuple[Attachments, list[PendingWrite]]]:
        attachments = looked.pop() if looked else (yield from read_attachments(context, record))
        wanted = [
            write
            for write in current_writes(attachments.writes)
            if write.channel in step.channels - given.keys()
        ]
        loaded = yield from load_writes(context, record.ref, attachments, wanted)
        writes = [*loaded, *(write for some in given.values() for write in some)]
        return attachments, (yield from _decoded(context, record.ref, current_writes(writes)))

    # An ancestor that has expired still counts for those that are rebuilt from it.
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
