"""Fixtures: a saver with a thread index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb import ThreadIndex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.clocks import Clock
    from tests.support.savers import Saver
    from tests.support.tables import Tables

INDEXED: dict[str, Any] = {"thread_index": ThreadIndex(owner="user_id")}


@pytest.fixture
def listing(tables: Tables, clock: Clock) -> Iterator[Saver]:
    tables.set_up(**INDEXED)
    with tables.saver(**INDEXED, clock=clock) as saver:
        yield saver
