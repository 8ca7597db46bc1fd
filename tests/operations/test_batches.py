"""Batched changes, and queries with several pages."""

from __future__ import annotations

import pytest

from langgraph_checkpoint_dynamodb.errors import UnprocessedItemsError
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.requests.calls import (
    ATTEMPTS,
    query_all,
    write_all,
    write_in_order,
)
from langgraph_checkpoint_dynamodb.requests.items import BatchWrite, Delete, Query
from langgraph_checkpoint_dynamodb.requests.operations import Backoff, Concurrently
from tests.operations.examples import page, put, start_key
from tests.operations.stepping import ends_without_a_request, leave_undone_for_ever, result_of


def test_changes_are_sent_in_batches_of_25_side_by_side() -> None:
    changes = [put(number) for number in range(60)]
    operation = write_all(changes)
    group = next(operation)
    assert isinstance(group, Concurrently)
    assert [next(member) for member in group.operations] == [
        BatchWrite(tuple(changes[:25])),
        BatchWrite(tuple(changes[25:50])),
        BatchWrite(tuple(changes[50:])),
    ]
    assert result_of(operation, [None, None, None]) is None


def test_no_changes_are_no_request() -> None:
    assert ends_without_a_request(write_all([]))


def test_changes_in_order_wait_for_the_leftovers_of_the_batch_before() -> None:
    changes = [put(number) for number in range(30)]
    operation = write_in_order(changes)
    assert next(operation) == BatchWrite(tuple(changes[:25]))
    assert operation.send(tuple(changes[24:25])) == Backoff(0.05)
    assert operation.send(None) == BatchWrite(tuple(changes[24:25]))
    assert operation.send(()) == BatchWrite(tuple(changes[25:]))
    assert result_of(operation, ()) is None


def test_what_a_batch_leaves_undone_is_sent_again_alone() -> None:
    first, second, third = (put(number) for number in range(3))
    operation = write_all([first, second, third])
    assert next(operation) == BatchWrite((first, second, third))
    assert operation.send((first, third)) == Backoff(0.05)
    assert operation.send(None) == BatchWrite((first, third))
    assert operation.send((third,)) == Backoff(0.05)
    assert operation.send(None) == BatchWrite((third,))
    assert result_of(operation, ()) is None


def test_a_batch_without_progress_waits_longer_and_longer_then_names_the_keys() -> None:
    done = Delete(Table.WRITES, Key("t:::1:::", "task:::0"))
    stuck = (put(1), Delete(Table.CHECKPOINTS, Key("t", "0001")))
    operation = write_all([done, *stuck])
    next(operation)
    ceilings: list[float] = []
    with pytest.raises(UnprocessedItemsError) as raised:
        leave_undone_for_ever(operation, stuck, ceilings)
    assert ceilings == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert raised.value.keys == (("writes", "t:::1:::", "task:::1"), ("checkpoints", "t", "0001"))


def test_progress_begins_the_count_of_attempts_anew() -> None:
    puts = tuple(put(number) for number in range(5))
    operation = write_all(puts)
    request = next(operation)
    ceilings = []
    for left in range(4, -1, -1):
        for _ in range(ATTEMPTS - 2):  # one short of giving up
            waiting = operation.send(puts[-left - 1 :])
            assert isinstance(waiting, Backoff)
            ceilings.append(waiting.ceiling)
            request = operation.send(None)
        if left:
            waiting = operation.send(puts[-left:])
            assert waiting == Backoff(0.05)
            request = operation.send(None)
    assert request == BatchWrite(puts[-1:])
    assert max(ceilings) == 5.0
    assert result_of(operation, ()) is None


def test_a_query_follows_its_pages_even_over_an_empty_one() -> None:
    query = Query(Table.WRITES, "p", consistent=True)
    operation = query_all(query)
    assert next(operation) == query
    asked = operation.send(page(put(0), after="x"))
    assert asked == Query(Table.WRITES, "p", consistent=True, start=start_key("x"))
    asked = operation.send(page(after="y"))
    assert asked == Query(Table.WRITES, "p", consistent=True, start=start_key("y"))
    assert result_of(operation, page(put(1))) == [put(0).item, put(1).item]
