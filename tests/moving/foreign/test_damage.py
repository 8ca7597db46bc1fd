"""Damaged rows and missing values are reported with key and attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb import (
    MissingPartError,
    MoveReport,
    UnreadableItemError,
)
from langgraph_checkpoint_dynamodb.moving import (
    CheckpointAwsTable,
)
from tests.moving.threads import exported

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.moving.foreign.conftest import Foreign
    from tests.moving.foreign.sources import Item
    from tests.support.savers import Saver


def test_a_value_that_was_never_stored_is_told_or_left_out(
    stored_by: Callable[[str], Foreign], saver: Saver
) -> None:
    """`langgraph-checkpoint-aws` leaves such rows if it cannot store a value."""
    foreign = stored_by("checkpoint-aws")
    items = foreign.items_of("parallel")
    newest = max(item["SK"]["S"] for item in items if item["PK"]["S"] == "CHECKPOINT_parallel")
    lost = f"CHUNK_parallel#{newest}"
    with foreign.with_items([one for one in items if one["PK"]["S"] != lost]) as changed:
        with pytest.raises(MissingPartError, match="skip_incomplete=True") as caught:
            saver.import_thread(changed.source(), "parallel")
        assert f"row 'CHECKPOINT_parallel', '{newest}' of table" in str(caught.value)
        left = saver.import_thread(changed.source(skip_incomplete=True), "parallel")
    assert left == MoveReport(1, 1, 2, 6)
    lost = next(one["ref_key"]["S"] for one in items if "channel" in one)
    with foreign.with_items([one for one in items if one["PK"]["S"] != lost]) as changed:
        with pytest.raises(MissingPartError, match="row 'WRITES_parallel#"):
            exported(changed.source())
        assert len(exported(changed.source(skip_incomplete=True))) == 5


def test_values_in_s3_need_the_bucket_and_are_missed_where_they_are_not(
    stored_by: Callable[[str], Foreign],
) -> None:
    foreign = stored_by("checkpoint-aws-offloaded")
    without = CheckpointAwsTable(foreign.table_name, client=foreign.client)
    with pytest.raises(UnreadableItemError, match="pass s3_offload_config") as caught:
        exported(without, "large")
    assert caught.value.attribute == "ref_loc"
    elsewhere = CheckpointAwsTable(
        foreign.table_name,
        client=foreign.client,
        s3_client=foreign.bucket.client,
        s3_offload_config={"bucket_name": foreign.bucket.name},
    )
    with pytest.raises(MissingPartError, match="row 'CHECKPOINT_large'"):
        exported(elsewhere, "large")


def checkpoint_row(items: list[Item]) -> Item:
    """The row of the newest checkpoint of the root."""
    rows = [one for one in items if {"metadata", "parent_checkpoint_id"} & one.keys()]
    return max(rows, key=lambda one: str(one["SK"]["S"]))


def write_row(items: list[Item]) -> Item:
    return next(one for one in items if "channel" in one)


def chunk_row(items: list[Item]) -> Item:
    key = checkpoint_row(items)["ref_key"]
    return next(one for one in items if one["PK"] == key)


CHANGED = {"S": "*"}
DAMAGE: dict[str, tuple[str, Callable[[list[Item]], Item], dict[str, Any], str]] = {
    "aws: no namespace": ("checkpoint-aws", checkpoint_row, {"ns": None}, "ns"),
    "aws: another namespace": ("checkpoint-aws", checkpoint_row, {"ns": CHANGED}, "SK"),
    "aws: no type": ("checkpoint-aws", checkpoint_row, {"type": None}, "type"),
    "aws: another type": ("checkpoint-aws", checkpoint_row, {"type": CHANGED}, "payload"),
    "aws: another place": ("checkpoint-aws", checkpoint_row, {"ref_loc": CHANGED}, "ref_loc"),
    "aws: another codec": ("checkpoint-aws", checkpoint_row, {"compression": CHANGED}, "payload"),
    "aws: not packed": (
        "checkpoint-aws",
        checkpoint_row,
        {"compression": {"S": "gzip"}},
        "payload",
    ),
    "aws: no bytes": ("checkpoint-aws", chunk_row, {"payload": None}, "payload"),
    "aws: no mapping": ("checkpoint-aws", chunk_row, {"payload": {"B": b"\x01"}}, "payload"),
    "aws: half": ("checkpoint-aws", chunk_row, {"payload": {"B": b"\x80"}}, "checkpoint"),
    "aws: no place of a write": ("checkpoint-aws", write_row, {"idx": CHANGED}, "idx"),
    "aws: no task": ("checkpoint-aws", write_row, {"task_id": None}, "task_id"),
    "skamalj: no key": ("dynamodb-checkpoint", checkpoint_row, {"checkpoint_key": None}, "_key"),
    "skamalj: another key": (
        "dynamodb-checkpoint",
        checkpoint_row,
        {"checkpoint_key": {"S": "checkpoint$parallel$$*"}},
        "checkpoint_key",
    ),
    "skamalj: no Base64": (
        "dynamodb-checkpoint",
        checkpoint_row,
        {"checkpoint": CHANGED},
        "checkpoint",
    ),
    "skamalj: no metadata": ("dynamodb-checkpoint", checkpoint_row, {"metadata": None}, "metadata"),
    "skamalj: text": ("dynamodb-checkpoint", checkpoint_row, {"metadata": CHANGED}, "metadata"),
    "skamalj: no mapping": (
        "dynamodb-checkpoint",
        checkpoint_row,
        {"metadata": {"L": [{"S": "null"}, {"S": ""}]}},
        "metadata",
    ),
    "skamalj: another key of a write": (
        "dynamodb-checkpoint",
        write_row,
        {"checkpoint_key": {"S": "writes$another"}},
        "checkpoint_key",
    ),
    "skamalj: no value": ("dynamodb-checkpoint", write_row, {"value": None}, "value"),
    "amazon: no id": ("amazon-dynamodb", checkpoint_row, {"checkpoint_id": None}, "checkpoint_id"),
    "amazon: another id": ("amazon-dynamodb", checkpoint_row, {"checkpoint_id": CHANGED}, "SK"),
    "amazon: no bytes": ("amazon-dynamodb", checkpoint_row, {"metadata": {"N": "1"}}, "metadata"),
    "amazon: other bytes": (
        "amazon-dynamodb",
        checkpoint_row,
        {"checkpoint": {"B": b"\xc1"}},
        "checkpoint",
    ),
    "amazon: no mapping": (
        "amazon-dynamodb",
        checkpoint_row,
        {"checkpoint": {"B": b"\x01"}},
        "checkpoint",
    ),
    "amazon: no time": ("amazon-dynamodb", checkpoint_row, {"expireAt": CHANGED}, "expireAt"),
    "amazon: another task": ("amazon-dynamodb", write_row, {"task_id": CHANGED}, "SK"),
    "amazon: no place": ("amazon-dynamodb", write_row, {"idx": None}, "idx"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_row_is_told_with_its_key_and_attribute(
    stored_by: Callable[[str], Foreign], damage: str
) -> None:
    name, find, change, attribute = DAMAGE[damage]
    foreign = stored_by(name)
    items = foreign.items_of("parallel")
    row = find(items)
    row.update(change)
    for gone in [key for key, value in change.items() if value is None]:
        del row[gone]
    with foreign.with_items(items) as changed, pytest.raises(UnreadableItemError) as caught:
        exported(changed.source(), "parallel")
    assert caught.value.attribute.endswith(attribute)
    where = checkpoint_row(items) if find is chunk_row and attribute != "payload" else row
    said = str(caught.value)
    assert "of table 'foreign-" in said
    if find is not chunk_row:
        assert f"row {where['PK']['S']!r}, {where['SK']['S']!r}" in said
