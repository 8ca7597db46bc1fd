"""`get_delta_channel_history`: the ancestors that are read, and those whose TTL is extended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.addressing import Address
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS, Stamp
from langgraph_checkpoint_dynamodb.format.ranges import SortRange
from langgraph_checkpoint_dynamodb.format.tables import Key, Table
from langgraph_checkpoint_dynamodb.ops.history import get_delta_channel_history
from langgraph_checkpoint_dynamodb.ops.write import put_checkpoint
from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy, S3Policy
from langgraph_checkpoint_dynamodb.requests.items import ExtendTtl, GetItem, Put, Query
from langgraph_checkpoint_dynamodb.requests.objects import CopyObject
from tests.operations.examples import (
    CONTEXT,
    NOW,
    SMALL,
    checkpoint_item,
    head_of,
    items_with_parts,
    large,
    record,
    serialized,
    thread_of,
    write,
    write_item,
    writes_query,
)
from tests.operations.in_memory import InMemoryTables
from tests.operations.stepping import kinds
from tests.support.values import checkpoint

if TYPE_CHECKING:
    from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord
    from langgraph_checkpoint_dynamodb.ops.context import Context
    from langgraph_checkpoint_dynamodb.requests.operations import Request


def history(memory: InMemoryTables, checkpoint_id: str | None) -> Any:
    address = Address("t", "", checkpoint_id)
    return memory.run(get_delta_channel_history(CONTEXT, address, ["log"]))["log"]


def with_write(one: CheckpointRecord) -> list[Put]:
    """A checkpoint and a write on it that contains its id."""
    return [checkpoint_item(one), write_item(write(0, value=one.ref.checkpoint_id), one.ref)]


def values(found: Any) -> list[Any]:
    return [value for _, _, value in found["writes"]]


def test_a_history_is_one_range_below_the_checkpoint_then_the_writes_of_its_ancestors() -> None:
    memory = InMemoryTables(
        [
            *with_write(record("0001")),
            *with_write(record("0002", "0001", log=["seed"])),
            *with_write(record("0003", "0002")),
            *with_write(record("0004", "0003")),
            *with_write(record("0005", "0004")),
        ]
    )
    assert history(memory, "0004") == {
        "writes": [("task", "log", "0002"), ("task", "log", "0003")],
        "seed": ["seed"],
    }
    assert memory.asked == [
        Query(
            Table.CHECKPOINTS,
            "t",
            consistent=True,
            sort=SortRange('"', "0004"),
            forward=False,
            limit=64,
        ),
        writes_query("0003"),
        writes_query("0002"),
    ]


def test_a_history_reads_a_parent_above_its_checkpoint_by_its_key() -> None:
    memory = InMemoryTables(
        [
            *with_write(record("0001", log=["seed"])),
            *with_write(record("0009", "0001")),
            *with_write(record("0005", "0009")),
        ]
    )
    assert history(memory, "0005") == {
        "writes": [("task", "log", "0001"), ("task", "log", "0009")],
        "seed": ["seed"],
    }
    assert GetItem(Table.CHECKPOINTS, Key("t", "0009"), consistent=True) in memory.asked
    assert kinds(memory.asked) == ["Query", "GetItem", "Query", "Query"]


def test_a_history_reads_a_long_range_in_pages_that_grow() -> None:
    memory = InMemoryTables(thread_of(400))
    assert values(history(memory, None)) == [f"{number:04}" for number in range(1, 400)]
    pages = [one.limit for one in memory.asked if isinstance(one, Query) and one.partition == "t"]
    assert pages == [64, 256, 1024]


def test_a_history_reads_no_page_below_the_value_it_builds_on() -> None:
    chain = thread_of(300)
    seed = checkpoint_item(record("0290", "0289", log=["seed"]))
    memory = InMemoryTables([*chain, seed])
    assert values(history(memory, None)) == [f"{number:04}" for number in range(290, 300)]
    pages = [one for one in memory.asked if isinstance(one, Query) and one.partition == "t"]
    assert len(pages) == 1


@pytest.mark.parametrize(
    ("parents", "target", "found"),
    [
        ({"0001": "0001"}, "0001", []),
        ({"0001": "0002", "0002": "0001"}, "0002", ["0001"]),
        ({"0001": "0002", "0002": "0001"}, "0001", ["0002"]),
        ({"0001": "0002", "0002": "0001", "0003": "0001"}, "0003", ["0002", "0001"]),
    ],
    ids=["itself", "two", "two from below", "below the checkpoint"],
)
def test_a_history_over_parents_in_a_circle_ends(
    parents: dict[str, str], target: str, found: list[str]
) -> None:
    memory = InMemoryTables(
        [one for id_, parent in parents.items() for one in with_write(record(id_, parent))]
    )
    assert values(history(memory, target)) == found


@pytest.mark.parametrize("ancestor", ["0001", "0009"])
def test_a_history_over_an_ancestor_that_is_being_deleted_is_an_error_never_a_shorter_one(
    ancestor: str,
) -> None:
    gone = record(ancestor, log=["seed"])
    made = checkpoint("0005")
    made["channel_versions"] = {"log": "1"}
    child = replace(record("0005", ancestor), checkpoint=serialized(made))
    memory = InMemoryTables([head_of(checkpoint_item(gone)).tombstone(NOW), *with_write(child)])
    with pytest.raises(UnreadableItemError, match=ancestor):
        history(memory, "0005")


@pytest.mark.parametrize(("seed", "groups", "read"), [(8, [], 1), (6, [2], 3), (3, [2, 4], 7)])
def test_a_history_fetches_ancestors_in_chunks_one_two_four_at_a_time_and_each_once(
    seed: int, groups: list[int], read: int
) -> None:
    chain = [
        large(
            f"{number:04}",
            f"{number - 1:04}" if number > 1 else None,
            **({"log": ["seed"]} if number == seed else {}),
        )
        for number in range(1, 10)
    ]
    items = [put for one in chain for put in items_with_parts(one, SMALL)]
    items += [write_item(write(0, value=one.ref.checkpoint_id), one.ref) for one in chain]
    memory = InMemoryTables(items)
    address = Address("t", "", "0009")
    found = memory.run(get_delta_channel_history(SMALL, address, ["log"]))["log"]
    assert values(found) == [f"{number:04}" for number in range(seed, 9)]
    assert found["seed"] == ["seed"]
    assert memory.asked[1:] == [writes_query(f"{number:04}") for number in range(8, 8 - read, -1)]
    assert [size for size in memory.groups if size > 1][: len(groups)] == groups


TTL = 10_000


def stamped(age: int) -> Context:
    """A context with a stamp of that age in seconds."""
    then = NOW - age
    stamp = Stamp("old", then, then + TTL)
    return replace(SMALL, stamp=stamp, ttl_seconds=TTL)


def expiring_chain(age: int) -> list[Put]:
    """A seed with a write, a younger ancestor in chunks, and the newest checkpoint."""
    context = stamped(age)
    seed = record("0001", log=["seed"])
    return [
        checkpoint_item(seed, replace(context, payloads=CONTEXT.payloads)),
        write_item(write(0), seed.ref, context),
        *items_with_parts(large("0002", "0001"), context),
        checkpoint_item(record("0003", "0002"), context),
    ]


def test_a_history_extends_the_ttl_of_each_ancestor_after_that_of_its_attachments() -> None:
    memory = InMemoryTables(expiring_chain(age=1))
    chunks = sorted(sort for _, (_, sort) in memory.items if sort.startswith("chunk/"))
    assert len(chunks) > 1
    memory.run(get_delta_channel_history(stamped(0), Address("t", "", None), ["log"]))
    longer = NOW + TTL + GRACE_SECONDS + TTL // 2
    expected: list[Request[Any]] = [
        *(ExtendTtl(Table.WRITES, Key("t:::0002:::", s), longer) for s in chunks),
        ExtendTtl(Table.CHECKPOINTS, Key("t", "0002"), longer),
        ExtendTtl(Table.WRITES, Key("t:::0001:::", "task:::0"), longer),
        ExtendTtl(Table.CHECKPOINTS, Key("t", "0001"), longer),
        # The newest checkpoint is the first ancestor of the next one.
        ExtendTtl(Table.CHECKPOINTS, Key("t", "0003"), longer),
    ]
    assert [one for one in memory.asked if isinstance(one, ExtendTtl)] == expected


@pytest.mark.parametrize(("age", "ttl"), [(0, TTL), (1, None)], ids=["fresh", "no expiry"])
def test_a_history_extends_no_ttl_that_is_long_enough(age: int, ttl: int | None) -> None:
    memory = InMemoryTables(expiring_chain(age))
    context = replace(stamped(0), ttl_seconds=ttl)
    memory.run(get_delta_channel_history(context, Address("t", "", None), ["log"]))
    assert set(kinds(memory.asked)) == {"Query"}


def test_a_history_makes_the_objects_it_is_read_from_young_again() -> None:
    context = replace(stamped(1), payloads=PayloadPolicy(s3=S3Policy("bucket", "", 100)))
    memory = InMemoryTables([])
    memory.run(put_checkpoint(context, record("0001", log=["seed"])))
    memory.run(put_checkpoint(context, record("0002", "0001")))
    memory.asked.clear()
    now = replace(stamped(0), payloads=context.payloads)
    memory.run(get_delta_channel_history(now, Address("t", "", None), ["log"]))
    assert len(memory.objects) == 2
    extensions = [one for one in memory.asked if isinstance(one, (ExtendTtl, CopyObject))]
    assert kinds(extensions) == ["ExtendTtl", "CopyObject", "ExtendTtl"] * 2
    copies = [one for one in extensions if isinstance(one, CopyObject)]
    assert sorted(one.target for one in copies) == sorted(memory.objects)
    assert all(one.source == one.target for one in copies)


def test_a_history_whose_ttl_cannot_be_extended_is_read_and_the_failure_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    memory = InMemoryTables(expiring_chain(age=1))
    memory.extends = False
    found = memory.run(get_delta_channel_history(stamped(0), Address("t", "", None), ["log"]))
    assert found["log"]["seed"] == ["seed"]
    assert [logged.levelname for logged in caplog.records] == ["WARNING"]
    assert "AccessDeniedException" in caplog.text
