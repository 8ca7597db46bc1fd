"""Copies of a thread's items for another thread: new keys and addresses, the same values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.expiry import is_live
from langgraph_checkpoint_dynamodb.format.keys import base_id_of
from langgraph_checkpoint_dynamodb.format.parts import (
    PartAddress,
    chunk_number_of,
    chunk_sort_key,
    content_digest,
    copied_address,
    copied_object_key,
    object_sort_key,
    part_address_of,
)
from langgraph_checkpoint_dynamodb.format.sizes import ITEM_LIMIT, item_size, require_item_fits
from langgraph_checkpoint_dynamodb.format.tables import SPECS, Attribute, Key, Table
from langgraph_checkpoint_dynamodb.format.write_keys import split_write_sort_key
from langgraph_checkpoint_dynamodb.items.attributes import optional_number, read_key, typed
from langgraph_checkpoint_dynamodb.items.payload_attributes import (
    moved_payload_attributes,
    outside,
    payload_attributes,
    read_payload,
)
from langgraph_checkpoint_dynamodb.items.writes_owner import owner_attributes
from langgraph_checkpoint_dynamodb.items.writes_partition import part_put, read_stored_object
from langgraph_checkpoint_dynamodb.payloads.kinds import Inline, S3Object
from langgraph_checkpoint_dynamodb.payloads.placement import (
    chunk_bytes,
    in_chunks,
    split_into_parts,
)
from langgraph_checkpoint_dynamodb.requests.items import Put

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langgraph_checkpoint_dynamodb.format.expiry import Stamp
    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.payloads.kinds import Chunks, Origin, Payload
    from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem

_VALUES = {
    Table.CHECKPOINTS: (Attribute.CHECKPOINT, Attribute.METADATA),
    Table.WRITES: (Attribute.VALUE,),
}
_OWNER_ATTRIBUTES = {
    Table.CHECKPOINTS: (),
    Table.WRITES: (Attribute.THREAD_ID, Attribute.CHECKPOINT_ID, Attribute.CHECKPOINT_NS),
}
"""Attributes that name the source, and are not copied."""


@dataclass(frozen=True, slots=True)
class ObjectCopy:
    """An S3 object to copy within its bucket."""

    bucket: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class PartCopy:
    """The copy of a part.

    Attributes:
        put: The request that stores its item.
        s3: The S3 object that the item points to, to be copied after it.
    """

    put: Put
    s3: ObjectCopy | None = None


@dataclass(frozen=True, slots=True)
class ItemCopy:
    """The copy of an item that has values.

    Attributes:
        put: The request that stores it.
        needed: The payloads outside the source's item, whose parts must be copied too.
        parts: Parts of a value that no longer fits in the item because the new key is longer.
    """

    put: Put
    needed: tuple[Chunks | S3Object, ...]
    parts: tuple[PartCopy, ...] = ()


@dataclass(frozen=True, slots=True)
class Copier:
    """Copies the items of one checkpoint, or of one base.

    Attributes:
        source: The checkpoint or the base.
        target: Its copy in the other thread.
        policy: How to store values that no longer fit in their item.
        stamp: Time and call of the copy. The copy expires like any item stored now.
        expired: Whether the source has expired and is kept only for its descendants. Its copy is
            then expired too.
    """

    source: CheckpointRef
    target: CheckpointRef
    policy: PayloadPolicy
    stamp: Stamp
    expired: bool

    def checkpoint(self, item: StoredItem) -> ItemCopy:
        """The copy of the checkpoint's own item."""
        own: dict[str, Any] = {Attribute.TTL: self.stamp.ttl}
        if not self.expired:
            own[Attribute.EXPIRES] = self.stamp.expires_at
        return self._with_values(item, Table.CHECKPOINTS, self.target.key, own)

    def base(self, item: StoredItem) -> ItemCopy:
        """The copy of a base's own item, which counts as stored now."""
        own = {Attribute.CREATED: self.stamp.created, Attribute.TTL: self.stamp.ttl}
        return self._with_values(item, Table.CHECKPOINTS, self.target.key, own)

    def writes(self, items: Iterable[StoredItem]) -> list[ItemCopy]:
        """The copies of the live pending writes among the items of its writes partition."""
        return [
            self._with_values(item, Table.WRITES, key, owner_attributes(self.target, self.stamp))
            for item in items
            if split_write_sort_key(sort := read_key(item, Table.WRITES).sort) is not None
            and self._is_live(item)
            and (key := Key(self.target.writes_partition, sort))
        ]

    def parts(
        self, items: Iterable[StoredItem], needed: Iterable[Chunks | S3Object]
    ) -> list[PartCopy]:
        """The copies of the needed parts among the items of its writes partition."""
        addresses = {value.address for value in needed}
        return [
            self._part(item, address)
            for item in items
            if (address := part_address_of(read_key(item, Table.WRITES).sort)) in addresses
            and address is not None
        ]

    def _is_live(self, item: StoredItem) -> bool:
        place = f"an item in the writes partition of {self.source}"
        return is_live(optional_number(item, Attribute.TTL, place), self.stamp.created)

    def _part(self, item: StoredItem, address: PartAddress) -> PartCopy:
        own: dict[str, Any] = owner_attributes(self.target, self.stamp)
        copied = copied_address(address, self.stamp.token)
        pointer = read_stored_object(item)
        if pointer is None:
            sort = chunk_sort_key(copied, chunk_number_of(read_key(item, Table.WRITES).sort))
            return PartCopy(self._put(item, Table.WRITES, self._writes_key(sort), own))
        target = self._object_key(pointer.bucket, pointer.object_key, address)
        own[Attribute.OBJECT_KEY] = target
        put = self._put(item, Table.WRITES, self._writes_key(object_sort_key(copied)), own)
        return PartCopy(put, ObjectCopy(pointer.bucket, pointer.object_key, target))

    def _writes_key(self, sort_key: str) -> Key:
        return Key(self.target.writes_partition, sort_key)

    def _with_values(
        self, item: StoredItem, table: Table, key: Key, own: dict[str, Any]
    ) -> ItemCopy:
        place = f"the copy of item {key.sort!r} to {self.target}"
        needed = tuple(outside(item, place).values())
        put = self._put(item, table, key, own | moved_payload_attributes(item, self._moved, place))
        if item_size(put.item) <= ITEM_LIMIT:
            return ItemCopy(put, needed)
        smaller, parts = self._without_largest(put, item, place)
        return ItemCopy(smaller, needed, parts)

    def _moved(self, value: Payload) -> Payload:
        if value.packed is not None and value.packed.origin is not None:
            value = replace(
                value, packed=replace(value.packed, origin=self._origin(value.packed.origin))
            )
        if isinstance(value, Inline):
            return value
        address = copied_address(value.address, self.stamp.token)
        if isinstance(value, S3Object):
            key = self._object_key(value.bucket, value.key, value.address)
            return replace(value, address=address, key=key)
        return replace(value, address=address)

    def _origin(self, origin: Origin) -> Origin:
        """The origin in the copied base, which counts as stored at the time of the copy."""
        base_id = base_id_of(self.stamp.token, origin.base_id)
        return replace(origin, base_id=base_id, created=self.stamp.created)

    def _without_largest(
        self, put: Put, item: StoredItem, place: str
    ) -> tuple[Put, tuple[PartCopy, ...]]:
        """The item with its largest value moved to chunks, to make room for its longer keys."""
        inline = {
            name: value
            for name in _VALUES[put.table]
            if name in item
            and isinstance(value := self._moved(read_payload(item, name, place)), Inline)
        }
        if not inline:
            require_item_fits(put.item, place, ITEM_LIMIT)
        name = max(inline, key=lambda name: len(inline[name].data))
        own = PartAddress(content_digest(inline[name].data), f"{put.key.sort} {name}")
        address = copied_address(own, self.stamp.token)
        size = chunk_bytes(self.policy, self.target)
        chunks = in_chunks(inline[name], address, size)
        kept = {attribute: value for attribute, value in put.item.items() if attribute != name}
        smaller = {**kept, **typed(payload_attributes({name: chunks}))}
        require_item_fits(smaller, place, ITEM_LIMIT)
        parts = split_into_parts(chunks, inline[name].data, size)
        puts = (PartCopy(part_put(self.target, part, self.stamp)) for part in parts)
        return replace(put, item=smaller), tuple(puts)

    def _put(self, item: StoredItem, table: Table, key: Key, own: dict[str, Any]) -> Put:
        spec = SPECS[table]
        left_out = {*_OWNER_ATTRIBUTES[table], *own}
        kept = {name: value for name, value in item.items() if name not in left_out}
        named = {spec.partition_key: key.partition, spec.sort_key: key.sort, **own}
        return Put(table, key, {**kept, **typed(named)})

    def _object_key(self, bucket: str, key: str, address: PartAddress) -> str:
        copied = copied_object_key(key, self.source, self.target, address, self.stamp.token)
        if copied is None or not self.policy.owns(self.source, address, bucket, key):
            raise UnreadableItemError(
                place=str(self.source),
                attribute=Attribute.OBJECT_KEY,
                problem=f"leads to object {key!r} of bucket {bucket!r}, which is not one of this "
                "checkpoint in a bucket of s3_offload_config",
            )
        return copied
