"""Fixtures: a store's table for each test, and both ways to call a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.store.faces import Store, StoreCalls, StoreTable
from tests.store.fixtures import family as family
from tests.store.fixtures import table as table
from tests.store.fixtures import unmade as unmade
from tests.support.savers import native

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.calls import LoopThread

# What only the store on aiobotocore has; it cannot be imported without the extra.
collect_ignore_glob = [] if native() else ["test_aio*.py"]


@pytest.fixture
def store(table: StoreTable) -> Iterator[Store]:
    """A store on a fresh table. Which rights it needs is shown in `test_setup.py`."""
    with table.quick() as made:
        yield made


@pytest.fixture
def calls(store: Store, family: LoopThread | None) -> StoreCalls:
    return StoreCalls(store, family)
