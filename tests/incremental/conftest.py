"""A saver that stores differences, and one with an empty cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.incremental.states import INCREMENTAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.clocks import Clock
    from tests.support.savers import Saver
    from tests.support.tables import Tables


@pytest.fixture
def incremental(tables: Tables, clock: Clock) -> Iterator[Saver]:
    tables.set_up()
    with tables.saver(**INCREMENTAL, clock=clock) as saver:
        yield saver


@pytest.fixture
def reader(
    tables: Tables,
    incremental: Saver,  # noqa: ARG001 - creates the tables
    clock: Clock,
) -> Iterator[Saver]:
    """A saver without compression and with an empty cache."""
    with tables.saver(clock=clock) as saver:
        yield saver
