"""Processes killed at any time while they store large values, and the engine with them.

`test_crash` stops a call between its requests; here the process is killed with requests in flight.
The engine is dynoxide on a file, as moto stores nothing on disk. So this file has tests only if the
suite runs on dynoxide, which must be installed.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from tests.support.engines import engine_name
from tests.support.killed import (
    CHANNELS,
    STATE_BYTES,
    WRITE_BYTES,
    DurableEngine,
    Round,
    content,
    running_writers,
)
from tests.support.sessions import new_session
from tests.support.stored import loose_ends, stored
from tests.support.tables import new_tables, sweep
from tests.support.values import config

if TYPE_CHECKING:
    from pathlib import Path

    from langgraph.checkpoint.base import CheckpointTuple

    from tests.support.savers import Saver

__test__ = engine_name() == "dynoxide"

THREADS = 20
ROUNDS = 10
"""For each thread. In one of them the engine is killed too."""
LINES = 40
"""Maximum number of lines that a process prints before it is killed: about three calls."""
SPINS = 100_000


@dataclass
class Heard:
    """What the processes that wrote to a thread have reported.

    Attributes:
        done: By id, the mark of the last checkpoint that was certainly stored.
        begun: By id, the marks of those that may be stored: a request may arrive at the engine
            after the process that sent it was killed.
        written: The tasks that have stored their writes, with the id.
    """

    done: dict[str, str] = field(default_factory=dict)
    begun: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    written: set[tuple[str, str]] = field(default_factory=set)

    def hear(self, line: str) -> None:
        match line.split():
            case ["put", id_, mark]:
                self.begun[id_].add(mark)
            case ["end", "put", id_, mark]:
                self.begun[id_].discard(mark)
                self.done[id_] = mark
            case ["end", "write", id_, task]:
                self.written.add((id_, task))

    def check(self, reader: Saver, thread_id: str) -> None:
        """Check that every checkpoint is whole and that nothing is lost."""
        newest = reader.get_tuple(config(thread_id))
        rest = [] if newest is None else [*reader.list(config(thread_id), before=newest.config)]
        found = [*([] if newest is None else [newest]), *rest]
        marks = {one.checkpoint["id"]: mark_of(one) for one in found}
        for id_ in self.done.keys() | self.begun.keys() | marks.keys():
            assert marks.get(id_) in {self.done.get(id_), *self.begun[id_]}
        written = {(one.checkpoint["id"], task) for one in found for task in tasks_of(one)}
        assert {(id_, task) for id_, task in self.written if id_ in marks} <= written


def mark_of(one: CheckpointTuple) -> str:
    """The mark of a checkpoint; one call must have stored all of it."""
    mark: str = one.checkpoint["channel_values"]["mark"]
    assert one.checkpoint["channel_values"]["data"] == content(mark, STATE_BYTES)
    assert dict(one.metadata)["mark"] == mark
    return mark


def tasks_of(one: CheckpointTuple) -> set[str]:
    """The tasks that have pending writes; each must have all of them."""
    channels = defaultdict(list)
    for task, channel, (mark, data) in one.pending_writes or []:
        assert data == content(mark, WRITE_BYTES)
        channels[task].append(channel)
    assert all(sorted(written) == sorted(CHANNELS) for written in channels.values())
    return set(channels)


@pytest.mark.sample(0)
def test_processes_that_are_killed_leave_every_checkpoint_whole_and_nothing_after_a_sweep(
    tmp_path: Path,
) -> None:
    choose = random.Random(200)  # noqa: S311 - a sample, not a secret
    durable = DurableEngine(tmp_path / "tables")
    tables = new_tables(durable.engine)
    tables.set_up()
    swept = 0
    try:
        with running_writers() as run:
            for number in range(THREADS):
                thread_id, heard = f"t{number}", Heard()
                engine_dies = choose.randrange(ROUNDS)
                for round_ in range(ROUNDS):
                    said = run(
                        Round(
                            durable.engine.url,
                            tables.checkpoints,
                            tables.writes,
                            thread_id,
                            seed=choose.randrange(10**9),
                            lines=choose.randrange(1, LINES),
                            spins=choose.randrange(SPINS),
                            engine=durable.pid if round_ == engine_dies else 0,
                        )
                    )
                    if round_ == engine_dies:
                        tables.client.close()
                        durable.start_again()
                        client = new_session().client("dynamodb", endpoint_url=durable.engine.url)
                        tables = replace(tables, engine=durable.engine, client=client)
                    for line in said:
                        heard.hear(line)
                    if round_ % 2 or round_ == engine_dies:
                        with tables.saver(**tables.quick()) as reader:
                            heard.check(reader, thread_id)
                with tables.saver(**tables.quick()) as sweeper:
                    swept += sweep(sweeper).chunks_deleted
                    assert loose_ends(stored(tables)) == []
                    heard.check(sweeper, thread_id)
                    sweeper.delete_thread(thread_id)
        assert swept > 0
    finally:
        tables.client.close()
        durable.stop()
