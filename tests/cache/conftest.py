"""Fixtures: a table for each test, and both ways to call a cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cache.faces import Cache, CacheCalls, quick_cache
from tests.store.fixtures import family as family
from tests.store.fixtures import table as table
from tests.store.fixtures import unmade as unmade
from tests.support.savers import native

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.store.faces import StoreTable
    from tests.support.calls import LoopThread
    from tests.support.clocks import Clock

# What only the cache on aiobotocore has; it cannot be imported without the extra.
collect_ignore_glob = [] if native() else ["test_aio*.py"]


@pytest.fixture
def cache(table: StoreTable, clock: Clock) -> Iterator[Cache]:
    """A cache on a fresh table. Which rights it needs is shown in `test_setup.py`."""
    with quick_cache(table, clock=clock) as made:
        yield made


@pytest.fixture
def calls(cache: Cache, family: LoopThread | None) -> CacheCalls:
    return CacheCalls(cache, family)
