"""Which checkpoint an item of the writes table belongs to, and when it was stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.keys import owner_of
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.format.write_keys import split_writes_partition
from langgraph_checkpoint_dynamodb.items.attributes import number_or_none, read_key

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.format.expiry import Stamp
    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem


def owner_attributes(ref: CheckpointRef, stamp: Stamp) -> dict[str, str | int | None]:
    """Attributes that every item of a checkpoint in the writes table has.

    A hashed partition key does not identify the checkpoint, so the item names it for the sweep.
    """
    attributes: dict[str, str | int | None] = {
        Attribute.CREATED: stamp.created,
        Attribute.TTL: stamp.ttl,
    }
    if split_writes_partition(ref.writes_partition) is None:
        attributes |= {
            Attribute.THREAD_ID: ref.thread_id,
            Attribute.CHECKPOINT_ID: ref.key_name,
            Attribute.CHECKPOINT_NS: ref.checkpoint_ns,
        }
    return attributes


def read_owner(item: StoredItem) -> CheckpointRef | None:
    """The checkpoint or base that an item of the writes table belongs to.

    `None` if neither its partition key nor its attributes say, as in items of older writers, or if
    they name a checkpoint with another writes partition.
    """
    partition = read_key(item, Table.WRITES).partition
    owner = split_writes_partition(partition)
    if owner is None:
        names = (Attribute.THREAD_ID, Attribute.CHECKPOINT_ID, Attribute.CHECKPOINT_NS)
        match [item.get(name, {}).get("S") for name in names]:
            case [str(thread_id), str(name), str(checkpoint_ns)]:
                owner = (thread_id, name, checkpoint_ns)
            case _:
                return None
    thread_id, name, checkpoint_ns = owner
    ref = owner_of(thread_id, checkpoint_ns, name)
    # Attributes may be forged: an item can only name the owner of its own partition.
    return ref if ref is not None and ref.writes_partition == partition else None


def read_created(item: StoredItem) -> int | None:
    """When an item was stored, in seconds since the epoch; `None` if it does not say.

    An invalid time counts as missing. The sweep leaves such items alone, like those of older
    writers.
    """
    return number_or_none(item, Attribute.CREATED)
