"""Items of the checkpoints table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.format.expiry import is_live
from langgraph_checkpoint_dynamodb.format.key_text import fits_index_key
from langgraph_checkpoint_dynamodb.format.keys import (
    ROOT_NAMESPACE,
    BaseRef,
    CheckpointRef,
    checkpoint_id_of,
    is_auxiliary_key,
    owner_of,
)
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Key, Table
from langgraph_checkpoint_dynamodb.format.write_keys import writes_partition
from langgraph_checkpoint_dynamodb.items.attributes import (
    make_item,
    number_or_none,
    optional_number,
    optional_text,
    read_key,
    text,
)
from langgraph_checkpoint_dynamodb.items.payload_attributes import (
    description_attributes,
    outside_if_readable,
    payload_attributes,
    payload_room,
    read_described,
    read_payload,
)
from langgraph_checkpoint_dynamodb.items.values import ItemPlan, Serialized
from langgraph_checkpoint_dynamodb.payloads.kinds import origin_of
from langgraph_checkpoint_dynamodb.payloads.placement import Destination, place_values
from langgraph_checkpoint_dynamodb.requests.items import Put

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langgraph_checkpoint_dynamodb.format.expiry import Stamp
    from langgraph_checkpoint_dynamodb.payloads.kinds import (
        Chunks,
        Inline,
        Origin,
        Payload,
        S3Object,
    )
    from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy
    from langgraph_checkpoint_dynamodb.requests.items import Item, StoredItem

_DESCRIPTIONS = (Attribute.payload(Attribute.CHECKPOINT), Attribute.payload(Attribute.METADATA))

CHECKPOINT_KEYS = (
    Attribute.THREAD_ID,
    Attribute.CHECKPOINT_ID,
    Attribute.CHECKPOINT_NS,
    Attribute.PARENT_CHECKPOINT_ID,
    Attribute.RUN_ID,
    Attribute.DELETED,
    Attribute.HEAD,
    Attribute.UPDATED,
    Attribute.CREATED,
    Attribute.EXPIRES,
    Attribute.TTL,
    *_DESCRIPTIONS,
)
"""Attributes that `read_checkpoint_head` needs."""

_KEY_NAMES = (Attribute.THREAD_ID, Attribute.CHECKPOINT_ID)

CHECKPOINT_METADATA = (
    *CHECKPOINT_KEYS,
    Attribute.TYPE,
    Attribute.METADATA,
    Attribute.METADATA_TYPE,
)
"""Attributes that `read_checkpoint_head` and `read_metadata` need."""


@dataclass(frozen=True, slots=True)
class Outline:
    """The channels of a checkpoint.

    Attributes:
        versions: Versions of the channels.
        held: Channels whose values are in the checkpoint.
        delta_channels: DeltaChannels whose values are not in the checkpoint.
        snapshot: Whether a DeltaChannel's value is in the checkpoint.
    """

    versions: Mapping[str, Any]
    held: frozenset[str]
    delta_channels: tuple[str, ...] = ()
    snapshot: bool = False

    @property
    def has_deltas(self) -> bool:
        """Whether the graph has DeltaChannels."""
        return self.snapshot or bool(self.delta_channels)


@dataclass(frozen=True, slots=True)
class CheckpointRecord:
    """A checkpoint as it is stored.

    Attributes:
        ref: Which checkpoint.
        parent_id: Id of its parent checkpoint, in the same namespace.
        checkpoint: The serialized checkpoint, channel values included.
        metadata: The serialized metadata.
        run_id: Copy of the metadata's run id, if it can be a key of the run index.
        ttl: When it may be deleted; `None` for never. Set by the stamp when it is stored.
        carried: The attribute with its parent's carried writes, as read or to be stored.
        outline: Its channels, if it is not yet stored.
    """

    ref: CheckpointRef
    parent_id: str | None
    checkpoint: Serialized
    metadata: Serialized
    run_id: str | None = None
    ttl: int | None = None
    carried: object = None
    outline: Outline | None = field(default=None, compare=False)

    @property
    def size(self) -> int:
        """Total bytes of its values, which must have been loaded."""
        return len(self.checkpoint.data) + len(self.metadata.data)

    def plan(
        self, policy: PayloadPolicy, stamp: Stamp, difference: Inline | None = None
    ) -> ItemPlan:
        """Plan the item that stores it, replacing a checkpoint of the same id.

        Args:
            policy: How values are stored.
            stamp: Time and call of the write.
            difference: The checkpoint as a difference from a base; `None` to store it whole.

        Raises:
            PayloadTooLargeError: A value is over the policy's ceiling.
            ItemTooLargeError: The item is over DynamoDB's limit even without its values.
        """
        metadata_type = self.metadata.type if self.metadata.type != self.checkpoint.type else None
        attributes = {
            Attribute.CHECKPOINT_NS: self.ref.checkpoint_ns,
            Attribute.PARENT_CHECKPOINT_ID: self.parent_id or None,
            Attribute.TYPE: self.checkpoint.type,
            Attribute.METADATA_TYPE: metadata_type,
            Attribute.RUN_ID: self.run_id,
            Attribute.CARRIED: self.carried,
            Attribute.EXPIRES: stamp.expires_at,
            Attribute.TTL: stamp.ttl,
        }
        values = {
            Attribute.CHECKPOINT: self.checkpoint.data,
            Attribute.METADATA: self.metadata.data,
        }
        key = self.ref.key

        def build(payloads: Mapping[str, Payload]) -> Item:
            return make_item(Table.CHECKPOINTS, key, {**attributes, **payload_attributes(payloads)})

        destination = Destination(str(self.ref), self.ref, stamp.token, build, payload_room)
        packed = None if difference is None else {Attribute.CHECKPOINT: difference}
        placed = place_values(policy, values, destination, packed)
        put = Put(Table.CHECKPOINTS, key, placed.item)
        return ItemPlan(put, placed.parts, placed.payloads)


@dataclass(frozen=True, slots=True)
class CheckpointHead:
    """The head of a checkpoint's item: its keys, times and descriptions, without its values.

    Attributes:
        key: Primary key of the item.
        checkpoint_ns: Its namespace.
        checkpoint_id: Its id; `None` if an older writer stored it under a key of another namespace.
        parent_id: Id of its parent.
        run_id: Id of its run, if the item has it outside its metadata.
        deleted: Whether it is the tombstone of a running or interrupted delete.
        created: When the tombstone or the base was stored, in seconds since the epoch.
        ttl: When it may be deleted, in seconds since the epoch; `None` for never.
        expired: Whether it had expired for readers when it was read.
        gone: Whether other checkpoints could no longer be rebuilt from it either.
        descriptions: The attributes that describe where its values are.
    """

    key: Key
    checkpoint_ns: str
    checkpoint_id: str | None
    parent_id: str | None
    run_id: str | None = None
    deleted: bool = False
    created: int | None = None
    ttl: int | None = None
    expired: bool = False
    gone: bool = False
    descriptions: StoredItem = field(default_factory=dict)

    @property
    def visible(self) -> bool:
        """Whether readers see the checkpoint."""
        return self.usable and not self.expired

    @property
    def usable(self) -> bool:
        """Whether checkpoints can be rebuilt from it. It may have expired shortly before."""
        return self.checkpoint_id is not None and not self.deleted and not self.gone

    @property
    def place(self) -> str:
        """Which checkpoint it is, for messages."""
        return (
            f"checkpoint {self.checkpoint_id or self.key.sort!r} of thread {self.key.partition!r}, "
            f"namespace {self.checkpoint_ns!r}"
        )

    @property
    def ref(self) -> CheckpointRef:
        """The checkpoint. If an older writer stored it out of place, its sort key is its id."""
        return CheckpointRef(
            self.key.partition, self.checkpoint_ns, self.checkpoint_id or self.key.sort
        )

    @property
    def owner(self) -> CheckpointRef | None:
        """The checkpoint or the base; `None` if the key can be neither."""
        return owner_of(self.key.partition, self.checkpoint_ns, self.checkpoint_id or self.key.sort)

    @property
    def base(self) -> BaseRef | None:
        """The base, `None` if it is not one."""
        owner = self.owner
        return owner if isinstance(owner, BaseRef) else None

    @property
    def beside_namespaces(self) -> bool:
        """Whether it is not a checkpoint's item, but a base's or the mark of deleted bases."""
        return is_auxiliary_key(self.key.sort)

    @property
    def origin(self) -> Origin | None:
        """The origin of the checkpoint's difference, `None` if it is stored whole.

        Raises:
            UnreadableItemError: The description is damaged.
        """
        name = Attribute.payload(Attribute.CHECKPOINT)
        if name not in self.descriptions:
            return None
        return origin_of(read_described(self.descriptions, Attribute.CHECKPOINT, self.place))

    @property
    def based_on(self) -> BaseRef | None:
        """The base that the checkpoint is a difference from, `None` if it is stored whole.

        Raises:
            UnreadableItemError: The description is damaged.
        """
        origin = self.origin
        return None if origin is None else origin.base(self.key.partition, self.checkpoint_ns)

    @property
    def writes_partition(self) -> str:
        """Partition key of its writes, also for items that readers do not see."""
        checkpoint_id = self.checkpoint_id or self.key.sort
        return writes_partition(self.key.partition, checkpoint_id, self.checkpoint_ns)

    @property
    def outside(self) -> tuple[Chunks | S3Object, ...]:
        """The payloads outside the item; none if a description is damaged.

        For deletes, which a damaged description must not stop.
        """
        return outside_if_readable(self.descriptions, self.place)

    def tombstone(self, now: int) -> Put:
        """The request that replaces the checkpoint with a tombstone, which readers treat as absent.

        The tombstone keeps the run id and the descriptions of values, so an interrupted delete can
        be repeated and finds the writes and the parts.
        """
        attributes = {
            Attribute.CHECKPOINT_NS: self.checkpoint_ns,
            Attribute.RUN_ID: self.run_id,
            Attribute.DELETED: True,
            Attribute.CREATED: now,
            Attribute.TTL: self.ttl,
        }
        item = make_item(Table.CHECKPOINTS, self.key, attributes)
        return Put(
            Table.CHECKPOINTS, self.key, {**item, **description_attributes(self.descriptions)}
        )


def read_checkpoint_head(item: StoredItem, now: int) -> CheckpointHead:
    """Read the head of a checkpoint's item.

    Args:
        item: The item.
        now: The time, in seconds since the epoch.

    Raises:
        UnreadableItemError: An attribute is damaged.
    """
    key = read_key(item, Table.CHECKPOINTS)
    place = f"item {key.sort!r} of thread {key.partition!r} in the checkpoints table"
    checkpoint_ns = optional_text(item, Attribute.CHECKPOINT_NS, place) or ROOT_NAMESPACE
    place += f", namespace {checkpoint_ns!r}"
    ttl = optional_number(item, Attribute.TTL, place)
    expires_at = optional_number(item, Attribute.EXPIRES, place)
    return CheckpointHead(
        key=key,
        checkpoint_ns=checkpoint_ns,
        checkpoint_id=checkpoint_id_of(key.sort, checkpoint_ns),
        parent_id=optional_text(item, Attribute.PARENT_CHECKPOINT_ID, place) or None,
        run_id=optional_text(item, Attribute.RUN_ID, place),
        deleted=Attribute.DELETED in item,
        created=optional_number(item, Attribute.CREATED, place),
        ttl=ttl,
        expired=not is_live(expires_at, now),
        gone=not is_live(ttl, now),
        descriptions={name: item[name] for name in _DESCRIPTIONS if name in item},
    )


def read_head_to_delete(item: StoredItem) -> CheckpointHead:
    """Read the head of a checkpoint's item that is to be deleted: its key and its namespace.

    Other attributes are read if they can be. Damaged ones do not stop the delete.

    Raises:
        UnreadableItemError: The namespace is damaged, so the place of the writes is unknown.
    """
    names = (*_KEY_NAMES, Attribute.CHECKPOINT_NS, *_DESCRIPTIONS)
    head = read_checkpoint_head({name: item[name] for name in names if name in item}, 0)
    run_id = item.get(Attribute.RUN_ID, {}).get("S")
    return replace(
        head,
        run_id=run_id if fits_index_key(run_id) else None,
        deleted=Attribute.DELETED in item,
        created=number_or_none(item, Attribute.CREATED),
        ttl=number_or_none(item, Attribute.TTL),
    )


def read_checkpoint(head: CheckpointHead, item: StoredItem) -> CheckpointRecord | None:
    """The checkpoint in an item, `None` if it is not usable (`CheckpointHead.usable`).

    Args:
        head: The head of the item.
        item: The item.

    Raises:
        UnreadableItemError: An attribute is missing or of the wrong type.
    """
    if head.checkpoint_id is None or not head.usable:
        return None
    return CheckpointRecord(
        ref=CheckpointRef(head.key.partition, head.checkpoint_ns, head.checkpoint_id),
        parent_id=head.parent_id,
        checkpoint=Serialized(
            text(item, Attribute.TYPE, head.place),
            read_payload(item, Attribute.CHECKPOINT, head.place),
        ),
        metadata=read_metadata(item, head),
        run_id=head.run_id,
        ttl=head.ttl,
        carried=item.get(Attribute.CARRIED),
    )


def read_metadata(item: StoredItem, head: CheckpointHead) -> Serialized:
    """The serialized metadata of a checkpoint's item.

    Raises:
        UnreadableItemError: An attribute is missing or of the wrong type.
    """
    place = head.place
    type_name = Attribute.METADATA_TYPE if Attribute.METADATA_TYPE in item else Attribute.TYPE
    return Serialized(text(item, type_name, place), read_payload(item, Attribute.METADATA, place))
