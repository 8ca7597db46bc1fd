"""What is stored as a difference, and that every saver reads it with any settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

from langgraph_checkpoint_dynamodb import InvalidInputError, UnreadableItemError
from langgraph_checkpoint_dynamodb.format.sizes import item_size, write_units
from langgraph_checkpoint_dynamodb.payloads.differences import BASE_MAX_AGE, MARK_RETENTION
from tests.incremental.states import INCREMENTAL, grown, listed, put_steps, state_of, text
from tests.support.calls import AsyncCalls, SyncCalls
from tests.support.clocks import NOW, Clock
from tests.support.metered import Metered
from tests.support.sessions import metered_session
from tests.support.tables import forget, sweep, with_payloads
from tests.support.values import checkpoint, config, metadata
from tests.support.walking import measure_depth
from tests.test_compression import without_zstd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.buckets import Bucket
    from tests.support.calls import Calls, LoopThread
    from tests.support.engines import Engine
    from tests.support.savers import Saver
    from tests.support.tables import Tables

STEPS = 12


def kinds(tables: Tables) -> list[str]:
    """How each checkpoint is stored."""
    described = [one.get("checkpoint_payload", {"M": {}})["M"] for one in tables.heads()]
    return [one.get("kind", {"S": "as it is"})["S"] for one in described]


def units(items: list[Any]) -> int:
    return sum(write_units(item_size(item)) for item in items)


def test_a_state_that_grows_is_stored_as_what_is_new_in_it(
    tables: Tables, incremental: Saver
) -> None:
    put_steps(incremental, STEPS)
    assert kinds(tables) == ["difference"] * STEPS
    assert len(tables.bases()) == 1
    assert units(tables.heads()) == STEPS
    assert tables.items_beside() == []


def test_a_small_state_is_stored_and_read_as_ever(tables: Tables, incremental: Saver) -> None:
    put_steps(incremental, STEPS, size=1000)
    assert set(kinds(tables)) <= {"as it is", "inline"}
    assert tables.bases() == []


@pytest.mark.parametrize("way", ["sync", "async"])
def test_every_checkpoint_reads_as_it_was_put_whoever_reads_it(
    incremental: Saver, reader: Saver, loop_thread: LoopThread, way: str
) -> None:
    put_steps(incremental, STEPS)
    wanted = {f"{step:04}": grown(20_000, step) for step in range(STEPS)}
    for saver in (incremental, reader):
        calls: Calls = SyncCalls(saver) if way == "sync" else AsyncCalls(saver, loop_thread)
        assert state_of(calls, config("t")) == wanted[f"{STEPS - 1:04}"]  # type: ignore[arg-type]  # calls of a saver
        found = {
            one.config["configurable"]["checkpoint_id"]: one.checkpoint["channel_values"]["state"]
            for one in calls.list(None)
        }
        assert found == wanted
        for id_, state in wanted.items():
            one = calls.get_tuple(config("t", "", id_))
            assert one is not None
            assert one.checkpoint["channel_values"]["state"] == state


@pytest.mark.parametrize("place", ["chunks", "s3"])
def test_bases_and_differences_go_where_values_go(
    tables: Tables, bucket: Bucket, clock: Clock, place: str
) -> None:
    tables.set_up()
    settings: dict[str, Any] = {**INCREMENTAL, "clock": clock}
    payloads = {"inline_limit": 700, "chunk_bytes": 3000}
    if place == "s3":
        settings["s3_offload_config"] = bucket.config(threshold_bytes=300)
        payloads = {}
    with (
        with_payloads(tables.saver(**settings), **payloads) as saver,
        tables.saver(clock=clock, s3_offload_config=bucket.known()) as reader,
    ):
        put_steps(saver, STEPS)
        assert kinds(tables) == ["difference"] * STEPS
        for one in (saver, reader):
            assert listed(one, config("t")) == {
                f"{step:04}": grown(20_000, step) for step in range(STEPS)
            }
        reader.copy_thread("t", "u")
        assert listed(reader, config("t")) == listed(reader, config("u"))
        reader.delete_thread("t")
        assert state_of(saver, config("u")) == grown(20_000, STEPS - 1)
        reader.delete_thread("u")
    clock.now += MARK_RETENTION
    with tables.saver(clock=clock, s3_offload_config=bucket.known()) as sweeper:
        sweep(sweeper)
    assert (tables.checkpoint_items(), tables.items_beside(), bucket.keys()) == ([], [], [])


def test_a_new_base_is_made_once_the_differences_have_taken_as_much(
    tables: Tables, incremental: Saver, reader: Saver
) -> None:
    count = 60
    at = config("t")
    for step in range(count):
        state = [text(6000, number) for number in range(2 + step)]
        at = incremental.put(at, checkpoint(f"{step:04}", state=state), metadata(), {})
    bases = len(tables.bases())
    assert 5 <= bases <= count // 3
    assert units(tables.checkpoint_items()) < 6 * count * 4
    assert len(listed(reader, config("t"))) == count


def test_what_has_nothing_in_common_with_what_was_before_costs_one_unit_more_at_most(
    tables: Tables, incremental: Saver
) -> None:
    at = config("t")
    for step in range(6):
        state = text(20_000, f"other {step}")
        at = incremental.put(at, checkpoint(f"{step:04}", state=state), metadata(), {})
    alone = write_units(20_000 // 2)
    assert units(tables.checkpoint_items()) <= 6 * (alone + 2)


def test_what_is_encrypted_is_stored_whole(tables: Tables) -> None:
    tables.set_up()
    serde = EncryptedSerializer.from_pycryptodome_aes(key=b"0123456789abcdef")
    with tables.saver(**INCREMENTAL, serde=serde) as saver, tables.saver(serde=serde) as reader:
        put_steps(saver, 3)
        assert kinds(tables) == ["as it is"] * 3
        assert tables.bases() == []
        assert state_of(reader, config("t")) == grown(20_000, 2)


def test_without_a_memory_all_is_stored_whole(tables: Tables) -> None:
    tables.set_up()
    with tables.saver(**INCREMENTAL, memory_bytes=0) as saver:
        put_steps(saver, 3)
        assert set(kinds(tables)) == {"inline"}
        assert state_of(saver, config("t")) == grown(20_000, 2)


def test_a_state_that_would_not_be_remembered_is_stored_whole(tables: Tables) -> None:
    tables.set_up()
    with tables.saver(**INCREMENTAL, memory_bytes=50_000) as saver:
        put_steps(saver, 3)
        assert set(kinds(tables)) == {"inline"}


def test_savers_of_every_setting_go_on_from_one_another(tables: Tables) -> None:
    tables.set_up()
    with (
        tables.saver(**INCREMENTAL) as first,
        tables.saver() as plain,
        tables.saver(**INCREMENTAL) as second,
        tables.saver(compression="gzip") as packed,
    ):
        savers = [first, plain, second, packed]
        for step in range(STEPS):
            saver = savers[step % len(savers)]
            found = saver.get_tuple(config("t"))
            at = config("t") if found is None else found.config
            state = grown(20_000, step)
            saver.put(at, checkpoint(f"{step:04}", state=state), metadata(), {})
            for one in savers:
                assert state_of(one, config("t")) == state
        assert set(kinds(tables)) == {"difference", "as it is", "inline"}
        for one in savers:
            assert len(listed(one, config("t"))) == STEPS


def test_a_process_goes_on_from_the_base_of_another(tables: Tables, incremental: Saver) -> None:
    put_steps(incremental, 3)
    with tables.saver(**INCREMENTAL, clock=lambda: NOW) as other:
        assert state_of(other, config("t")) == grown(20_000, 2)
        put_steps(other, 3, first=3, parent="0002")
    assert len(tables.bases()) == 1


def test_who_has_not_read_the_parent_makes_a_base_of_its_own(
    tables: Tables, incremental: Saver
) -> None:
    put_steps(incremental, 3)
    with tables.saver(**INCREMENTAL, clock=lambda: NOW) as other:
        put_steps(other, 1, first=3, parent="0002")
    assert len(tables.bases()) == 2


def test_a_fork_and_time_travel_go_on_from_the_base_of_their_parent(
    tables: Tables, incremental: Saver, reader: Saver
) -> None:
    put_steps(incremental, 4)
    assert state_of(incremental, config("t", "", "0001")) == grown(20_000, 1)
    put_steps(incremental, 3, first=10, parent="0001")
    assert len(tables.bases()) == 1
    assert state_of(reader, config("t")) == grown(20_000, 12)


def test_each_namespace_has_bases_of_its_own(
    tables: Tables, incremental: Saver, reader: Saver
) -> None:
    put_steps(incremental, 3)
    put_steps(incremental, 3, checkpoint_ns="node:1", size=30_000)
    assert len(tables.bases()) == 2
    assert state_of(reader, config("t")) == grown(20_000, 2)
    assert state_of(reader, config("t", "node:1")) == grown(30_000, 2)
    found = [one.config["configurable"]["checkpoint_ns"] for one in reader.list(config("t", None))]
    assert sorted(found) == ["", "", "", "node:1", "node:1", "node:1"]


def test_a_base_is_not_referred_to_past_its_age(
    tables: Tables, incremental: Saver, reader: Saver, clock: Clock
) -> None:
    put_steps(incremental, 2)
    clock.now += BASE_MAX_AGE
    put_steps(incremental, 1, first=2, parent="0001")
    assert len(tables.bases()) == 1
    clock.now += 1
    put_steps(incremental, 1, first=3, parent="0002")
    assert len(tables.bases()) == 2
    assert len(listed(reader, config("t"))) == 4


def test_zstd_is_asked_for_when_the_saver_is_made(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_zstd(monkeypatch)
    with pytest.raises(InvalidInputError, match=r"compression.*backports\.zstd"):
        tables.saver(**INCREMENTAL)


def test_a_reader_without_zstd_is_told_what_to_install(
    incremental: Saver, reader: Saver, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_steps(incremental, 2)
    without_zstd(monkeypatch)
    with pytest.raises(UnreadableItemError, match=r"backports\.zstd"):
        reader.get_tuple(config("t"))


@pytest.mark.sample(0)
def test_a_state_of_60_mb_is_a_difference_too(tables: Tables) -> None:
    tables.set_up()
    size = 60_000_000
    with tables.saver(**INCREMENTAL, memory_bytes=10 * size) as saver, tables.saver() as reader:
        value = text(size)
        at = saver.put(config("t"), checkpoint("0001", state=value), metadata(), {})
        beside = len(tables.items_beside())
        assert beside > 50
        changed = value[: size // 2] + "changed" + value[size // 2 :]
        saver.put(at, checkpoint("0002", state=changed), metadata(), {})
        assert len(tables.items_beside()) == beside
        assert state_of(reader, config("t")) == changed


@pytest.fixture
def metered(tables: Tables) -> Iterator[Metered]:
    tables.set_up()
    session, meter = metered_session()
    with tables.saver(**INCREMENTAL, session=session) as saver:
        yield Metered(saver, meter, measure_depth(saver))


def test_a_put_is_one_request_and_one_unit_however_large_the_state(
    metered: Metered, engine: Engine
) -> None:
    size = 1_000_000
    at = put_steps(metered.saver, 2, size=size)
    made = checkpoint("0002", state=grown(size, 2))
    cost = metered.cost(lambda: metered.saver.put(at, made, metadata(), {}))
    assert cost == (1, 1)
    if engine.faithful:
        assert metered.meter.write_units == 1


def test_the_newest_is_read_in_one_round_trip_by_who_has_seen_it(
    metered: Metered, engine: Engine
) -> None:
    put_steps(metered.saver, 3, size=1_000_000)
    assert metered.cost(lambda: metered.saver.get_tuple(config("t"))) == (3, 1)
    if engine.faithful:
        assert metered.meter.read_units == 3


def test_the_newest_is_read_in_two_round_trips_by_who_has_not_seen_it(metered: Metered) -> None:
    put_steps(metered.saver, 3)
    forget(metered.saver)
    assert metered.cost(lambda: metered.saver.get_tuple(config("t"))) == (3, 2)


def test_a_listing_reads_each_base_once(metered: Metered, engine: Engine) -> None:
    put_steps(metered.saver, 10, size=200_000)
    forget(metered.saver)
    assert metered.cost(lambda: list(metered.saver.list(config("t"), limit=10))) == (12, 3)
    if engine.faithful:
        assert metered.meter.read_units <= 60
