"""The README's table of costs, measured. `make costs` prints it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.calls import SyncCalls
from tests.support.depth import measure_depth
from tests.support.sessions import metered_session
from tests.support.values import config, put_chain

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph_checkpoint_dynamodb import DynamoDBSaver
    from tests.support.engines import Engine
    from tests.support.tables import Tables

CONCURRENCY = 32
STATE = "x" * 10_000
"""One channel of 10,000 bytes."""
WRITES = [("a", "y" * 100), ("b", "y" * 100), ("branch:to:next", None)]
LENGTH = 50


@dataclass(frozen=True)
class Cost:
    """One row: a call and what it costs. Units are `None` on engines that do not count them."""

    call: str
    requests: int
    serial: int
    read_units: float | None
    write_units: float | None

    def row(self) -> str:
        """The row as the README shows it."""
        cells = (self.requests, self.serial, self.read_units, self.write_units)
        return f"| {self.call} | " + " | ".join("" if c is None else f"{c:g}" for c in cells) + " |"


def measure_costs(tables: Tables, engine: Engine) -> list[Cost]:
    """Every row of the table, on fresh tables."""
    tables.set_up()
    session, meter = metered_session()
    with tables.saver(session=session, max_concurrency=CONCURRENCY) as saver:
        depth = measure_depth(saver)
        rows = []
        for name, call in _calls(saver):
            meter.reset()
            before = depth.clock
            call()
            units = (meter.read_units, meter.write_units) if engine.faithful else (None, None)
            rows.append(Cost(name, meter.total, depth.clock - before, *units))
    return rows


def _calls(saver: DynamoDBSaver) -> list[tuple[str, Callable[[], object]]]:
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
        ("`get_tuple`, latest", lambda: calls.get_tuple(config("t"))),
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
    from tests.support.engines import running_engine
    from tests.support.tables import new_tables

    with running_engine() as engine:
        for cost in measure_costs(new_tables(engine), engine):
            print(cost.row())


if __name__ == "__main__":
    main()
