"""Threads of other packages' tables are here as those packages were told to store them."""

from __future__ import annotations

import base64
import io
import json
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.base import WRITES_IDX_MAP
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command

from langgraph_checkpoint_dynamodb import (
    InvalidInputError,
    MissingPartError,
    MoveReport,
    SaverClosedError,
    TableNotFoundError,
    UnreadableItemError,
)
from langgraph_checkpoint_dynamodb.moving import (
    AmazonDynamodbTable,
    CheckpointAwsTable,
    DynamodbCheckpointTable,
    aexport_threads,
    export_threads,
)
from tests.docs.pages import DOCS, blocks
from tests.moving.foreign.writers.graphs import GRAPHS, ODD
from tests.moving.test_import import by_place
from tests.support.sessions import own_handlers
from tests.support.values import config

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph.checkpoint.base import CheckpointTuple

    from langgraph_checkpoint_dynamodb import RequestInfo
    from tests.moving.faces import PlainMoves
    from tests.moving.foreign.conftest import Foreign
    from tests.moving.foreign.sources import Item
    from tests.support.calls import LoopThread
    from tests.support.engines import Engine
    from tests.support.savers import Saver
    from tests.support.tables import Tables


def thread(thread_id: str) -> Any:
    return {"configurable": {"thread_id": thread_id}}


def states(thread_id: str, saver: Any) -> list[Any]:
    """What its graph tells of a thread's past, newest first."""
    graph = GRAPHS[thread_id](saver)
    return [
        (one.values, one.next, one.config, one.parent_config, one.metadata, repr(one.tasks))
        for one in graph.get_state_history(thread(thread_id))
    ]


def exported(source: Any, *thread_ids: str) -> list[str]:
    stream = io.StringIO()
    export_threads(source, stream, thread_ids or None)
    return stream.getvalue().splitlines(keepends=True)


# --- all of it ---


def test_every_thread_arrives_as_its_package_was_told_to_store_it(
    foreign: Foreign, saver: Saver
) -> None:
    source, expected = foreign.source(), foreign.stored.in_memory()
    reports = [saver.import_thread(source, each) for each in foreign.stored.thread_ids]
    assert sum(one.checkpoints for one in reports) == len(foreign.stored.records)
    for thread_id in foreign.stored.thread_ids:
        assert by_place(saver, thread_id) == foreign.stored.tuples(thread_id)
        assert states(thread_id, saver) == states(thread_id, expected)


def test_all_threads_move_as_their_page_says(
    stored_by: Callable[[str], Foreign], saver: Saver
) -> None:
    foreign = stored_by("checkpoint-aws-offloaded")
    offload = {
        "bucket_name": foreign.bucket.name,
        "endpoint_url": foreign.bucket.url,
        "key_prefix": "/an/app/",
    }
    names: dict[str, Any] = {}
    page = blocks(DOCS / "how-to" / "moving.md")
    (example,) = (block.text for block in page if "def move_all" in block.text)
    exec(example, names)  # noqa: S102 - our own page
    names["move_all"](saver, foreign.table_name, client=foreign.client, s3_offload_config=offload)
    for thread_id in foreign.stored.thread_ids:
        assert by_place(saver, thread_id) == foreign.stored.tuples(thread_id)


@pytest.mark.sample(4)
def test_a_thread_is_imported_by_either_family_and_again(
    foreign: Foreign, moves: PlainMoves, tables: Tables
) -> None:
    source = foreign.source()
    report = moves.import_thread(source, "parallel")
    assert report.threads == 1
    assert by_place(moves.saver, "parallel") == foreign.stored.tuples("parallel")
    stored = tables.checkpoint_items(), tables.items_beside()
    assert moves.import_thread(source, "parallel") == report
    assert (tables.checkpoint_items(), tables.items_beside()) == stored


def test_all_threads_are_exported_with_nested_namespaces_and_task_paths(foreign: Foreign) -> None:
    stored, asked = foreign.stored, set()
    with own_handlers(foreign.client):
        foreign.client.meta.events.register(
            "before-call.dynamodb", lambda model, **_: asked.add(model.name)
        )
        lines = list(map(json.loads, exported(foreign.source())))
    assert asked == {"GetItem", "Query", "Scan"}
    assert lines[-1] == {"checkpoints": len(stored.records)}
    assert {one["thread_id"] for one in lines[1:-1]} == set(stored.thread_ids)
    for one in lines[1:-1]:
        place = (one["thread_id"], one["checkpoint_ns"], one["checkpoint_id"])
        assert one["tasks"] == stored.records[place]["tasks"]
    threads = [thread_id for thread_id, _ in groupby(one["thread_id"] for one in lines[1:-1])]
    assert len(threads) == len(stored.thread_ids)


def test_the_threads_of_a_table_are_found(foreign: Foreign, loop_thread: LoopThread) -> None:
    async def awaited() -> list[str]:
        return [thread_id async for thread_id in foreign.source().athread_ids()]

    found = list(foreign.source().thread_ids())
    assert sorted(found) == sorted(foreign.stored.thread_ids)
    assert found == loop_thread.run(awaited())
    listed = [one.config["configurable"]["thread_id"] for one in foreign.source().list(None)]
    assert list(dict.fromkeys(listed)) == found


def test_an_export_is_the_same_on_an_event_loop(foreign: Foreign, loop_thread: LoopThread) -> None:
    stream = io.StringIO()
    report = loop_thread.run(aexport_threads(foreign.source(), stream, ["parallel"]))
    assert stream.getvalue().splitlines(keepends=True) == exported(foreign.source(), "parallel")
    assert report.checkpoints == 3


@pytest.mark.sample(4)
@pytest.mark.parametrize("name", ["checkpoint-aws", "dynamodb-checkpoint", "amazon-dynamodb"])
@pytest.mark.parametrize("thread_id", ["nested", "parallel", ODD])
def test_a_graph_that_waits_goes_on_here(
    stored_by: Callable[[str], Foreign], saver: Saver, name: str, thread_id: str
) -> None:
    foreign = stored_by(name)
    saver.import_thread(foreign.source(), thread_id)
    expected = foreign.stored.in_memory()
    here, there = (
        GRAPHS[thread_id](each).invoke(Command(resume="yes"), thread(thread_id))
        for each in (saver, expected)
    )
    assert here == there
    assert "__interrupt__" not in here


def test_some_namespaces_are_imported_where_they_are_named(
    stored_by: Callable[[str], Foreign], moves: PlainMoves
) -> None:
    foreign = stored_by("amazon-dynamodb")
    assert moves.import_thread(foreign.source(), "nested", namespaces=[""]).namespaces == 1
    assert {place[0] for place in by_place(moves.saver, "nested")} == {""}


@pytest.mark.sample(1)
def test_pages_of_one_item_give_the_same(foreign: Foreign) -> None:
    some_threads = [one for one in ("nested", "parallel") if one in foreign.stored.thread_ids]
    whole = exported(foreign.source(), *some_threads)

    def cut(params: dict[str, Any], **_: Any) -> None:
        params["Limit"] = 1

    with own_handlers(foreign.client):
        for action in ("Query", "Scan"):
            foreign.client.meta.events.register(f"provide-client-params.dynamodb.{action}", cut)
        with foreign.with_items(foreign.items_of(*some_threads)) as changed:
            some = exported(changed.source())
            assert sorted(changed.source().thread_ids()) == some_threads
    assert sorted(some) == sorted(whole)


# --- as a saver ---


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

    for checkpoint_ns, checkpoint_id in by_place(expected, "parallel"):
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


# --- watched ---


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


# --- what their own savers return ---


def writes_of(record: Item) -> list[list[str]]:
    return [[task["task_id"], write[0]] for task in record["tasks"] for write in task["writes"]]


def returned(foreign: Foreign, thread_id: str) -> dict[tuple[str, str], Any]:
    """What the package's own saver lists of a thread: its writes, by namespace and id."""
    found = foreign.stored.returned[thread_id]
    return {
        (checkpoint_ns, checkpoint_id): writes for checkpoint_ns, checkpoint_id, writes in found
    }


def told(foreign: Foreign, thread_id: str) -> dict[tuple[str, str], Any]:
    """What it was told to store."""
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


# --- what has expired ---


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


# --- other shapes ---


def test_rows_of_dynamodb_checkpoint_before_0_4_1_are_read(
    stored_by: Callable[[str], Foreign],
) -> None:
    foreign = stored_by("dynamodb-checkpoint")

    def before(item: Item) -> Item:
        """The sort key had no place in it, so the last write of a task was left."""
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
    # A task that has written at all twelve places.
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
        assert sorted(by_place(source, "chat"))[-1] == ("another:1", newest)


def test_a_value_that_was_never_stored_is_told_or_left_out(
    stored_by: Callable[[str], Foreign], saver: Saver
) -> None:
    """What `langgraph-checkpoint-aws` leaves where it cannot store a value."""
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


# --- damage ---


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
