"""The table of another package can be read with the methods of a saver."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb import (
    InvalidInputError,
    SaverClosedError,
    TableNotFoundError,
)
from langgraph_checkpoint_dynamodb.moving import (
    AmazonDynamodbTable,
    CheckpointAwsTable,
    DynamodbCheckpointTable,
)
from tests.moving.threads import checkpoints_by_id, exported
from tests.support.sessions import own_handlers
from tests.support.values import config

if TYPE_CHECKING:
    from langgraph.checkpoint.base import CheckpointTuple

    from langgraph_checkpoint_dynamodb import RequestInfo
    from tests.moving.foreign.conftest import Foreign
    from tests.support.calls import LoopThread
    from tests.support.engines import Engine


def ids(found: Any) -> list[str]:
    return [one.checkpoint["id"] for one in found]


@pytest.mark.sample(2)
def test_a_source_lists_what_is_asked_for(foreign: Foreign) -> None:
    source, expected = foreign.source(), foreign.stored.in_memory()
    root = config("chat")
    every = ids(expected.list(root))
    middle = config("chat", checkpoint_id=every[2])
    assert ids(source.list(root)) == every
    assert ids(source.list(root, limit=2)) == every[:2]
    assert ids(source.list(root, limit=0)) == []
    assert ids(source.list(root, before=middle)) == every[3:]
    assert ids(source.list(middle)) == [every[2]]
    assert ids(source.list(root, filter={"source": "input"})) == ids(
        expected.list(root, filter={"source": "input"})
    )
    assert len(list(source.list(None, limit=7))) == 7
    assert ids(source.list(config("nobody"))) == []


@pytest.mark.sample(2)
def test_a_source_finds_the_newest_of_each_namespace_and_any_by_its_id(
    foreign: Foreign, loop_thread: LoopThread
) -> None:
    source, expected = foreign.source(), foreign.stored.in_memory()

    def both(where: Any) -> list[CheckpointTuple | None]:
        return [source.get_tuple(where), loop_thread.run(source.aget_tuple(where))]

    for checkpoint_ns, checkpoint_id in checkpoints_by_id(expected, "parallel"):
        one = expected.get_tuple(config("parallel", checkpoint_ns))
        assert both(config("parallel", checkpoint_ns)) == [one, one]
        named = config("parallel", checkpoint_ns, checkpoint_id)
        assert both(named) == [expected.get_tuple(named)] * 2
    assert both(config("parallel", "none")) == [None, None]
    assert both(config("parallel", "", "none")) == [None, None]


@pytest.mark.sample(1)
def test_a_listing_on_an_event_loop_can_be_left(foreign: Foreign, loop_thread: LoopThread) -> None:
    async def first() -> str:
        async for one in foreign.source().alist(config("chat")):
            return one.checkpoint["id"]
        raise AssertionError

    assert loop_thread.run(first()) == ids(foreign.source().list(config("chat")))[0]


def test_who_watches_a_source_is_told_of_each_request_that_it_sends(
    foreign: Foreign, engine: Engine, loop_thread: LoopThread
) -> None:
    told: list[RequestInfo] = []
    asked: Counter[str] = Counter()
    with own_handlers(foreign.client):
        foreign.client.meta.events.register(
            "before-call.dynamodb", lambda model, **_: asked.update([model.name])
        )
        with foreign.source(on_request=told.append) as source:
            exported(source, "parallel")
            assert source.get_tuple(config("chat")) is not None
            assert loop_thread.run(source.aget_tuple(config("chat"))) is not None
            assert list(source.list(config("chat"), limit=1)) != []
            assert list(source.thread_ids()) != []
    of_table = [one for one in told if one.bucket is None]
    assert Counter(one.action for one in of_table) == asked
    assert {one.table_name for one in of_table} == {foreign.table_name}
    assert {one.bucket for one in told} - {None} <= {foreign.bucket.name}
    assert {one.operation for one in told} == {"export_threads", "get_tuple", "list", "thread_ids"}
    if engine.faithful:
        assert all(one.read_units > 0 for one in of_table)


def test_a_source_is_closed_and_its_table_may_be_missing(foreign: Foreign) -> None:
    with foreign.writer.source("no-such-table", client=foreign.client) as source:
        with pytest.raises(TableNotFoundError, match=r"; correct the name") as caught:
            exported(source)
        assert caught.value.table_name == "no-such-table"
        with pytest.raises(NotImplementedError):
            source.put(config("t"), {}, {}, {})  # type: ignore[typeddict-item]  # it is not there
    with pytest.raises(SaverClosedError):
        exported(source)


@pytest.mark.parametrize(
    ("reader", "arguments", "field"),
    [
        (DynamodbCheckpointTable, {"table_name": "*"}, "table_name"),
        (AmazonDynamodbTable, {"table_name": 1}, "table_name"),
        (
            CheckpointAwsTable,
            {"table_name": "abc", "s3_offload_config": "bucket"},
            "s3_offload_config",
        ),
        (CheckpointAwsTable, {"table_name": "abc", "s3_offload_config": {}}, "bucket_name"),
        (
            CheckpointAwsTable,
            {"table_name": "abc", "s3_offload_config": {"bucket_name": "abc", "key_prefix": 1}},
            "key_prefix",
        ),
        (
            AmazonDynamodbTable,
            {"table_name": "abc", "client": object(), "region_name": "eu-west-1"},
            "client",
        ),
    ],
)
def test_bad_arguments_are_refused(reader: Any, arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError, match=field):
        reader(**arguments)
    with pytest.raises(InvalidInputError, match="thread_id"):
        DynamodbCheckpointTable("abc", region_name="us-east-1").get_tuple({"configurable": {}})
