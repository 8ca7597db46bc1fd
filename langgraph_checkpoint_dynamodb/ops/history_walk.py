"""Walking from a checkpoint through its ancestors to the stored values of DeltaChannels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from langgraph_checkpoint_dynamodb.errors import MissingPartError, UnreadableItemError
from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
from langgraph_checkpoint_dynamodb.format.tables import Attribute
from langgraph_checkpoint_dynamodb.items.checkpoints import Outline
from langgraph_checkpoint_dynamodb.items.codec import (
    decode_checkpoint,
    outline_of,
)
from langgraph_checkpoint_dynamodb.ops.attachments import is_inline, read_attachments
from langgraph_checkpoint_dynamodb.ops.bases import load_bases
from langgraph_checkpoint_dynamodb.ops.chain import Chain, link_of
from langgraph_checkpoint_dynamodb.ops.rereading import (
    get_usable_checkpoint,
    with_reread,
)
from langgraph_checkpoint_dynamodb.ops.values import load, load_alone
from langgraph_checkpoint_dynamodb.requests.operations import compute, together

if TYPE_CHECKING:
    from collections.abc import Collection

    from langgraph_checkpoint_dynamodb.format.addressing import Address
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.items.values import Serialized
    from langgraph_checkpoint_dynamodb.items.writes import WriteRecord
    from langgraph_checkpoint_dynamodb.ops.attachments import Attachments
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.ops.memory_entries import Link
    from langgraph_checkpoint_dynamodb.requests.operations import Operation


T = TypeVar("T")

_MAX_AHEAD = 16
"""Ancestors whose values are outside their items are fetched 1, 2, 4, ... at a time, up to this
many: only the values tell where the walk ends."""


@dataclass(frozen=True, slots=True)
class Step:
    """An ancestor visited on a walk.

    Attributes:
        ref: The ancestor.
        child: The link of its child on the walk.
        link: Its own link.
        record: Its record, if its item was read.
        attachments: Its attachments, if they were read to load its checkpoint.
        channels: The channels whose writes at this ancestor count.
    """

    ref: CheckpointRef
    child: Link
    link: Link
    record: CheckpointRecord | None = None
    attachments: Attachments | None = None
    channels: frozenset[str] = frozenset()

    def known_writes(self) -> dict[str, tuple[WriteRecord, ...]]:
        """The writes, by channel, that are known without reading the attachments.

        A child can carry its parent's writes. A channel whose version is the same in the child was
        not written: LangGraph changes the version of a DeltaChannel with every write.
        """
        known = {name: some for name, some in self.child.carried.items() if name in self.channels}
        for name in self.channels - known.keys():
            version = self.child.versions.get(name)
            if version is not None and version == self.link.versions.get(name):
                known[name] = ()
        return known


@dataclass
class Walk:
    """The state of a walk from a checkpoint to the nearest stored value of each channel.

    Attributes:
        remaining: Channels whose values have not been found yet.
        seeds: The values that were found, by channel.
        steps: The ancestors visited, nearest first.
        link: The link of the last checkpoint visited; `None` before the first.
    """

    remaining: set[str]
    seeds: dict[str, Any] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    link: Link | None = None

    def visit(self, step: Step) -> frozenset[str]:
        """Add an ancestor to the walk; returns the remaining channels whose values it stores."""
        self.steps.append(replace(step, channels=frozenset(self.remaining)))
        held = frozenset(self.remaining) & step.link.held
        self.remaining -= held
        self.link = step.link
        return held


class StaleMemoryError(Exception):
    """What the saver remembers does not match what is stored."""


def walk_memory(context: Context, ref: CheckpointRef, walk: Walk) -> Operation[None]:
    """Walk as far as the saver's memory knows the ancestors.

    Raises:
        StaleMemoryError: A remembered ancestor does not exist any more.
    """
    memory = context.memory
    link = memory.link(ref, context.now)
    walk.link = link
    passed = {ref.checkpoint_id}
    sought: list[tuple[CheckpointRef, frozenset[str]]] = []
    while link is not None and walk.remaining and link.parent_id not in (None, *passed):
        parent = CheckpointRef.if_possible(ref.thread_id, ref.checkpoint_ns, link.parent_id or "")
        found = None if parent is None else memory.link(parent)
        if parent is None or found is None:
            break
        passed.add(parent.checkpoint_id)
        held = walk.visit(Step(parent, link, found))
        if held:
            sought.append((parent, held))
        link = found
    values = yield from together([_remembered_value(context, parent) for parent, _ in sought])
    for (parent, held), value in zip(sought, values, strict=True):
        yield from _take_seeds(context, parent, value, held, walk.seeds)


def _remembered_value(context: Context, ref: CheckpointRef) -> Operation[Serialized]:
    value = context.memory.seed_checkpoint(ref)
    if value is not None:
        return value
    record = yield from get_usable_checkpoint(context, ref)
    if record is None:
        raise StaleMemoryError
    value = yield from load_alone(context, ref, record.checkpoint, Attribute.CHECKPOINT)
    if context.consistent:
        context.memory.remember_seed_checkpoint(ref, value, context.now)
    return value


def _take_seeds(
    context: Context,
    ref: CheckpointRef,
    value: Serialized,
    held: Collection[str],
    seeds: dict[str, Any],
) -> Operation[None]:
    decode = partial(decode_checkpoint, context.serde, value, str(ref))
    checkpoint = yield from compute(decode, len(value.data))
    values = checkpoint.get("channel_values", {})
    if not values.keys() >= set(held):
        raise StaleMemoryError
    for channel in held:
        seeds[channel] = values[channel]


def walk_from_target(
    context: Context, address: Address, walk: Walk
) -> Operation[CheckpointRecord | None]:
    """Walk from the addressed checkpoint, or the newest one.

    Returns:
        That checkpoint; `None` if the namespace has none.

    Raises:
        MissingPartError: The addressed checkpoint does not exist.
    """
    chain = Chain(context, address)
    target = yield from chain.target()
    if target is None:
        if address.checkpoint is not None:
            raise MissingPartError(
                place=str(address.checkpoint),
                attribute=Attribute.CHECKPOINT,
                problem="is missing: the checkpoint whose history was requested was deleted or has "
                "expired",
                part=str(address.checkpoint),
            )
        return None
    walk.link = yield from _target_link(context, target)
    yield from _walk_chain(
        context, chain, (yield from chain.parent_of(target, walk.remaining)), walk
    )
    return target


def _target_link(context: Context, target: CheckpointRecord) -> Operation[Link]:
    """The link of the addressed checkpoint, as far as its item contains it."""
    if is_inline(target.checkpoint):
        link, _, _ = yield from _load_step(context, target)
        return link
    return link_of(target, Outline({}, frozenset()))


def walk_further(context: Context, address: Address, walk: Walk) -> Operation[None]:
    """Continue in the table from the last checkpoint that the saver's memory knows.

    Raises:
        StaleMemoryError: Its parent is missing. A walk from the target raises the right error.
    """
    if walk.link is None or walk.link.parent_id is None:
        return
    above = replace(address, checkpoint_id=walk.link.parent_id)
    if above.leads_nowhere:
        raise StaleMemoryError
    chain = Chain(context, above)
    ancestor = yield from chain.target(usable=True)
    if ancestor is None:
        raise StaleMemoryError
    yield from _walk_chain(context, chain, ancestor, walk)


def _walk_chain(
    context: Context, chain: Chain, ancestor: CheckpointRecord | None, walk: Walk
) -> Operation[None]:
    """Walk the stored ancestors, reading ahead."""
    ahead = 1
    while ancestor is not None and walk.remaining:
        ancestors = [ancestor]
        while not is_inline(ancestors[-1].checkpoint) and len(ancestors) < ahead:
            further = chain.loaded_parent_of(ancestors[-1])
            if further is None:
                break
            ancestors.append(further)
        ahead = min(2 * ahead, _MAX_AHEAD)
        yield from load_bases(context, [(record.ref, record.checkpoint) for record in ancestors])
        loaded = yield from together([_load_ahead(context, record) for record in ancestors])
        for record, found in zip(ancestors, loaded, strict=True):
            link, value, attachments = found or (yield from _load_step(context, record))
            if walk.link is None:
                raise AssertionError("a walk starts with the link of its first checkpoint")
            held = walk.visit(Step(record.ref, walk.link, link, record, attachments))
            if held:
                if context.consistent:
                    context.memory.remember_seed_checkpoint(record.ref, value, context.now)
                yield from _take_seeds(context, record.ref, value, held, walk.seeds)
            if not walk.remaining:
                break
        ancestor = (
            (yield from chain.parent_of(ancestors[-1], walk.remaining)) if walk.remaining else None
        )


_Loaded: TypeAlias = "tuple[Link, Serialized, Attachments | None]"
"""The link of an ancestor, its checkpoint, and its attachments if they had to be read."""


def _load_ahead(context: Context, record: CheckpointRecord) -> Operation[_Loaded | None]:
    """Load an ancestor that may not be needed; `None` if it cannot be read."""
    try:
        return (yield from _load_step(context, record))
    except UnreadableItemError:
        return None


def _load_step(context: Context, record: CheckpointRecord) -> Operation[_Loaded]:
    found = yield from with_reread(context, record, _load_link, get_usable_checkpoint)
    return require_found(found, record.ref)


def _load_link(context: Context, record: CheckpointRecord) -> Operation[_Loaded]:
    attachments = None
    if is_inline(record.checkpoint):
        value = yield from load_alone(context, record.ref, record.checkpoint, Attribute.CHECKPOINT)
    else:
        attachments = yield from read_attachments(context, record)
        loaded, _ = yield from load(context, record, attachments, ())
        value = loaded.checkpoint
    decode = partial(decode_checkpoint, context.serde, value, str(record.ref))
    checkpoint = yield from compute(decode, len(value.data))
    link = link_of(record, outline_of(checkpoint, {}))
    if context.consistent:
        context.memory.remember_link(record.ref, link, context.now)
    return link, value, attachments


def require_found(found: T | None, ref: CheckpointRef) -> T:
    """Require that a checkpoint of the history was not deleted while the history was read."""
    if found is None:
        raise MissingPartError(
            place=str(ref),
            attribute=Attribute.CHECKPOINT,
            problem="was deleted while the history of another checkpoint was being read",
            part=str(ref),
        )
    return found
