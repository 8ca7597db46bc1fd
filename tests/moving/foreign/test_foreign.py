"""Threads of other packages' tables are imported as those packages were asked to store them."""

from __future__ import annotations

import io
import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.types import Command

from langgraph_checkpoint_dynamodb.moving import (
    aexport_threads,
)
from tests.docs.pages import DOCS, blocks
from tests.moving.foreign.writers.graphs import GRAPHS, ODD
from tests.moving.threads import checkpoints_by_id, exported
from tests.support.sessions import own_handlers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.moving.foreign.conftest import Foreign
    from tests.moving.moves import PlainMoves
    from tests.support.calls import LoopThread
    from tests.support.savers import Saver
    from tests.support.tables import Tables


def thread(thread_id: str) -> Any:
    return {"configurable": {"thread_id": thread_id}}


def states(thread_id: str, saver: Any) -> list[Any]:
    """The state history of a thread according to its graph, newest first."""
    graph = GRAPHS[thread_id](saver)
    return [
        (one.values, one.next, one.config, one.parent_config, one.metadata, repr(one.tasks))
        for one in graph.get_state_history(thread(thread_id))
    ]


def test_every_thread_arrives_as_its_package_was_told_to_store_it(
    foreign: Foreign, saver: Saver
) -> None:
    source, expected = foreign.source(), foreign.stored.in_memory()
    reports = [saver.import_thread(source, each) for each in foreign.stored.thread_ids]
    assert sum(one.checkpoints for one in reports) == len(foreign.stored.records)
    for thread_id in foreign.stored.thread_ids:
        assert checkpoints_by_id(saver, thread_id) == foreign.stored.tuples(thread_id)
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
        assert checkpoints_by_id(saver, thread_id) == foreign.stored.tuples(thread_id)


@pytest.mark.sample(4)
def test_a_thread_is_imported_by_either_family_and_again(
    foreign: Foreign, moves: PlainMoves, tables: Tables
) -> None:
    source = foreign.source()
    report = moves.import_thread(source, "parallel")
    assert report.threads == 1
    assert checkpoints_by_id(moves.saver, "parallel") == foreign.stored.tuples("parallel")
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
    assert {place[0] for place in checkpoints_by_id(moves.saver, "nested")} == {""}


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
