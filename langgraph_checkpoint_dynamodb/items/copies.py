"""Items of one thread turned into items of another, otherwise as they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.keys import base_id_of, split_write_sort_key
from langgraph_checkpoint_dynamodb.format.life import is_live
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
from langgraph_checkpoint_dynamodb.format.sizes import ITEM_LIMIT, item_size, require_fits
from langgraph_checkpoint_dynamodb.format.tables import SPECS, Attribute, Key, Table
from langgraph_checkpoint_dynamodb.items.attributes import (
    optional_number,
    outside,
    payload,
    read_key,
    restated,
    stored_as,
    typed,
)
from langgraph_checkpoint_dynamodb.items.beside import part_put, read_stored_object
from langgraph_checkpoint_dynamodb.items.owner import of_checkpoint
from langgraph_checkpoint_dynamodb.payloads.kinds import Inline, S3Object
from langgraph_checkpoint_dynamodb.payloads.placement import (
    chunk_bytes,
    in_chunks,
    split_into_parts,
)
from langgraph_checkpoint_dynamodb.requests.items import Put

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.format.life import Stamp
    from langgraph_checkpoint_dynamodb.payloads.kinds import Chunks, Origin, Payload
    from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem

_VALUES = {
    Table.CHECKPOINTS: (Attribute.CHECKPOINT, Attribute.METADATA),
    Table.WRITES: (Attribute.VALUE,),
}
_OWNER = {
    Table.CHECKPOINTS: (),
    Table.WRITES: (Attribute.THREAD_ID, Attribute.CHECKPOINT_ID, Attribute.CHECKPOINT_NS),
}
"""Attributes that are true of the source alone."""


@dataclass(frozen=True, slots=True)
class ObjectCopy:
    """An S3 object to copy within its bucket."""

    bucket: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class CopiedPart:
    """The copy of a part.

    Attributes:
        put: What stores its item.
        s3: The S3 object the item leads to, to be copied after it.
    """

    put: Put
    s3: ObjectCopy | None = None


@dataclass(frozen=True, slots=True)
class Copied:
    """The copy of an item that has values.

    Attributes:
        put: What stores it.
        needed: The values of the source's item that are outside it.
        parts: Parts of a value that the longer key left no room for.
    """

    put: Put
    needed: tuple[Chunks | S3Object, ...]
    parts: tuple[CopiedPart, ...] = ()


@dataclass(frozen=True, slots=True)
class Copier:
    """Copies the items of one checkpoint, or of one base.

    Attributes:
        source: The checkpoint, or the base.
        target: The same in another thread.
        policy: Where values go that no longer fit.
        stamp: When and by which call. The copy lives as long as anything stored now.
        expired: Whether it is only there for others to be rebuilt from. So is the copy then.
    """

    source: CheckpointRef
    target: CheckpointRef
    policy: PayloadPolicy
    stamp: Stamp
    expired: bool

    def checkpoint(self, item: StoredItem) -> Copied:
        """The copy of the checkpoint's own item."""
        own: dict[str, Any] = {Attribute.TTL: self.stamp.ttl}
        if not self.expired:
            own[Attribute.EXPIRES] = self.stamp.expires_at
        return self._with_values(item, Table.CHECKPOINTS, self.target.key, own)

    def base(self, item: StoredItem) -> Copied:
        """The copy of a base's own item. It may be referred to as long as one stored now."""
        own = {Attribute.CREATED: self.stamp.created, Attribute.TTL: self.stamp.ttl}
        return self._with_values(item, Table.CHECKPOINTS, self.target.key, own)

    def writes(self, items: Iterable[StoredItem]) -> list[Copied]:
        """The copies of those of the items beside it that are pending writes."""
        return [
            self._with_values(item, Table.WRITES, key, of_checkpoint(self.target, self.stamp))
            for item in items
            if split_write_sort_key(sort := read_key(item, Table.WRITES).sort) is not None
            and self._lives(item)
            and (key := Key(self.target.writes_partition, sort))
        ]

    def parts(
        self, items: Iterable[StoredItem], needed: Iterable[Chunks | S3Object]
    ) -> list[CopiedPart]:
        """The copies of those of the items beside it that are needed parts."""
        addresses = {value.address for value in needed}
        return [
            self._part(item, address)
            for item in items
            if (address := part_address_of(read_key(item, Table.WRITES).sort)) in addresses
            and address is not None
        ]

    def _lives(self, item: StoredItem) -> bool:
        place = f"an item beside {self.source}"
        return is_live(optional_number(item, Attribute.TTL, place), self.stamp.created)

    def _part(self, item: StoredItem, address: PartAddress) -> CopiedPart:
        own: dict[str, Any] = of_checkpoint(self.target, self.stamp)
        copied = copied_address(address, self.stamp.token)
        leads_to = read_stored_object(item)
        if leads_to is None:
            sort = chunk_sort_key(copied, chunk_number_of(read_key(item, Table.WRITES).sort))
            return CopiedPart(self._put(item, Table.WRITES, self._beside(sort), own))
        target = self._object_key(leads_to.bucket, leads_to.object_key, address)
        own[Attribute.OBJECT_KEY] = target
        put = self._put(item, Table.WRITES, self._beside(object_sort_key(copied)), own)
        return CopiedPart(put, ObjectCopy(leads_to.bucket, leads_to.object_key, target))

    def _beside(self, sort_key: str) -> Key:
        return Key(self.target.writes_partition, sort_key)

    def _with_values(self, item: StoredItem, table: Table, key: Key, own: dict[str, Any]) -> Copied:
        place = f"the copy of item {key.sort!r} to {self.target}"
        needed = tuple(outside(item, place).values())
        put = self._put(item, table, key, own | restated(item, self._moved, place))
        if item_size(put.item) <= ITEM_LIMIT:
            return Copied(put, needed)
        smaller, parts = self._without_largest(put, item, place)
        return Copied(smaller, needed, parts)

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
        """The copy of the base is as young as the copy of the checkpoint."""
        base_id = base_id_of(self.stamp.token, origin.base_id)
        return replace(origin, base_id=base_id, created=self.stamp.created)

    def _without_largest(
        self, put: Put, item: StoredItem, place: str
    ) -> tuple[Put, tuple[CopiedPart, ...]]:
        """The item with its largest value in chunks: its longer keys leave no room for it."""
        inline = {
            name: value
            for name in _VALUES[put.table]
            if name in item and isinstance(value := self._moved(payload(item, name, place)), Inline)
        }
        if not inline:
            require_fits(put.item, place, ITEM_LIMIT)
        name = max(inline, key=lambda name: len(inline[name].data))
        own = PartAddress(content_digest(inline[name].data), f"{put.key.sort} {name}")
        address = copied_address(own, self.stamp.token)
        size = chunk_bytes(self.policy, self.target)
        chunks = in_chunks(inline[name], address, size)
        kept = {attribute: value for attribute, value in put.item.items() if attribute != name}
        smaller = {**kept, **typed(stored_as({name: chunks}))}
        require_fits(smaller, place, ITEM_LIMIT)
        parts = split_into_parts(chunks, inline[name].data, size)
        puts = (CopiedPart(part_put(self.target, part, self.stamp)) for part in parts)
        return replace(put, item=smaller), tuple(puts)

    def _put(self, item: StoredItem, table: Table, key: Key, own: dict[str, Any]) -> Put:
        spec = SPECS[table]
        left_out = {*_OWNER[table], *own}
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
