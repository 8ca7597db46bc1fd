"""What goes with a checkpoint, and in which order.

Parts that are stored before the item that refers to them look like leftovers until it comes. So a
delete takes the parts of the values it deletes, and of the others only those that no call can be
about to refer to any more: the sweep finds the rest.

An S3 object goes before the item that leads to it, so none is ever out of reach. Items that say
where an object is are believed only where the object is one of the checkpoint's own
(`PayloadPolicy.owns`); any other object stays, and a warning says so. If only its bucket is unknown
here, the item that leads to it stays too: a sweep by a saver that knows the bucket finds it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.life import is_young
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
class Remains:
    """Items of one partition of the writes table that are to be deleted, and what goes with them.

    Attributes:
        chunks: Keys of the pieces of the checkpoint's own values.
        writes: Keys of writes and of whatever else is no part.
        others: Keys of all other pieces of values.
        leading: Keys of the items that lead to objects.
        objects: The objects, as bucket and key.
        kept: How many items stay that lead to an object in a bucket that nobody has named.
    """

    chunks: tuple[Key, ...]
    writes: tuple[Key, ...]
    others: tuple[Key, ...]
    leading: tuple[Key, ...]
    objects: tuple[tuple[str, str], ...]
    kept: int = 0


def is_write(item: StoredItem) -> bool:
    """Whether an item of the writes table is no part and no mark."""
    return part_of(item) is None and not is_mark(item)


def part_of(item: StoredItem) -> PartAddress | None:
    """Which value an item of the writes table is a part of, `None` where it is none."""
    return part_address_of(read_key(item, Table.WRITES).sort)


def that_go(
    items: Sequence[StoredItem], outside: Iterable[Chunks | S3Object], now: int
) -> list[StoredItem]:
    """Those items of a partition that go when its checkpoint is deleted.

    Args:
        items: All of them, with the attributes of `WRITE_REFERENCES`.
        outside: Where the checkpoint's own values are.
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


def remains(
    policy: PayloadPolicy,
    ref: CheckpointRef | None,
    items: Sequence[StoredItem],
    outside: Sequence[Chunks | S3Object] = (),
) -> Remains:
    """What is deleted with these items.

    Args:
        policy: Which objects are ours.
        ref: The checkpoint they lie beside; `None` for one that has none of our objects.
        items: The items to be deleted.
        outside: Where values of the checkpoint are that go too. An object may be there although
            no item leads to it any more: a delete may have come between the two.
    """
    named: list[tuple[PartAddress | None, str, str]] = [
        (value.address, value.bucket, value.key)
        for value in (
            *outside,
            *(value for item in items for value in outside_if_readable(item, str(ref))),
        )
        if isinstance(value, S3Object)
    ]
    own = {value.address for value in outside}
    chunks: list[Key] = []
    writes: list[Key] = []
    others: list[Key] = []
    leading: list[Key] = []
    kept = 0
    for item in items:
        address, found = part_of(item), _stored_object(item)
        if found is None:
            place = read_key(item, Table.WRITES)
            (writes if address is None else chunks if address in own else others).append(place)
            continue
        named.append((address, found.bucket, found.object_key))
        if _in_another_bucket(policy, ref, *named[-1]):
            kept += 1  # A sweep that knows the bucket finds the object by it.
        else:
            leading.append(found.key)
    objects: dict[tuple[str, str], None] = {}
    for address, bucket, key in dict.fromkeys(named):
        if ref is not None and address is not None and policy.owns(ref, address, bucket, key):
            objects[bucket, key] = None
        else:
            _log.warning(
                "object %r of bucket %r is kept: an item beside %s leads to it, and it is not one "
                "of that checkpoint in a bucket of s3_offload_config; if the bucket is yours, name "
                "it there (former_bucket_names) and sweep",
                key,
                bucket,
                ref,
            )
    return Remains(
        tuple(chunks),
        tuple(writes),
        tuple(others),
        tuple(leading),
        tuple(objects),
        kept=kept,
    )


def _in_another_bucket(
    policy: PayloadPolicy,
    ref: CheckpointRef | None,
    address: PartAddress | None,
    bucket: str,
    key: str,
) -> bool:
    """Whether an object is the checkpoint's, but in a bucket that is not known to be ours."""
    if ref is None or address is None or policy.owns(ref, address, bucket, key):
        return False
    return is_object_key(key, ref, address)


def _stored_object(item: StoredItem) -> StoredObject | None:
    """The object an item leads to, `None` where it leads to none or nobody can tell to which."""
    try:
        return read_stored_object(item)
    except UnreadableItemError:
        return None


def remove_all(
    found: Sequence[Remains], delete_each: Callable[[Sequence[Key]], Operation[None]]
) -> Operation[None]:
    """Delete what remains beside checkpoints: objects before the items that lead to them.

    The checkpoint's own chunks go first. A large partition is read as several ranges side by side,
    each of them with chunks that the reader needs: one that is read after writes were deleted lacks
    its chunks, whatever the others still hold. Writes go before their parts, so that none is ever
    there without them, should somebody store the checkpoint again meanwhile.

    Args:
        found: What to delete.
        delete_each: Deletes the items of these keys, in no order.
    """
    yield from delete_each([key for one in found for key in one.chunks])
    yield from delete_each([key for one in found for key in one.writes])
    yield from delete_each([key for one in found for key in one.others])
    yield from delete_objects(pair for one in found for pair in one.objects)
    yield from delete_each([key for one in found for key in one.leading])
