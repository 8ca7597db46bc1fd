"""The pool of worker threads: order, context, results, and when its threads end."""

from __future__ import annotations

import gc
import threading
from contextvars import ContextVar
from functools import partial

import pytest

from langgraph_checkpoint_dynamodb import SaverClosedError
from langgraph_checkpoint_dynamodb.runners.workers import Workers, run_in_thread

STUCK = 30
_caller: ContextVar[str] = ContextVar("caller", default="nobody")


def threads_of(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(name)]


def test_work_is_done_in_the_order_it_comes() -> None:
    workers = Workers(1, "in-order")
    done: list[int] = []
    go_on = threading.Event()
    first = workers.submit(partial(go_on.wait, STUCK))
    futures = [workers.submit(partial(done.append, number)) for number in range(20)]
    assert futures[3].cancel()
    go_on.set()
    workers.close()
    assert first.result() is True
    assert done == [number for number in range(20) if number != 3]


def test_as_many_threads_are_started_as_are_needed_at_once_and_no_more() -> None:
    workers = Workers(3, "as-many")
    for _ in range(5):
        workers.submit(lambda: None).result(STUCK)
    meet = threading.Barrier(4, timeout=STUCK)
    futures = [workers.submit(meet.wait) for _ in range(3)]
    meet.wait()
    for future in futures:
        future.result(STUCK)
    assert len(threads_of("as-many")) == 3
    workers.close()
    assert threads_of("as-many") == []


def test_work_is_done_in_the_context_of_the_caller_and_its_error_is_the_callers() -> None:
    def fail() -> None:
        raise KeyError(_caller.get())

    workers = Workers(1, "context")
    _caller.set("me")
    assert isinstance(workers.submit(fail).exception(STUCK), KeyError)
    assert workers.submit(_caller.get).result(STUCK) == "me"
    workers.close()


def test_a_closed_pool_takes_no_work_and_can_be_closed_again() -> None:
    workers = Workers(2, "closed")
    workers.close()
    workers.close()
    with pytest.raises(SaverClosedError):
        workers.submit(lambda: None)


def test_the_threads_of_a_pool_that_is_gone_end() -> None:
    workers = Workers(2, "gone")
    workers.submit(lambda: None).result(STUCK)
    (thread,) = threads_of("gone")
    del workers
    gc.collect()
    thread.join(STUCK)
    assert not thread.is_alive()


def test_threads_do_not_keep_the_process_alive() -> None:
    assert run_in_thread(lambda: threading.current_thread().daemon, "daemon").result(STUCK)
