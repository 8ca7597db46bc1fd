"""Pending writes, and the items that hold them.

The regular writes of one call are one item: a task's outputs are there at once or not at all, for
one request and a unit for each kilobyte of them together. A single one at place 0 is stored as
older releases store it. The special channels are items of their own, as each call replaces them.

The item of a call has the key of the task's place 0, whichever places it holds, so the first call
of a task keeps the others out by the condition of its put. Who comes later looks up which places
are held, and stores those that are not, each alone. So no place is held twice, but where releases
before this form, or the time to live, had a hand in it: there the first one counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.base import WRITES_IDX_MAP

from langgraph_checkpoint_dynamodb.errors import ItemTooLargeError, UnreadableItemError
from langgraph_checkpoint_dynamodb.format.bounds import whole
from langgraph_checkpoint_dynamodb.format.keys import (
    CheckpointRef,
    lone_write_sort_key,
    split_write_sort_key,
    task_sort_key,
    write_sort_key,
)
from langgraph_checkpoint_dynamodb.format.life import is_live
from langgraph_checkpoint_dynamodb.format.sizes import ITEM_LIMIT
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Key, Table
from langgraph_checkpoint_dynamodb.items.attributes import (
    described_size,
    described_together,
    make_item,
    number_if_told,
    optional_text,
    payload,
    read_key,
    room_of,
    stored_as,
    text,
)
from langgraph_checkpoint_dynamodb.items.owner import of_checkpoint
from langgraph_checkpoint_dynamodb.items.values import Planned, Serialized
from langgraph_checkpoint_dynamodb.payloads.descriptions import describe, describe_group
from langgraph_checkpoint_dynamodb.payloads.kinds import Chunks, Inline, S3Object
from langgraph_checkpoint_dynamodb.payloads.placement import (
    Destination,
    copyable_item_limit,
    place_values,
    require_value_size,
)
from langgraph_checkpoint_dynamodb.requests.items import Put

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from langgraph_checkpoint_dynamodb.format.life import Stamp
    from langgraph_checkpoint_dynamodb.payloads.kinds import Payload
    from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy
    from langgraph_checkpoint_dynamodb.requests.items import Item, StoredItem

SPECIAL_CHANNELS = tuple(WRITES_IDX_MAP)
"""Channels with a place of their own in a task, below those of its outputs.

Older writers gave them the place they had in the call, as any other write. What holds a place so
must not keep the task's output of that place out: an error, say, once the task was repeated.
"""

MOST_PLACES = 10**9
"""Places of a task: more than fit into any call."""


@dataclass(frozen=True, slots=True)
class Held:
    """The item a write was read from.

    Attributes:
        sort: Its sort key.
        created: When it was stored, in seconds since the epoch; `None` where it does not say.
        ttl: When it may be deleted; `None` for never.
        together: Whether it holds the writes of a call.
    """

    sort: str
    created: int | None = None
    ttl: int | None = None
    together: bool = False


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """A pending write.

    Attributes:
        task_id: The task that made it.
        idx: Its place among the task's writes; negative for the special channels, which have one
            place each (`WRITES_IDX_MAP`).
        channel: The channel written to.
        value: The serialized value.
        task_path: Path of the task, empty where none was given.
        held: The item it was read from; `None` for one that is yet to be stored.
    """

    task_id: str
    idx: int
    channel: str
    value: Serialized
    task_path: str = ""
    held: Held | None = None

    @property
    def ttl(self) -> int | None:
        """When it may be deleted; `None` for never."""
        return None if self.held is None else self.held.ttl

    def place(self, ref: CheckpointRef) -> str:
        """Which write it is, for messages."""
        return f"write {self.idx} of task {self.task_id!r} to channel {self.channel!r} on {ref}"

    def plan(self, ref: CheckpointRef, policy: PayloadPolicy, stamp: Stamp) -> Planned:
        """What stores it in an item of its own, at its place.

        Regular writes keep the first value, special ones the last.

        Args:
            ref: The checkpoint it belongs to.
            policy: How values are stored.
            stamp: When and by which call.

        Raises:
            PayloadTooLargeError: The value is over the policy's ceiling.
            ItemTooLargeError: It is over DynamoDB's limit even without its value.
        """
        key = Key(ref.writes_partition, write_sort_key(self.task_id, self.idx))

        def build(payloads: Mapping[str, Payload]) -> Item:
            return _item_alone(self, ref, stamp, key, payloads)

        token = f"{stamp.token}-{self.idx}"
        destination = Destination(self.place(ref), ref, token, build, room_of)
        placed = place_values(policy, {Attribute.VALUE: self.value.data}, destination)
        put = Put(Table.WRITES, key, placed.item)
        return Planned(
            put if self.idx < 0 else _first_wins(put, stamp), placed.parts, placed.payloads
        )


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """What stores the writes of one call.

    Attributes:
        special: Those to special channels, an item each.
        regular: The others: one item, or several where one does not hold them.
        others: The others one by one, as they were to be stored.
    """

    special: tuple[Planned, ...]
    regular: tuple[Planned, ...]
    others: tuple[WriteRecord, ...]

    @property
    def planned(self) -> tuple[Planned, ...]:
        """All of it, special ones first."""
        return self.special + self.regular

    @property
    def placed(self) -> tuple[WriteRecord, ...]:
        """The others, their values where the plan has placed them."""
        payloads = (payload for planned in self.regular for payload in planned.payloads)
        return tuple(
            replace(write, value=replace(write.value, payload=payload))
            for write, payload in zip(self.others, payloads, strict=True)
        )


def plan_writes(
    writes: Sequence[WriteRecord], ref: CheckpointRef, policy: PayloadPolicy, stamp: Stamp
) -> TaskPlan:
    """What stores the writes that a task made in one call.

    Args:
        writes: They, each at a place of its own, their values loaded.
        ref: The checkpoint they belong to.
        policy: How values are stored.
        stamp: When and by which call.

    Raises:
        PayloadTooLargeError: A value is over the policy's ceiling.
        ItemTooLargeError: One is over DynamoDB's limit even without its value.
    """
    special = tuple(write.plan(ref, policy, stamp) for write in writes if write.idx < 0)
    others = [write for write in writes if write.idx >= 0]
    if not others:
        return TaskPlan(special, (), ())
    if [write.idx for write in others] == [0]:
        regular = [others[0].plan(ref, policy, stamp)]
    else:
        for write in others:
            size = len(write.value.data)
            require_value_size(policy, write.place(ref), Attribute.VALUE, size)
        sort = task_sort_key(others[0].task_id)
        regular = _plan_together(others, ref, policy, stamp, sort)
    return TaskPlan(special, tuple(regular), tuple(others))


def _plan_together(
    writes: Sequence[WriteRecord],
    ref: CheckpointRef,
    policy: PayloadPolicy,
    stamp: Stamp,
    sort: str,
) -> list[Planned]:
    """Items that hold writes together: one, or two halves where it would be too large."""
    key = Key(ref.writes_partition, sort)
    named = {f"{write.idx}-{Attribute.VALUE}": write for write in writes}

    def build(payloads: Mapping[str, Payload]) -> Item:
        pairs = [(write, payloads[name]) for name, write in named.items()]
        return _item_together(pairs, ref, stamp, key)

    # A copy of it to a thread with a longer id must fit too.
    limit = copyable_item_limit(ref) if len(writes) > 1 else ITEM_LIMIT
    destination = Destination(
        f"the writes of task {writes[0].task_id!r} on {ref}",
        ref,
        stamp.token,
        build,
        _room_together,
        limit,
    )
    values = {name: write.value.data for name, write in named.items()}
    try:
        placed = place_values(policy, values, destination)
    except ItemTooLargeError:
        if len(writes) == 1:
            raise
        middle = len(writes) // 2
        first, second = writes[:middle], writes[middle:]
        further = write_sort_key(second[0].task_id, second[0].idx)
        return [
            *_plan_together(first, ref, policy, stamp, sort),
            *_plan_together(second, ref, policy, stamp, further),
        ]
    put = Put(Table.WRITES, key, placed.item)
    return [Planned(_first_wins(put, stamp), placed.parts, placed.payloads)]


def put_alone(write: WriteRecord, ref: CheckpointRef, stamp: Stamp) -> Put:
    """What stores a regular write at its place, where others of its task hold theirs already.

    Args:
        write: The write, its value placed.
        ref: The checkpoint it belongs to.
        stamp: When and by which call.
    """
    key = Key(ref.writes_partition, lone_write_sort_key(write.task_id, write.idx))
    item = _item_alone(write, ref, stamp, key, {Attribute.VALUE: write.value.payload})
    return _first_wins(Put(Table.WRITES, key, item), stamp)


def places_held(item: StoredItem, task_id: str, now: int) -> frozenset[int]:
    """The places of a task that an item holds against regular writes that come later.

    Raises:
        UnreadableItemError: It holds several, and does not say which.
    """
    key = read_key(item, Table.WRITES)
    found = split_write_sort_key(key.sort)
    if found is None or found[0] != task_id:
        return frozenset()
    if not is_live(number_if_told(item, Attribute.TTL), now):
        return frozenset()
    if Attribute.WRITES in item:
        place = f"item {key.sort!r} of partition {key.partition!r}"
        return frozenset(entry.idx for entry in _entries(item, place))
    special = item.get(Attribute.CHANNEL, {}).get("S") in SPECIAL_CHANNELS
    return frozenset() if special or not found[1].isdecimal() else frozenset({int(found[1])})


def read_writes(item: StoredItem, ref: CheckpointRef, ttl: int | None) -> tuple[WriteRecord, ...]:
    """The writes in an item; none where it is no write's.

    Args:
        item: The item.
        ref: The checkpoint it lies beside.
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
    held = Held(
        sort, number_if_told(item, Attribute.CREATED), ttl, together=Attribute.WRITES in item
    )
    if held.together:
        return tuple(
            WriteRecord(task_id, entry.idx, entry.channel, entry.value, task_path, held)
            for entry in _entries(item, place)
        )
    try:
        number = int(idx)
    except ValueError:
        raise UnreadableItemError(
            place=place, attribute=Attribute.TASK_ID_IDX, problem="does not end in a number"
        ) from None
    value = Serialized(text(item, Attribute.TYPE, place), payload(item, Attribute.VALUE, place))
    channel = text(item, Attribute.CHANNEL, place)
    return (WriteRecord(task_id, number, channel, value, task_path, held),)


def standing(writes: Iterable[WriteRecord]) -> list[WriteRecord]:
    """The writes without those whose place was held before.

    Where a place is held twice, the older item counts, and the one that holds it alone where both
    are as old: who stores a write alone has looked before. A special channel at a regular place, as
    older writers have it, gives way.
    """
    first: dict[tuple[str, int], WriteRecord] = {}
    for write in writes:
        known = first.setdefault((write.task_id, write.idx), write)
        if known is not write and _age(write) < _age(known):
            first[write.task_id, write.idx] = write
    return list(first.values())


def _age(write: WriteRecord) -> tuple[bool, int, bool, str]:
    held = write.held or Held("")
    gives_way = write.idx >= 0 and write.channel in SPECIAL_CHANNELS
    return (gives_way, -1 if held.created is None else held.created, held.together, held.sort)


def data_size(writes: Iterable[WriteRecord]) -> int:
    """Bytes of the values of writes, which must have been loaded."""
    return sum(len(write.value.data) for write in writes)


def _first_wins(put: Put, stamp: Stamp) -> Put:
    return Put(put.table, put.key, put.item, True, stamp.created, SPECIAL_CHANNELS)


def _item_alone(
    write: WriteRecord,
    ref: CheckpointRef,
    stamp: Stamp,
    key: Key,
    payloads: Mapping[str, Payload],
) -> Item:
    attributes = {
        Attribute.CHANNEL: write.channel,
        Attribute.TYPE: write.value.type,
        Attribute.TASK_PATH: write.task_path or None,
        **of_checkpoint(ref, stamp),
        **stored_as(payloads),
    }
    return make_item(Table.WRITES, key, attributes)


def _item_together(
    writes: Sequence[tuple[WriteRecord, Payload]], ref: CheckpointRef, stamp: Stamp, key: Key
) -> Item:
    entries: list[list[Any]] = []
    for write, stored in writes:
        entry: list[Any] = [write.idx, write.channel, write.value.type]
        entries.append([*entry, stored.data] if isinstance(stored, Inline) else entry)
    described = describe_group({str(write.idx): stored for write, stored in writes})
    attributes = {
        Attribute.WRITES: entries,
        Attribute.payload(Attribute.VALUE): described,
        Attribute.TASK_PATH: writes[0][0].task_path or None,
        **of_checkpoint(ref, stamp),
    }
    return make_item(Table.WRITES, key, attributes)


def _room_together(name: str, stored: Payload) -> int:
    """Bytes that a value takes in an item of several, with its description."""
    size = 1 + len(stored.data) if isinstance(stored, Inline) else 0
    description = describe(stored)
    # A digit of the place is a byte; the map is there once, and counted with each.
    return size if description is None else size + described_size(name, description)


@dataclass(frozen=True, slots=True)
class _Entry:
    idx: int
    channel: str
    value: Serialized


def _entries(item: StoredItem, place: str) -> list[_Entry]:
    """The writes of an item that holds several.

    Raises:
        UnreadableItemError: One of them is damaged, or a place is there twice.
    """
    match item.get(Attribute.WRITES):
        case {"L": list(listed)}:
            pass
        case _:
            raise _damaged(place, "is not a list (L)")
    described = described_together(item, place)
    entries = [_entry(one, described, place) for one in listed]
    if len({entry.idx for entry in entries}) < len(entries):
        raise _damaged(place, "holds a place twice")
    return entries


def _entry(entry: object, described: Mapping[str, Payload], place: str) -> _Entry:
    match entry:
        case {"L": [{"N": str(number)}, {"S": str(channel)}, {"S": str(kind)}, *rest]}:
            idx = whole(number, MOST_PLACES)
        case _:
            raise _damaged(place, "holds something else than place, channel, type and value")
    if idx is None:
        raise _damaged(place, f"holds a place that is no whole number from 0 to {MOST_PLACES}")
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
