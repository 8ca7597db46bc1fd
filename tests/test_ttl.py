"""`ttl_seconds`: expired items are absent, live ones can be read to their last second.

DynamoDB deletes expired items at some time after their `ttl`. These tests set the clock by hand,
and items are deleted exactly at that second, or not at all.
"""

from __future__ import annotations

import logging
import operator
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, cast

import pytest
from botocore.exceptions import ClientError
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from typing_extensions import TypedDict

from langgraph_checkpoint_dynamodb import InvalidInputError, MissingPartError, UnreadableItemError
from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS, is_live
from langgraph_checkpoint_dynamodb.format.parts import part_address_of
from langgraph_checkpoint_dynamodb.format.tables import SAVER_TABLES, SPECS, Table
from langgraph_checkpoint_dynamodb.policies import (
    S3_DELETE_ACTIONS,
    S3_RUN_ACTIONS,
    SCAN_ACTIONS,
)
from tests.support.calls import AsyncCalls, SyncCalls
from tests.support.clocks import Clock
from tests.support.sessions import on, saver_session
from tests.support.tables import with_payloads
from tests.support.values import checkpoint, config, id_of, metadata, new_id, put_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from langchain_core.runnables import RunnableConfig

    from tests.support.buckets import Bucket
    from tests.support.calls import Calls, LoopThread
    from tests.support.graphs import Graph
    from tests.support.savers import Saver
    from tests.support.tables import Tables

TTL = 100_000
SMALL = {"inline_limit": 300, "chunk_bytes": 200}
KINDS = ("inline", "chunks", "s3")
NESTED = "node:1"


@dataclass
class World:
    """Savers of every kind on the same tables, with one clock."""

    tables: Tables
    bucket: Bucket
    clock: Clock
    savers: list[Saver]

    def saver(self, ttl: int | None = TTL, kind: str = "inline", **given: Any) -> Saver:
        # Every saver knows the bucket and so can read its objects.
        offload = self.bucket.config() if kind == "s3" else self.bucket.known()
        if "session" in given:
            given["endpoint_url"] = self.tables.engine.url
        else:
            given |= self.tables.quick(self.bucket)
        given["s3_offload_config"] = offload
        saver = self.tables.saver(ttl_seconds=ttl, clock=self.clock, **given)
        self.savers.append(saver)
        return with_payloads(saver, **SMALL) if kind == "chunks" else saver

    def calls(self, ttl: int | None = TTL, kind: str = "inline", **given: Any) -> Calls:
        return SyncCalls(self.saver(ttl, kind, **given))

    def ttls(self) -> dict[tuple[Table, str, str], int | None]:
        """The expiry of each item, by its table and key."""
        return {
            (table, *(item[name]["S"] for name in key)): (
                int(item["ttl"]["N"]) if "ttl" in item else None
            )
            for table, key, item in self._items()
        }

    def delete_expired(self) -> None:
        """Delete expired items exactly at their second, as DynamoDB does some time later."""
        for table, key, item in self._items():
            if not is_live(int(item["ttl"]["N"]) if "ttl" in item else None, int(self.clock.now)):
                name = _table_name(self.tables, table)
                self.tables.client.delete_item(
                    TableName=name, Key={attribute: item[attribute] for attribute in key}
                )

    def shortened(self, table: Table, expires_at: int, *, sort: str = "") -> None:
        """Change the expiry of the items of a table whose sort key has this prefix."""
        spec = SPECS[table]
        for found, key, item in self._items():
            if found is table and item[spec.sort_key]["S"].startswith(sort):
                self.tables.client.update_item(
                    TableName=_table_name(self.tables, table),
                    Key={attribute: item[attribute] for attribute in key},
                    UpdateExpression="SET #t = :t",
                    ExpressionAttributeNames={"#t": "ttl"},
                    ExpressionAttributeValues={":t": {"N": str(expires_at)}},
                )

    def parts_outlive_what_refers_to_them(self) -> bool:
        expiry = {
            item[SPECS[table].sort_key]["S"].rpartition("/")[0]
            if item.get("chunk")
            else item[SPECS[table].sort_key]["S"]: int(item["ttl"]["N"])
            for table, _, item in self._items()
            if part_address_of(item[SPECS[table].sort_key]["S"]) is not None
        }
        return all(
            expiry[f"{prefix}/{place['digest']['S']}/{place['stamp']['S']}"]
            >= int(item["ttl"]["N"])
            for _, _, item in self._items()
            for name in ("checkpoint", "metadata", "value")
            if (place := item.get(f"{name}_payload", {}).get("M"))
            and (prefix := {"chunks": "chunk", "s3": "object"}.get(place["kind"]["S"]))
        )

    def _items(self) -> Iterator[tuple[Table, tuple[str, str], dict[str, Any]]]:
        for table, items in (
            (Table.CHECKPOINTS, self.tables.checkpoint_items()),
            (Table.WRITES, self.tables.write_items()),
        ):
            spec = SPECS[table]
            for item in items:
                yield table, (spec.partition_key, spec.sort_key), cast("dict[str, Any]", item)


def _table_name(tables: Tables, table: Table) -> str:
    return tables.checkpoints if table is Table.CHECKPOINTS else tables.writes


@pytest.fixture
def world(tables: Tables, bucket: Bucket) -> Iterator[World]:
    tables.set_up()
    made = World(tables, bucket, Clock(1_000_000), [])
    yield made
    for saver in made.savers:
        saver.close()


@pytest.fixture(params=["sync", "async"])
def calls(request: pytest.FixtureRequest, world: World, loop_thread: LoopThread) -> Calls:
    saver = world.saver()
    return SyncCalls(saver) if request.param == "sync" else AsyncCalls(saver, loop_thread)


def put_one(calls: Calls, thread_id: str = "t", ns: str = "", **values: Any) -> RunnableConfig:
    return calls.put(config(thread_id, ns), checkpoint(a="x" * 400), metadata(**values), {"a": "1"})


def put_link(calls: Calls, parent: RunnableConfig, step: int, **values: Any) -> RunnableConfig:
    """A checkpoint of a graph with a DeltaChannel `log`."""
    made = checkpoint(new_id(step), other=step, **values)
    made["channel_versions"]["log"] = str(step)
    counters = {"counters_since_delta_snapshot": {"log": (step, step)}} if step else {}
    return calls.put(parent, made, metadata(step=step, **counters), {})


def log_chain(calls: Calls, length: int, seed: str = "seed" * 100) -> list[RunnableConfig]:
    """A chain as a DeltaChannel `log` makes it: a value in the first, writes in the others."""
    stored: list[RunnableConfig] = []
    for step in range(length):
        parent = stored[-1] if stored else config("t")
        stored.append(put_link(calls, parent, step, **({} if step else {"log": seed})))
        calls.put_writes(stored[-1], [("log", f"{step}" * 300), ("other", step)], f"task-{step}")
    return stored


def history(calls: Calls, target: RunnableConfig) -> Any:
    found = calls.get_delta_channel_history(config=target, channels=["log"])["log"]
    return found.get("seed"), [value for _, _, value in found["writes"]]


def log_of(length: int) -> tuple[str, list[str]]:
    """The expected history of the last checkpoint of a chain."""
    return "seed" * 100, [f"{step}" * 300 for step in range(length - 1)]


def sent_by(session: Any) -> list[str]:
    """A list that collects the name of every request of the session's clients."""
    sent: list[str] = []

    def note(model: Any, **_: object) -> None:
        sent.append(model.name)

    on(session, "before-call", note)
    return sent


# --- what is stored, and when it is absent ---


@pytest.mark.sample(3)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ttl", [None, 1, TTL])
def test_every_item_says_when_it_may_be_deleted_and_checkpoints_when_they_stop_to_count(
    world: World, kind: str, ttl: int | None
) -> None:
    calls = world.calls(ttl, kind)
    world.clock.now += 0.9
    stored = put_one(calls, run_id="run", note="n" * 400)
    calls.put_writes(stored, [("a", "v" * 400), ("b", 2)], "task")
    calls.put_writes(stored, [("__error__", "v" * 400)], "task")
    ttls = world.ttls()
    assert len(ttls) == {"inline": 3, "s3": 8}.get(kind, len(ttls))
    end = None if ttl is None else 1_000_000 + ttl
    assert set(ttls.values()) == {None if end is None else end + GRACE_SECONDS}
    (item,) = world.tables.checkpoint_items()
    assert item.get("expires") == (None if end is None else {"N": str(end)})
    assert not any("expires" in beside for beside in world.tables.write_items())


READS: dict[str, Callable[[Calls, RunnableConfig], object]] = {
    "latest": lambda calls, _: calls.get_tuple(config("t", NESTED)),
    "by id": lambda calls, stored: calls.get_tuple(stored),
    "thread": lambda calls, _: list(calls.list(config("t", None))),
    "namespace": lambda calls, _: list(calls.list(config("t", NESTED))),
    "listed by id": lambda calls, stored: list(calls.list(stored)),
    "limited": lambda calls, _: list(calls.list(config("t", NESTED), limit=1)),
    "filtered": lambda calls, _: list(calls.list(config("t", None), filter={"step": 7})),
    "before": lambda calls, _: list(
        calls.list(config("t", NESTED), before=config("t", NESTED, "f" * 32))
    ),
    "everywhere": lambda calls, _: list(calls.list(None)),
    "everywhere filtered": lambda calls, _: list(calls.list(None, filter={"step": 7})),
}


@pytest.mark.sample(4)
@pytest.mark.parametrize("deleted", [False, True], ids=["still there", "deleted"])
@pytest.mark.parametrize("reader_ttl", [None, TTL])
def test_a_checkpoint_is_there_to_its_last_second_and_absent_after_however_it_is_read(
    world: World, calls: Calls, reader_ttl: int | None, deleted: bool
) -> None:
    stored = put_one(calls, ns=NESTED, step=7)
    calls.put_writes(stored, [("a", 1)], "task")
    reading = calls if reader_ttl else world.calls(None)
    for now, there in ((TTL - 1, True), (TTL, False), (2 * TTL, False)):
        world.clock.now = 1_000_000 + now
        if deleted:
            world.delete_expired()
        found = {name: bool(read(reading, stored)) for name, read in READS.items()}
        assert found == dict.fromkeys(READS, there)


def test_an_expired_newest_checkpoint_uncovers_the_one_before_that_lives(
    world: World, calls: Calls
) -> None:
    older = put_one(world.calls(None))
    for _ in range(30):
        calls.put(older, checkpoint(a=1), metadata(), {})
    world.clock.now += TTL
    for found in (
        calls.get_tuple(config("t")),
        *calls.list(config("t"), limit=1),
        *calls.list(config("t", None)),
        *calls.list(None, limit=1),
    ):
        assert found is not None
        assert found.config == older
    assert len(list(calls.list(None))) == 1


def test_a_checkpoint_whose_parent_has_expired_keeps_its_name_and_its_state(
    world: World, calls: Calls
) -> None:
    parent = put_one(calls)
    world.clock.now += TTL - 1
    child = calls.put(parent, checkpoint(a=2), metadata(), {})
    world.clock.now += 1
    found = calls.get_tuple(child)
    assert found is not None
    assert found.parent_config == parent
    assert calls.get_tuple(parent) is None
    assert [one.config for one in calls.list(config("t"))] == [child]


def test_a_checkpoint_put_again_lives_a_whole_life_again(world: World, calls: Calls) -> None:
    for wait in (TTL // 2, TTL, 2 * TTL):
        made = checkpoint("1f00", a=world.clock.now)
        stored = calls.put(config("t"), made, metadata(), {})
        world.clock.now += wait
        assert (calls.get_tuple(stored) is not None) is (wait < TTL)
        stored = calls.put(config("t"), {**made, "channel_values": {"a": 0}}, metadata(), {})
        world.clock.now += TTL - 1
        found = calls.get_tuple(config("t"))
        assert found is not None
        assert found.checkpoint["channel_values"] == {"a": 0}


@pytest.mark.sample(3)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("names", [["a"], ["a", "b"]], ids=["one", "several"])
def test_a_regular_write_that_has_expired_gives_way_to_the_next_and_no_sooner(
    world: World, names: list[str], kind: str
) -> None:
    stored = put_one(world.calls(None, kind))
    calls = world.calls(TTL, kind)
    calls.put_writes(stored, [(name, "0 " * 200) for name in names], "task")
    (life,) = {at - 1_000_000 for key, at in world.ttls().items() if at and "task:::" in key[2]}
    for at, wins in ((1, 0), (life - 1, 0), (life, life), (life + 1, life), (2 * life, 2 * life)):
        world.clock.now = 1_000_000 + at
        calls.put_writes(stored, [(name, f"{at} " * 200) for name in names], "task")
        found = calls.get_tuple(stored)
        assert found is not None
        assert found.pending_writes == [("task", name, f"{wins} " * 200) for name in names]


def test_an_expired_and_a_living_write_of_one_task_are_told_apart(
    world: World, calls: Calls
) -> None:
    stored = put_one(world.calls(None))
    calls.put_writes(stored, [("a", 1)], "task")
    world.clock.now += GRACE_SECONDS
    calls.put_writes(stored, [("a", 2), ("b", 2)], "task")
    world.clock.now += TTL
    calls.put_writes(stored, [("a", 3), ("b", 3), ("c", 3)], "task")
    found = calls.get_tuple(stored)
    assert found is not None
    assert found.pending_writes == [("task", "a", 3), ("task", "b", 2), ("task", "c", 3)]


def test_items_without_an_expiry_never_expire_whoever_reads_them(
    world: World, calls: Calls
) -> None:
    forever = world.calls(None)
    stored = log_chain(forever, 3)
    world.clock.now += 1000 * TTL
    world.delete_expired()
    assert len(list(calls.list(config("t")))) == 3
    assert history(calls, stored[-1]) == log_of(3)
    assert set(world.ttls().values()) == {None}
    with_expiry = calls.get_tuple(stored[-1])
    without = forever.get_tuple(stored[-1])
    assert with_expiry == without


@pytest.mark.parametrize("ttl", ["1000050", "1000050.5", "1.00005E6"])
def test_the_expiry_of_another_writer_counts(world: World, calls: Calls, ttl: str) -> None:
    """The JavaScript port stores an expiry if configured to; the number may have a fraction."""
    item: dict[str, Any] = {
        "thread_id": {"S": "t"},
        "checkpoint_id": {"S": "1f00"},
        "checkpoint_ns": {"S": ""},
        "type": {"S": "json"},
        "checkpoint": {"B": b'{"v": 1, "id": "1f00", "ts": "", "channel_values": {"a": 1}}'},
        "metadata": {"B": b'{"source": "loop", "step": 0}'},
        "ttl": {"N": ttl},
    }
    world.tables.client.put_item(TableName=world.tables.checkpoints, Item=item)
    write = {
        "thread_id_checkpoint_id_checkpoint_ns": {"S": "t:::1f00:::"},
        "task_id_idx": {"S": "task:::0"},
        "channel": {"S": "a"},
        "type": {"S": "json"},
        "value": {"B": b"1"},
        "ttl": {"N": "1000049"},
    }
    world.tables.client.put_item(TableName=world.tables.writes, Item=cast("Any", write))
    seen = []
    for now in (1_000_048, 1_000_049, 1_000_050):
        world.clock.now = now
        found = calls.get_tuple(config("t"))
        seen.append(None if found is None else len(found.pending_writes or []))
    assert seen == [1, 0, None]


# --- parts ---


@pytest.mark.parametrize("part", ["checkpoint", "write"])
def test_a_chunk_that_expired_before_its_item_is_missed_and_never_read_as_nothing(
    world: World, part: str
) -> None:
    calls = world.calls(kind="chunks")
    stored = (
        put_one(calls, ns=NESTED)
        if part == "checkpoint"
        else world.calls().put(config("t", NESTED), checkpoint(a=1), metadata(), {})
    )
    if part == "write":
        calls.put_writes(stored, [("a", "v" * 400)], "task")
    assert calls.get_tuple(stored) is not None
    world.shortened(Table.WRITES, int(world.clock.now), sort="chunk/")
    for read in (READS["latest"], READS["by id"], READS["thread"], READS["everywhere"]):
        with pytest.raises(MissingPartError) as raised:
            read(calls, stored)
        assert [
            name for name in ("'t'", NESTED, id_of(stored)) if name not in str(raised.value)
        ] == []


# --- deleting, pruning, copying ---


@pytest.mark.sample(6)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("waited", [TTL, 2 * TTL])
@pytest.mark.parametrize(
    "remove",
    [
        lambda calls: calls.delete_thread("t"),
        lambda calls: calls.prune(["t"]),
        lambda calls: calls.delete_for_runs(["run"]),
    ],
    ids=["delete_thread", "prune", "delete_for_runs"],
)
def test_what_has_expired_is_removed_with_all_that_is_beside_it(
    world: World, remove: Callable[[Calls], None], waited: int, kind: str
) -> None:
    calls = world.calls(kind=kind)
    for ns in ("", NESTED):
        stored = put_one(calls, ns=ns, run_id="run", note="n" * 400)
        calls.put_writes(stored, [("a", "v" * 400)], "task")
    world.clock.now += waited
    remove(calls)
    assert world.ttls() == {}
    assert world.bucket.objects() == {}
    # Marks that no sweep deletes expire.
    expected = {"N": str(int(world.clock.now) + GRACE_SECONDS)}
    assert [mark["ttl"] for mark in world.tables.marks()] == [expected] * 2


def test_pruning_keeps_the_newest_that_lives_where_a_newer_one_has_expired(
    world: World, calls: Calls
) -> None:
    forever = world.calls(None)
    older, kept = put_chain(forever, "t", 2)
    put_one(calls)
    world.clock.now += TTL
    calls.prune(["t"])
    assert [found.config for found in forever.list(None)] == [kept]
    assert len(world.ttls()) == 1
    assert calls.get_tuple(older) is None


@pytest.mark.sample(2)
@pytest.mark.parametrize("index", [None, "by-run"])
@pytest.mark.parametrize("kind", KINDS)
def test_deleting_runs_finds_the_expired_and_is_not_stopped_by_others_that_have_lost_their_parts(
    world: World, kind: str, index: str | None
) -> None:
    calls = world.calls(kind=kind, run_id_index=index)
    cast("Saver", calls.saver).setup()
    put_one(calls, "without-run", note="n" * 400)
    put_one(calls, "expired", run_id="run", note="n" * 400)
    world.clock.now += TTL + GRACE_SECONDS
    living = put_one(calls, "living", run_id="run", note="n" * 400)
    other = put_one(calls, "living", run_id="other", note="n" * 400)
    calls.delete_for_runs(["run"])
    assert calls.get_tuple(living) is None
    assert calls.get_tuple(other) is not None
    left = {key[1] for key in world.ttls() if key[0] is Table.CHECKPOINTS}
    assert left == {"without-run", "living"}


@pytest.mark.sample(3)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("copier_ttl", [None, 50, TTL])
def test_a_copy_has_what_lives_and_a_whole_life_of_its_own(
    world: World, copier_ttl: int | None, kind: str
) -> None:
    calls = world.calls(kind=kind)
    put_one(calls)
    world.clock.now += TTL - 1
    living = put_one(calls)
    calls.put_writes(living, [("a", "v" * 400)], "task")
    expected = calls.get_tuple(living)
    world.clock.now += 1
    copying = world.calls(copier_ttl, kind)
    copying.copy_thread("t", "copy")
    last = (copier_ttl or 100 * TTL) - 1
    copies = {key: at for key, at in world.ttls().items() if key[1].partition(":::")[0] == "copy"}
    assert set(copies.values()) == {
        None if copier_ttl is None else int(world.clock.now) + copier_ttl + GRACE_SECONDS
    }
    world.clock.now += last
    (copied,) = calls.list(config("copy"))
    assert expected is not None
    assert (copied.checkpoint, copied.metadata, copied.pending_writes) == (
        expected.checkpoint,
        expected.metadata,
        expected.pending_writes,
    )


def test_a_write_that_has_expired_is_not_copied(world: World, calls: Calls) -> None:
    stored = put_one(world.calls(None))
    calls.put_writes(stored, [("a", 1)], "task")
    world.clock.now += TTL + GRACE_SECONDS
    calls.put_writes(stored, [("b", 2)], "other")
    calls.copy_thread("t", "copy")
    (copied,) = calls.list(config("copy"))
    assert copied.pending_writes == [("other", "b", 2)]


# --- the history of a DeltaChannel ---


@pytest.mark.parametrize("kind", KINDS)
def test_reading_a_history_extends_once_what_would_expire_before_a_checkpoint_stored_now(
    world: World, kind: str
) -> None:
    session = saver_session(world.bucket.url)
    stored = log_chain(world.calls(kind=kind), 4)
    ancestors = {id_of(one) for one in stored[:-1]}
    sent = sent_by(session)
    calls = world.calls(kind=kind, session=session)
    world.clock.now += TTL * 3 // 5
    assert history(calls, stored[-1]) == log_of(4)
    ends = {
        key: at
        for key, at in world.ttls().items()
        if (key[2] if key[0] is Table.CHECKPOINTS else key[1].split(":::")[1]) in ancestors
    }
    checkpoints = {at for key, at in ends.items() if key[0] is Table.CHECKPOINTS and at}
    assert int(world.clock.now) + TTL <= min(checkpoints)
    assert max(checkpoints) < world.clock.now + 2 * TTL
    assert {key for key, at in ends.items() if at is None} == set()
    beside = {at for key, at in ends.items() if key[0] is Table.WRITES and at}
    assert max(checkpoints) <= min(beside)
    assert "UpdateItem" in sent
    assert world.parts_outlive_what_refers_to_them()
    world.clock.now += TTL // 3
    sent.clear()
    assert history(calls, stored[-1]) == log_of(4)
    assert not {"UpdateItem", "CopyObject"} & set(sent)


@pytest.mark.sample(2)
@pytest.mark.parametrize("waited", [10, GRACE_SECONDS - 1, GRACE_SECONDS + 1, TTL // 2, TTL - 1])
def test_objects_in_s3_are_made_as_young_as_the_items_that_lead_to_them(
    world: World, waited: int
) -> None:
    """Lifecycle rules of the bucket count from the time an object was stored."""
    stored = log_chain(world.calls(kind="s3"), 2)
    before = world.bucket.objects()
    session = saver_session(world.bucket.url)
    copied: list[str] = []

    def note(params: dict[str, Any], **_: object) -> None:
        assert params["CopySource"] == f"{params['Bucket']}/{params['Key']}"
        copied.append(params["Key"])

    on(session, "before-parameter-build.s3.CopyObject", note)
    calls = world.calls(kind="s3", session=session)
    world.clock.now += waited
    assert history(calls, stored[-1]) == log_of(2)
    of_ancestor = {
        item["object_key"]["S"]
        for item in world.tables.write_items()
        if "object_key" in item
        and id_of(stored[0]) in item["thread_id_checkpoint_id_checkpoint_ns"]["S"]
    }
    assert len(of_ancestor) == 4
    assert of_ancestor <= set(copied)
    assert len(copied) == len(set(copied))
    assert world.bucket.objects() == before
    assert world.parts_outlive_what_refers_to_them()


@pytest.mark.parametrize("stored_ttl", [None, TTL])
def test_a_saver_whose_checkpoints_never_expire_extends_nothing(
    world: World, stored_ttl: int | None
) -> None:
    stored = log_chain(world.calls(stored_ttl), 3)
    session = saver_session(world.bucket.url)
    sent = sent_by(session)
    calls = world.calls(None, session=session)
    world.clock.now += TTL - 1
    before = world.ttls()
    assert history(calls, stored[-1]) == log_of(3)
    assert world.ttls() == before
    assert "UpdateItem" not in sent


@pytest.mark.sample(4)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("table", SAVER_TABLES, ids=lambda table: table.value)
@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError"])
def test_a_history_whose_ttl_cannot_be_extended_is_read_and_the_failure_logged(
    world: World, caplog: pytest.LogCaptureFixture, table: Table, code: str, kind: str
) -> None:
    stored = log_chain(world.calls(kind=kind), 3)
    session = saver_session(world.bucket.url)

    def refuse(params: dict[str, Any], **_: object) -> None:
        if params["TableName"] == _table_name(world.tables, table):
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "UpdateItem")

    on(session, "before-parameter-build.dynamodb.UpdateItem", refuse)
    calls = world.calls(kind=kind, session=session)
    world.clock.now += TTL // 2
    with caplog.at_level(logging.WARNING, "langgraph_checkpoint_dynamodb"):
        assert history(calls, stored[-1]) == log_of(3)
    (logged,) = caplog.records
    assert code in logged.getMessage()
    assert world.parts_outlive_what_refers_to_them()


def test_a_history_is_read_without_the_right_to_extend_its_ttl(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    stored = log_chain(world.calls(kind="s3"), 3)
    allowed = SCAN_ACTIONS | S3_RUN_ACTIONS | S3_DELETE_ACTIONS
    with world.tables.saver(
        allowed, ttl_seconds=TTL, clock=world.clock, s3_offload_config=world.bucket.config()
    ) as saver:
        world.clock.now += TTL // 2
        assert history(SyncCalls(saver), stored[-1]) == log_of(3)
    assert "dynamodb:UpdateItem" in caplog.text


@pytest.mark.parametrize("fate", ["gone", "tombstone", "extended by another"])
def test_what_has_changed_since_it_was_read_is_not_extended(world: World, fate: str) -> None:
    stored = log_chain(world.calls(), 3)
    client, name = world.tables.client, world.tables.checkpoints
    session = saver_session(world.bucket.url)
    raced: dict[tuple[Table, str, str], int | None] = {}

    def meanwhile(params: dict[str, Any], **_: object) -> None:
        if params["TableName"] != name or raced:
            return
        for one in stored:
            key: Any = {"thread_id": {"S": "t"}, "checkpoint_id": {"S": id_of(one)}}
            if fate == "gone":
                client.delete_item(TableName=name, Key=key)
            elif fate == "tombstone":
                ttl = {"N": str(1_000_000 + TTL)}
                buried = {**key, "checkpoint_ns": {"S": ""}, "deleted": {"BOOL": True}, "ttl": ttl}
                client.put_item(TableName=name, Item=buried)
            else:
                world.shortened(Table.CHECKPOINTS, 9_000_000)
        raced.update(world.ttls())

    on(session, "before-parameter-build.dynamodb.UpdateItem", meanwhile)
    calls = world.calls(session=session)
    world.clock.now += TTL // 2
    assert history(calls, stored[-1]) == log_of(3)
    assert raced
    expected, found = (
        {place: at for place, at in ttls.items() if place[0] is Table.CHECKPOINTS}
        for ttls in (raced, world.ttls())
    )
    assert found == expected


@pytest.mark.sample(6)
@pytest.mark.parametrize("kind", ["inline", "chunks"])
@pytest.mark.parametrize("reader_ttl", [None, TTL])
@pytest.mark.parametrize("deleted", [False, True], ids=["still there", "deleted"])
@pytest.mark.parametrize("lost", [0, 1])
def test_a_needed_ancestor_that_has_expired_raises_and_never_shortens_the_history(
    world: World, lost: int, deleted: bool, reader_ttl: int | None, kind: str
) -> None:
    calls = world.calls(reader_ttl)
    stored = log_chain(world.calls(kind=kind), 4)
    world.shortened(Table.CHECKPOINTS, int(world.clock.now) + 1, sort=id_of(stored[lost]))
    world.clock.now += 1
    if deleted:
        world.delete_expired()
    for target in (stored[-1], config("t")):
        # Once deleted, it is only missing: nothing records when it expired.
        with pytest.raises(UnreadableItemError, match=None if deleted else "'ttl'") as raised:
            history(calls, target)
        named = ("'t'", id_of(stored[lost]), id_of(stored[-1]))
        assert [name for name in named if name not in str(raised.value)] == []


def test_the_history_of_an_expired_checkpoint_is_an_error_and_no_empty_channel(
    world: World, calls: Calls
) -> None:
    stored = log_chain(calls, 3)
    world.clock.now += TTL
    with pytest.raises(UnreadableItemError, match="has expired"):
        history(calls, stored[-1])
    assert history(calls, config("t")) == (None, [])


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_of_an_extended_history_is_as_long_as_the_history(world: World, kind: str) -> None:
    calls = world.calls(kind=kind)
    stored = log_chain(calls, 3)
    world.clock.now += TTL - 1
    assert history(calls, stored[-1]) == log_of(3)
    assert calls.get_tuple(stored[-1]) is not None
    put_link(calls, stored[-1], 3)
    world.clock.now += 1
    world.delete_expired()
    calls.copy_thread("t", "copy")
    world.clock.now += TTL - 1
    world.delete_expired()
    assert history(calls, config("copy")) == log_of(4)
    calls.prune(["copy"])
    assert history(calls, config("copy")) == log_of(4)


# --- long-lived threads of DeltaChannels ---


def extend(log: list[str], writes: Sequence[list[str]]) -> list[str]:
    return [*log, *(one for write in writes for one in write)]


def log_graph(saver: Any, frequency: int, clock: Clock | None = None, slow: int = 0) -> Graph:
    """A graph of two nodes on a DeltaChannel, each taking some seconds; none for frequency 0."""
    reducer: Any = DeltaChannel(extend, snapshot_frequency=frequency) if frequency else operator.add
    log: Any = Annotated[list[str], reducer]
    state: Any = TypedDict("state", {"log": log})

    def node(name: str) -> Callable[[Any], Any]:
        def work(_: Any) -> Any:
            if clock is not None:
                clock.now += slow
            return {"log": [name * 100]}

        return work

    builder: Any = StateGraph(state)
    builder.add_node("a", node("a"))
    builder.add_node("b", node("b"))
    builder.add_edge(START, "a")
    builder.add_edge("a", "b")
    graph: Graph = builder.compile(checkpointer=saver)
    return graph


def live(world: World, gaps: Sequence[float], frequency: int, slow: int, kind: str) -> None:
    """A thread with these gaps between its turns, in TTLs, and the same thread in memory.

    A saver that extends nothing observes it. Before each turn, expired items are deleted.
    """
    graph = log_graph(world.saver(TTL, kind), frequency, world.clock, slow)
    watching = log_graph(world.saver(None, kind), frequency)
    in_memory = log_graph(InMemorySaver(), frequency)
    thread = config("t")
    for turn, gap in enumerate([*gaps, 1.0]):
        given = {"log": [f"{turn} " * 100]}
        result = graph.invoke(given, thread, durability="sync")
        assert result == in_memory.invoke(given, thread, durability="sync")
        head = world.calls(None).get_tuple(thread)
        assert head is not None
        done = int(world.clock.now)
        expected = in_memory.get_state(thread).values
        for at in sorted({0, *(int(part * TTL) for part in (0.01, 0.5, gap)), TTL - 1}):
            world.clock.now = done + min(at, TTL - 1)
            assert watching.get_state(thread).values == expected, (turn, at)
        assert world.parts_outlive_what_refers_to_them()
        world.clock.now = done + min(int(gap * TTL), TTL - 1)
        world.delete_expired()
        assert watching.get_state(thread).values == expected, turn
    world.clock.now = done + TTL
    assert watching.get_state(thread).values == {}
    assert list(watching.get_state_history(thread)) == []


GAPS = {
    "often": [0.01] * 3,
    "just under half": [0.49] * 3,
    "just over half": [0.51] * 3,
    "to the last second": [(TTL - 1) / TTL] * 3,
    # Half a TTL from one read to the next: the run takes two minutes of it.
    "late, then half a life later": [0.99, 0.5 - 120 / TTL, 0.5 - 120 / TTL],
}


@pytest.mark.sample(2)
@pytest.mark.parametrize("slow", [0, 60], ids=["at once", "in minutes"])
@pytest.mark.parametrize("frequency", [1, 4, 1000])
@pytest.mark.parametrize("gaps", GAPS.values(), ids=list(GAPS))
def test_a_thread_is_read_whole_as_long_as_its_newest_checkpoint_lives(
    world: World, gaps: list[float], frequency: int, slow: int
) -> None:
    live(world, gaps, frequency, slow, "inline")


@pytest.mark.sample(1)
@pytest.mark.parametrize("kind", ["chunks", "s3"])
@pytest.mark.parametrize(("gap", "frequency"), [(0.51, 4), (0.99, 1000)])
def test_a_thread_of_large_values_is_read_whole_as_long_as_its_newest_checkpoint_lives(
    world: World, gap: float, frequency: int, kind: str
) -> None:
    live(world, [gap] * 3, frequency, 1, kind)


@pytest.mark.sample(1)
@pytest.mark.parametrize("seed", range(3))
def test_a_thread_with_turns_at_any_time_is_read_whole(world: World, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a scenario, not a secret
    gaps = [chance.random() for _ in range(6)]
    live(world, gaps, chance.randint(1, 9), chance.randint(0, 600), "inline")


@pytest.mark.sample(0)
def test_every_state_in_the_history_of_a_thread_can_be_read_while_it_is_listed(
    world: World,
) -> None:
    graph = log_graph(world.saver(), 4, world.clock, 1)
    watching = log_graph(world.saver(None), 4)
    for turn in range(6):
        graph.invoke({"log": [f"{turn}"]}, config("t"), durability="sync")
        for _ in range(3):
            world.clock.now += TTL // 10
            world.delete_expired()
            for state in watching.get_state_history(config("t")):
                assert state.values["log"][:1] in ([], ["0"])


# --- what cannot be read, and invalid arguments ---


@pytest.mark.parametrize("damage", [{"S": "1000"}, {"BOOL": True}])
@pytest.mark.parametrize("kind", ["checkpoint", "write", "chunk"])
def test_a_damaged_expiry_raises_and_says_whose_it_is(
    world: World, calls: Calls, kind: str, damage: dict[str, Any]
) -> None:
    stored = put_one(world.calls(kind="chunks" if kind == "chunk" else "inline"), ns=NESTED)
    if kind == "write":
        calls.put_writes(stored, [("a", 1)], "task")
    table, items = (
        (world.tables.checkpoints, world.tables.checkpoint_items())
        if kind == "checkpoint"
        else (world.tables.writes, world.tables.write_items())
    )
    for item in items:
        world.tables.client.put_item(TableName=table, Item=cast("Any", {**item, "ttl": damage}))
    for name in ("latest", "by id", "thread", "everywhere"):
        with pytest.raises(UnreadableItemError) as raised:
            READS[name](calls, stored)
        assert raised.value.attribute == "ttl"
        missing = [part for part in ("'t'", NESTED, id_of(stored)) if part not in str(raised.value)]
        assert missing == []


@pytest.mark.parametrize("ttl", [0, -1, True, False, 1.5, 60.0, "60", b"60"])
def test_a_life_that_is_no_whole_number_of_seconds_from_one_up_is_refused(
    tables: Tables, ttl: Any
) -> None:
    with pytest.raises(InvalidInputError) as raised:
        tables.saver(ttl_seconds=ttl)
    assert raised.value.field == "ttl_seconds"
    assert isinstance(raised.value, TypeError) is (type(ttl) is not int)
