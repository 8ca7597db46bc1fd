"""What the savers of other packages lose or reorder."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.base import WRITES_IDX_MAP

from tests.moving.foreign.writers.graphs import ODD
from tests.moving.threads import exported

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.moving.foreign.conftest import Foreign
    from tests.moving.foreign.sources import Item


def writes_of(record: Item) -> list[list[str]]:
    return [[task["task_id"], write[0]] for task in record["tasks"] for write in task["writes"]]


def returned(foreign: Foreign, thread_id: str) -> dict[tuple[str, str], Any]:
    """The writes of a thread that the package's own saver lists, by namespace and id."""
    found = foreign.stored.returned[thread_id]
    return {
        (checkpoint_ns, checkpoint_id): writes for checkpoint_ns, checkpoint_id, writes in found
    }


def told(foreign: Foreign, thread_id: str) -> dict[tuple[str, str], Any]:
    """The writes that it was asked to store."""
    records = foreign.stored.records.items()
    return {place[1:]: writes_of(record) for place, record in records if place[0] == thread_id}


@pytest.mark.parametrize("name", ["checkpoint-aws", "checkpoint-aws-offloaded"])
def test_checkpoint_aws_itself_puts_writes_in_the_order_of_their_places_as_text(
    stored_by: Callable[[str], Foreign], name: str
) -> None:
    foreign = stored_by(name)
    found, wanted = returned(foreign, "parallel"), told(foreign, "parallel")
    assert found.keys() == wanted.keys()
    assert found != wanted
    (scrambled,) = (writes for place, writes in found.items() if len(writes) > 20)
    by_task = {task: [c for t, c in scrambled if t == task] for task, _ in scrambled}
    full = next(channels for channels in by_task.values() if len(channels) == 12)
    assert [int(channel[1:]) for channel in full] == [0, 1, 10, 11, *range(2, 10)]
    assert list(by_task) == sorted(by_task)


def test_dynamodb_checkpoint_itself_loses_namespaces_and_nones_and_mixes_tasks(
    stored_by: Callable[[str], Foreign],
) -> None:
    foreign = stored_by("dynamodb-checkpoint")
    assert {checkpoint_ns for checkpoint_ns, _ in returned(foreign, "nested")} == {""}
    assert len({checkpoint_ns for checkpoint_ns, _ in told(foreign, "nested")}) == 3
    found, wanted = returned(foreign, "parallel"), told(foreign, "parallel")
    (place,) = (place for place, writes in wanted.items() if len(writes) > 20)
    assert "c03" in {channel for _, channel in wanted[place]}
    assert "c03" not in {channel for _, channel in found[place]}
    tasks = [task for task, _ in groupby(task for task, _ in found[place])]
    assert len(tasks) > len(set(tasks))
    assert foreign.stored.returned[ODD] == "ValueError"


def test_amazon_dynamodb_itself_loses_namespaces(stored_by: Callable[[str], Foreign]) -> None:
    foreign = stored_by("amazon-dynamodb")
    assert {checkpoint_ns for checkpoint_ns, _ in returned(foreign, "nested")} == {""}
    assert len({checkpoint_ns for checkpoint_ns, _ in told(foreign, "nested")}) == 3


def test_amazon_dynamodb_has_overwritten_the_interrupts_that_were_answered(
    stored_by: Callable[[str], Foreign],
) -> None:
    def special(name: str) -> set[str]:
        lines = exported(stored_by(name).source(), "parallel_answered")
        writes = [one for line in lines[1:-1] for one in writes_of(json.loads(line))]
        return {channel for _, channel in writes if channel in WRITES_IDX_MAP}

    assert "__interrupt__" in special("checkpoint-aws")
    assert "__interrupt__" not in special("amazon-dynamodb")
