"""Fixtures: the sync and async methods that move threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.moving.moves import AwaitedMoves, PlainMoves

if TYPE_CHECKING:
    from tests.support.calls import LoopThread
    from tests.support.savers import Saver


@pytest.fixture(params=["plain", "awaited"])
def moves(request: pytest.FixtureRequest, saver: Saver, loop_thread: LoopThread) -> PlainMoves:
    return PlainMoves(saver) if request.param == "plain" else AwaitedMoves(saver, loop_thread)
