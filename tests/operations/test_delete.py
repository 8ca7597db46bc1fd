"""`delete_thread` and `delete_for_runs`: tombstones, marks and the order of deletes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.items.checkpoints import CHECKPOINT_KEYS, CheckpointRecord
from langgraph_checkpoint_dynamodb.items.values import Serialized
from langgraph_checkpoint_dynamodb.items.writes_partition import WRITE_REFERENCES, mark_put
from langgraph_checkpoint_dynamodb.ops.delete import delete_thread
from langgraph_checkpoint_dynamodb.ops.delete_runs import delete_for_runs
from langgraph_checkpoint_dynamodb.ops.write import put_checkpoint, put_writes
from langgraph_checkpoint_dynamodb.payloads.kinds import Inline
from langgraph_checkpoint_dynamodb.requests.items import BatchWrite, Delete, Put, Query
from langgraph_checkpoint_dynamodb.requests.objects import DeleteObjects
from langgraph_checkpoint_dynamodb.requests.operations import Concurrently
from tests.operations.examples import (
    BYTES,
    CONTEXT,
    CREATED,
    FIRST,
    IN_CHUNKS,
    IN_S3,
    NESTED,
    NOW,
    SMALL,
    batch_delete,
    checkpoint_item,
    checkpoint_of,
    chunks_description,
    head_of,
    items_with_parts,
    large,
    object_pointer,
    page,
    record,
    s3_key,
    thread_of,
    write,
    write_item,
    write_of,
)
from tests.operations.in_memory import InMemoryTables, marks, without_marks
from tests.operations.stepping import changed, changes_of, kinds


def test_deleting_puts_tombstones_newest_first_then_marks_then_deletes_writes_then_tombstones() -> (
    None
):
    nested = record("0001", checkpoint_ns="sub")
    memory = InMemoryTables(
        [*thread_of(2), checkpoint_item(nested), write_item(write(0), nested.ref)]
    )
    memory.run(delete_thread(CONTEXT, "t"))
    tombstones, *rest = [one for one in memory.asked if not isinstance(one, Query)]
    assert memory.asked[0] == Query(
        Table.CHECKPOINTS,
        "t",
        consistent=True,
        forward=False,
        limit=250,
        attributes=CHECKPOINT_KEYS,
    )
    doomed = [Key("t", "0002"), Key("t", "0001"), Key("t", NESTED + "0001")]
    assert isinstance(tombstones, BatchWrite)
    assert [change.key for change in tombstones.changes] == doomed
    assert all(
        isinstance(change, Put) and change.item["deleted"] == {"BOOL": True}
        for change in tombstones.changes
    )
    partitions = ["t:::0002:::", "t:::0001:::", "t:::0001:::sub"]
    refs = [record("0002").ref, FIRST, nested.ref]
    assert rest == [
        BatchWrite(tuple(mark_put(ref, NOW) for ref in refs)),
        BatchWrite(tuple(Delete(Table.WRITES, Key(p, "task:::0")) for p in partitions)),
        BatchWrite(tuple(Delete(Table.CHECKPOINTS, key) for key in doomed)),
    ]
    assert marks(memory) == partitions
    assert without_marks(memory) == {}


def test_a_mark_says_since_when_and_lasts_for_an_hour() -> None:
    assert mark_put(CheckpointRef("t", "sub", "0001"), NOW) == Put(
        Table.WRITES,
        Key("t:::0001:::sub", "~deleted"),
        {
            "thread_id_checkpoint_id_checkpoint_ns": {"S": "t:::0001:::sub"},
            "task_id_idx": {"S": "~deleted"},
            "deleted": {"BOOL": True},
            "created": CREATED,
            "ttl": {"N": str(NOW + GRACE_SECONDS)},
        },
    )


def test_a_mark_in_a_hashed_partition_names_its_checkpoint() -> None:
    ref = CheckpointRef("t", "a:::b", "0001")
    item = mark_put(ref, NOW).item
    assert item["thread_id"] == {"S": "t"}
    assert item["checkpoint_id"] == {"S": "0001"}
    assert item["checkpoint_ns"] == {"S": "a:::b"}


def test_a_delete_of_checkpoints_without_writes_leaves_no_mark() -> None:
    memory = InMemoryTables(items_with_parts(large("0001"), SMALL))
    memory.run(delete_thread(SMALL, "t"))
    assert memory.items == {}


def test_a_tombstone_leads_to_the_writes_and_holds_no_payload() -> None:
    head = head_of(checkpoint_item(record("0001", "0000", "sub")))
    assert head.tombstone(NOW) == Put(
        Table.CHECKPOINTS,
        Key("t", NESTED + "0001"),
        {
            "thread_id": {"S": "t"},
            "checkpoint_id": {"S": NESTED + "0001"},
            "checkpoint_ns": {"S": "sub"},
            "deleted": {"BOOL": True},
            "created": CREATED,
        },
    )


def test_a_tombstone_says_where_the_values_of_its_checkpoint_are() -> None:
    put = checkpoint_item(checkpoint_of(BYTES, BYTES), IN_CHUNKS)
    assert head_of(put).tombstone(NOW).item == {
        "thread_id": {"S": "t"},
        "checkpoint_id": {"S": "0001"},
        "checkpoint_ns": {"S": ""},
        "deleted": {"BOOL": True},
        "created": CREATED,
        "checkpoint_payload": chunks_description("token-checkpoint"),
        "metadata_payload": chunks_description("token-metadata"),
    }


def test_the_tombstone_of_a_run_can_still_be_found_by_its_run() -> None:
    made = CheckpointRecord(
        CheckpointRef("t", "", "0001"),
        None,
        Serialized("x", Inline(b"")),
        Serialized("x", Inline(b"")),
        "run",
    )
    head = head_of(checkpoint_item(made))
    assert head.tombstone(NOW).item.get("run_id") == {"S": "run"}


def test_a_delete_looks_for_the_writes_while_it_puts_the_tombstones() -> None:
    operation = delete_thread(CONTEXT, "t")
    next(operation)
    group = operation.send(page(*reversed(thread_of(2)[:2])))
    assert isinstance(group, Concurrently)
    tombstones, writes = group.operations
    assert isinstance(next(tombstones), BatchWrite)
    nested = next(writes)
    assert isinstance(nested, Concurrently)
    assert [next(member) for member in nested.operations] == [
        Query(Table.WRITES, "t:::0002:::", consistent=True, attributes=WRITE_REFERENCES),
        Query(Table.WRITES, "t:::0001:::", consistent=True, attributes=WRITE_REFERENCES),
    ]


def test_the_tombstones_of_a_long_thread_go_from_the_newest_to_the_oldest() -> None:
    memory = InMemoryTables(thread_of(60))
    memory.run(delete_thread(CONTEXT, "t"))
    kept = [key for key in changed(memory.asked, Put) if key.partition == "t"]
    assert kept == sorted(kept, reverse=True)
    assert len(kept) == 60
    marked = [key for key in changed(memory.asked, Put) if key.sort == "~deleted"]
    assert len(marked) == 60
    assert changed(memory.asked, Put) == kept + marked
    first_delete = next(
        position for position, one in enumerate(memory.asked) if changed([one], Delete)
    )
    assert changed(memory.asked[first_delete:], Put) == []
    assert len(marks(memory)) == 60
    assert without_marks(memory) == {}


def test_the_writes_are_gone_before_the_tombstones_that_lead_to_them() -> None:
    memory = InMemoryTables(thread_of(60))
    memory.run(delete_thread(CONTEXT, "t"))
    tables = [
        {change.table for change in changes_of(one)}
        for one in memory.asked
        if changed([one], Delete)
    ]
    assert tables == [{Table.WRITES}] * 3 + [{Table.CHECKPOINTS}] * 3


def test_a_delete_that_is_repeated_puts_no_second_tombstone() -> None:
    chain = thread_of(2)
    heads = [head_of(one) for one in chain[:2]]
    memory = InMemoryTables([*(head.tombstone(NOW) for head in heads), *chain[2:]])
    memory.run(delete_thread(CONTEXT, "t"))
    # The first attempt may have failed before it stored the marks.
    assert [key.sort for key in changed(memory.asked, Put)] == ["~deleted"] * 2
    assert without_marks(memory) == {}


def of_run(checkpoint_id: str, run_id: str) -> Put:
    return checkpoint_item(replace(record(checkpoint_id), run_id=run_id))


@pytest.mark.parametrize("run_ids", [("old", "new"), ("new", "old")])
def test_a_checkpoint_that_the_index_knows_under_two_runs_is_deleted_with_the_one_it_is_of(
    run_ids: tuple[str, ...],
) -> None:
    key = Key("t", "0001")
    # Another run has put the checkpoint again, and the index still has the first run's entry.
    memory = InMemoryTables([of_run("0001", "new")], index={"old": [key], "new": [key]})
    memory.run(delete_for_runs(replace(CONTEXT, run_id_index="by_run"), run_ids))
    assert memory.items == {}


def test_a_checkpoint_that_the_index_still_knows_under_an_old_run_is_not_deleted_with_it() -> None:
    memory = InMemoryTables([of_run("0001", "new")], index={"old": [Key("t", "0001")]})
    memory.run(delete_for_runs(replace(CONTEXT, run_id_index="by_run"), ("old",)))
    assert list(memory.items) == [(Table.CHECKPOINTS, Key("t", "0001"))]
    assert changed(memory.asked, Put) == []


def test_a_delete_takes_writes_then_objects_then_what_leads_there_then_the_tombstone() -> None:
    memory = InMemoryTables([])
    memory.run(put_checkpoint(IN_S3, checkpoint_of(BYTES)))
    memory.run(put_writes(IN_S3, FIRST, [write_of(b"small")]))
    memory.asked.clear()
    memory.run(delete_thread(IN_S3, "t"))
    changes = [one for one in memory.asked if not isinstance(one, Query)]
    assert kinds(changes[:1]) == ["BatchWrite"]
    assert changes[1:] == [
        BatchWrite((mark_put(FIRST, NOW),)),
        batch_delete([Key("t:::0001:::", "task:::0")]),
        DeleteObjects("bucket", (s3_key(BYTES, "token-checkpoint"),)),
        batch_delete([object_pointer(BYTES, "token-checkpoint").key]),
        BatchWrite((Delete(Table.CHECKPOINTS, Key("t", "0001")),)),
    ]
    assert (without_marks(memory), memory.objects) == ({}, {})
