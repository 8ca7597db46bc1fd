"""Whose an item of the writes table is, and how old."""

from __future__ import annotations

from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.keys import owner_of, split_writes_partition
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.attributes import number_if_told, read_key

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.format.life import Stamp
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem


def of_checkpoint(ref: CheckpointRef, stamp: Stamp) -> dict[str, str | int | None]:
    """Attributes that every item beside a checkpoint has.

    A hashed partition key does not tell whose it is, so the item does: the sweep asks.
    """
    attributes: dict[str, str | int | None] = {
        Attribute.CREATED: stamp.created,
        Attribute.TTL: stamp.ttl,
    }
    if split_writes_partition(ref.writes_partition) is None:
        attributes |= {
            Attribute.THREAD_ID: ref.thread_id,
            Attribute.CHECKPOINT_ID: ref.name,
            Attribute.CHECKPOINT_NS: ref.checkpoint_ns,
        }
    return attributes


def read_owner(item: StoredItem) -> CheckpointRef | None:
    """The checkpoint, or the base, that an item of the writes table belongs to.

    `None` where neither its partition key nor its attributes tell, as of older writers, or where
    they name a checkpoint that keeps its writes elsewhere.
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
    # A row says what its writer likes: it may speak for its own partition alone.
    return ref if ref is not None and ref.writes_partition == partition else None


def read_created(item: StoredItem) -> int | None:
    """When an item was stored, in seconds since the epoch; `None` where it does not say.

    What is no time says nothing: such an item is left alone as those of older writers are.
    """
    return number_if_told(item, Attribute.CREATED)
