"""What the store's calls cost, measured."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langgraph.store.base import GetOp, PutOp

from tests.support.costs import CONCURRENCY, Cost
from tests.support.sessions import metered_session
from tests.support.walking import measure_depth

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.store.faces import Store, StoreT, StoreTable
    from tests.support.engines import Engine
    from tests.support.sessions import Meter

AT = ("users", "ann")
VALUE = {"text": "x" * 900}
"""Of less than a kilobyte with its key."""
MEGABYTE = 1_000_000
DIMS = 1024

Named = list[tuple[str, "Callable[[], object]"]]


def measure_costs(table: StoreTable, engine: Engine) -> list[Cost]:
    """Every row, on a fresh table."""
    index: Any = {"dims": DIMS, "embed": _embed, "fields": ["text"]}
    return [
        *_measured(table, engine, _calls),
        *_measured(table, engine, _calls_by_meaning, index=index),
    ]


def _measured(
    table: StoreTable, engine: Engine, calls: Callable[[Store], Named], **settings: Any
) -> list[Cost]:
    session, meter = metered_session()
    with table.on_session(session=session, max_concurrency=CONCURRENCY, **settings) as store:
        return measured(store, meter, engine, calls)


def measured(
    user: StoreT, meter: Meter, engine: Engine, calls: Callable[[StoreT], Named]
) -> list[Cost]:
    """What the calls of a store or cache on a metered session cost."""
    depth = measure_depth(user)  # type: ignore[arg-type]  # it has a runner as savers do
    rows = []
    for name, call in calls(user):
        meter.reset()
        before = depth.clock
        call()
        units = (meter.read_units, meter.write_units) if engine.faithful else (None, None)
        rows.append(Cost(name, meter.total, depth.clock - before, *units))
    return rows


def _embed(texts: list[str]) -> list[list[float]]:
    made = [random.Random(text) for text in texts]  # noqa: S311 - no secret
    return [[one.random() for _ in range(DIMS)] for one in made]


def _calls_by_meaning(store: Store) -> Named:
    at = ("docs", "ann")
    value = {"text": "x" * 900}
    store.batch([PutOp(at, f"{i:02}", {"text": f"{i:02}" + "x" * 900}) for i in range(25)])
    return [
        ("`put`, embedded", lambda: store.put(at, "new", value)),
        ("`put`, embedded, in place of one that was", lambda: store.put(at, "new", value)),
        ("`delete` of an item that was embedded", lambda: store.delete(at, "new")),
        ("`search(query=..., limit=5)` among 25", lambda: store.search(at, query="x", limit=5)),
    ]


def _calls(store: Store) -> Named:
    def put(key: str, value: dict[str, Any] = VALUE, **more: Any) -> Callable[[], object]:
        return lambda: store.put(AT, key, value, **more)

    def large(megabytes: int) -> dict[str, Any]:
        return {"bytes": random.Random(1).randbytes(megabytes * MEGABYTE)}  # noqa: S311 - no secret

    def many(first: int) -> Callable[[], object]:
        ops = [PutOp(AT, f"{number:02}", VALUE) for number in range(first, first + 25)]
        return lambda: store.batch(ops)

    def namespaces() -> None:
        store.batch([PutOp(("teams", f"{number:02}"), "k", VALUE) for number in range(20)])

    def listed() -> object:
        return store.list_namespaces(prefix=("teams",), limit=20)

    namespaces()
    return [
        ("`put`, the first of a namespace in this process", put("00")),
        ("`put`", put("01")),
        ("`get`", lambda: store.get(AT, "01")),
        ("`batch` of 25 puts", many(0)),
        ("`batch` of 25 gets", lambda: store.batch([GetOp(AT, f"{i:02}") for i in range(25)])),
        ("`search(limit=10)` among 25", lambda: store.search(AT)),
        ("`search(filter=...)` of 25, none passes", lambda: store.search(AT, filter={"a": 1})),
        ("`list_namespaces(limit=20)`, of one label", listed),
        ("`delete`", lambda: store.delete(AT, "01")),
        ("`put` that expires", put("ttl", ttl=10)),
        ("`get` that extends a TTL", lambda: _later(store, lambda: store.get(AT, "ttl"))),
        ("`put`, 1 MB", put("large", large(1))),
        ("`get`, 1 MB", lambda: store.get(AT, "large")),
        ("`put`, 20 MB", put("larger", large(20))),
        ("`get`, 20 MB", lambda: store.get(AT, "larger")),
        ("`delete`, 20 MB", lambda: store.delete(AT, "larger")),
    ]


def _later(store: Store, call: Callable[[], object]) -> object:
    """Make a call a minute later."""
    settings = store._settings
    store._settings = replace(settings, clock=lambda: settings.clock() + 60)
    try:
        return call()
    finally:
        store._settings = settings
