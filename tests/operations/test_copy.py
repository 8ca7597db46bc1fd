"""`copy_thread`: parts are stored before the items that refer to them."""

from __future__ import annotations

from typing import Any

import pytest

from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.items.checkpoints import CHECKPOINT_KEYS
from langgraph_checkpoint_dynamodb.ops.copy import copy_thread
from langgraph_checkpoint_dynamodb.ops.write import put_checkpoint
from langgraph_checkpoint_dynamodb.requests.items import BatchWrite, Put, Query, TransactPut
from langgraph_checkpoint_dynamodb.requests.objects import CopyObject
from tests.operations.examples import (
    BYTES,
    CONTEXT,
    IN_S3,
    NESTED,
    NOW,
    checkpoint_item,
    checkpoint_of,
    head_of,
    of_another_call,
    record,
    s3_key,
    thread_of,
    writes_query,
)
from tests.operations.in_memory import InMemoryTables
from tests.operations.stepping import changed, changes_of, ends_without_a_request, kinds


def copied(memory: InMemoryTables) -> list[str]:
    """Sort keys of the checkpoints copied to thread `u`, in order."""
    return [key.sort for key in changed(memory.asked, Put) if key.partition == "u"]


def test_a_copy_stores_the_writes_of_a_checkpoint_before_the_checkpoint() -> None:
    memory = InMemoryTables(thread_of(3))
    memory.run(copy_thread(CONTEXT, "t", "u"))
    assert memory.asked[:-2] == [
        Query(Table.CHECKPOINTS, "u", consistent=True, attributes=CHECKPOINT_KEYS),
        Query(Table.CHECKPOINTS, "t", consistent=True, limit=100),
        writes_query("0001"),
        writes_query("0002"),
        writes_query("0003"),
    ]
    writes, checkpoints = memory.asked[-2:]
    assert isinstance(writes, BatchWrite)
    assert [change.key.partition for change in writes.changes] == [
        "u:::0001:::",
        "u:::0002:::",
        "u:::0003:::",
    ]
    assert isinstance(checkpoints, TransactPut)
    assert [one.key for one in checkpoints.puts] == [
        Key("u", "0001"),
        Key("u", "0002"),
        Key("u", "0003"),
    ]


def test_a_copy_changes_nothing_in_an_item_but_the_thread() -> None:
    strange = {**checkpoint_item(record("0001")).item, "of_another_writer": {"N": "1"}}
    memory = InMemoryTables([Put(Table.CHECKPOINTS, Key("t", "0001"), strange)])
    memory.run(copy_thread(CONTEXT, "t", "u"))
    assert memory.items[Table.CHECKPOINTS, Key("u", "0001")] == {**strange, "thread_id": {"S": "u"}}


@pytest.mark.parametrize("page_size", [1, 2, 1000])
def test_a_copy_stores_a_parent_before_its_child_also_where_its_id_sorts_above(
    page_size: int,
) -> None:
    # Ids out of order, as after clock steps: 0001 <- 0009 <- 0003 <- 0005, and 0004 waits for 0003.
    parents = {"0001": None, "0009": "0001", "0003": "0009", "0005": "0003", "0004": "0003"}
    memory = InMemoryTables(
        [checkpoint_item(record(id_, parent)) for id_, parent in parents.items()],
        page_size=page_size,
    )
    memory.run(copy_thread(CONTEXT, "t", "u"))
    order = copied(memory)
    assert sorted(order) == sorted(parents)
    for child, parent in parents.items():
        assert parent is None or order.index(parent) < order.index(child)


def test_a_copy_stores_nested_namespaces_before_the_root() -> None:
    nested = record("0009", checkpoint_ns="sub")
    memory = InMemoryTables([*thread_of(2), checkpoint_item(nested)], page_size=1)
    memory.run(copy_thread(CONTEXT, "t", "u"))
    assert copied(memory) == [NESTED + "0009", "0001", "0002"]


def test_a_copy_takes_along_a_checkpoint_whose_parent_is_gone() -> None:
    memory = InMemoryTables(
        [checkpoint_item(record("0001", "0009")), checkpoint_item(record("0002", "0000"))]
    )
    memory.run(copy_thread(CONTEXT, "t", "u"))
    assert sorted(copied(memory)) == ["0001", "0002"]


def test_a_copy_of_parents_in_a_circle_ends_and_is_complete() -> None:
    memory = InMemoryTables(
        [
            checkpoint_item(record("0001", "0002")),
            checkpoint_item(record("0002", "0001")),
            checkpoint_item(record("0003", "0003")),
            checkpoint_item(record("0004", "0002")),
        ]
    )
    memory.run(copy_thread(CONTEXT, "t", "u"))
    assert sorted(copied(memory)) == ["0001", "0002", "0003", "0004"]


def test_a_copy_leaves_tombstones_behind() -> None:
    chain = thread_of(2)
    newest = head_of(chain[1]).tombstone(NOW)
    memory = InMemoryTables([*chain, newest])
    memory.run(copy_thread(CONTEXT, "t", "u"))
    assert copied(memory) == ["0001"]


def test_a_copy_of_a_thread_to_itself_is_no_request() -> None:
    assert ends_without_a_request(copy_thread(CONTEXT, "t", "t"))


def test_a_copy_stores_what_leads_to_an_object_then_the_object_then_what_refers_to_it() -> None:
    memory = InMemoryTables([])
    memory.run(put_checkpoint(IN_S3, checkpoint_of(BYTES)))
    memory.asked.clear()
    memory.run(copy_thread(of_another_call(IN_S3), "t", "u"))
    changes = [one for one in memory.asked if not isinstance(one, Query)]
    assert kinds(changes) == ["BatchWrite", "CopyObject", "TransactPut"]
    (lead,), (own,) = changes_of(changes[0]), changes_of(changes[2])
    assert isinstance(lead, Put)
    assert isinstance(own, Put)
    assert (lead.key.partition, own.key) == ("u:::0001:::", Key("u", "0001"))
    refers_to: Any = own.item["checkpoint_payload"]
    copied_to = refers_to["M"]["key"]
    assert lead.item["object_key"] == copied_to
    assert changes[1] == CopyObject("bucket", s3_key(BYTES, "token-checkpoint"), copied_to["S"])
