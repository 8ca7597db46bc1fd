"""Graphs in crashing processes, concurrent with prunes, copies and deletes: no state may be wrong.

The simulator (`simulation/`) covers interleavings of two calls. This test runs real graphs,
processes and caches for a long time, and compares each checkpoint with its expected content.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS
from langgraph_checkpoint_dynamodb.payloads.differences import BASE_MAX_AGE
from tests.support.clocks import Clock
from tests.support.effort import amount, everything
from tests.support.soaked import (
    Setting,
    Task,
    document,
    entry,
    expected_log,
    make_graph,
    processes,
)
from tests.support.tables import forget
from tests.support.values import config

if TYPE_CHECKING:
    from tests.support.savers import Saver
    from tests.support.soaked import Process
    from tests.support.tables import Tables

START = 4_000_000_000
THREADS = ("a", "b", "c")
STEPS = 16
PAUSES = (1, 60, GRACE_SECONDS + 1, BASE_MAX_AGE // 2, BASE_MAX_AGE + GRACE_SECONDS)
"""Seconds on the clock between two steps."""
REQUESTS = 60
"""A process that crashes does so within this number of requests."""
UPKEEP = ("prune", "delete", "copy", "sweep", "delete_newest_run")
TAKES_AWAY = frozenset({"delete", "copy", "delete_newest_run"})
"""Tasks that may remove what a run has reported, and make a concurrent run fail."""

SIZES = {"small": (3_000, 0), "large": (150_000, 2048), "chunks": (700_000, 2048)}
"""Characters of the document, and the size in bytes up to which a checkpoint is stored whole."""
CASES = [(size, seed) for size in SIZES for seed in range(2 if size == "chunks" else 4)]


@dataclass
class Soak:
    """Random tasks on the threads, drawn from a seed.

    Attributes:
        choose: The source of random choices.
        workers: The processes.
        reader: A saver with an empty cache that stores nothing.
        size: Characters of the document.
        clock: The clock of all processes.
        reached: By thread, the log length that runs have reported and no task has removed since.
        seen: Number of checkpoints compared.
    """

    choose: random.Random
    workers: list[Process]
    reader: Saver
    size: int
    clock: Clock
    reached: dict[str, int] = field(default_factory=dict)
    seen: int = 0

    def step(self) -> None:
        """Run a task in one process or two, then check all threads."""
        self.clock.now += self.choose.choice(PAUSES)
        tasks = [self._task() for _ in range(self.choose.choice([1, 1, 2]))]
        asked = [*zip(self.choose.sample(self.workers, len(tasks)), tasks, strict=True)]
        for worker, task in asked:
            worker.ask(task)
        taken = {one for task in tasks for one in _taken(task)}
        reported: dict[str, list[int]] = {}
        for worker, task in asked:
            length = _length(task, worker.answer(), alone=task.thread_id not in taken)
            if task.do == "run" and task.thread_id not in taken:
                reported.setdefault(task.thread_id, []).append(length)
        for thread_id, lengths in reported.items():
            # Of two runs at once, the shorter may store the newest checkpoint, as with any saver.
            self.reached[thread_id] = max(min(lengths), self.reached.get(thread_id, 0))
        for thread_id in taken:
            self.reached.pop(thread_id, None)
        self.check(reported)

    def _task(self) -> Task:
        thread_id = self.choose.choice(THREADS)
        do = self.choose.choice(["run", "run", "run", *UPKEEP])
        argument: Any = None
        if do == "run":
            argument = (str(self.choose.randrange(10**9)), self.choose.randrange(1, 4))
        elif do == "copy":
            argument = self.choose.choice([one for one in THREADS if one != thread_id])
        elif do == "sweep":
            argument = self.choose.choice([GRACE_SECONDS, 24 * GRACE_SECONDS])
        dies_at = self.choose.choice([0, 0, 1, -1]) * self.choose.randrange(1, REQUESTS)
        return Task(do, thread_id, self.clock.now, argument, dies_at)

    def check(self, reported: dict[str, list[int]]) -> None:
        """Check that every checkpoint of every thread has the expected content and none is lost."""
        for thread_id in THREADS:
            forget(self.reader)
            newest = self.reader.get_tuple(config(thread_id))
            values = {} if newest is None else newest.checkpoint["channel_values"]
            assert len(values.get("log", [])) >= self.reached.get(thread_id, 0)
            lengths = {0}
            for found in self.reader.list({"configurable": {"thread_id": thread_id}}):
                values = found.checkpoint["channel_values"]
                self._check_one(values)
                if not found.config["configurable"]["checkpoint_ns"]:
                    lengths.add(len(values.get("log", [])))
            assert lengths.issuperset(reported.get(thread_id, []))

    def _check_one(self, values: dict[str, Any]) -> None:
        if "log" not in values:  # The checkpoint of the input.
            return
        topic, log = values["topic"], values["log"]
        assert log == expected_log(topic, len(log))
        if "document" in values:
            assert values["document"] == document(topic, len(log), self.size)
        self.seen += 1


def _length(task: Task, answer: tuple[Any, str | None] | None, *, alone: bool) -> int:
    """The log length that a run has reported; 0 if it crashed, failed or is no run."""
    if answer is None:
        return 0
    result, error = answer
    assert error is None or not alone, (task, error)
    return result or 0


def _taken(task: Task) -> list[str]:
    """The threads that a task removes data from, or replaces."""
    if task.do not in TAKES_AWAY:
        return []
    return [task.thread_id, task.argument] if task.do == "copy" else [task.thread_id]


def test_what_is_expected_is_what_the_graph_computes_without_a_saver() -> None:
    graph = make_graph(None, 3_000)
    found = graph.invoke({"topic": "t"})
    assert found["log"] == expected_log("t", 4) == [entry("t", position) for position in range(4)]
    assert found["document"] == document("t", 4, 3_000)


@pytest.mark.sample(3)
@pytest.mark.parametrize(("size", "seed"), CASES)
def test_every_state_that_survives_is_the_one_it_was(tables: Tables, size: str, seed: int) -> None:
    tables.set_up()
    characters, whole_bytes = SIZES[size]
    settings = [
        *[Setting("incremental", whole_bytes, characters)] * 3,
        Setting(None, whole_bytes, characters),
    ]
    names = (tables.checkpoints, tables.writes)
    choose = random.Random(f"{seed} {size}")  # noqa: S311 - a sample, not a secret
    clock = Clock(START)
    with (
        processes(tables.engine.url, names, settings) as workers,
        tables.saver(clock=clock) as reader,
    ):
        soak = Soak(choose, workers, reader, characters, clock)
        for _ in range(amount(STEPS, STEPS // 4)):
            soak.step()
        assert soak.seen
        assert not everything() or any(worker.deaths for worker in workers)
