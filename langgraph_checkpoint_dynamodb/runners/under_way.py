"""The calls of a saver that are under way, and those whose callers are gone.

A call whose caller is gone (its task was cancelled, its thread interrupted) is *abandoned*: it
stops before its next request. Until it has, the calls that come after it wait: or else what it has
still under way would land behind their backs.
"""

from __future__ import annotations

import threading

from langgraph_checkpoint_dynamodb.errors import SaverClosedError


class AbandonedError(BaseException):
    """Stops a call that was abandoned. No caller is left to see it."""


class CallsUnderWay:
    """All calls of a saver in this process."""

    def __init__(self, *, closed: bool) -> None:
        self.changed = threading.Condition()
        self.closed = closed
        self.abandoned: set[Call] = set()
        self.count = 0

    def begin(self) -> Call:
        """A new call; the thread that performs it calls `start`, at its end `leave`.

        Raises:
            SaverClosedError: The saver was closed.
        """
        with self.changed:
            if self.closed:
                raise SaverClosedError
            self.count += 1
            return Call(self)

    def close(self) -> None:
        """Let no call begin any more, and wait for the end of all. Can be repeated."""
        with self.changed:
            self.closed = True
            self.changed.wait_for(lambda: self.count == 0)


class Call:
    """One call, and the threads that work for it."""

    def __init__(self, calls: CallsUnderWay) -> None:
        self._calls = calls
        self._before = frozenset(calls.abandoned)
        self._threads = 1
        self._started = False
        self._why: BaseException | None = None

    def start(self) -> None:
        """Wait for the ends of the calls that were abandoned before this one began.

        Raises:
            BaseException: This call was abandoned itself.
        """
        with self._calls.changed:
            self._calls.changed.wait_for(
                lambda: self._why is not None or not self._before & self._calls.abandoned
            )
            self._before = frozenset()
            self.check()
            self._started = True

    def check(self) -> None:
        """To be called before each request.

        Raises:
            BaseException: This call was abandoned.
        """
        if self._why is not None:
            raise self._why

    def join(self) -> bool:
        """Another thread comes to work for the call; false if there is nothing to do any more."""
        with self._calls.changed:
            if self._why is not None:
                return False
            self._threads += 1
            return True

    def leave(self) -> None:
        """A thread is done with the call."""
        with self._calls.changed:
            self._threads -= 1
            if self._threads == 0:
                self._calls.count -= 1
                self._calls.abandoned.discard(self)
                self._calls.changed.notify_all()

    def abandon(self, why: BaseException) -> None:
        """Have the call stop before its next request, and never start if it has not yet."""
        with self._calls.changed:
            self._why = self._why or why
            if self._started and self._threads:
                self._calls.abandoned.add(self)
            self._calls.changed.notify_all()
