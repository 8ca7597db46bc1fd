"""Bases, which checkpoints are stored as differences from, and the mark of deleted bases."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS, is_live
from langgraph_checkpoint_dynamodb.format.keys import BASES_DELETED_SORT_KEY, BaseRef, base_id_of
from langgraph_checkpoint_dynamodb.format.parts import content_digest
from langgraph_checkpoint_dynamodb.format.sizes import item_size
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Key, Table
from langgraph_checkpoint_dynamodb.items.attributes import make_item, optional_number
from langgraph_checkpoint_dynamodb.items.payload_attributes import (
    payload_attributes,
    payload_room,
    read_payload,
)
from langgraph_checkpoint_dynamodb.items.values import ItemPlan
from langgraph_checkpoint_dynamodb.payloads.compression import compress, difference
from langgraph_checkpoint_dynamodb.payloads.differences import (
    Base,
    Progress,
    base_stamp,
    can_be_base,
    is_new_base_due,
    may_refer,
)
from langgraph_checkpoint_dynamodb.payloads.kinds import Inline, Origin, Packed, stored_bytes
from langgraph_checkpoint_dynamodb.payloads.placement import Destination, place_values
from langgraph_checkpoint_dynamodb.requests.items import Put

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from langgraph_checkpoint_dynamodb.format.expiry import Stamp
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.payloads.kinds import Payload
    from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy
    from langgraph_checkpoint_dynamodb.requests.items import Item, StoredItem


@dataclass(frozen=True, slots=True)
class BaseRecord:
    """A base as it is stored.

    Attributes:
        ref: Its reference.
        payload: Its payload.
        created: When it was stored, in seconds since the epoch.
        ttl: When it may be deleted; `None` for never.
    """

    ref: BaseRef
    payload: Payload
    created: int
    ttl: int | None


@dataclass(frozen=True, slots=True)
class CheckpointPlan:
    """The items that store a checkpoint.

    Attributes:
        planned: The checkpoint's own item.
        base: The new base that it is a difference from, to be stored before it; `None` for none.
        progress: Its base and the cost of differences so far; `None` if it is stored whole.
    """

    planned: ItemPlan
    base: ItemPlan | None = None
    progress: Progress | None = None


def plan_checkpoint(
    record: CheckpointRecord,
    policy: PayloadPolicy,
    stamp: Stamp,
    before: Progress | None,
    keeps_base: Callable[[int], bool],
) -> CheckpointPlan:
    """Plan the items of a checkpoint, whole or as a difference. It replaces one of the same id.

    Args:
        record: The checkpoint.
        policy: How values are stored.
        stamp: When and by which call.
        before: The parent's base and the cost of differences so far; `None` if the parent is
            stored whole or is unknown to this process.
        keeps_base: Whether this process can keep a base of that many bytes in memory.

    Raises:
        PayloadTooLargeError: A value is over the policy's ceiling.
        ItemTooLargeError: It is over DynamoDB's limit even without its values.
    """
    if not policy.incremental:
        return CheckpointPlan(record.plan(policy, stamp))
    data = record.checkpoint.data
    large = record.size > policy.whole_bytes
    if large and before is not None and may_refer(before.base, stamp):
        plan = _plan_difference(record, policy, stamp, before)
        if plan.progress is not None and not is_new_base_due(plan.progress, len(data)):
            return plan
    whole = record.plan(policy, stamp)
    if not (_is_worth_a_base(policy, whole, data) and keeps_base(len(data))):
        return CheckpointPlan(whole)
    ref = BaseRef(record.ref.thread_id, record.ref.checkpoint_ns, base_id_of(stamp.token))
    stamp_of_base = base_stamp(stamp)
    planned = plan_base(ref, data, policy, stamp_of_base)
    (payload,) = planned.payloads
    digest = content_digest(data)
    base = Base(ref, data, digest, stamp_of_base.created, stamp_of_base.ttl, payload)
    plan = _plan_difference(record, policy, stamp, Progress(base, 0))
    return replace(plan, base=planned)


def _is_worth_a_base(policy: PayloadPolicy, whole: ItemPlan, data: bytes) -> bool:
    """Whether a checkpoint is large even when compressed, and is compressible.

    Incompressible data is usually encrypted, and shares no content with the next state.
    """
    stored = whole.payloads[0]
    size = item_size(whole.put.item) + sum(len(part.data) for part in whole.parts)
    if size <= policy.whole_bytes or stored_bytes(stored) <= policy.whole_bytes // 2:
        return False
    return can_be_base(data) and (
        stored.packed is not None or len(compress("zstd", data)) < len(data)
    )


def _plan_difference(
    record: CheckpointRecord, policy: PayloadPolicy, stamp: Stamp, before: Progress
) -> CheckpointPlan:
    base, data = before.base, record.checkpoint.data
    packed = difference(base.data, data)
    spent = before.spent + len(packed) // 1024
    origin = Origin(base.ref.checkpoint_id, base.digest, base.created, spent)
    stored = Inline(packed, Packed("zstd", len(data), origin))
    return CheckpointPlan(record.plan(policy, stamp, stored), progress=Progress(base, spent))


def plan_base(ref: BaseRef, data: bytes, policy: PayloadPolicy, stamp: Stamp) -> ItemPlan:
    """Plan the item that stores the bytes of a state as a base.

    Args:
        ref: The base.
        data: The bytes of the state.
        policy: How values are stored.
        stamp: The stamp of a base (`base_stamp`).

    Raises:
        PayloadTooLargeError: The bytes are over the policy's ceiling.
    """
    attributes = {
        Attribute.CHECKPOINT_NS: ref.checkpoint_ns,
        Attribute.CREATED: stamp.created,
        Attribute.TTL: stamp.ttl,
    }

    def build(payloads: Mapping[str, Payload]) -> Item:
        return make_item(Table.CHECKPOINTS, ref.key, {**attributes, **payload_attributes(payloads)})

    destination = Destination(str(ref), ref, stamp.token, build, payload_room)
    placed = place_values(policy, {Attribute.CHECKPOINT: data}, destination)
    return ItemPlan(Put(Table.CHECKPOINTS, ref.key, placed.item), placed.parts, placed.payloads)


def read_base(item: StoredItem, ref: BaseRef, now: int) -> BaseRecord | None:
    """The base in an item, `None` if it has been deleted or has expired.

    Raises:
        UnreadableItemError: An attribute is missing or of the wrong type.
    """
    place = str(ref)
    ttl = optional_number(item, Attribute.TTL, place)
    if Attribute.DELETED in item or not is_live(ttl, now):
        return None
    created = optional_number(item, Attribute.CREATED, place)
    return BaseRecord(ref, read_payload(item, Attribute.CHECKPOINT, place), created or 0, ttl)


def bases_deleted_key(thread_id: str) -> Key:
    """Primary key of the mark of a thread whose bases were deleted with it."""
    return Key(thread_id, BASES_DELETED_SORT_KEY)


def bases_deleted_put(thread_id: str, now: int) -> Put:
    """The request that marks a thread before its bases are deleted with it.

    A running call may still store differences from these bases. Such a checkpoint counts as absent,
    as if it had been stored before the delete. The mark stays until a sweep has removed them.
    """
    key = bases_deleted_key(thread_id)
    return Put(Table.CHECKPOINTS, key, make_item(Table.CHECKPOINTS, key, {Attribute.CREATED: now}))


def read_bases_deleted(item: StoredItem | None) -> int | None:
    """When bases of a thread were last deleted with the thread; `None` for never.

    Raises:
        UnreadableItemError: The mark is damaged.
    """
    if item is None:
        return None
    return optional_number(item, Attribute.CREATED, "the mark of deleted bases")


def was_deleted(created: int, bases_deleted: int | None) -> bool:
    """Whether a missing base was deleted with its thread, not lost.

    Args:
        created: When the base was stored.
        bases_deleted: When bases of its thread were last deleted with it.
    """
    return bases_deleted is not None and created <= bases_deleted + GRACE_SECONDS
