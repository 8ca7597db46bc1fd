"""What runs have cost: counted request by request, kept in the store, priced in dollars."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from langgraph.store.base import PutOp

from langgraph_checkpoint_dynamodb.cli.prices import Prices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langgraph.store.base import BaseStore

    from langgraph_checkpoint_dynamodb import RequestInfo

_MOST_RUNS = 1000
"""Runs of a conversation whose costs are shown."""


@dataclass
class Tally:
    """Counts the requests of one run.

    Attributes:
        requests: To DynamoDB.
        read_units: Capacity units, as DynamoDB has said.
        write_units: Likewise.
    """

    requests: int = 0
    read_units: float = 0
    write_units: float = 0


@dataclass(frozen=True)
class Cost:
    """What a run has cost.

    Attributes:
        run: Its id.
        after: Id of the last message of the conversation when it ended.
        requests: To DynamoDB.
        read_units: Capacity units.
        write_units: Likewise.
    """

    run: str
    after: str
    requests: int
    read_units: float
    write_units: float

    def view(self) -> dict[str, Any]:
        """What the page is told."""
        return {**asdict(self), "dollars": _dollars(self.read_units, self.write_units)}


_current: ContextVar[Tally | None] = ContextVar("tally", default=None)


def count(request: RequestInfo) -> None:
    """The saver's `on_request`: it is called in the context of the run that it works for."""
    tally = _current.get()
    if tally is not None:
        tally.requests += 1
        tally.read_units += request.read_units
        tally.write_units += request.write_units


@contextmanager
def counting() -> Iterator[Tally]:
    """Count what is asked of the saver within it, by tasks that begin within it too."""
    tally = Tally()
    token = _current.set(tally)
    try:
        yield tally
    finally:
        _current.reset(token)


def total(costs: list[Cost]) -> dict[str, Any]:
    """The sum of costs, for the page."""
    read = sum(cost.read_units for cost in costs)
    write = sum(cost.write_units for cost in costs)
    return {
        "requests": sum(cost.requests for cost in costs),
        "read_units": read,
        "write_units": write,
        "dollars": _dollars(read, write),
    }


class Ledger:
    """The costs of all runs.

    Args:
        store: Where they are kept, beside the conversations.
    """

    def __init__(self, store: BaseStore) -> None:
        self._store = store

    async def note(self, user: str, conversation: str, run: str, after: str, tally: Tally) -> None:
        """Keep what a run has cost."""
        await self._store.aput(
            _namespace(user, conversation), run, {"after": after, **asdict(tally)}
        )

    async def read(self, user: str, conversation: str) -> list[Cost]:
        """What the runs of a conversation have cost, in the order in which they ended."""
        found = await self._store.asearch(_namespace(user, conversation), limit=_MOST_RUNS)
        ended = sorted(found, key=lambda item: item.created_at)
        return [Cost(run=item.key, **item.value) for item in ended]

    async def forget(self, user: str, conversation: str) -> None:
        """Delete the costs of a conversation."""
        namespace = _namespace(user, conversation)
        while found := await self._store.asearch(namespace, limit=_MOST_RUNS):
            await self._store.abatch([PutOp(namespace, item.key, None) for item in found])


def _namespace(user: str, conversation: str) -> tuple[str, ...]:
    # The first label is the partition: each user has one.
    return (f"costs {user}", conversation)


def _dollars(read_units: float, write_units: float) -> float:
    prices = Prices()
    return prices.to_read(read_units) + prices.to_write(write_units)
