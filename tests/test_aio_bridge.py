"""A sync call of the saver on aiobotocore during `close` in another thread.

Nothing here measures time. The call is held at a known point; a timeout only turns a deadlock into
a failure.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb import SaverClosedError
from langgraph_checkpoint_dynamodb.runners import bridge
from langgraph_checkpoint_dynamodb.runners.aio import AsyncRunner
from tests.support.aio import AT, Session, aio_saver, loop_threads
from tests.support.concurrency import DEADLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.support.tables import Tables


class Lock:
    """A lock that reports when a thread has to wait for it."""

    def __init__(self) -> None:
        self.contended = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self.contended.set()
            assert self._lock.acquire(timeout=DEADLOCK)

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_a_call_that_has_found_the_loop_is_done_before_close_ends_it(
    existing_tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, here = Lock(), threading.get_ident()
    fake: Any = SimpleNamespace(Lock=lambda: lock, Thread=threading.Thread)
    monkeypatch.setattr(bridge, "threading", fake)
    session = Session()
    saver = aio_saver(existing_tables, session)
    assert saver.get_tuple(AT) is None
    schedule: Any = asyncio.run_coroutine_threadsafe
    closing: list[Any] = []

    def preempted(work: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> Any:
        if threading.get_ident() == here and not closing:
            closing.append(pool.submit(saver.close))
            # By now it has either stopped the loop, or it waits for this call.
            while not (closing[0].done() or lock.contended.is_set()):
                pass
        return schedule(work, loop)

    with ThreadPoolExecutor(1) as pool:
        with monkeypatch.context() as patch:
            patch.setattr(asyncio, "run_coroutine_threadsafe", preempted)
            assert saver.get_tuple(AT) is None
        closing[0].result(DEADLOCK)
    assert session.open == []
    with pytest.raises(SaverClosedError):
        saver.get_tuple(AT)


@pytest.mark.parametrize("call", [lambda s: s.get_tuple(AT), lambda s: [*s.list(None)]])
def test_a_call_that_comes_to_the_bridge_after_close_says_so_and_starts_no_thread(
    existing_tables: Tables, monkeypatch: pytest.MonkeyPatch, call: Callable[[Any], object]
) -> None:
    saver = aio_saver(existing_tables)
    assert saver.get_tuple(AT) is None
    looked: Any = AsyncRunner.require_open
    closed: list[None] = []

    def preempted(self: AsyncRunner) -> None:
        looked(self)
        if not closed:
            closed.append(None)
            saver.close()

    monkeypatch.setattr(AsyncRunner, "require_open", preempted)
    before = loop_threads()
    with pytest.raises(SaverClosedError):
        call(saver)
    assert loop_threads() <= before


def test_close_passes_over_a_loop_that_ends_as_it_is_asked(
    existing_tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session()
    saver = aio_saver(existing_tables, session)
    used, over = threading.Event(), threading.Event()

    async def main() -> None:
        assert await saver.aget_tuple(AT) is None
        loops.append(asyncio.get_running_loop())
        used.set()
        while not over.is_set():  # noqa: ASYNC110 - set by a thread
            await asyncio.sleep(0)

    loops: list[asyncio.AbstractEventLoop] = []
    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert used.wait(DEADLOCK)
    schedule: Any = loops[0].call_soon_threadsafe

    def late(*args: Any, **settings: Any) -> Any:
        if not over.is_set():
            over.set()
            thread.join(DEADLOCK)
        return schedule(*args, **settings)

    monkeypatch.setattr(loops[0], "call_soon_threadsafe", late)
    saver.close()
    assert not thread.is_alive()
    assert session.open == []
