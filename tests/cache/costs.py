"""What the cache's calls cost, measured."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from tests.cache.faces import cache_on_session
from tests.store.costs import MEGABYTE, measured
from tests.support.costs import CONCURRENCY
from tests.support.sessions import metered_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cache.faces import Cache, FullKey
    from tests.store.faces import StoreTable
    from tests.support.costs import Cost
    from tests.support.engines import Engine

AT = ("writes", "node")
VALUE = "x" * 800
"""Of less than a kilobyte with its key."""


def measure_costs(table: StoreTable, engine: Engine) -> list[Cost]:
    """Every row, on a fresh table."""
    session, meter = metered_session()
    with cache_on_session(table, session=session, max_concurrency=CONCURRENCY) as cache:
        return measured(cache, meter, engine, _calls)


def _calls(cache: Cache) -> list[tuple[str, Callable[[], object]]]:
    def keys(count: int) -> list[FullKey]:
        return [(AT, f"{number:02}") for number in range(count)]

    def put(count: int, ttl: int | None = None) -> Callable[[], object]:
        return lambda: cache.set(dict.fromkeys(keys(count), (VALUE, ttl)))

    def large(key: str, megabytes: int) -> Callable[[], object]:
        value: Any = random.Random(1).randbytes(megabytes * MEGABYTE)  # noqa: S311 - no secret
        return lambda: cache.set({(AT, key): (value, None)})

    return [
        ("`set`, the first of a namespace in this process", put(1)),
        ("`set`", put(1, 60)),
        ("`get`", lambda: cache.get(keys(1))),
        ("`get` of what is not there", lambda: cache.get([(AT, "no")])),
        ("`set` of 25", put(25)),
        ("`get` of 25", lambda: cache.get(keys(25))),
        ("`clear` of a namespace of 25", lambda: cache.clear([AT])),
        ("`set`, 1 MB", large("large", 1)),
        ("`get`, 1 MB", lambda: cache.get([(AT, "large")])),
        ("`set`, 20 MB", large("larger", 20)),
        ("`get`, 20 MB", lambda: cache.get([(AT, "larger")])),
        ("`clear` of all of it", lambda: cache.clear()),
    ]
