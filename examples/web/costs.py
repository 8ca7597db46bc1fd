"""Costs of runs: requests are counted, sums are kept in the store and priced in dollars."""

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
"""Maximum number of runs of a conversation whose costs are shown."""


@dataclass
class Tally:
    """Counts the requests of one run.

    Attributes:
        requests: Requests to DynamoDB.
        read_units: Read capacity units reported by DynamoDB.
        write_units: Write capacity units reported by DynamoDB.
    """

    requests: int = 0
    read_units: float = 0
    write_units: float = 0


@dataclass(frozen=True)
class Cost:
    """The cost of a run.

    Attributes:
        run: Id of the run.
        after: Id of the conversation's last message when the run ended.
        requests: Requests to DynamoDB.
        read_units: Read capacity units.
        write_units: Write capacity units.
    """

    run: str
    after: str
    requests: int
    read_units: float
    write_units: float

    def view(self) -> dict[str, Any]:
        """The cost as JSON for the page."""
        return {**asdict(self), "dollars": _dollars(self.read_units, self.write_units)}


_current: ContextVar[Tally | None] = ContextVar("tally", default=None)


def count(request: RequestInfo) -> None:
    """The saver's `on_request`, which is called in the context of the run."""
    tally = _current.get()
    if tally is not None:
        tally.requests += 1
        tally.read_units += request.read_units
        tally.write_units += request.write_units


@contextmanager
def counting() -> Iterator[Tally]:
    """Count the saver's requests within the context, including those of tasks started there."""
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
        store: The store that keeps the costs.
    """

    def __init__(self, store: BaseStore) -> None:
        self._store = store

    async def note(self, user: str, conversation: str, run: str, after: str, tally: Tally) -> None:
        """Store the cost of a run."""
        await self._store.aput(
            _namespace(user, conversation), run, {"after": after, **asdict(tally)}
        )

    async def read(self, user: str, conversation: str) -> list[Cost]:
        """The costs of the runs of a conversation, in the order in which the runs ended."""
        found = await self._store.asearch(_namespace(user, conversation), limit=_MOST_RUNS)
        ended = sorted(found, key=lambda item: item.created_at)
        return [Cost(run=item.key, **item.value) for item in ended]

    async def forget(self, user: str, conversation: str) -> None:
        """Delete the costs of a conversation."""
        namespace = _namespace(user, conversation)
        while found := await self._store.asearch(namespace, limit=_MOST_RUNS):
            await self._store.abatch([PutOp(namespace, item.key, None) for item in found])


def _namespace(user: str, conversation: str) -> tuple[str, ...]:
    # The first label is the partition: one for each user.
    return (f"costs {user}", conversation)


def _dollars(read_units: float, write_units: float) -> float:
    prices = Prices()
    return prices.to_read(read_units) + prices.to_write(write_units)
