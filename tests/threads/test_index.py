"""Threads are listed by their owner, with their interrupts."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated, Any, TypedDict
from uuid import UUID

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt

from langgraph_checkpoint_dynamodb import (
    DynamoDBSaver,
    InvalidInputError,
    ThreadIndex,
    ThreadInfo,
    ThreadNotFoundError,
)
from tests.support.clocks import NOW
from tests.support.savers import new_saver
from tests.support.tables import forget, sweep
from tests.support.values import checkpoint, config, metadata
from tests.threads.conftest import INDEXED

if TYPE_CHECKING:
    from tests.support.clocks import Clock
    from tests.support.savers import Saver
    from tests.support.tables import Tables


def owned(thread_id: str, owner: str | None = "ann", checkpoint_id: str | None = None) -> Any:
    at: Any = config(thread_id, "", checkpoint_id)
    if owner is not None:
        at["configurable"]["user_id"] = owner
    return at


def begin(saver: Saver, thread_id: str, owner: str | None = "ann", id_: str = "0001") -> Any:
    return saver.put(
        owned(thread_id, owner), checkpoint(id_, value=1), metadata(source="input", step=-1), {}
    )


def known(saver: Saver, thread_id: str) -> ThreadInfo:
    """The information about a listed thread."""
    info = saver.get_thread(thread_id)
    assert info is not None
    return info


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(NOW + seconds, timezone.utc)


def titles(saver: Any, **wanted: Any) -> list[str]:
    return [info.thread_id for info in saver.list_threads(**wanted).threads]


def add(left: list[str], right: list[str]) -> list[str]:
    return left + right


class State(TypedDict, total=False):
    log: Annotated[list[str], add]
    fail: bool
    ask: int


def ask(state: State) -> State:
    return {"log": [f"answer: {interrupt(f'question {state}')}"]}


def finish(state: State) -> State:
    if state.get("fail"):
        raise RuntimeError("no")
    return {"log": ["done"]}


def asks(state: State) -> list[Send]:
    return [Send("ask", {"ask": number}) for number in range(state.get("ask", 0))]


def make_graph(saver: Any) -> Any:
    builder = StateGraph(State)
    builder.add_node("begin", lambda _: {"log": ["begun"]})
    builder.add_node("ask", ask)
    builder.add_node("finish", finish)
    builder.add_edge(START, "begin")
    builder.add_conditional_edges("begin", asks, ["ask"])
    builder.add_edge("begin", "finish")
    builder.add_edge("finish", END)
    return builder.compile(checkpointer=saver)


def test_threads_of_an_owner_come_newest_first(listing: Saver, clock: Clock) -> None:
    for number in range(5):
        clock.now = NOW + number
        begin(listing, f"t{number}")
        begin(listing, f"other{number}", "bob")
    assert titles(listing, owner="ann") == ["t4", "t3", "t2", "t1", "t0"]
    clock.now += 1
    begin(listing, "t2", id_="0002")
    assert titles(listing, owner="ann") == ["t2", "t4", "t3", "t1", "t0"]
    assert titles(listing, owner="nobody") == []


def test_a_thread_says_whose_it_is_and_when_it_began(listing: Saver, clock: Clock) -> None:
    begin(listing, "t")
    clock.now += 10.25
    begin(listing, "t", None, "0002")
    (info,) = listing.list_threads(owner="ann").threads
    assert info == listing.get_thread("t")
    assert (info.thread_id, info.owner, info.checkpoint_id) == ("t", "ann", "0002")
    assert (info.created, info.updated) == (moment(0), moment(10.25))
    assert (info.title, info.status, info.interrupts, dict(info.metadata)) == (None, "idle", 0, {})


@pytest.mark.parametrize("owner", [5, UUID(int=5), "ü" * 1024], ids=["int", "UUID", "long"])
def test_an_owner_may_be_any_text_or_what_stands_for_one(listing: Saver, owner: Any) -> None:
    begin(listing, "t", owner)
    assert known(listing, "t").owner == str(owner)
    assert titles(listing, owner=owner) == titles(listing, owner=str(owner)) == ["t"]


@pytest.mark.parametrize("owner", ["", "x" * 2049, "\ud800", True, 1.5, b"x", ["x"], "\0"])
def test_what_can_own_nothing_is_no_owner(listing: Saver, owner: Any) -> None:
    begin(listing, "t", owner)
    begin(listing, "u", None)
    assert known(listing, "t").owner is known(listing, "u").owner is None
    assert sorted(titles(listing)) == ["t", "u"]
    with pytest.raises(InvalidInputError, match="owner"):
        listing.list_threads(owner=owner)


def test_pages_go_on_where_the_one_before_has_ended(listing: Saver, clock: Clock) -> None:
    for number in range(7):
        clock.now = NOW + number
        begin(listing, f"t{number}")
    found, cursor = [], None
    while True:
        page = listing.list_threads(owner="ann", limit=3, cursor=cursor)
        found.append([info.thread_id for info in page.threads])
        cursor = page.cursor
        if cursor is None:
            break
    assert found == [["t6", "t5", "t4"], ["t3", "t2", "t1"], ["t0"]]


def test_everybodys_threads_are_listed_and_those_of_nobody_among_them(listing: Saver) -> None:
    for number in range(5):
        begin(listing, f"t{number}", None if number % 2 else f"user{number}")
    found, cursor = [], None
    while True:
        page = listing.list_threads(limit=2, cursor=cursor)
        found += [(info.thread_id, info.owner) for info in page.threads]
        cursor = page.cursor
        if cursor is None:
            break
    assert sorted(found) == [
        ("t0", "user0"), ("t1", None), ("t2", "user2"), ("t3", None), ("t4", "user4"),
    ]  # fmt: skip


def test_a_graph_waits_and_fails_and_goes_on(listing: Saver) -> None:
    graph = make_graph(listing)
    at = owned("t")
    graph.invoke({"ask": 2}, at)
    info = known(listing, "t")
    assert (info.status, info.interrupts) == ("waiting", 2)
    assert info.checkpoint_id == graph.get_state(at).config["configurable"]["checkpoint_id"]
    assert titles(listing, owner="ann", status="waiting") == ["t"]
    assert titles(listing, owner="ann", status="idle") == []
    first, second = graph.get_state(at).interrupts
    graph.invoke(Command(resume={first.id: "yes"}), at)
    assert (known(listing, "t").status, known(listing, "t").interrupts) == ("waiting", 1)
    graph.invoke(Command(resume={second.id: "yes"}), at)
    assert (known(listing, "t").status, known(listing, "t").interrupts) == ("idle", 0)
    with pytest.raises(RuntimeError):
        graph.invoke({"fail": True, "ask": 0}, at)
    assert known(listing, "t").status == "failed"
    graph.update_state(at, {"fail": False})
    assert known(listing, "t").status == "idle"


@pytest.mark.parametrize("durability", ["exit", "async", "sync"])
def test_every_run_is_told_once_whatever_the_durability(
    listing: Saver, clock: Clock, durability: str
) -> None:
    graph = make_graph(listing)
    for turn in range(3):
        clock.now += 1
        graph.invoke({"ask": 0}, owned("t"), durability=durability)
        assert known(listing, "t").updated == moment(turn + 1)


def test_a_resumed_run_is_told_by_a_process_that_has_seen_nothing(
    tables: Tables, listing: Saver, clock: Clock
) -> None:
    make_graph(listing).invoke({"ask": 1}, owned("t"))
    clock.now += 5
    with tables.saver(**INDEXED, clock=clock) as other:
        make_graph(other).invoke(Command(resume="yes"), owned("t"))
    info = known(listing, "t")
    assert (info.status, info.updated) == ("idle", moment(5))


@pytest.mark.parametrize("setting", [{}, {"on_conflict": "raise"}, {"memory_bytes": 0}])
@pytest.mark.parametrize("durability", ["exit", "sync"])
def test_a_thread_that_is_imported_waits_as_it_did(
    tables: Tables, setting: dict[str, Any], durability: str
) -> None:
    source = InMemorySaver()
    make_graph(source).invoke({"ask": 2}, owned("t"), durability=durability)
    tables.set_up(**INDEXED)
    with tables.saver(**INDEXED, **setting) as saver:
        saver.import_thread(source, "t")
        info = known(saver, "t")
        assert (info.owner, info.status, info.interrupts) == ("ann", "waiting", 2)


def test_a_title_and_metadata_are_merged_and_survive_runs(listing: Saver) -> None:
    begin(listing, "t")
    listing.update_thread("t", title="First", metadata={"a": 1, "b": [2]})
    begin(listing, "t", id_="0002")
    info = listing.update_thread("t", metadata={"a": None, "c": {"d": 1.5}})
    assert (info.title, dict(info.metadata)) == ("First", {"b": [2], "c": {"d": 1.5}})
    assert listing.get_thread("t") == info
    assert listing.update_thread("t", title="").title is None


def test_metadata_that_was_read_can_be_given_to_another_thread(listing: Saver) -> None:
    for thread in ("t", "u"):
        begin(listing, thread)
    listing.update_thread("t", metadata={"a": 1})
    listing.update_thread("u", metadata=known(listing, "t").metadata)
    assert dict(known(listing, "u").metadata) == {"a": 1}


def test_of_many_who_describe_a_thread_at_once_nobody_is_turned_away(listing: Saver) -> None:
    begin(listing, "t")
    with ThreadPoolExecutor(24) as pool:
        for number in range(24):
            pool.submit(listing.update_thread, "t", metadata={str(number): number})
    assert len(known(listing, "t").metadata) == 24


def test_what_is_not_listed_or_too_much_is_refused(listing: Saver) -> None:
    with pytest.raises(ThreadNotFoundError):
        listing.update_thread("t", title="no")
    begin(listing, "t")
    with pytest.raises(InvalidInputError, match=r"at most 1,024"):
        listing.update_thread("t", metadata={"a": "x" * 1100})
    assert known(listing, "t").title is None
    assert listing.get_thread("other") is None


def test_deleted_threads_are_not_listed(listing: Saver, tables: Tables) -> None:
    for thread in ("t", "u"):
        begin(listing, thread)
    listing.delete_thread("t")
    assert titles(listing, owner="ann") == ["u"]
    listing.prune(["u"], strategy="delete")
    assert titles(listing, owner="ann") == []
    assert tables.checkpoint_items() == []


def test_a_thread_whose_last_run_is_deleted_is_not_listed(listing: Saver) -> None:
    at = owned("t")
    listing.put(at, checkpoint("0001"), metadata(source="input", step=-1, run_id="r"), {})
    listing.delete_for_runs(["r"])
    assert listing.get_thread("t") is None


def test_a_thread_whose_last_run_is_deleted_is_listed_as_the_run_before_has_left_it(
    listing: Saver,
) -> None:
    graph = make_graph(listing)
    graph.invoke({"ask": 1}, {**owned("t"), "metadata": {"run_id": "asks"}})
    before = known(listing, "t")
    resumed = {**owned("t"), "metadata": {"run_id": "answers"}}
    graph.invoke(Command(resume="yes"), resumed)
    graph.invoke({"ask": 2}, {**owned("t"), "metadata": {"run_id": "asks again"}})
    listing.delete_for_runs(["asks again"])
    assert (known(listing, "t").status, known(listing, "t").interrupts) == ("idle", 0)
    newest = listing.get_tuple(owned("t"))
    assert newest is not None
    assert known(listing, "t").checkpoint_id == newest.checkpoint["id"]
    listing.delete_for_runs(["answers"])
    assert known(listing, "t").checkpoint_id == before.checkpoint_id
    assert titles(listing, owner="ann") == ["t"]


def test_a_copy_is_listed_under_the_same_owner(listing: Saver, clock: Clock) -> None:
    begin(listing, "t")
    listing.update_thread("t", title="First")
    clock.now += 5
    listing.copy_thread("t", "copy")
    info = known(listing, "copy")
    assert (info.owner, info.title, info.created) == ("ann", "First", moment(5))
    assert titles(listing, owner="ann") == ["copy", "t"]


def test_a_sweep_takes_what_is_known_of_threads_that_are_not_there(
    listing: Saver, tables: Tables, clock: Clock
) -> None:
    begin(listing, "t")
    tables.client.delete_item(
        TableName=tables.checkpoints,
        Key={"thread_id": {"S": "t"}, "checkpoint_id": {"S": "0001"}},
    )
    assert sweep(listing, 5000).threads_deleted == 0
    assert listing.get_thread("t") is not None
    clock.now += 5001
    assert sweep(listing, 5000).threads_deleted == 1
    assert tables.checkpoint_items() == []


def test_threads_expire_with_their_checkpoints(tables: Tables, clock: Clock) -> None:
    tables.set_up(**INDEXED, ttl_seconds=100)
    with tables.saver(**INDEXED, clock=clock, ttl_seconds=100) as saver:
        begin(saver, "t")
        assert titles(saver, owner="ann") == ["t"]
        clock.now += 100 + 3600
        assert titles(saver, owner="ann") == []


def test_threads_of_an_owner_are_erased(listing: Saver, tables: Tables) -> None:
    for number in range(40):
        begin(listing, f"t{number}")
    begin(listing, "u", "bob")
    told: list[str] = []
    would = listing.delete_threads(
        owner="ann", dry_run=True, on_progress=lambda info: told.append(info.thread_id)
    )
    assert would == len(told) == 40
    assert len(titles(listing, owner="ann", limit=100)) == 40
    assert listing.delete_threads(owner="ann") == 40
    assert titles(listing) == ["u"]
    assert {item["thread_id"]["S"] for item in tables.checkpoint_items()} == {"u"}


def test_idle_threads_are_erased(listing: Saver, clock: Clock) -> None:
    begin(listing, "old")
    clock.now += 1000
    begin(listing, "young")
    assert listing.delete_threads(idle_for=timedelta(seconds=1000)) == 1
    assert titles(listing) == ["young"]


@pytest.mark.parametrize("wanted", [{"idle_for": 1000}, {"owner": "ann"}], ids=["idle", "owner"])
def test_a_thread_that_runs_again_once_it_was_listed_is_not_erased(
    tables: Tables, clock: Clock, wanted: dict[str, Any]
) -> None:
    tables.set_up(**INDEXED)
    with (
        tables.saver(**INDEXED, clock=clock, **tables.quick()) as saver,
        tables.boto_saver(**INDEXED, clock=clock) as other,
    ):
        for thread in ("t", "u"):
            begin(saver, thread)
        clock.now += 1000
        ran: list[object] = []

        def run_again(model: Any, **_: Any) -> None:
            if model.name in ("Query", "Scan") and not ran:
                ran.append(None)
                begin(other, "t", "bob", "0002")

        tables.on("after-call.dynamodb", run_again)
        assert saver.delete_threads(**wanted) == 1
        assert saver.delete_threads(**wanted) == 0
        assert titles(saver) == ["t"]


def test_all_threads_are_never_erased_by_mistake(listing: Saver) -> None:
    with pytest.raises(InvalidInputError, match="name one of them"):
        listing.delete_threads()


def test_threads_of_a_table_in_use_are_found(tables: Tables, clock: Clock) -> None:
    tables.set_up()
    with tables.saver(clock=clock) as before:
        graph = make_graph(before)
        graph.invoke({"ask": 2}, owned("waiting"))
        graph.invoke({"ask": 0}, owned("done", "bob"))
    with tables.saver(**INDEXED) as saver:
        saver.setup()
        assert titles(saver) == []
        assert saver.reindex_threads() == 2
        assert saver.reindex_threads() == 0
        waiting = known(saver, "waiting")
        assert (waiting.owner, waiting.status, waiting.interrupts) == ("ann", "waiting", 2)
        assert waiting.created <= waiting.updated
        assert abs(waiting.updated - datetime.now(timezone.utc)) < timedelta(hours=1)
        assert titles(saver, owner="bob") == ["done"]


def test_threads_that_were_fenced_before_they_were_listed_are_found(
    tables: Tables, clock: Clock
) -> None:
    tables.set_up(**INDEXED)
    fenced: dict[str, Any] = {"on_conflict": "raise", "clock": clock}
    with tables.saver(**fenced) as before:
        make_graph(before).invoke({"ask": 2}, owned("t"))
    with tables.saver(**INDEXED, **fenced) as saver:
        assert saver.get_thread("t") is None
        assert saver.reindex_threads() == 1
        assert saver.reindex_threads() == 0
        assert (known(saver, "t").owner, known(saver, "t").interrupts) == ("ann", 2)


def test_a_thread_that_is_found_expires_with_its_newest_checkpoint(
    tables: Tables, clock: Clock
) -> None:
    tables.set_up(ttl_seconds=1000)
    with tables.saver(clock=clock, ttl_seconds=1000) as before:
        begin(before, "t")
    clock.now += 900
    with tables.saver(**INDEXED, clock=clock, ttl_seconds=1000) as saver:
        saver.setup()
        assert saver.reindex_threads() == 1
        clock.now += 99 + 3600
        assert titles(saver, owner="ann") == ["t"]
        clock.now += 1
        assert titles(saver, owner="ann") == []


def test_a_saver_without_index_lists_nothing_and_stores_as_ever(tables: Tables) -> None:
    tables.set_up()
    with tables.saver() as saver:
        begin(saver, "t")
        with pytest.raises(InvalidInputError, match="thread_index"):
            saver.list_threads(owner="ann")
    assert len(tables.checkpoint_items()) == 1


@pytest.mark.parametrize(
    "index", [lambda: ThreadIndex(""), lambda: ThreadIndex("user_id", index_name="a b")]
)
def test_an_index_is_checked(index: Any) -> None:
    with pytest.raises(InvalidInputError):
        index()


def test_an_index_may_be_given_as_json_has_it(tables: Tables) -> None:
    settings = {"thread_index": {"owner": "user_id", "index_name": "threads"}}
    tables.set_up(**settings)
    with tables.saver(**json.loads(json.dumps(settings))) as saver:
        begin(saver, "t")
        assert titles(saver, owner="ann") == ["t"]
        assert saver._settings.thread_index == ThreadIndex("user_id", "threads")


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("user_id", "must be a ThreadIndex or a mapping, got str"),
        ({"owner": "user_id", "name": "x"}, "unknown names 'name'; known are: owner, index_name"),
        ({"index_name": "threads"}, r"thread_index\.owner: is missing"),
        ({"owner": 5}, r"thread_index\.owner: must name a key"),
    ],
)
def test_what_describes_no_index_is_refused(index: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        new_saver(checkpoints_table_name="one", writes_table_name="two", thread_index=index)


def test_the_index_must_be_another_one_than_that_of_runs() -> None:
    with pytest.raises(InvalidInputError, match="run_id_index"):
        DynamoDBSaver(
            checkpoints_table_name="one",
            writes_table_name="two",
            run_id_index="by-owner",
            **INDEXED,
        )


@pytest.mark.parametrize("cursor", ["", "no", "[1]", '["a","b","c"]'])
def test_a_cursor_that_is_none_is_refused(listing: Saver, cursor: str) -> None:
    with pytest.raises(InvalidInputError, match="cursor"):
        listing.list_threads(owner="ann", cursor=cursor)


def test_forgetting_makes_a_run_be_told_again(listing: Saver, clock: Clock) -> None:
    stored = begin(listing, "t")
    clock.now += 1
    listing.put(owned("t", "ann", "0001"), checkpoint("0002"), metadata(source="loop", step=0), {})
    assert known(listing, "t").updated == moment(0)
    forget(listing)
    clock.now += 1
    listing.put(owned("t", "ann", "0002"), checkpoint("0003"), metadata(source="loop", step=1), {})
    assert known(listing, "t").updated == moment(2)
    assert stored["configurable"]["checkpoint_id"] == "0001"
