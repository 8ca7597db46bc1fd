"""Every operation stopped after each of its requests, like a process that crashes in between.

A new reader then finds each checkpoint in its old or its new state, never a mix, and repeating the
call gives the same result as if it had never been stopped. Only unreferenced parts of values may be
left, by the repeated call or by one that is never repeated: a sweep removes all of them. It also
removes the marks that deletes leave for an hour.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.grounds import Large, check, is_old_or_new
from tests.support.stop_experiment import Experiment
from tests.support.stopping import EXHAUSTIVE, NOW, PIECEMEAL, WHOLE, Portions, ordering
from tests.support.stored import Seen, loose_ends, stored
from tests.support.tables import sweep
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from langchain_core.runnables import RunnableConfig

    from tests.support.savers import Saver
    from tests.support.tables import Tables

    Act = Callable[[Saver], object]


def put(
    saver: Saver,
    thread_id: str,
    checkpoint_id: str,
    parent_id: str | None = None,
    checkpoint_ns: str = "",
    run_id: str = "run",
    **values: Any,
) -> RunnableConfig:
    """A checkpoint with two writes of its own."""
    stored = saver.put(
        config(thread_id, checkpoint_ns, parent_id),
        checkpoint(checkpoint_id, **values),
        metadata(run_id=run_id),
        {},
    )
    saver.put_writes(stored, [("log", checkpoint_id), ("other", None)], "task", "path")
    return stored


def put_threads(saver: Saver) -> None:
    """Thread `t` with a fork and a nested namespace, and thread `o` that no call may change."""
    put(saver, "t", "0001", run_id="first")
    put(saver, "t", "0002", "0001")
    put(saver, "t", "0003", "0002")
    put(saver, "t", "0004", "0002", run_id="first")
    put(saver, "t", "0001", None, "sub")
    put(saver, "t", "0002", "0001", "sub")
    put(saver, "o", "0001", run_id="other")


DELTA_CHAIN = ("0002", "0003", "0004")


def put_delta_threads(saver: Saver) -> None:
    """Thread `t` whose newest checkpoints are rebuilt from the snapshot below them.

    0001 is below the snapshot 0002 and 0005 is a dead branch of 0003: both may be deleted.
    """
    for checkpoint_ns in ("", "sub"):
        put_delta(saver, "0001", None, checkpoint_ns)
        put_delta(saver, "0002", "0001", checkpoint_ns, log=["snapshot"])
        put_delta(saver, "0003", "0002", checkpoint_ns)
        put_delta(saver, "0004", "0003", checkpoint_ns)
        put_delta(saver, "0006", "0004", checkpoint_ns)
    put_delta(saver, "0005", "0003", "")
    put(saver, "o", "0001", run_id="other")


def put_delta(
    saver: Saver,
    checkpoint_id: str,
    parent_id: str | None,
    checkpoint_ns: str,
    written: str | None = None,
    **held: Any,
) -> None:
    """A checkpoint of a graph whose channel `log` is a DeltaChannel."""
    made = checkpoint(checkpoint_id, **held)
    made["channel_versions"] = {"log": checkpoint_id}
    counted = {} if held else {"counters_since_delta_snapshot": {"log": [1, 1]}}
    stored = saver.put(
        config("t", checkpoint_ns, parent_id), made, metadata(run_id="run", **counted), {}
    )
    saver.put_writes(stored, [("log", written or checkpoint_id)], "task", "path")


def history(saver: Saver, checkpoint_ns: str, checkpoint_id: str) -> Mapping[str, Any]:
    found = saver.get_delta_channel_history(
        config=config("t", checkpoint_ns, checkpoint_id), channels=["log"]
    )
    return found["log"]


def ancestors(found: Seen, checkpoint_ns: str, checkpoint_id: str) -> list[str]:
    """Ids of the ancestors of a checkpoint in thread `t`."""
    ids: list[str] = []
    parent = found["t", checkpoint_ns, checkpoint_id].parent_config
    while parent is not None:
        ids.append(parent["configurable"]["checkpoint_id"])
        parent = found["t", checkpoint_ns, ids[-1]].parent_config
    return ids


portions = pytest.mark.parametrize("portions", [PIECEMEAL, WHOLE], ids=["piecemeal", "whole"])


def test_a_stopped_put_leaves_no_checkpoint_or_the_whole_one(saver: Saver, tables: Tables) -> None:
    put_threads(saver)

    def act(one: Saver) -> None:
        one.put(config("t", "", "0004"), checkpoint("0005", x=1), metadata(), {})

    check(Experiment(tables, act))


def test_a_stopped_put_over_an_old_checkpoint_leaves_the_old_one_or_the_new_with_its_writes(
    saver: Saver, tables: Tables
) -> None:
    put_threads(saver)

    def act(one: Saver) -> None:
        one.put(config("t", "", "0001"), checkpoint("0004", x=1), metadata(step=7), {})

    check(Experiment(tables, act))


@pytest.mark.parametrize(
    "writes",
    [
        [("log", 1)],
        [("log", 1), ("log", 2), ("other", 3)],
        [("__resume__", "new"), ("log", 1), ("__interrupt__", "new"), ("log", 2)],
        [("__error__", "new")],
    ],
    ids=["one", "three", "special ones over old ones", "one special"],
)
def test_stopped_writes_of_a_task_are_all_there_or_none(
    saver: Saver, tables: Tables, writes: list[tuple[str, Any]]
) -> None:
    put_threads(saver)
    at = config("t", "", "0004")
    # An earlier attempt of the same task: special values are replaced, regular ones stay.
    saver.put_writes(at, [("__resume__", "old"), ("log", "first"), ("__error__", "old")], "again")

    def act(one: Saver) -> None:
        one.put_writes(at, writes, "again")

    check(Experiment(tables, act))


@pytest.mark.parametrize("held", [False, True], ids=["first", "beside one that came first"])
def test_of_150_writes_all_are_there_or_none(saver: Saver, tables: Tables, held: bool) -> None:
    """If another call holds the first place, they are put one by one, in two transactions."""
    at = saver.put(config("t"), checkpoint("0001"), metadata(), {})
    first = [("task", "log", "first")] if held else []
    for _, channel, value in first:
        saver.put_writes(at, [(channel, value)], "task")

    def act(one: Saver) -> None:
        one.put_writes(at, [("log", number) for number in range(150)], "task")

    experiment = Experiment(tables, act)
    whole = experiment.after["t", "", "0001"].pending_writes
    assert whole == first + [("task", "log", number) for number in range(held, 150)]
    left = [found["t", "", "0001"].pending_writes for found in experiment.stops()]
    assert left == ([first, whole[:101], whole] if held else [[], whole])


@pytest.mark.sample(1)
@portions
def test_a_stopped_delete_of_a_thread_leaves_checkpoints_whole_and_with_their_ancestors(
    saver: Saver, tables: Tables, portions: Portions
) -> None:
    put_threads(saver)
    experiment = Experiment(tables, lambda one: one.delete_thread("t"), portions=portions)
    for found in experiment.stops():
        assert is_old_or_new(found, experiment)
        for thread_id, checkpoint_ns, checkpoint_id in found:
            if thread_id == "t":
                lost = set(ancestors(experiment.before, checkpoint_ns, checkpoint_id)) - {
                    id_
                    for thread, namespace, id_ in found
                    if (thread, namespace) == ("t", checkpoint_ns)
                }
                assert lost == set()
    assert experiment.states >= 4
    assert {thread_id for thread_id, _, _ in experiment.after} == {"o"}


@pytest.mark.sample(1)
@portions
def test_a_stopped_delete_never_shortens_the_history_of_what_is_still_there(
    saver: Saver, tables: Tables, portions: Portions
) -> None:
    put_delta_threads(saver)
    whole = {id_: history(saver, "", id_) for id_ in ("0003", "0004", "0005", "0006")}
    experiment = Experiment(tables, lambda one: one.delete_thread("t"), portions=portions)
    for found in experiment.stops():
        with experiment.reader() as reader:
            for id_ in whole.keys() & {id_ for t, ns, id_ in found if (t, ns) == ("t", "")}:
                assert history(reader, "", id_) == whole[id_]


@pytest.mark.sample(1)
@portions
def test_a_stopped_prune_keeps_the_newest_of_each_namespace_with_its_writes(
    saver: Saver, tables: Tables, portions: Portions
) -> None:
    put_threads(saver)
    experiment = Experiment(tables, lambda one: one.prune(["t", "o"]), portions=portions)
    kept = {("t", "", "0004"), ("t", "sub", "0002"), ("o", "", "0001")}
    for found in experiment.stops():
        assert is_old_or_new(found, experiment)
        assert kept <= found.keys()
    assert experiment.states >= 4
    assert experiment.after.keys() == kept


@pytest.mark.sample(1)
@portions
def test_a_stopped_prune_keeps_the_whole_history_of_every_delta_channel_that_stays(
    saver: Saver, tables: Tables, portions: Portions
) -> None:
    put_delta_threads(saver)
    whole = {ns: history(saver, ns, "0006") for ns in ("", "sub")}
    assert whole[""] == {
        "writes": [("task", "log", id_) for id_ in DELTA_CHAIN],
        "seed": ["snapshot"],
    }
    experiment = Experiment(tables, lambda one: one.prune(["t"]), portions=portions)
    for found in experiment.stops():
        assert is_old_or_new(found, experiment)
        with experiment.reader() as reader:
            assert {ns: history(reader, ns, "0006") for ns in ("", "sub")} == whole
    assert experiment.states >= 4
    gone = experiment.before.keys() - experiment.after.keys()
    assert gone == {("t", "", "0001"), ("t", "", "0005"), ("t", "sub", "0001")}


@pytest.mark.sample(0)
@portions
def test_a_stopped_prune_that_deletes_threads_leaves_checkpoints_whole(
    saver: Saver, tables: Tables, portions: Portions
) -> None:
    put(saver, "t", "0001")
    put(saver, "t", "0002", "0001")
    put(saver, "t", "0001", None, "sub")
    put(saver, "u", "0001")
    put(saver, "o", "0001")
    experiment = Experiment(
        tables, lambda one: one.prune(["t", "u"], strategy="delete"), portions=portions
    )
    check(experiment)
    assert experiment.states >= 4
    assert experiment.after.keys() == {("o", "", "0001")}


@pytest.mark.sample(1)
@portions
def test_a_stopped_copy_holds_only_checkpoints_with_all_their_ancestors_and_writes(
    saver: Saver, tables: Tables, portions: Portions
) -> None:
    put_threads(saver)
    # A clock that stepped back: a parent with a higher id than its child.
    put(saver, "t", "0009", "0003")
    put(saver, "t", "0005", "0009")
    experiment = Experiment(tables, lambda one: one.copy_thread("t", "u"), portions=portions)
    for found in experiment.stops():
        assert is_old_or_new(found, experiment)
        copied = {(ns, id_) for thread_id, ns, id_ in found if thread_id == "u"}
        for ns, id_ in copied:
            assert {(ns, above) for above in ancestors(experiment.before, ns, id_)} <= copied
    assert experiment.states >= 3
    assert len(experiment.after) - len(experiment.before) == 8


@pytest.mark.sample(0)
def test_a_stopped_copy_of_many_writes_shows_no_checkpoint_without_all_of_them(
    saver: Saver, tables: Tables
) -> None:
    at = saver.put(config("t"), checkpoint("0001"), metadata(), {})
    saver.put_writes(at, [("log", number) for number in range(60)], "task")
    experiment = Experiment(tables, lambda one: one.copy_thread("t", "u"), portions=WHOLE)
    check(experiment)
    assert experiment.states >= 3


@pytest.mark.sample(0)
@portions
def test_a_stopped_second_copy_leaves_each_checkpoint_of_the_first_whole_or_brings_it_up_to_date(
    saver: Saver, tables: Tables, portions: Portions
) -> None:
    put_threads(saver)
    saver.copy_thread("t", "u")
    saver.put_writes(config("t", "", "0004"), [("log", 1), ("log", 2), ("log", 3)], "later")
    put(saver, "t", "0005", "0004")
    check(Experiment(tables, lambda one: one.copy_thread("t", "u"), portions=portions))


@pytest.mark.sample(0)
@portions
@pytest.mark.parametrize("index", [None, "by_run"], ids=["scan", "index"])
def test_a_stopped_delete_of_runs_leaves_checkpoints_whole_and_is_finished_by_the_next_one(
    tables: Tables, portions: Portions, index: str | None
) -> None:
    with tables.saver(**tables.quick(), run_id_index=index) as saver:
        saver.setup()
        put_threads(saver)
    experiment = Experiment(
        tables,
        lambda one: one.delete_for_runs(["first", "unknown"]),
        {"run_id_index": index},
        portions,
    )
    check(experiment)
    assert experiment.states >= 4
    gone = experiment.before.keys() - experiment.after.keys()
    assert gone == {("t", "", "0001"), ("t", "", "0004")}


def test_a_stopped_delete_of_runs_of_an_older_writer_is_finished_by_the_next_one(
    saver: Saver, tables: Tables
) -> None:
    put_threads(saver)
    # Older writers store the run only in the metadata.
    for item in tables.checkpoint_items():
        del item["run_id"]
        tables.client.put_item(TableName=tables.checkpoints, Item=item)
    experiment = Experiment(tables, lambda one: one.delete_for_runs(["first"]), portions=WHOLE)
    check(experiment)
    gone = experiment.before.keys() - experiment.after.keys()
    assert gone == {("t", "", "0001"), ("t", "", "0004")}


def test_a_stopped_operation_is_stopped_where_the_plan_says_and_performs_nothing_more(
    saver: Saver, tables: Tables
) -> None:
    put_threads(saver)
    experiment = Experiment(tables, lambda one: one.delete_thread("t"), portions=WHOLE)
    left = list(experiment.stops())
    assert left[0] == experiment.before
    assert left[-1] == experiment.after
    assert len({frozenset(found) for found in left}) > 1


@pytest.mark.parametrize("size", range(EXHAUSTIVE + 1))
def test_small_groups_are_run_in_every_order(size: int) -> None:
    found = {tuple(ordering(size, number)) for number in range(6)}
    assert len(found) == [1, 1, 2, 6][size]


@pytest.fixture
def large(request: pytest.FixtureRequest, tables: Tables) -> Large:
    tables.set_up()
    chunks = {"inline_limit": 600, "chunk_bytes": 2000}
    match request.param:
        case "s3":
            bucket = request.getfixturevalue("bucket")
            offload = {"s3_offload_config": bucket.config(threshold_bytes=1000)}
            return Large(tables, {}, offload, bucket)
        case "compressed":
            return Large(tables, {**chunks, "chunk_bytes": 1500}, {"compression": "gzip"})
        case "chunks piecemeal":
            return Large(tables, chunks, portions=PIECEMEAL)
    return Large(tables, chunks)


def stored_in(*ways: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("large", ways, indirect=True)


def text(name: str) -> str:
    """3,000 characters, which compress to about half."""
    return random.Random(name).randbytes(1500).hex()  # noqa: S311 - a value, not a secret


def put_large(
    saver: Saver,
    checkpoint_id: str,
    parent_id: str | None = None,
    name: str = "old",
    thread_id: str = "t",
    **more: Any,
) -> None:
    saver.put(
        config(thread_id, "", parent_id),
        checkpoint(checkpoint_id, state=text(f"{name} state")),
        metadata(**more),
        {},
    )


def put_large_writes(
    saver: Saver, checkpoint_id: str, *channels: str, name: str = "old", task: str = "task"
) -> None:
    writes = [(channel, text(f"{name} {channel}")) for channel in channels]
    saver.put_writes(config("t", "", checkpoint_id), writes, task)


def put_large_thread(saver: Saver) -> None:
    put_large(saver, "0001", run_id="first")
    put_large(saver, "0002", "0001", run_id="second")
    put_large_writes(saver, "0002", "log")
    put(saver, "o", "0001")


LARGE_PUTS: dict[str, Act] = {
    "a new checkpoint": lambda one: put_large(one, "0003", "0002", "new", note=text("note")),
    "over an old one": lambda one: put_large(one, "0002", "0001", "new", note=text("note")),
    "the same again": lambda one: put_large(one, "0002", "0001", run_id="second"),
    "a small one over an old one": (
        lambda one: one.put(config("t", "", "0001"), checkpoint("0002"), metadata(), {})
    ),
    "a write": lambda one: put_large_writes(one, "0002", "log", task="new"),
    "writes": lambda one: put_large_writes(one, "0002", "log", "other", task="new"),
    "a write that is too late": lambda one: put_large_writes(one, "0002", "log", name="new"),
    "a write over an old one": lambda one: put_large_writes(one, "0002", "__resume__", name="new"),
}
LEFT_BY_PUTS = dict.fromkeys(("over an old one", "the same again", "a write over an old one"), 2)
"""Parts of the replaced value that a put leaves to the sweep: the transaction that stores a large
value does not return what it has replaced."""
LARGE_DELETES: dict[str, tuple[Act, set[str]]] = {
    "a thread": (lambda one: one.delete_thread("t"), {"0001", "0002"}),
    "all but the latest": (lambda one: one.prune(["t", "o"]), {"0001"}),
    "a run": (lambda one: one.delete_for_runs(["first"]), {"0001"}),
}


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("large", "act"),
    [
        *((way, act) for way in ("chunks", "s3") for act in LARGE_PUTS),
        ("compressed", "over an old one"),
    ],
    indirect=["large"],
)
def test_large_values_are_stored_whole_or_not_at_all_and_leave_what_they_replace_to_the_sweep(
    large: Large, act: str
) -> None:
    large.prepare(put_large_thread, lambda one: put_large_writes(one, "0002", "__resume__"))
    experiment = large.experiment(LARGE_PUTS[act])
    check(experiment)
    assert experiment.states >= 2
    assert {words.split()[0] for words in experiment.left_over} <= {"needless"}
    assert len(experiment.left_over) == LEFT_BY_PUTS.get(act, 0)


@pytest.mark.sample(0)
@stored_in("chunks", "s3")
def test_large_writes_of_a_task_again_are_stored_together_or_not_at_all(large: Large) -> None:
    def write(name: str) -> Act:
        return lambda one: put_large_writes(one, "0001", "__resume__", "log", name=name)

    large.prepare(put_large_thread, write("old"))
    experiment = large.experiment(write("new"))
    check(experiment)
    writes = experiment.after["t", "", "0001"].pending_writes or []
    # A special write is replaced, a regular one stays.
    assert {channel: value for _, channel, value in writes} == {
        "__resume__": text("new __resume__"),
        "log": text("old log"),
    }


@pytest.mark.sample(1)
@stored_in("chunks", "chunks piecemeal", "s3")
@pytest.mark.parametrize("deleted", LARGE_DELETES.values(), ids=LARGE_DELETES.keys())
def test_a_stopped_delete_of_large_checkpoints_leaves_them_whole_and_is_finished_by_the_next_one(
    large: Large, deleted: tuple[Act, set[str]]
) -> None:
    large.prepare(put_large_thread)
    act, ids = deleted
    experiment = large.experiment(act)
    check(experiment)
    gone = experiment.before.keys() - experiment.after.keys()
    assert gone == {("t", "", id_) for id_ in ids}
    assert experiment.left_over == []
    assert experiment.states >= 4


@pytest.mark.sample(0)
@stored_in("chunks", "chunks piecemeal", "s3")
@pytest.mark.parametrize("again", [False, True], ids=["first", "second"])
def test_a_stopped_copy_of_large_checkpoints_holds_only_whole_ones(
    large: Large, again: bool
) -> None:
    def copy(one: Saver) -> None:
        one.copy_thread("t", "u")

    large.prepare(put_large_thread)
    if again:
        large.prepare(
            copy, lambda one: one.put_writes(config("t", "", "0002"), [("log", "more")], "later")
        )
    experiment = large.experiment(copy)
    for found in experiment.stops():
        assert is_old_or_new(found, experiment)
        assert ("u", "", "0002") not in found or ("u", "", "0001") in found
    assert experiment.states >= 3
    for id_ in ("0001", "0002"):
        source, target = (experiment.after[thread_id, "", id_] for thread_id in ("t", "u"))
        assert source.checkpoint == target.checkpoint
        assert source.pending_writes == target.pending_writes


@pytest.mark.sample(0)
@stored_in("chunks", "chunks piecemeal", "s3")
def test_a_stopped_sweep_changes_nothing_that_is_read_and_is_finished_by_the_next_one(
    large: Large,
) -> None:
    large.prepare(
        put_large_thread,
        lambda one: put_large(one, "0001", thread_id="u"),
        lambda one: put_large_writes(one, "0009", "log"),
    )
    stops: dict[int, Act] = {
        1: LARGE_PUTS["a new checkpoint"],
        2: LARGE_PUTS["over an old one"],
        3: LARGE_PUTS["writes"],
        4: lambda one: one.delete_thread("u"),
    }
    for requests, act in stops.items():
        large.experiment(act).stop_after(requests)
    left = loose_ends(stored(large.tables, large.bucket))
    assert {words.split()[0] for words in left} == {"tombstone", "needless"}
    experiment = large.experiment(lambda one: sweep(one))
    for found in experiment.stops():
        assert found == experiment.before
    assert experiment.left_over == []
    assert experiment.states >= 4


@pytest.mark.sample(0)
@stored_in("chunks", "s3")
def test_a_history_whose_ttl_extension_was_stopped_is_as_readable_as_before(large: Large) -> None:
    def prepare(one: Saver) -> None:
        put_delta(one, "0002", None, "", log=[text("snapshot")])
        put_delta(one, "0003", "0002", "", text("0003"))
        put_delta(one, "0004", "0003", "", text("0004"))

    ttl = 1000
    large.prepare(prepare, ttl_seconds=ttl)
    experiment = large.experiment(
        lambda one: history(one, "", "0004"), ttl_seconds=ttl, clock=lambda: NOW + ttl * 3 // 4
    )
    whole = {
        "writes": [("task", "log", "0002"), ("task", "log", text("0003"))],
        "seed": [text("snapshot")],
    }
    for found in experiment.stops():
        assert found == experiment.before
        assert loose_ends(stored(large.tables, large.bucket)) == []
        # Reading with a TTL would extend that of the rest.
        with large.saver() as reader:
            assert history(reader, "", "0004") == whole
    assert experiment.states >= 6
