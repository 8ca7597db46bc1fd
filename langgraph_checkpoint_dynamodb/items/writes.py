"""Pending writes: their records, and how they are read from items.

`write_plans` says which items hold the writes of a call.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from langgraph.checkpoint.base import WRITES_IDX_MAP

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.bounds import parse_whole_number
from langgraph_checkpoint_dynamodb.format.expiry import is_live
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.format.write_keys import split_write_sort_key
from langgraph_checkpoint_dynamodb.items.attributes import (
    number_or_none,
    optional_text,
    read_key,
    text,
)
from langgraph_checkpoint_dynamodb.items.payload_attributes import read_group, read_payload
from langgraph_checkpoint_dynamodb.items.values import Serialized
from langgraph_checkpoint_dynamodb.payloads.kinds import Chunks, Inline, S3Object

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.payloads.kinds import Payload
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem

SPECIAL_CHANNELS = tuple(WRITES_IDX_MAP)
"""Channels with a fixed place in each task, below the places of its outputs.

Older writers stored them at their position in the call, like any other write. There they must not
block a later output of the task: an error, for example, must not block the output of the retry.
"""

MAX_PLACES = 10**9
"""Upper bound of a place. No call has that many writes."""


@dataclass(frozen=True, slots=True)
class WriteSource:
    """The item a write was read from.

    Attributes:
        sort: Its sort key.
        created: When it was stored, in seconds since the epoch; `None` if the item does not say.
        ttl: When it may be deleted; `None` for never.
        is_group: Whether it holds the writes of a call, and not a single one.
    """

    sort: str
    created: int | None = None
    ttl: int | None = None
    is_group: bool = False


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """A pending write.

    Attributes:
        task_id: The task that produced it.
        idx: Its place among the task's writes; negative for the special channels, which have one
            place each (`WRITES_IDX_MAP`).
        channel: The channel written to.
        value: The serialized value.
        task_path: Path of the task, empty if none was given.
        source: The item it was read from; `None` if it is not yet stored.
    """

    task_id: str
    idx: int
    channel: str
    value: Serialized
    task_path: str = ""
    source: WriteSource | None = None

    @property
    def ttl(self) -> int | None:
        """When it may be deleted; `None` for never."""
        return None if self.source is None else self.source.ttl

    def place(self, ref: CheckpointRef) -> str:
        """Which write it is, for messages."""
        return f"write {self.idx} of task {self.task_id!r} to channel {self.channel!r} on {ref}"


def places_held(item: StoredItem, task_id: str, now: int) -> frozenset[int]:
    """The places of a task that an item blocks for later regular writes.

    Raises:
        UnreadableItemError: The item holds several writes, and their list is damaged.
    """
    key = read_key(item, Table.WRITES)
    found = split_write_sort_key(key.sort)
    if found is None or found[0] != task_id:
        return frozenset()
    if not is_live(number_or_none(item, Attribute.TTL), now):
        return frozenset()
    if Attribute.WRITES in item:
        place = f"item {key.sort!r} of partition {key.partition!r}"
        return frozenset(entry.idx for entry in _entries(item, place))
    special = item.get(Attribute.CHANNEL, {}).get("S") in SPECIAL_CHANNELS
    return frozenset() if special or not found[1].isdecimal() else frozenset({int(found[1])})


def read_writes(item: StoredItem, ref: CheckpointRef, ttl: int | None) -> tuple[WriteRecord, ...]:
    """The writes in an item of the writes table; none if it is an item of another kind.

    Args:
        item: The item.
        ref: The checkpoint it belongs to.
        ttl: When it may be deleted.

    Raises:
        UnreadableItemError: An attribute is missing or of the wrong type.
    """
    sort = read_key(item, Table.WRITES).sort
    found = split_write_sort_key(sort)
    if found is None:
        return ()
    task_id, idx = found
    place = f"write {sort!r} on {ref}"
    task_path = optional_text(item, Attribute.TASK_PATH, place) or ""
    created = number_or_none(item, Attribute.CREATED)
    source = WriteSource(sort, created, ttl, is_group=Attribute.WRITES in item)
    if source.is_group:
        return tuple(
            WriteRecord(task_id, entry.idx, entry.channel, entry.value, task_path, source)
            for entry in _entries(item, place)
        )
    try:
        number = int(idx)
    except ValueError:
        raise UnreadableItemError(
            place=place, attribute=Attribute.TASK_ID_IDX, problem="does not end in a number"
        ) from None
    value = Serialized(
        text(item, Attribute.TYPE, place), read_payload(item, Attribute.VALUE, place)
    )
    channel = text(item, Attribute.CHANNEL, place)
    return (WriteRecord(task_id, number, channel, value, task_path, source),)


def without_duplicates(writes: Iterable[WriteRecord]) -> list[WriteRecord]:
    """The writes with one for each place of a task.

    Two items may hold the same place: both written before groups existed, or one after the other's
    time to live. The older item counts. Between items of the same age, one with a single write
    counts, because its writer has checked for groups first. A special channel at a regular place,
    as older writers stored it, yields to a regular write.
    """
    first: dict[tuple[str, int], WriteRecord] = {}
    for write in writes:
        known = first.setdefault((write.task_id, write.idx), write)
        if known is not write and _precedence(write) < _precedence(known):
            first[write.task_id, write.idx] = write
    return list(first.values())


def _precedence(write: WriteRecord) -> tuple[bool, int, bool, str]:
    source = write.source or WriteSource("")
    created = -1 if source.created is None else source.created
    gives_way = write.idx >= 0 and write.channel in SPECIAL_CHANNELS
    return (gives_way, created, source.is_group, source.sort)


def data_size(writes: Iterable[WriteRecord]) -> int:
    """Total bytes of the values of writes, which must have been loaded."""
    return sum(len(write.value.data) for write in writes)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One write in the list of an item that holds several."""

    idx: int
    channel: str
    value: Serialized


def _entries(item: StoredItem, place: str) -> list[_Entry]:
    """The writes of an item that holds several.

    Raises:
        UnreadableItemError: A write is damaged, or two have the same place.
    """
    match item.get(Attribute.WRITES):
        case {"L": list(listed)}:
            pass
        case _:
            raise _damaged(place, "is not a list (L)")
    described = read_group(item, place)
    entries = [_entry(entry, described, place) for entry in listed]
    if len({entry.idx for entry in entries}) < len(entries):
        raise _damaged(place, "holds two writes at the same place")
    return entries


def _entry(entry: object, described: Mapping[str, Payload], place: str) -> _Entry:
    match entry:
        case {"L": [{"N": str(number)}, {"S": str(channel)}, {"S": str(kind)}, *rest]}:
            idx = parse_whole_number(number, MAX_PLACES)
        case _:
            raise _damaged(place, "holds an entry that is not [place, channel, type, value]")
    if idx is None:
        raise _damaged(place, f"holds a place that is no whole number from 0 to {MAX_PLACES}")
    stored = described.get(str(idx))
    match rest, stored:
        case [{"B": bytes(data)}], None:
            return _Entry(idx, channel, Serialized(kind, Inline(data)))
        case [{"B": bytes(data)}], Inline():
            return _Entry(idx, channel, Serialized(kind, replace(stored, data=data)))
        case [], Chunks() | S3Object():
            return _Entry(idx, channel, Serialized(kind, stored))
    raise _damaged(place, f"holds no value for place {idx}, or two")


def _damaged(place: str, problem: str) -> UnreadableItemError:
    return UnreadableItemError(place=place, attribute=Attribute.WRITES, problem=problem)
