"""The saver on aiobotocore, let go or closed elsewhere while the event loop it was used on ends.

A loop ends in a number of turns. Each case lets go or closes in another one of them.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tests.support.aio import Session, aio_saver, used
from tests.support.concurrency import DEADLOCK

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.tables import Tables


class Loop(asyncio.SelectorEventLoop):
    """An event loop that acts in one turn of its end, and reports what other threads ask of it."""

    def __init__(self, act: Callable[[], None], at: int) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.call_soon_threadsafe: Any = self._note
        self.errors: list[dict[str, Any]] = []
        self.acted = False
        self._act = act
        self._left = at
        self._threads = ThreadPoolExecutor()
        self.set_default_executor(self._threads)
        self.set_exception_handler(lambda _, context: self.errors.append(context))

    def end(self) -> None:
        """End much as `asyncio.run` does. The first turn is the moment before."""
        self._turn()
        self.run_until_complete(self.shutdown_asyncgens())
        # Not by the loop: how many turns it waits for its threads would be left to luck.
        self._threads.shutdown()
        self.close()

    def _note(self, *args: Any, **settings: Any) -> asyncio.Handle:
        handle = super().call_soon_threadsafe(*args, **settings)
        self.asked.set()
        return handle

    def _turn(self) -> None:
        """Count a turn. A callback of each turn schedules that of the next."""
        self._left -= 1
        if self._left == 0:
            self.acted = True
            self._act()
        else:
            self.call_soon(self._turn)


def test_a_saver_that_is_let_go_while_its_loop_ends_leaves_it_no_task(
    existing_tables: Tables,
) -> None:
    def ended(at: int) -> bool:
        session = Session()
        savers = [aio_saver(existing_tables, session)]

        def let_go() -> None:
            savers.clear()
            gc.collect()

        loop = Loop(let_go, at)
        loop.run_until_complete(used(savers[0]))
        assert session.open == ["dynamodb"]
        loop.end()
        assert session.open == []
        return left_nothing(loop)

    assert turns(ended) > 2


def test_a_saver_that_is_closed_elsewhere_while_its_loop_ends_leaves_it_no_task(
    existing_tables: Tables,
) -> None:
    def ended(at: int) -> bool:
        session = Session()
        saver = aio_saver(existing_tables, session)
        closing = threading.Thread(target=saver.close, daemon=True)

        def close() -> None:
            loop.asked.clear()
            closing.start()
            if loop.is_running():
                assert loop.asked.wait(DEADLOCK)
            else:
                closing.join(DEADLOCK)

        loop = Loop(close, at)
        loop.run_until_complete(used(saver))
        loop.end()
        if loop.acted:
            closing.join(DEADLOCK)
            assert not closing.is_alive()
        assert session.open == []
        return left_nothing(loop)

    assert turns(ended) > 2


def turns(ended: Callable[[int], bool]) -> int:
    """Act in each turn of a loop's end. Returns how many there are."""
    at = 1
    while ended(at):
        at += 1
    return at - 1


def left_nothing(loop: Loop) -> bool:
    """Check that nothing on the loop was left. Returns whether the loop has acted."""
    gc.collect()  # What was never awaited warns here, and warnings are errors.
    assert loop.errors == []
    return loop.acted
