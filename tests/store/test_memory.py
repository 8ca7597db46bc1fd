"""What is read of a hundred thousand items below one prefix is let go of page by page.

Pages are made where a request is answered, so no table has to be filled, and what is on them and in
the values is counted while it lives. `test_costs.py` has as many items on a real engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import ListNamespacesOp, MatchCondition, PutOp, SearchOp

from langgraph_checkpoint_dynamodb.format.tables import Attribute, Key, Table
from langgraph_checkpoint_dynamodb.items.attributes import make_item
from langgraph_checkpoint_dynamodb.requests.items import Page, Query, Scan
from langgraph_checkpoint_dynamodb.store import DynamoDBStore
from langgraph_checkpoint_dynamodb.store.embedding import Embedded
from langgraph_checkpoint_dynamodb.store.keys import is_registry
from langgraph_checkpoint_dynamodb.store.ops import namespaces, search
from langgraph_checkpoint_dynamodb.store.ops.batch import perform
from langgraph_checkpoint_dynamodb.store.ops.merged import MOST_ITEMS, Merged
from langgraph_checkpoint_dynamodb.store.parsing import parse_calls
from tests.simulation.processes import FORWARD, steps
from tests.support.effort import amount

if TYPE_CHECKING:
    from collections.abc import Callable

    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

    Act = Callable[[DynamoDBStore], Operation[Any]]

AT = ("docs", "x")
MANY = amount(100_000, 20_000)
AT_ONCE = 3 * MOST_ITEMS
"""Items of a page, their values, and the items of the page that follows."""


@dataclass
class Tally:
    """How many items and values there are, and how many there were at most."""

    alive: int = 0
    most: int = 0


class Counted(dict[str, Any]):
    """An item or a value, counted while it lives."""

    def __init__(self, tally: Tally, given: Any) -> None:
        super().__init__(given)
        self._tally = tally
        tally.alive += 1
        tally.most = max(tally.most, tally.alive)

    def __del__(self) -> None:
        self._tally.alive -= 1


@dataclass
class Serde:
    """Values that are counted; a value is its text."""

    tally: Tally

    def dumps_typed(self, value: Any) -> tuple[str, bytes]:
        return "text", value["text"].encode()

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return Counted(self.tally, {"text": data[1].decode()})


class LongTable:
    """Replies to requests as a table does that has very many items below a prefix.

    Each is of a namespace of its own.

    Attributes:
        given: How many items were given.
    """

    def __init__(self, store: DynamoDBStore, tally: Tally) -> None:
        self.given = 0
        self._tally = tally
        (put,) = parse_calls(store._context(), [PutOp((*AT, "0"), "k", {"text": "a"})]).puts
        self._item = put.planned.put.item

    def reply(self, request: Any) -> Page:
        assert isinstance(request, (Query, Scan)), request
        partition = request.partition if isinstance(request, Query) else "docs"
        limit = (request.limit if isinstance(request, Query) else None) or MOST_ITEMS
        if limit == 1:
            return Page([self._one(partition, 0)], None)  # Whether there is any.
        first = 0
        if request.start is not None:
            first = int(request.start["path"]["S"].partition("x\0")[2][:6]) + 1
        last = min(first + limit, MANY)
        self.given += last - first
        items = [self._one(partition, number) for number in range(first, last)]
        after = {name: items[-1][name] for name in ("root", "path")}
        return Page(items, None if last == MANY else after)

    def _one(self, partition: str, number: int) -> StoredItem:
        path = f"x\0{number:06}\0"
        if is_registry(partition):
            entry = {Attribute.TOUCHED: 1, Attribute.SPREAD: 1}
            item = make_item(Table.STORE, Key(partition, f"docs\0{path}"), entry)
            return Counted(self._tally, item)
        return Counted(self._tally, {**self._item, "path": {"S": f"{path}\0k"}})


def perform_one(store: DynamoDBStore, op: Any) -> Operation[Any]:
    return perform(*store._parse([op]), Embedded())


LAST = MatchCondition("suffix", (f"{MANY - 1:06}",))
ACTS: dict[str, Act] = {
    "a search by a filter": lambda store: perform_one(store, SearchOp(AT, {"text": "b"})),
    "a search beyond": lambda store: perform_one(store, SearchOp(AT, None, 5, MANY - 5)),
    "a listing": lambda store: perform_one(
        store, ListNamespacesOp((MatchCondition("prefix", AT), LAST))
    ),
    "a sweep": lambda store: store._sweep_orphans(3600, None, None),
}


def most_alive(act: Act) -> int:
    """How many items and values a call keeps at once."""
    tally = Tally()
    with DynamoDBStore(store_table_name="store", serde=Serde(tally)) as store:
        table = LongTable(store, tally)
        going = steps(act(store), FORWARD)
        try:
            request = next(going)
            while True:
                request = going.send(table.reply(request))
        except StopIteration:
            assert table.given >= MANY
    return tally.most


@pytest.mark.parametrize("act", ACTS)
def test_very_many_items_are_never_in_memory_at_once(act: str) -> None:
    assert 1_000 < most_alive(ACTS[act]) <= AT_ONCE


@pytest.mark.sample(1)
@pytest.mark.parametrize("act", ["a search by a filter", "a listing"])
def test_pages_that_were_kept_would_be_found(monkeypatch: pytest.MonkeyPatch, act: str) -> None:
    kept = []

    class Keeping(Merged):
        def next(self, limit: int) -> Operation[list[StoredItem] | None]:
            items = yield from super().next(limit)
            kept.append(items)
            return items

    monkeypatch.setattr(search, "Merged", Keeping)
    monkeypatch.setattr(namespaces, "Merged", Keeping)
    assert most_alive(ACTS[act]) > AT_ONCE
