"""Plans the items that store the writes of a call.

The regular writes of one call are one item, a group: the outputs of a task are stored all or none,
in one request, at one write unit per kilobyte of the item. A single write at place 0 is stored as
older releases store it. Special channels are items of their own, because each call replaces them.

A group has the sort key of the task's place 0, whichever places it holds. So the first call of a
task blocks later ones by the condition of its put. A later call looks up which places are taken and
stores its other writes one by one. No two items hold the same place, except where a release before
groups wrote them, or after the first item's time to live: there the first one counts
(`without_duplicates`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import ItemTooLargeError
from langgraph_checkpoint_dynamodb.format.sizes import ITEM_LIMIT
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Key, Table
from langgraph_checkpoint_dynamodb.format.write_keys import (
    single_write_sort_key,
    task_sort_key,
    write_sort_key,
)
from langgraph_checkpoint_dynamodb.items.attributes import make_item
from langgraph_checkpoint_dynamodb.items.payload_attributes import (
    description_size,
    payload_attributes,
    payload_room,
)
from langgraph_checkpoint_dynamodb.items.values import ItemPlan
from langgraph_checkpoint_dynamodb.items.writes import SPECIAL_CHANNELS, WriteRecord
from langgraph_checkpoint_dynamodb.items.writes_owner import owner_attributes
from langgraph_checkpoint_dynamodb.payloads.descriptions import describe, describe_group
from langgraph_checkpoint_dynamodb.payloads.kinds import Inline
from langgraph_checkpoint_dynamodb.payloads.placement import (
    Destination,
    copyable_item_limit,
    place_values,
    require_value_size,
)
from langgraph_checkpoint_dynamodb.requests.items import Put

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langgraph_checkpoint_dynamodb.format.expiry import Stamp
    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.payloads.kinds import Payload
    from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy
    from langgraph_checkpoint_dynamodb.requests.items import Item


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """The items that store the writes of one call.

    Attributes:
        special: Items of the writes to special channels, one per write.
        regular: Items of the regular writes: one, or several if one cannot hold them.
        regular_writes: The regular writes, as passed in.
    """

    special: tuple[ItemPlan, ...]
    regular: tuple[ItemPlan, ...]
    regular_writes: tuple[WriteRecord, ...]

    @property
    def planned(self) -> tuple[ItemPlan, ...]:
        """All items, those of special channels first."""
        return self.special + self.regular

    @property
    def placed(self) -> tuple[WriteRecord, ...]:
        """The regular writes, with their values in the places that the plan has chosen."""
        payloads = (payload for planned in self.regular for payload in planned.payloads)
        return tuple(
            replace(write, value=replace(write.value, payload=payload))
            for write, payload in zip(self.regular_writes, payloads, strict=True)
        )


def plan_writes(
    writes: Sequence[WriteRecord], ref: CheckpointRef, policy: PayloadPolicy, stamp: Stamp
) -> TaskPlan:
    """Plan the items that store the writes of a task's call.

    Args:
        writes: The writes, each at a place of its own, their values loaded.
        ref: The checkpoint they belong to.
        policy: How values are stored.
        stamp: When and by which call.

    Raises:
        PayloadTooLargeError: A value is over the policy's ceiling.
        ItemTooLargeError: A write is over DynamoDB's limit even without its value.
    """
    special = tuple(plan_write(write, ref, policy, stamp) for write in writes if write.idx < 0)
    regular = [write for write in writes if write.idx >= 0]
    if not regular:
        return TaskPlan(special, (), ())
    if [write.idx for write in regular] == [0]:
        plans = [plan_write(regular[0], ref, policy, stamp)]
    else:
        for write in regular:
            size = len(write.value.data)
            require_value_size(policy, write.place(ref), Attribute.VALUE, size)
        sort = task_sort_key(regular[0].task_id)
        plans = _plan_group(regular, ref, policy, stamp, sort)
    return TaskPlan(special, tuple(plans), tuple(regular))


def plan_write(
    write: WriteRecord, ref: CheckpointRef, policy: PayloadPolicy, stamp: Stamp
) -> ItemPlan:
    """Plan the item of a single write at its place.

    A regular write is stored unless its place is taken; a special one replaces the last.

    Args:
        write: The write, its value loaded.
        ref: The checkpoint it belongs to.
        policy: How values are stored.
        stamp: When and by which call.

    Raises:
        PayloadTooLargeError: The value is over the policy's ceiling.
        ItemTooLargeError: The write is over DynamoDB's limit even without its value.
    """
    key = Key(ref.writes_partition, write_sort_key(write.task_id, write.idx))

    def build(payloads: Mapping[str, Payload]) -> Item:
        return _single_item(write, ref, stamp, key, payloads)

    token = f"{stamp.token}-{write.idx}"
    destination = Destination(write.place(ref), ref, token, build, payload_room)
    placed = place_values(policy, {Attribute.VALUE: write.value.data}, destination)
    put = Put(Table.WRITES, key, placed.item)
    if write.idx >= 0:
        put = _first_wins(put, stamp)
    return ItemPlan(put, placed.parts, placed.payloads)


def _plan_group(
    writes: Sequence[WriteRecord],
    ref: CheckpointRef,
    policy: PayloadPolicy,
    stamp: Stamp,
    sort: str,
) -> list[ItemPlan]:
    """Plan the groups of these writes: one item, or two halves if the item would be too large."""
    key = Key(ref.writes_partition, sort)
    named = {f"{write.idx}-{Attribute.VALUE}": write for write in writes}

    def build(payloads: Mapping[str, Payload]) -> Item:
        pairs = [(write, payloads[name]) for name, write in named.items()]
        return _group_item(pairs, ref, stamp, key)

    # Its copy in a thread with a longer id must fit too.
    limit = copyable_item_limit(ref) if len(writes) > 1 else ITEM_LIMIT
    destination = Destination(
        f"the writes of task {writes[0].task_id!r} on {ref}",
        ref,
        stamp.token,
        build,
        _group_room,
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
        second_sort = write_sort_key(second[0].task_id, second[0].idx)
        return [
            *_plan_group(first, ref, policy, stamp, sort),
            *_plan_group(second, ref, policy, stamp, second_sort),
        ]
    put = Put(Table.WRITES, key, placed.item)
    return [ItemPlan(_first_wins(put, stamp), placed.parts, placed.payloads)]


def put_single(write: WriteRecord, ref: CheckpointRef, stamp: Stamp) -> Put:
    """The request that stores a regular write after another call of its task has stored a group.

    Args:
        write: The write, its value placed.
        ref: The checkpoint it belongs to.
        stamp: When and by which call.
    """
    key = Key(ref.writes_partition, single_write_sort_key(write.task_id, write.idx))
    item = _single_item(write, ref, stamp, key, {Attribute.VALUE: write.value.payload})
    return _first_wins(Put(Table.WRITES, key, item), stamp)


def _first_wins(put: Put, stamp: Stamp) -> Put:
    """The same request, with a condition that fails while a live regular write has the key."""
    return Put(put.table, put.key, put.item, True, stamp.created, SPECIAL_CHANNELS)


def _single_item(
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
        **owner_attributes(ref, stamp),
        **payload_attributes(payloads),
    }
    return make_item(Table.WRITES, key, attributes)


def _group_item(
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
        **owner_attributes(ref, stamp),
    }
    return make_item(Table.WRITES, key, attributes)


def _group_room(name: str, stored: Payload) -> int:
    """Bytes that a value takes in a group, with its description."""
    size = 1 + len(stored.data) if isinstance(stored, Inline) else 0
    description = describe(stored)
    # An upper bound: the map of descriptions is stored once, and counted here for each value.
    return size if description is None else size + description_size(name, description)
