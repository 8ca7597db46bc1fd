"""Fixtures of the tests of stores and caches: a table for each test, and both ways to call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.store.faces import StoreTable, new_store_table
from tests.support.sessions import own_handlers, shared_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.calls import LoopThread
    from tests.support.engines import Engine


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


@pytest.fixture(params=["sync", "async"])
def family(request: pytest.FixtureRequest, loop_thread: LoopThread) -> LoopThread | None:
    """Whether calls are made by plain methods (`None`) or by `a*` methods."""
    return None if request.param == "sync" else loop_thread
