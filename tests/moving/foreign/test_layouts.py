"""Expired rows, rows of earlier releases, and other special cases of each layout."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from tests.moving.threads import checkpoints_by_id, exported
from tests.support.values import config

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.moving.foreign.conftest import Foreign
    from tests.moving.foreign.sources import Item


def aged(items: list[Item], attribute: str) -> list[Item]:
    return [{**item, attribute: {"N": "1"}} for item in items]


@pytest.mark.parametrize("name", ["checkpoint-aws", "dynamodb-checkpoint"])
def test_rows_that_have_expired_count_while_they_are_there(
    stored_by: Callable[[str], Foreign], name: str
) -> None:
    foreign = stored_by(name)
    with foreign.with_items(aged(foreign.items_of("parallel"), "ttl")) as changed:
        assert exported(changed.source(), "parallel") == exported(foreign.source(), "parallel")


def test_a_row_that_has_expired_before_its_value_counts_as_deleted(
    stored_by: Callable[[str], Foreign],
) -> None:
    foreign = stored_by("checkpoint-aws")
    heads = [one for one in foreign.items_of("parallel") if "payload" not in one]
    with foreign.with_items(aged(heads, "ttl")) as changed:
        assert exported(changed.source())[1:] == ['{"checkpoints":0}\n']


def test_amazon_dynamodb_rows_that_have_expired_do_not_count(
    stored_by: Callable[[str], Foreign],
) -> None:
    foreign = stored_by("amazon-dynamodb")
    items = foreign.items_of("parallel")
    checkpoints = [one for one in items if "#checkpoint#" in one["SK"]["S"]]
    writes = [one for one in items if "#write#" in one["SK"]["S"]]
    with foreign.with_items([*checkpoints, *aged(writes, "expireAt")]) as changed:
        lines = exported(changed.source())[1:-1]
        assert [json.loads(line)["tasks"] for line in lines] == [[]] * 3
        kept = exported(changed.source(ttl_attribute=None))
        assert kept == exported(foreign.source(), "parallel")
    with foreign.with_items(aged(items, "expireAt")) as changed:
        assert exported(changed.source(), "parallel")[1:] == ['{"checkpoints":0}\n']
        assert len(exported(changed.source(clock=lambda: 0))) == 5


def test_rows_of_dynamodb_checkpoint_before_0_4_1_are_read(
    stored_by: Callable[[str], Foreign],
) -> None:
    foreign = stored_by("dynamodb-checkpoint")

    def before(item: Item) -> Item:
        """The sort key had no index, so only the last write of a task was kept."""
        sort = item["SK"]["S"]
        if "$" not in sort:
            data = base64.b64decode(item["metadata"]["L"][1]["S"])
            text = json.dumps(JsonPlusSerializer().loads_typed(("msgpack", data)))
            return {**item, "metadata": {"S": base64.b64encode(text.encode()).decode()}}
        without = {name: value for name, value in item.items() if name != "task_path"}
        return {**without, "SK": {"S": sort.rpartition("$")[0]}}

    items = {one["SK"]["S"]: one for one in map(before, foreign.items_of("parallel"))}
    with foreign.with_items(list(items.values())) as changed:
        found = list(map(json.loads, exported(changed.source())[1:-1]))
    for one in found:
        wanted = foreign.stored.records["parallel", "", one["checkpoint_id"]]
        assert one["metadata"] == wanted["metadata"]
        tasks = {task["task_id"]: task["writes"] for task in wanted["tasks"]}
        assert {task["task_id"] for task in one["tasks"]} == tasks.keys()
        for task in one["tasks"]:
            assert task["task_path"] == ""
            (write,) = task["writes"]
            assert write in tasks[task["task_id"]]


def test_special_channels_of_amazon_dynamodb_come_first_and_the_last_one_counts(
    stored_by: Callable[[str], Foreign],
) -> None:
    foreign = stored_by("amazon-dynamodb")
    items = foreign.items_of("parallel")
    # A task with writes at all twelve indexes.
    some = next(item for item in items if item.get("idx") == {"N": "11"})
    rows = {int(one["idx"]["N"]): one for one in items if one.get("task_id") == some["task_id"]}
    for place in (2, 5):
        rows[place]["channel"] = {"S": "__error__"}
    rows[7]["channel"] = {"S": "__resume__"}
    with foreign.with_items(items) as changed:
        found = changed.source().get_tuple(config("parallel"))
    assert found is not None
    writes = [one[1:] for one in found.pending_writes or [] if one[0] == some["task_id"]["S"]]
    assert [channel for channel, _ in writes[:3]] == ["__resume__", "__error__", "c00"]
    assert writes[1][1][1] == 5
    assert len(writes) == 11


def test_of_two_checkpoints_of_one_id_dynamodb_checkpoint_has_the_later_one(
    stored_by: Callable[[str], Foreign],
) -> None:
    foreign = stored_by("dynamodb-checkpoint")
    items = foreign.items_of("chat")
    newest = max(item["SK"]["S"] for item in items if "$" not in item["SK"]["S"])
    for item in items:
        if item["SK"]["S"] == newest:
            item["checkpoint_key"] = {"S": f"checkpoint$chat$another:1${newest}"}
    with foreign.with_items(items) as changed:
        source = changed.source()
        assert source.get_tuple(config("chat", "", newest)) is None
        found = source.get_tuple(config("chat", "another:1", newest))
        assert found is not None
        assert found.pending_writes == []
        assert sorted(checkpoints_by_id(source, "chat"))[-1] == ("another:1", newest)
