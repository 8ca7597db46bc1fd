"""`list`: its pages, its limit, and its end."""

from __future__ import annotations

import pytest

from langgraph_checkpoint_dynamodb.errors import MissingPartError
from langgraph_checkpoint_dynamodb.format.addressing import Address
from langgraph_checkpoint_dynamodb.format.ranges import SortRange
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.ops.listing import Wanted, list_thread
from langgraph_checkpoint_dynamodb.requests.items import GetItem, Query
from langgraph_checkpoint_dynamodb.requests.operations import Concurrently, Emit
from tests.operations.examples import (
    CONTEXT,
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
    thread_of,
    writes_query,
)
from tests.operations.in_memory import InMemoryTables
from tests.operations.stepping import ends_without_a_request, kinds


def listed_ids(memory: InMemoryTables) -> list[str]:
    return [found.config["configurable"]["checkpoint_id"] for found in memory.emitted]


def test_listing_with_a_limit_asks_for_exactly_that_many_items_then_for_their_writes() -> None:
    memory = InMemoryTables(thread_of(9))
    memory.run(list_thread(CONTEXT, Address("t", "", None), Wanted(limit=3)))
    assert memory.asked == [
        Query(Table.CHECKPOINTS, "t", consistent=True, sort=ROOT_RANGE, forward=False, limit=3),
        writes_query("0009"),
        writes_query("0008"),
        writes_query("0007"),
    ]
    assert listed_ids(memory) == ["0009", "0008", "0007"]


def test_listing_reads_the_writes_of_a_page_side_by_side() -> None:
    operation = list_thread(CONTEXT, Address("t", "", None), Wanted(limit=2))
    next(operation)
    group = operation.send(page(checkpoint_item(record("0002")), checkpoint_item(record("0001"))))
    assert isinstance(group, Concurrently)
    assert [next(member) for member in group.operations] == [
        writes_query("0002"),
        writes_query("0001"),
    ]


def test_listing_before_a_checkpoint_asks_for_one_item_more_which_may_be_that_one() -> None:
    memory = InMemoryTables(thread_of(9))
    wanted = Wanted(before="0005", limit=2)
    memory.run(list_thread(CONTEXT, Address("t", "", None), wanted))
    assert memory.asked == [
        Query(
            Table.CHECKPOINTS,
            "t",
            consistent=True,
            sort=SortRange('"', "0005"),
            forward=False,
            limit=3,
        ),
        writes_query("0004"),
        writes_query("0003"),
    ]
    assert listed_ids(memory) == ["0004", "0003"]


def test_listing_before_a_checkpoint_that_is_gone_still_finds_the_limit() -> None:
    memory = InMemoryTables([one for one in thread_of(9) if one.key.sort != "0005"])
    wanted = Wanted(before="0005", limit=2)
    memory.run(list_thread(CONTEXT, Address("t", "", None), wanted))
    assert listed_ids(memory) == ["0004", "0003"]
    assert kinds(memory.asked) == ["Query", "Query", "Query"]


def test_listing_goes_on_for_what_tombstones_have_taken_from_the_limit() -> None:
    chain = thread_of(5)
    newest = head_of(chain[4]).tombstone(NOW)
    memory = InMemoryTables([*chain, newest])
    memory.run(list_thread(CONTEXT, Address("t", "", None), Wanted(limit=2)))
    assert listed_ids(memory) == ["0004", "0003"]
    pages = [one for one in memory.asked if isinstance(one, Query) and one.partition == "t"]
    assert [page.limit for page in pages] == [2, 1]


def test_a_listing_that_nobody_reads_on_asks_for_no_more() -> None:
    memory = InMemoryTables(thread_of(40))
    stream = list_thread(CONTEXT, Address("t", "", None), Wanted())
    request = next(stream)
    while not isinstance(request, Emit):
        request = stream.send(memory.answer(request))
    stream.close()
    assert kinds(memory.asked) == ["Query"] * (1 + len(request.values))
    assert len(request.values) == 16


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_of_nothing_is_no_request(limit: int) -> None:
    stream = list_thread(CONTEXT, Address("t", "", None), Wanted(limit=limit))
    assert ends_without_a_request(stream)


def test_listing_before_everything_is_no_request() -> None:
    # DynamoDB rejects a range whose start is above its end.
    stream = list_thread(CONTEXT, Address("t", "", None), Wanted(before="!"))
    assert ends_without_a_request(stream)


@pytest.mark.parametrize("then", ["still missing", "there", "deleted"])
def test_listing_looks_once_more_for_the_one_checkpoint_that_misses_a_chunk(then: str) -> None:
    stream = list_thread(RELAXED, Address("t", "", None), Wanted(limit=1))
    item, *chunks = items_with_parts(large("0001"), SMALL)
    next(stream)
    stream.send(page(item))
    again = stream.send(page())
    assert again == GetItem(Table.CHECKPOINTS, Key("t", "0001"), consistent=True)
    if then == "deleted":
        assert stream.send(None) == Emit([])
        return
    assert stream.send(item.item) == writes_query("0001")
    if then == "there":
        emitted = stream.send(page(*chunks))
        assert isinstance(emitted, Emit)
        assert [one.checkpoint["id"] for one in emitted.values] == ["0001"]
        return
    with pytest.raises(MissingPartError):
        stream.send(page())
