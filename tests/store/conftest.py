"""Fixtures: a store's table for each test, and both ways to call a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.store.faces import Clock, Store, StoreCalls, StoreTable, new_store_table
from tests.support.savers import native
from tests.support.sessions import own_handlers, shared_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.calls import LoopThread
    from tests.support.engines import Engine

# What only the store on aiobotocore has; it cannot be imported without the extra.
collect_ignore_glob = [] if native() else ["test_aio*.py"]


@pytest.fixture
def unmade(engine: Engine) -> Iterator[StoreTable]:
    """The name of a table that does not exist yet."""
    client = shared_client(engine.url)
    with own_handlers(client):
        fresh = new_store_table(engine, client)
        yield fresh
        fresh.drop()


@pytest.fixture
def table(unmade: StoreTable) -> StoreTable:
    """A fresh table."""
    unmade.set_up()
    return unmade


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(table: StoreTable) -> Iterator[Store]:
    """A store on a fresh table. Which rights it needs is shown in `test_setup.py`."""
    with table.quick() as made:
        yield made


@pytest.fixture(params=["sync", "async"])
def calls(request: pytest.FixtureRequest, store: Store, loop_thread: LoopThread) -> StoreCalls:
    """The store's calls, by its plain methods and by its `a*` methods."""
    return StoreCalls(store, None if request.param == "sync" else loop_thread)
