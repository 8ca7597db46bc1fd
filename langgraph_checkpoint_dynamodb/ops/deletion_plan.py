"""What is deleted with a checkpoint, and in which order.

Parts are stored before the item that refers to them, so until then they look like orphans. A delete
therefore deletes the parts of the values that it deletes, and other parts only if they are so old
that no call can still be about to refer to them. The sweep finds the rest.

An S3 object is deleted before the item that refers to it, so that no object becomes unreachable. A
reference is trusted only if the object belongs to the checkpoint (`PayloadPolicy.owns`). Any other
object is kept, and a warning is logged. If only its bucket is unknown, the reference is kept too: a
sweep by a saver that is configured with the bucket finds it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.expiry import is_young
from langgraph_checkpoint_dynamodb.format.parts import is_object_key, part_address_of
from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.items.attributes import read_key
from langgraph_checkpoint_dynamodb.items.payload_attributes import outside_if_readable
from langgraph_checkpoint_dynamodb.items.writes_owner import read_created
from langgraph_checkpoint_dynamodb.items.writes_partition import is_mark, read_stored_object
from langgraph_checkpoint_dynamodb.payloads.kinds import S3Object
from langgraph_checkpoint_dynamodb.requests.calls import delete_objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.format.parts import PartAddress
    from langgraph_checkpoint_dynamodb.format.tables import Key
    from langgraph_checkpoint_dynamodb.items.writes_partition import StoredObject
    from langgraph_checkpoint_dynamodb.payloads.kinds import Chunks
    from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

_log = logging.getLogger("langgraph_checkpoint_dynamodb")


@dataclass(frozen=True, slots=True)
class DeletionPlan:
    """The items of one partition of the writes table to delete, and their S3 objects.

    Attributes:
        own_chunks: Keys of the chunks of the checkpoint's own values.
        writes: Keys of writes, and of other items that are neither chunks nor references.
        other_chunks: Keys of all other chunks.
        object_references: Keys of the items that refer to S3 objects.
        objects: The objects, as bucket and key.
        kept_references: Number of references kept because their bucket is not configured.
    """

    own_chunks: tuple[Key, ...]
    writes: tuple[Key, ...]
    other_chunks: tuple[Key, ...]
    object_references: tuple[Key, ...]
    objects: tuple[tuple[str, str], ...]
    kept_references: int = 0


def is_write(item: StoredItem) -> bool:
    """Whether an item of the writes table is neither a part nor a mark."""
    return part_of(item) is None and not is_mark(item)


def part_of(item: StoredItem) -> PartAddress | None:
    """The address of the value that an item is a part of; `None` if it is not a part."""
    return part_address_of(read_key(item, Table.WRITES).sort)


def items_to_delete(
    items: Sequence[StoredItem], outside: Iterable[Chunks | S3Object], now: int
) -> list[StoredItem]:
    """The items of a partition that are deleted with its checkpoint.

    Args:
        items: All items of the partition, with the attributes of `WRITE_REFERENCES`.
        outside: The checkpoint's own values that are stored outside its item.
        now: The time, in seconds since the epoch.
    """
    of_writes = [value for item in items for value in outside_if_readable(item, "a write")]
    gone = {value.address for value in (*outside, *of_writes)}
    return [
        item
        for item in items
        if not is_mark(item)
        and (
            (address := part_of(item)) is None
            or address in gone
            or not is_young(read_created(item), now)
        )
    ]


def plan_deletion(
    policy: PayloadPolicy,
    ref: CheckpointRef | None,
    items: Sequence[StoredItem],
    outside: Sequence[Chunks | S3Object] = (),
) -> DeletionPlan:
    """Plan the deletion of items of a partition.

    Args:
        policy: Tells which objects belong to the saver.
        ref: The checkpoint of the partition; `None` if it cannot have objects of the saver.
        items: The items to delete.
        outside: Values of the checkpoint to delete. Their objects may exist without a reference,
            if another delete has deleted it.
    """
    objects_found: list[tuple[PartAddress | None, str, str]] = [
        (value.address, value.bucket, value.key)
        for value in (
            *outside,
            *(value for item in items for value in outside_if_readable(item, str(ref))),
        )
        if isinstance(value, S3Object)
    ]
    own = {value.address for value in outside}
    own_chunks: list[Key] = []
    writes: list[Key] = []
    other_chunks: list[Key] = []
    object_references: list[Key] = []
    kept_references = 0
    for item in items:
        address, found = part_of(item), _stored_object(item)
        if found is None:
            keys = writes if address is None else own_chunks if address in own else other_chunks
            keys.append(read_key(item, Table.WRITES))
            continue
        objects_found.append((address, found.bucket, found.object_key))
        if _in_another_bucket(policy, ref, *objects_found[-1]):
            kept_references += 1  # A sweep that is configured with the bucket needs it.
        else:
            object_references.append(found.key)
    return DeletionPlan(
        tuple(own_chunks),
        tuple(writes),
        tuple(other_chunks),
        tuple(object_references),
        tuple(_owned_objects(policy, ref, objects_found)),
        kept_references=kept_references,
    )


def _owned_objects(
    policy: PayloadPolicy,
    ref: CheckpointRef | None,
    objects: Iterable[tuple[PartAddress | None, str, str]],
) -> list[tuple[str, str]]:
    """The objects that belong to the checkpoint, as bucket and key. Others are kept and logged."""
    owned: dict[tuple[str, str], None] = {}
    for address, bucket, key in dict.fromkeys(objects):
        if ref is not None and address is not None and policy.owns(ref, address, bucket, key):
            owned[bucket, key] = None
        else:
            _log.warning(
                "object %r of bucket %r is kept: an item of %s refers to it, but it is not an "
                "object of that checkpoint in a bucket of s3_offload_config; if the bucket is "
                "yours, add it there (former_bucket_names) and run a sweep",
                key,
                bucket,
                ref,
            )
    return list(owned)


def _in_another_bucket(
    policy: PayloadPolicy,
    ref: CheckpointRef | None,
    address: PartAddress | None,
    bucket: str,
    key: str,
) -> bool:
    """Whether an object belongs to the checkpoint, but its bucket is not configured."""
    if ref is None or address is None or policy.owns(ref, address, bucket, key):
        return False
    return is_object_key(key, ref, address)


def _stored_object(item: StoredItem) -> StoredObject | None:
    """The object that an item refers to; `None` for none or an unreadable reference."""
    try:
        return read_stored_object(item)
    except UnreadableItemError:
        return None


def delete_planned(
    plans: Sequence[DeletionPlan], delete_each: Callable[[Sequence[Key]], Operation[None]]
) -> Operation[None]:
    """Delete planned items and objects: objects before the items that refer to them.

    The checkpoint's own chunks are deleted first. A large partition is read as several ranges in
    parallel, each with chunks that the reader needs: a range that is read after writes were deleted
    lacks its chunks, so the reader notices. Writes are deleted before their parts, so that no write
    ever lacks its parts, even if the checkpoint is stored again meanwhile.

    Args:
        plans: What to delete.
        delete_each: Deletes the items of these keys, in any order.
    """
    yield from delete_each([key for plan in plans for key in plan.own_chunks])
    yield from delete_each([key for plan in plans for key in plan.writes])
    yield from delete_each([key for plan in plans for key in plan.other_chunks])
    yield from delete_objects(pair for plan in plans for pair in plan.objects)
    yield from delete_each([key for plan in plans for key in plan.object_references])
