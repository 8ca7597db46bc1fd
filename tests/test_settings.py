"""The names and numbers that are passed to `DynamoDBSaver`."""

from __future__ import annotations

from typing import Any, cast

import boto3
import pytest

from langgraph_checkpoint_dynamodb import DynamoDBSaver, InvalidInputError, InvalidInputTypeError
from tests.support.made_clients import NAMES, EmptyReply
from tests.support.values import config

BAD_NAMES = [
    "",
    "ab",
    "a" * 256,
    "with space",
    "sl/ash",
    "\N{SNOWMAN}" * 3,
    "abc\n",
    "arn:",
    "arn: x",
]


@pytest.mark.parametrize("name", ["checkpoints_table_name", "writes_table_name", "run_id_index"])
@pytest.mark.parametrize("bad", BAD_NAMES)
def test_a_name_that_dynamodb_does_not_allow_is_refused(name: str, bad: str) -> None:
    with pytest.raises(InvalidInputError, match="no valid name") as caught:
        DynamoDBSaver(**{**NAMES, name: bad})
    assert caught.value.field == name


@pytest.mark.parametrize("name", ["checkpoints_table_name", "writes_table_name", "run_id_index"])
@pytest.mark.parametrize("bad", [7, b"checkpoints", ["checkpoints"]])
def test_a_name_that_is_no_text_is_refused(name: str, bad: Any) -> None:
    with pytest.raises(InvalidInputTypeError, match="must be a string") as caught:
        DynamoDBSaver(**{**NAMES, name: bad})
    assert caught.value.field == name


def test_table_names_are_required_by_name() -> None:
    with pytest.raises(TypeError, match="writes_table_name"):
        DynamoDBSaver(checkpoints_table_name="checkpoints")  # type: ignore[call-arg] # the error itself
    with pytest.raises(TypeError, match="positional"):
        DynamoDBSaver("checkpoints", "writes")  # type: ignore[call-arg] # the error itself


@pytest.mark.parametrize("good", ["abc", "a" * 255, "A-Z_0.9"])
def test_every_name_that_dynamodb_allows_is_accepted(good: str) -> None:
    DynamoDBSaver(**{**NAMES, "checkpoints_table_name": good, "run_id_index": good}).close()


def test_the_arn_of_a_table_is_accepted_and_sent() -> None:
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/checkpoints"
    asked: list[object] = []

    def answer(params: Any, **_: object) -> tuple[EmptyReply, dict[str, Any]]:
        asked.append(params["body"])
        return EmptyReply(), {"Items": []}

    client = boto3.client("dynamodb", region_name="eu-west-1")
    client.meta.events.register("before-call", cast("Any", answer))
    with DynamoDBSaver(
        checkpoints_table_name=arn, writes_table_name=f"{arn}-writes", client=client
    ) as saver:
        assert saver.get_tuple(config("thread")) is None
    client.close()
    assert len(asked) == 1
    assert arn in str(asked[0])


def test_one_table_for_both_roles_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="must differ") as caught:
        DynamoDBSaver(checkpoints_table_name="same", writes_table_name="same")
    assert caught.value.field == "writes_table_name"


@pytest.mark.parametrize("bad", [0, -1, -32])
def test_a_concurrency_below_one_is_refused(bad: int) -> None:
    with pytest.raises(InvalidInputError, match="at least 1") as caught:
        DynamoDBSaver(**NAMES, max_concurrency=bad)
    assert caught.value.field == "max_concurrency"


@pytest.mark.parametrize("bad", ["8", 8.0, True, [8]])
def test_a_concurrency_that_is_no_whole_number_is_refused(bad: Any) -> None:
    with pytest.raises(InvalidInputTypeError, match="must be an int") as caught:
        DynamoDBSaver(**NAMES, max_concurrency=bad)
    assert caught.value.field == "max_concurrency"


@pytest.mark.parametrize("bad", ["yes", 1, 0, None])
def test_consistent_reads_that_is_no_bool_is_refused(bad: Any) -> None:
    with pytest.raises(InvalidInputTypeError, match="must be a bool") as caught:
        DynamoDBSaver(**NAMES, consistent_reads=bad)
    assert caught.value.field == "consistent_reads"
