"""What a saver remembers saves requests and never changes a result."""

from __future__ import annotations

import os
from copy import copy
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb import InvalidInputError, UnreadableItemError
from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
from langgraph_checkpoint_dynamodb.items.carried_writes import CARRIED_BYTES
from langgraph_checkpoint_dynamodb.items.values import Serialized
from langgraph_checkpoint_dynamodb.items.writes import WriteRecord
from langgraph_checkpoint_dynamodb.ops.memory import FRESH_SECONDS, Memory
from langgraph_checkpoint_dynamodb.ops.memory_entries import Link
from langgraph_checkpoint_dynamodb.payloads.kinds import Inline
from tests.support.clocks import Clock
from tests.support.sessions import metered_session
from tests.support.tables import forget
from tests.support.values import checkpoint, config, id_of, metadata, new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_core.runnables import RunnableConfig

    from tests.support.savers import Saver
    from tests.support.tables import Tables

LENGTH = 12
CHANNELS = ("log", "files")


class World:
    """Savers on the same tables, one per process, and the requests they send."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.clock = Clock(1_000_000)
        self.session, self.meter = metered_session()
        self.savers: list[Saver] = []

    def saver(self, **settings: Any) -> Saver:
        made = self.tables.saver(session=self.session, clock=self.clock, **settings)
        self.savers.append(made)
        return made

    def sent(self, call: Callable[[], object]) -> int:
        """Number of requests that a call sends."""
        self.meter.reset()
        call()
        return self.meter.total


@pytest.fixture
def world(tables: Tables) -> Iterator[World]:
    tables.set_up()
    made = World(tables)
    yield made
    for saver in made.savers:
        saver.close()


def put(saver: Saver, parent: RunnableConfig, step: int, **values: Any) -> RunnableConfig:
    """A checkpoint of a graph with the DeltaChannels `log`, written at each step, and `files`."""
    made = checkpoint(new_id(step), **values)
    made["channel_versions"] = {"log": f"{step}.log", "files": "1.files"}
    counters = {"counters_since_delta_snapshot": {"log": [step, step], "files": [0, step]}}
    return saver.put(parent, made, metadata(step=step, **counters), {})


def step_on(saver: Saver, parent: RunnableConfig, step: int) -> RunnableConfig:
    """A step of a graph: the writes of two tasks, and the next checkpoint."""
    saver.put_writes(parent, [("log", f"{step}a"), ("other", step)], f"{step}-a", "path")
    saver.put_writes(parent, [("log", f"{step}b")], f"{step}-b", "path")
    return put(saver, parent, step)


def chain(saver: Saver, length: int = LENGTH) -> list[RunnableConfig]:
    stored = [put(saver, config("t"), 0)]
    for step in range(1, length):
        stored.append(step_on(saver, stored[-1], step))
    return stored


def log_of(length: int) -> list[str]:
    return [f"{step}{task}" for step in range(1, length) for task in "ab"]


def history(saver: Saver, at: RunnableConfig) -> list[Any]:
    found = saver.get_delta_channel_history(config=at, channels=CHANNELS)
    assert found["files"] == {"writes": []}
    assert "seed" not in found["log"]
    return [value for _, _, value in found["log"]["writes"]]


def carried(tables: Tables) -> list[bool]:
    """Whether each checkpoint carries its parent's values, the oldest first."""
    ordered = sorted(tables.checkpoint_items(), key=lambda item: item["checkpoint_id"]["S"])
    return ["carried" in item for item in ordered]


def test_the_newest_checkpoint_and_a_history_of_a_thread_that_was_run_here(world: World) -> None:
    saver = world.saver()
    stored = chain(saver)
    assert world.sent(lambda: saver.get_tuple(config("t"))) == 2
    assert world.sent(lambda: history(saver, stored[-1])) == 0
    assert history(saver, stored[-1]) == log_of(LENGTH)


def test_a_history_is_one_range_to_who_has_never_seen_the_thread(world: World) -> None:
    stored = chain(world.saver())
    assert carried(world.tables) == [False, *[True] * (LENGTH - 1)]
    new = world.saver()
    assert world.sent(lambda: history(new, stored[-1])) == 1
    assert history(new, stored[-1]) == log_of(LENGTH)


@pytest.mark.parametrize("as_a_new_one", [False, True])
def test_all_histories_after_a_listing_read_nothing_twice(world: World, as_a_new_one: bool) -> None:
    saver = world.saver()
    chain(saver)
    if as_a_new_one:
        forget(saver)

    def all_of_them() -> None:
        for found in list(saver.list(config("t"))):
            step = found.metadata["step"]
            assert history(saver, found.config) == log_of(step + 1)

    assert world.sent(all_of_them) == 1 + LENGTH


def test_where_nothing_is_carried_ancestors_whose_channels_were_not_written_are_not_asked(
    world: World,
) -> None:
    stored = chain(world.saver(memory_bytes=0))
    new = world.saver(memory_bytes=0)

    def files() -> None:
        new.get_delta_channel_history(config=stored[-1], channels=["files"])

    assert world.sent(files) == 1
    assert world.sent(lambda: history(new, stored[-1])) == 1 + LENGTH - 1
    assert history(new, stored[-1]) == log_of(LENGTH)


def test_two_processes_that_run_a_thread_in_turns_see_all_of_it(world: World) -> None:
    savers = [world.saver(), world.saver()]
    at = put(savers[0], config("t"), 0)
    for step in range(1, LENGTH):
        saver = savers[step % 2]
        found = saver.get_tuple(config("t"))
        assert found is not None
        assert found.config == at
        assert history(saver, at) == log_of(step)
        at = step_on(saver, at, step)
    for saver in (*savers, world.saver()):
        assert history(saver, at) == log_of(LENGTH)


def test_what_another_process_has_written_is_carried_once_it_was_read(world: World) -> None:
    one, other = world.saver(), world.saver()
    first = put(one, config("t"), 0)
    other.put_writes(first, [("log", "other")], "other", "path")
    found = one.get_tuple(config("t"))
    assert found is not None
    last = step_on(one, first, 1)
    assert carried(world.tables) == [False, True]
    for saver in (one, other, world.saver()):
        assert sorted(history(saver, last)) == ["1a", "1b", "other"]


def lose(_: Saver, other: Saver, at: RunnableConfig) -> None:
    """Another process has run the same task."""
    other.put_writes(at, [("log", "first")], "1-a", "path")


def fail(one: Saver, _: Saver, at: RunnableConfig) -> None:
    """It is unknown whether the writes were stored."""
    one.put_writes(at, [("log", "1x")], "1-x", "path")
    one._memories.get().begin_writes(_ref(at))
    one._memories.get().end_writes(_ref(at), None, 1_000_000)


def be_under_way(one: Saver, _: Saver, at: RunnableConfig) -> None:
    one._memories.get().begin_writes(_ref(at))


def forget_it(one: Saver, _: Saver, __: RunnableConfig) -> None:
    forget(one)


def _ref(at: RunnableConfig) -> CheckpointRef:
    return CheckpointRef(at["configurable"]["thread_id"], "", id_of(at))


@pytest.mark.parametrize("meanwhile", [lose, fail, be_under_way, forget_it])
def test_nothing_is_carried_where_not_all_writes_are_known(
    world: World, meanwhile: Callable[[Saver, Saver, RunnableConfig], None]
) -> None:
    one, other = world.saver(), world.saver()
    first = put(one, config("t"), 0)
    meanwhile(one, other, first)
    last = step_on(one, first, 1)
    assert carried(world.tables) == [False, False]
    found = other.get_tuple(first)
    assert found is not None
    written = [value for _, channel, value in found.pending_writes or [] if channel == "log"]
    for saver in (one, other, world.saver()):
        assert history(saver, last) == written


def test_more_than_a_few_kilobytes_are_read_where_they_are(world: World) -> None:
    saver = world.saver()
    first = put(saver, config("t"), 0)
    saver.put_writes(first, [("log", "x" * CARRIED_BYTES)], "large", "path")
    last = put(saver, first, 1)
    new = world.saver()
    assert world.sent(lambda: history(new, last)) == 2
    assert history(new, last) == ["x" * CARRIED_BYTES]


def test_another_newest_checkpoint_than_the_one_seen_last_is_read_with_its_own_writes(
    world: World,
) -> None:
    one, other = world.saver(), world.saver()
    stored = chain(one, 3)
    assert one.get_tuple(config("t")) is not None
    last = step_on(other, stored[-1], 3)
    other.put_writes(last, [("log", "pending")], "task", "path")
    requests = world.sent(lambda: one.get_tuple(config("t")))
    assert requests == 3
    found = one.get_tuple(config("t"))
    assert found is not None
    assert found.config == last
    assert found.pending_writes == [("task", "log", "pending")]


@pytest.mark.parametrize("how", ["delete", "prune", "other process"])
def test_what_was_deleted_is_gone(world: World, how: str) -> None:
    saver, other = world.saver(), world.saver()
    stored = chain(saver)
    assert history(saver, stored[-1]) == log_of(LENGTH)
    if how == "delete":
        saver.delete_thread("t")
    elif how == "prune":
        saver.prune(["t"], strategy="delete")
    else:
        other.delete_thread("t")
        world.clock.now += FRESH_SECONDS + 1
    assert saver.get_tuple(config("t")) is None
    with pytest.raises(UnreadableItemError, match="is missing"):
        history(saver, stored[-1])


def test_a_copy_over_a_thread_is_what_is_read(world: World) -> None:
    saver = world.saver()
    stored = chain(saver)
    saver.copy_thread("t", "copy")
    saver.put_writes(stored[-1], [("log", "late")], "late", "path")
    target = config("copy", "", id_of(stored[-1]))
    assert history(saver, target) == log_of(LENGTH)
    saver.copy_thread("t", "copy")
    found = saver.get_tuple(target)
    assert found is not None
    assert [value for _, _, value in found.pending_writes or []] == ["late"]


@pytest.mark.parametrize(
    "damage",
    [
        {"S": "x"},
        {"L": [{"S": "x"}]},
        {"L": [{"L": [{"S": "log"}]}]},
        {"L": [{"L": [{"S": "log"}, {"L": [{"L": []}]}]}]},
        {"L": [{"L": [{"S": "log"}, {"L": []}]}, {"L": [{"S": "log"}, {"L": []}]}]},
    ],
)
def test_a_damaged_carried_attribute_stops_the_history_alone(
    world: World, damage: dict[str, Any]
) -> None:
    stored = chain(world.saver(), 3)
    (item,) = (
        item
        for item in world.tables.checkpoint_items()
        if item["checkpoint_id"]["S"] == id_of(stored[-1])
    )
    client, name = world.tables.client, world.tables.checkpoints
    client.put_item(TableName=name, Item={**item, "carried": damage})
    new = world.saver()
    assert new.get_tuple(config("t")) is not None
    with pytest.raises(UnreadableItemError, match="carried"):
        history(new, stored[-1])


def test_a_setting_turns_it_off(world: World) -> None:
    saver = world.saver(memory_bytes=0)
    stored = chain(saver)
    assert not any(carried(world.tables))
    assert world.sent(lambda: saver.get_tuple(config("t"))) == 2
    assert world.sent(lambda: history(saver, stored[-1])) == 1 + LENGTH - 1
    assert "0 entries" in repr(saver._memories.get())


@pytest.mark.parametrize("wrong", [-1, True, "64"])
def test_the_setting_is_a_number_of_bytes(tables: Tables, wrong: Any) -> None:
    with pytest.raises(InvalidInputError, match="memory_bytes"):
        tables.saver(memory_bytes=wrong)


def test_the_memory_is_shared_by_clones_and_gone_once_the_saver_is_closed(world: World) -> None:
    saver = world.saver()
    chain(saver)
    memory = saver._memories.get()
    assert copy(saver)._memories.get() is memory
    assert "0 entries" not in repr(memory)
    assert "1a" not in repr(memory)
    saver.close()
    assert "0 entries, 0 of" in repr(memory)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
def test_a_child_begins_with_nothing(world: World) -> None:
    saver = world.saver()
    chain(saver, 3)
    child = os.fork()
    if child == 0:
        os._exit(0 if "0 entries" in repr(saver._memories.get()) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert "0 entries" not in repr(saver._memories.get())


# The memory itself

REF = CheckpointRef("t", "", "0001")


def write(data: bytes, idx: int = 0) -> WriteRecord:
    return WriteRecord("task", idx, "log", Serialized("bytes", Inline(data)))


def test_what_was_used_last_stays_within_the_bound() -> None:
    memory = Memory(100_000)
    refs = [CheckpointRef(f"t{number}", "", "0001") for number in range(100)]
    for ref in refs:
        memory.remember_link(ref, Link(None, {}, frozenset(), {"log": (write(bytes(2000)),)}), 0)
        memory.link(refs[0])
    known = [memory.link(ref) is not None for ref in refs]
    assert known[0]
    assert known[-1]
    assert 20 < sum(known) < 40
    memory.remember_seed_checkpoint(REF, Serialized("bytes", Inline(bytes(50_000))), 0)
    assert memory.seed_checkpoint(REF) is None


def test_writes_are_known_only_if_all_of_them_are() -> None:
    memory = Memory(100_000)
    memory.begin_writes(REF)
    memory.end_writes(REF, [write(b"0")], 10)
    assert memory.writes(REF) is None
    memory.remember_created(REF, 11)
    assert memory.writes(REF) == (write(b"0"),)
    memory.begin_writes(REF)
    assert memory.writes(REF) is None
    memory.end_writes(REF, [write(b"1", 1), write(b"special", -1)], 12)
    assert memory.writes(REF) == (write(b"0"), write(b"1", 1))
    memory.forget_writes(REF)
    assert memory.writes(REF) is None


def test_a_doubt_that_comes_up_while_writes_are_read_stays() -> None:
    memory = Memory(100_000)
    epoch = memory.writes_epoch
    memory.begin_writes(REF)
    memory.end_writes(REF, None, 10)
    memory.remember_writes(REF, [write(b"0")], epoch, 10)
    assert memory.writes(REF) is None
    memory.remember_created(REF, 10)
    assert memory.writes(REF) is None
    memory.remember_writes(REF, [write(b"0")], memory.writes_epoch, 10)
    assert memory.writes(REF) == (write(b"0"),)


@pytest.mark.parametrize("how", ["too large", "pushed out", "cleared", "forgotten"])
def test_writes_that_came_before_their_checkpoint_and_left_the_memory_are_not_taken_for_none(
    how: str,
) -> None:
    memory = Memory(100_000)
    memory.begin_writes(REF)
    memory.end_writes(REF, [write(bytes(50_000 if how == "too large" else 10))], 10)
    if how == "pushed out":
        for number in range(300):
            memory.remember_newest(CheckpointRef(f"t{number}", "", "0001"), 10, inline=True)
    elif how == "cleared":
        memory.clear()
    elif how == "forgotten":
        memory.forget_thread("t")
    memory.remember_created(REF, 11)
    assert memory.writes(REF) is None
    memory.remember_writes(REF, [write(b"0")], memory.writes_epoch, 12)
    assert memory.writes(REF) == (write(b"0"),)


def test_that_a_checkpoint_is_there_is_believed_for_a_while() -> None:
    memory = Memory(100_000)
    memory.remember_link(REF, Link(None, {}, frozenset()), 100)
    assert memory.link(REF, 100 + FRESH_SECONDS) is not None
    assert memory.link(REF, 101 + FRESH_SECONDS) is None
    assert memory.link(REF, 99) is None  # The clock was set back.
    assert memory.link(REF) is not None


def test_a_thread_is_forgotten_alone() -> None:
    memory = Memory(100_000)
    other = CheckpointRef("other", "", "0001")
    for ref in (REF, other):
        memory.remember_newest(ref, 0, inline=True)
        memory.remember_link(ref, Link(None, {}, frozenset()), 0)
        memory.remember_writes(ref, (), memory.writes_epoch, 0)
    memory.forget_thread("t")
    assert memory.newest("t", "") is None
    assert memory.link(REF) is None
    assert memory.writes(REF) is None
    assert memory.newest("other", "") == "0001"
    assert memory.link(other) is not None
