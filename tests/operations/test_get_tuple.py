"""`get_tuple`: by id and newest, with values in one item, in chunks and in ranges."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from langgraph_checkpoint_dynamodb.errors import MissingPartError
from langgraph_checkpoint_dynamodb.format.addressing import Address
from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
from langgraph_checkpoint_dynamodb.format.ranges import SortRange
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.ops.read import get_tuple
from langgraph_checkpoint_dynamodb.requests.items import GetItem, Query
from langgraph_checkpoint_dynamodb.requests.operations import Concurrently
from tests.operations.examples import (
    CONTEXT,
    NESTED,
    NOW,
    RELAXED,
    ROOT_RANGE,
    SMALL,
    checkpoint_item,
    head_of,
    items_with_parts,
    large,
    page,
    record,
    start_key,
    write,
    write_item,
    writes_query,
)
from tests.operations.in_memory import InMemoryTables
from tests.operations.stepping import computed, first_requests, kinds, result_of
from tests.support.values import config

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.ops.context import Context


@pytest.mark.parametrize("consistent", [True, False])
def test_a_checkpoint_and_its_writes_are_read_side_by_side_when_the_id_is_known(
    consistent: bool,
) -> None:
    context = replace(CONTEXT, consistent=consistent)
    operation = get_tuple(context, Address("t", None, "0001"))
    group = next(operation)
    assert isinstance(group, Concurrently)
    reading, writes = group.operations
    assert next(reading) == GetItem(Table.CHECKPOINTS, Key("t", "0001"), consistent)
    assert next(writes) == Query(Table.WRITES, "t:::0001:::", consistent)
    read = result_of(reading, checkpoint_item(record("0001", step=1)).item)
    ref = CheckpointRef("t", "", "0001")
    found_writes = page(write_item(write(10), ref), write_item(write(9, value="nine"), ref))
    found = result_of(operation, [read, result_of(writes, found_writes)])
    assert found.config == config("t", "", "0001")
    assert found.checkpoint["channel_values"] == {"step": 1}
    assert found.pending_writes == [("task", "log", "nine"), ("task", "log", None)]


def test_a_checkpoint_that_only_has_writes_does_not_exist() -> None:
    memory = InMemoryTables([write_item(write(0), CheckpointRef("t", "", "0001"))])
    assert memory.run(get_tuple(CONTEXT, Address("t", "", "0001"))) is None


def test_the_newest_checkpoint_is_one_item_of_its_range_then_its_writes() -> None:
    operation = get_tuple(CONTEXT, Address("t", None, None))
    newest = Query(Table.CHECKPOINTS, "t", consistent=True, sort=ROOT_RANGE, forward=False, limit=1)
    assert next(operation) == newest
    assert operation.send(
        page(checkpoint_item(record("0002", "0001")), after="0002")
    ) == writes_query("0002")
    found = result_of(operation, page())
    assert found.config == config("t", "", "0002")
    assert found.parent_config == config("t", "", "0001")


def test_the_newest_nested_checkpoint_is_looked_for_in_its_own_range() -> None:
    operation = get_tuple(CONTEXT, Address("t", "sub", None))
    request = next(operation)
    assert isinstance(request, Query)
    assert request.sort == SortRange(NESTED, NESTED[:-1] + ";")
    assert result_of(operation, page()) is None


@pytest.mark.parametrize("hidden", ["tombstone", "older writer"])
def test_the_newest_checkpoint_is_looked_for_below_an_item_that_is_none(hidden: str) -> None:
    newest = checkpoint_item(record("0009"))
    if hidden == "tombstone":
        newest = head_of(newest).tombstone(NOW)
    else:
        newest = replace(newest, item={**newest.item, "checkpoint_ns": {"S": "sub"}})
    operation = get_tuple(CONTEXT, Address("t", "", None))
    next(operation)
    assert operation.send(page(newest, after="0009")) == Query(
        Table.CHECKPOINTS,
        "t",
        consistent=True,
        sort=ROOT_RANGE,
        forward=False,
        limit=25,
        start=start_key("0009"),
    )
    assert operation.send(page(checkpoint_item(record("0008")))) == writes_query("0008")
    assert result_of(operation, page()).config == config("t", "", "0008")


def test_a_thread_of_nothing_but_tombstones_has_no_newest_checkpoint() -> None:
    heads = [head_of(checkpoint_item(record(id_))) for id_ in ("0001", "0002", "0003")]
    memory = InMemoryTables([head.tombstone(NOW) for head in heads], page_size=1)
    assert memory.run(get_tuple(CONTEXT, Address("t", "", None))) is None
    assert kinds(memory.asked) == ["Query", "Query", "Query"]


HUGE = record("0001", blob="x" * 2_100_000)
"""Six chunks, two per page."""


def huge_cuts() -> list[str]:
    """Sort keys of the second and the fourth chunk."""
    chunks = [one.key.sort for one in items_with_parts(HUGE, CONTEXT)[1:]]
    assert len(chunks) == 6
    return [chunks[1], chunks[3]]


def test_a_value_of_more_than_a_page_is_read_as_ranges_that_meet() -> None:
    operation = computed(get_tuple(CONTEXT, Address("t", "", None)))
    next(operation)
    item, *chunks = items_with_parts(HUGE, CONTEXT)
    group = operation.send(page(item))
    query = writes_query("0001")
    first, second = huge_cuts()
    assert first_requests(group) == [
        replace(query, sort=SortRange(high=first)),
        replace(query, after=first, sort=SortRange(high=second)),
        replace(query, after=second),
    ]
    pages = [[one.item for one in chunks[n : n + 2]] for n in (0, 2, 4)]
    found = result_of(operation, pages)
    assert found.checkpoint["channel_values"] == {"blob": "x" * 2_100_000}


def test_ranges_go_on_where_the_page_ended_that_was_read_beside_the_item() -> None:
    early, late = write(0, task_id="a task"), write(0, task_id="task")
    items = [
        *items_with_parts(HUGE, CONTEXT),
        write_item(early, HUGE.ref),
        write_item(late, HUGE.ref),
    ]
    memory = InMemoryTables(items, page_size=3)
    found = memory.run(get_tuple(CONTEXT, Address("t", "", "0001")))
    assert found.checkpoint["channel_values"] == {"blob": "x" * 2_100_000}
    assert [task for task, _, _ in found.pending_writes] == ["a task", "task"]
    query = writes_query("0001")
    first, second = huge_cuts()
    # On the first page: one write and two chunks. Nothing is read twice.
    assert memory.asked[1:] == [
        query,
        replace(query, start=start_key(first), sort=SortRange(high=second)),
        replace(query, after=second),
    ]


def test_a_value_of_one_page_is_read_in_one_range() -> None:
    one = record("0001", blob="x" * 900_000)
    memory = InMemoryTables(items_with_parts(one, CONTEXT))
    assert memory.run(get_tuple(CONTEXT, Address("t", "", None))) is not None
    assert kinds(memory.asked) == ["Query", "Query"]


@pytest.mark.parametrize("context", [SMALL, RELAXED], ids=["consistent", "relaxed"])
@pytest.mark.parametrize("then", ["still missing", "there", "deleted"])
def test_a_missing_chunk_is_looked_for_once_more_and_consistently(
    context: Context, then: str
) -> None:
    operation = get_tuple(context, Address("t", "", None))
    item, *chunks = items_with_parts(large("0001"), SMALL)
    newest = replace(
        Query(Table.CHECKPOINTS, "t", context.consistent, ROOT_RANGE, forward=False), limit=1
    )
    assert next(operation) == newest
    query = replace(writes_query("0001"), consistent=context.consistent)
    assert operation.send(page(item)) == query
    assert operation.send(page(*chunks[1:])) == replace(newest, consistent=True)
    if then == "deleted":
        assert result_of(operation, page()) is None
        return
    assert operation.send(page(item)) == writes_query("0001")
    if then == "there":
        assert result_of(operation, page(*chunks)).checkpoint["id"] == "0001"
        return
    with pytest.raises(MissingPartError, match="'0001' of thread 't'") as raised:
        operation.send(page(*chunks[1:]))
    assert raised.value.attribute == "checkpoint"


def test_the_second_look_by_an_id_reads_item_and_parts_side_by_side_again() -> None:
    operation = get_tuple(RELAXED, Address("t", "", "0001"))
    item, *chunks = items_with_parts(large("0001"), SMALL)
    request = next(operation)
    for consistent in (False, True):
        assert isinstance(request, Concurrently)
        reading, writes = request.operations
        assert next(reading) == GetItem(Table.CHECKPOINTS, Key("t", "0001"), consistent)
        assert next(writes) == replace(writes_query("0001"), consistent=consistent)
        replies = [result_of(reading, item.item), result_of(writes, page(*chunks[1:]))]
        if not consistent:
            request = operation.send(replies)
    with pytest.raises(MissingPartError):
        operation.send(replies)
