"""What is there and cannot be read raises: never `None`, never the checkpoint before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from langgraph_checkpoint_dynamodb import UnreadableItemError
from tests.support.values import checkpoint, config, id_of, metadata

if TYPE_CHECKING:
    from tests.support.calls import Calls
    from tests.support.tables import Tables

NAMESPACE = "node:1"
DAMAGES: dict[str, dict[str, Any] | None] = {
    "missing": None,
    "a number": {"N": "1"},
    "other text": {"S": "damaged"},
    "other bytes": {"B": b"\xc1"},
}
CHECKPOINT_DAMAGES = [
    (name, damage) for name in ("type", "checkpoint", "metadata") for damage in DAMAGES
] + [("checkpoint_ns", "a number"), ("parent_checkpoint_id", "a number"), ("run_id", "a number")]
WRITE_DAMAGES = [
    *(("type", damage) for damage in DAMAGES),
    # Text in place of binary is what a custom serde of the JavaScript port may store.
    *(("value", damage) for damage in DAMAGES if damage != "other text"),
    ("channel", "missing"),
    ("channel", "a number"),
    ("task_path", "a number"),
]


def damage_item(tables: Tables, table: str, item: object, name: str, damage: str) -> None:
    """Store the item again with one attribute damaged."""
    changed = {key: value for key, value in cast("dict[str, Any]", item).items() if key != name}
    replacement = DAMAGES[damage]
    if replacement is not None:
        changed[name] = replacement
    tables.client.put_item(TableName=table, Item=changed)


def assert_unreadable(calls: Calls, stored: Any, *, named: list[str]) -> None:
    """Every way to the checkpoint raises an error that says which one it is."""
    latest = config("thread", NAMESPACE)
    for read in (
        lambda: calls.get_tuple(latest),
        lambda: calls.get_tuple(stored),
        lambda: list(calls.list(latest, limit=1)),
        lambda: list(calls.list(config("thread", None))),
    ):
        with pytest.raises(UnreadableItemError) as raised:
            read()
        assert [part for part in named if part not in str(raised.value)] == []


@pytest.mark.parametrize(("name", "damage"), CHECKPOINT_DAMAGES)
def test_a_damaged_checkpoint_raises_and_says_which_one_it_is(
    calls: Calls, tables: Tables, name: str, damage: str
) -> None:
    older = calls.put(config("thread", NAMESPACE), checkpoint(a=1), metadata(), {"a": "1"})
    stored = calls.put(older, checkpoint(a=2), metadata(run_id="run"), {"a": "1"})
    item = max(tables.checkpoint_items(), key=lambda found: found["checkpoint_id"]["S"])
    damage_item(tables, tables.checkpoints, item, name, damage)
    known = (
        ["thread", id_of(stored)]
        if name in ("checkpoint_ns", "parent_checkpoint_id", "run_id")
        else ["'thread'", repr(NAMESPACE), repr(id_of(stored))]
    )
    assert_unreadable(calls, stored, named=known)


@pytest.mark.parametrize(("name", "damage"), WRITE_DAMAGES)
def test_a_damaged_write_raises_and_says_which_one_it_is(
    calls: Calls, tables: Tables, name: str, damage: str
) -> None:
    stored = calls.put(config("thread", NAMESPACE), checkpoint(a=1), metadata(), {"a": "1"})
    calls.put_writes(stored, [("channel", "value")], "task", "path")
    (item,) = tables.write_items()
    damage_item(tables, tables.writes, item, name, damage)
    assert_unreadable(calls, stored, named=["thread", NAMESPACE, id_of(stored), "task"])


def test_a_write_whose_key_does_not_end_in_a_number_raises(calls: Calls, tables: Tables) -> None:
    stored = calls.put(config("thread", NAMESPACE), checkpoint(a=1), metadata(), {"a": "1"})
    calls.put_writes(stored, [("channel", "value")], "task")
    (item,) = tables.write_items()
    changed = {**cast("dict[str, Any]", item), "task_id_idx": {"S": "task:::first"}}
    tables.client.put_item(TableName=tables.writes, Item=changed)
    assert_unreadable(calls, stored, named=["thread", NAMESPACE, id_of(stored), "task:::first"])
