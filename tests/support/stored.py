"""What is stored in the tables and the bucket, its leftovers, and what a reader finds."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph_checkpoint_dynamodb.format.keys import BASES_DELETED_SORT_KEY
from langgraph_checkpoint_dynamodb.format.parts import PartAddress, object_key, part_address_of
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Key, Table
from langgraph_checkpoint_dynamodb.items.attributes import optional_number, read_key
from langgraph_checkpoint_dynamodb.items.checkpoints import read_checkpoint_head
from langgraph_checkpoint_dynamodb.items.payload_attributes import outside
from langgraph_checkpoint_dynamodb.items.writes_partition import (
    is_mark,
    part_keys,
    read_stored_object,
)
from langgraph_checkpoint_dynamodb.payloads.kinds import S3Object

if TYPE_CHECKING:
    from langgraph.checkpoint.base import CheckpointTuple
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from tests.support.buckets import Bucket
    from tests.support.savers import Saver
    from tests.support.tables import Tables

Items = dict[tuple[Table, Key], "dict[str, AttributeValueTypeDef]"]
"""Every item of both tables, by table and key."""
Shape = Counter[tuple[bool, str]]
"""The stored items without the stamps that distinguish calls. The flag of each item says whether it
is a part of a value or a mark, which may be left to the sweep."""
Seen = dict[tuple[str, str, str], "CheckpointTuple"]
"""Every checkpoint that a reader finds, by thread, namespace and id."""


class Stored(NamedTuple):
    """Every item in the tables, and the entity tags of the objects in the bucket.

    Includes the marks of deletes: a reader that finds a mark reads its checkpoint again, so two
    states with different marks are not equal, and a state is restored with its marks.
    """

    items: Items
    objects: dict[str, str]

    def without_marks(self) -> Stored:
        """The same state without the marks of deletes."""
        kept = {place: item for place, item in self.items.items() if not _is_mark(place, item)}
        return Stored(kept, self.objects)


def marks(state: Stored) -> set[Key]:
    """Keys of the marks that deletes have left."""
    return {place[1] for place, item in state.items.items() if _is_mark(place, item)}


def _is_mark(place: tuple[Table, Key], item: Any) -> bool:
    if place[0] is Table.CHECKPOINTS:
        return place[1].sort == BASES_DELETED_SORT_KEY
    return is_mark(item)


def stored(tables: Tables, bucket: Bucket | None = None) -> Stored:
    """Read the state of the tables and the bucket."""
    found = {Table.CHECKPOINTS: tables.checkpoint_items(), Table.WRITES: tables.items_beside()}
    items = {(table, read_key(item, table)): item for table in found for item in found[table]}
    if bucket is None:
        return Stored(items, {})
    listed = bucket.client.list_objects_v2(Bucket=bucket.name)
    assert not listed["IsTruncated"]
    return Stored(items, {one["Key"]: one["ETag"] for one in listed.get("Contents", [])})


def shape(state: Stored) -> Shape:
    """The shape of a state: its items without stamps."""
    parts = {key: part_address_of(key.sort) for _, key in state.items}
    marked = marks(state)
    stamps = {address.stamp for address in parts.values() if address is not None}
    bases = {
        key: base
        for (table, key), item in state.items.items()
        if table is Table.CHECKPOINTS and (base := read_checkpoint_head(item, 0).base) is not None
    }
    for base in bases.values():
        # The keys of its objects contain a digest of its id.
        stamps |= {base.checkpoint_id, object_key("", base, PartAddress("", "")).split("/")[1]}
    for item in state.items.values():
        stamps |= {found.address.stamp for found in outside(item, "an item").values()}
    lines = [
        (
            parts[key] is not None or key in marked or key in bases,
            json.dumps(item, sort_keys=True, default=repr),
        )
        for (_, key), item in state.items.items()
    ]
    lines += [(True, f"{key} {tag}") for key, tag in state.objects.items()]
    for stamp in stamps:
        lines = [(part, line.replace(stamp, "*")) for part, line in lines]
    return Counter(lines)


def loose_ends(state: Stored) -> list[str]:
    """Items that no checkpoint refers to, and references to missing or earlier expiring items.

    Marks do not count: they have to stay for some time.
    """
    items = state.without_marks().items
    checkpoints, beside = (
        {key: item for (of, key), item in items.items() if of is table}
        for table in (Table.CHECKPOINTS, Table.WRITES)
    )
    heads = [read_checkpoint_head(item, 0) for item in checkpoints.values()]
    there = [head for head in heads if not head.deleted]
    refs = {ref.writes_partition: ref for head in there if (ref := head.owner) is not None}
    bases = {head.key: _expiry(checkpoints[head.key]) for head in there if head.base is not None}
    needed_bases: dict[Key, float] = {}
    for head in there:
        if (base := head.based_on) is not None:
            expiry = _expiry(checkpoints[head.key])
            needed_bases[base.key] = max(expiry, needed_bases.get(base.key, expiry))
    writes = {
        key: item
        for key, item in beside.items()
        if part_address_of(key.sort) is None and key.partition in refs
    }
    lives = {ref.key: checkpoints[ref.key] for ref in refs.values()}
    needed: dict[Key, float] = dict.fromkeys(writes, 0)
    objects = set()
    for ref, item in [
        *((ref, lives[ref.key]) for ref in refs.values()),
        *((refs[key.partition], item) for key, item in writes.items()),
    ]:
        for payload in outside(item, str(ref)).values():
            needed |= dict.fromkeys(part_keys(ref, payload), _expiry(item))
            if isinstance(payload, S3Object):
                objects.add(payload.key)
    led_to = {
        found.object_key
        for item in beside.values()
        if (found := read_stored_object(item)) is not None
    }
    return [
        *(f"needless base {key}" for key in bases.keys() - needed_bases.keys()),
        *(f"missing base {key}" for key in needed_bases.keys() - bases.keys()),
        *(
            f"short-lived base {key}"
            for key in bases.keys() & needed_bases.keys()
            if bases[key] < needed_bases[key]
        ),
        *(f"tombstone {head.key}" for head in heads if head.deleted),
        *(f"needless {key}" for key in beside.keys() - needed.keys()),
        *(f"missing {key}" for key in needed.keys() - beside.keys()),
        *(
            f"short-lived {key}"
            for key in needed.keys() & beside.keys()
            if _expiry(beside[key]) < needed[key]
        ),
        *(f"needless object {key}" for key in state.objects.keys() - (objects & led_to)),
        *(f"missing object {key}" for key in objects - state.objects.keys()),
    ]


def _expiry(item: Any) -> float:
    expires_at = optional_number(item, Attribute.TTL, "an item")
    return math.inf if expires_at is None else expires_at


def seen(saver: Saver) -> Seen:
    """Every checkpoint a reader finds. Checks that `get_tuple` returns the newest of a namespace.

    A tuple includes the pending writes, so if tuples are equal, no write is lost or added.
    """
    found: Seen = {}
    for one in saver.list(None):
        parts = one.config["configurable"]
        found[parts["thread_id"], parts["checkpoint_ns"], parts["checkpoint_id"]] = one
    for thread_id, checkpoint_ns in {key[:2] for key in found}:
        newest = max(key for key in found if key[:2] == (thread_id, checkpoint_ns))
        parts = {"thread_id": thread_id, "checkpoint_ns": checkpoint_ns}
        assert saver.get_tuple({"configurable": parts}) == found[newest]
    return found
