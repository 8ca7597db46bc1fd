"""Measures the tables of the page on costs.

`make costs` prints them, and those of the store and the cache.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb import ThreadIndex
from tests.incremental.states import INCREMENTAL, put_steps
from tests.support.calls import SyncCalls
from tests.support.sessions import metered_session, shared_client
from tests.support.tables import forget
from tests.support.values import checkpoint, config, metadata, put_chain
from tests.support.walking import measure_depth

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.buckets import Bucket
    from tests.support.engines import Engine
    from tests.support.savers import Saver
    from tests.support.tables import Tables

CONCURRENCY = 32
STATE = "x" * 10_000
"""One channel of 10,000 bytes."""
WRITES = [("a", "y" * 100), ("b", "y" * 100), ("branch:to:next", None)]
LENGTH = 50
LISTED: dict[str, Any] = {"thread_index": ThreadIndex(owner="user_id")}
S3_THRESHOLD = 350 * 1024
GROWN = 200_000
"""Characters of a state that is stored incrementally."""


@dataclass(frozen=True)
class Cost:
    """One row: a call and its cost. Units are `None` on engines that do not count them."""

    call: str
    requests: int
    serial: int
    read_units: float | None
    write_units: float | None

    def row(self) -> str:
        """The row as the page shows it."""
        cells = (self.requests, self.serial, self.read_units, self.write_units)
        return f"| {self.call} | " + " | ".join("" if c is None else f"{c:g}" for c in cells) + " |"


def measure_costs(tables: Tables, engine: Engine, bucket: Bucket) -> list[Cost]:
    """Every row of both cost tables, measured on new DynamoDB tables."""
    tables.set_up(**LISTED)
    in_s3: dict[str, Any] = {"s3_offload_config": bucket.config(S3_THRESHOLD)}
    return [
        *_measure(tables, engine, _calls),
        *_measure(tables, engine, partial(_large_calls, "in chunks")),
        *_measure(tables, engine, partial(_large_calls, "in S3"), **in_s3),
        *_measure(tables, engine, _differing_calls, **INCREMENTAL),
        *_measure(tables, engine, _listed_calls, **LISTED),
        *_measure(tables, engine, _fenced_calls, on_conflict="raise"),
    ]


def _measure(
    tables: Tables,
    engine: Engine,
    calls: Callable[[Saver], list[tuple[str, Callable[[], object]]]],
    **settings: Any,
) -> list[Cost]:
    session, meter = metered_session()
    with tables.saver(session=session, max_concurrency=CONCURRENCY, **settings) as saver:
        depth = measure_depth(saver)
        rows = []
        for name, call in calls(saver):
            meter.reset()
            before = depth.clock
            call()
            units = (meter.read_units, meter.write_units) if engine.faithful else (None, None)
            rows.append(Cost(name, meter.total, depth.clock - before, *units))
    return rows


def _large_calls(where: str, saver: Saver) -> list[tuple[str, Callable[[], object]]]:
    calls = SyncCalls(saver)
    named: list[tuple[str, Callable[[], object]]] = []
    for megabytes in (1, 10):
        thread = f"{megabytes} {where}"
        at = config(thread)
        state = checkpoint(value=random.Random(1).randbytes(megabytes * 1_000_000))  # noqa: S311 - no secret
        by_id = config(thread, "", state["id"])
        named += [
            (f"`put`, {megabytes} MB {where}", partial(calls.put, at, state, metadata(), {})),
            (f"`get_tuple`, latest, {megabytes} MB {where}", partial(calls.get_tuple, at)),
            (f"`get_tuple`, id given, {megabytes} MB {where}", partial(calls.get_tuple, by_id)),
        ]
    return named


def _differing_calls(saver: Saver) -> list[tuple[str, Callable[[], object]]]:
    """Calls on a thread whose state of 200 KB gains 100 bytes with each checkpoint."""
    at = config("grown")
    store = partial(put_steps, saver, 1, "grown", size=GROWN)
    named: list[tuple[str, Callable[[], object]]] = [
        ("`put`, 200 KB, with its base", partial(store, first=0)),
        ("`put`, 200 KB, a message more", partial(store, first=1, parent="0000")),
        ("`get_tuple`, latest, 200 KB, seen before", lambda: saver.get_tuple(at)),
        (
            "`get_tuple`, latest, 200 KB",
            lambda: _as_a_new_one(saver, lambda: saver.get_tuple(at)),
        ),
    ]
    return named


def _listed_calls(saver: Saver) -> list[tuple[str, Callable[[], object]]]:
    """Calls on listed threads of 10 KB: 40 of one owner."""

    def put(thread: str, id_: str, parent: str | None, source: str, step: int) -> object:
        at: Any = config(thread, "", parent)
        at["configurable"]["user_id"] = "ann"
        said = metadata(source=source, step=step)
        return saver.put(at, checkpoint(id_, value=STATE), said, {})

    for number in range(40):
        put(f"listed {number}", "0001", None, "input", -1)
        saver.update_thread(f"listed {number}", title="A title of some length " * 2)
    at = config("listed 0", "", "0002")
    interrupt = [("__interrupt__", ["Go on?"])]
    return [
        ("`put`, the first of a run, listed", lambda: put("listed 0", "0002", "0001", "input", 0)),
        ("`put`, the next of it", lambda: put("listed 0", "0003", "0002", "loop", 1)),
        ("`put_writes` of an interrupt, listed", lambda: saver.put_writes(at, interrupt, "task")),
        ("`list_threads`, a page of 20", lambda: saver.list_threads(owner="ann")),
        ("`get_thread`", lambda: saver.get_thread("listed 0")),
        ("`update_thread`", lambda: saver.update_thread("listed 0", title="Another")),
    ]


def _fenced_calls(saver: Saver) -> list[tuple[str, Callable[[], object]]]:
    calls = SyncCalls(saver)
    at = put_chain(calls, "fenced", 1, value=STATE)[0]
    made = checkpoint("9", value=STATE)
    return [('`put`, with `on_conflict="raise"`', lambda: calls.put(at, made, metadata(), {}))]


def _as_a_new_one(saver: Saver, call: Callable[[], object]) -> object:
    forget(saver)
    return call()


def _calls(saver: Saver) -> list[tuple[str, Callable[[], object]]]:
    calls = SyncCalls(saver)
    chain = put_chain(calls, "t", LENGTH, value=STATE)
    for stored in chain:
        calls.put_writes(stored, WRITES, "task")
    delta = put_chain(calls, "delta", LENGTH)
    for stored in delta:
        calls.put_writes(stored, [("messages", "y" * 100)], "task")
    return [
        ("`put`", lambda: put_chain(calls, "new", 1, value=STATE)),
        ("`put_writes` of 3 writes", lambda: calls.put_writes(chain[0], WRITES, "other")),
        ("`get_tuple`, id given", lambda: calls.get_tuple(chain[25])),
        ("`get_tuple`, latest, seen before", lambda: calls.get_tuple(config("t"))),
        ("`get_tuple`, latest", lambda: _as_a_new_one(saver, lambda: calls.get_tuple(config("t")))),
        ("`list(limit=10)`", lambda: list(calls.list(config("t"), limit=10))),
        (
            f"`get_delta_channel_history`, {LENGTH - 1} ancestors of 0.5 KB",
            lambda: calls.get_delta_channel_history(config=config("delta"), channels=["messages"]),
        ),
        (f"`copy_thread`, {LENGTH} checkpoints", lambda: calls.copy_thread("t", "copy")),
        (f"`prune`, {LENGTH} checkpoints", lambda: calls.prune(["copy"])),
        (f"`delete_thread`, {LENGTH} checkpoints", lambda: calls.delete_thread("t")),
    ]


def main() -> None:
    """Print the table."""
    os.environ.update(
        AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1"
    )
    # Imported here because that module imports this one.
    from tests.cache.costs import measure_costs as measure_cache
    from tests.store.costs import measure_costs as measure_store
    from tests.store.faces import new_store_table
    from tests.support.buckets import new_bucket, running_object_store
    from tests.support.engines import running_engine
    from tests.support.tables import new_tables

    with running_engine() as engine, running_object_store(engine) as url:
        for cost in measure_costs(new_tables(engine), engine, new_bucket(url)):
            print(cost.row())
        table = new_store_table(engine, shared_client(engine.url))
        table.set_up()
        for cost in (*measure_store(table, engine), *measure_cache(table, engine)):
            print(cost.row())


if __name__ == "__main__":
    main()
