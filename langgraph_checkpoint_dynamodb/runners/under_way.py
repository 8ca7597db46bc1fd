"""The calls of a saver that are in flight, and those whose callers are gone.

A call whose caller is gone (its task was cancelled, its thread interrupted) is *abandoned*: it
stops before its next request. Later calls wait until it has stopped: its last request could
otherwise take effect after theirs.
"""

from __future__ import annotations

import threading

from langgraph_checkpoint_dynamodb.errors import SaverClosedError


class AbandonedError(BaseException):
    """Stops a call that was abandoned. No caller receives it."""


class CallsUnderWay:
    """All calls of a saver in this process."""

    def __init__(self, *, closed: bool) -> None:
        self.changed = threading.Condition()
        self.closed = closed
        self.abandoned: set[Call] = set()
        self.count = 0

    def begin(self) -> Call:
        """A new call. The thread that performs it calls `start`, and `leave` at the end.

        Raises:
            SaverClosedError: The saver was closed.
        """
        with self.changed:
            if self.closed:
                raise SaverClosedError
            self.count += 1
            return Call(self)

    def close(self) -> None:
        """Refuse new calls and wait until all have ended. Can be repeated."""
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
        """Wait until the calls abandoned before this one began have ended.

        Raises:
            BaseException: This call was abandoned.
        """
        with self._calls.changed:
            self._calls.changed.wait_for(
                lambda: self._why is not None or not self._before & self._calls.abandoned
            )
            self._before = frozenset()
            self.check()
            self._started = True

    def check(self) -> None:
        """Check that the call was not abandoned. To be called before each request.

        Raises:
            BaseException: This call was abandoned.
        """
        if self._why is not None:
            raise self._why

    def join(self) -> bool:
        """Add a thread to the call. Returns false if the call was abandoned."""
        with self._calls.changed:
            if self._why is not None:
                return False
            self._threads += 1
            return True

    def leave(self) -> None:
        """Remove a thread from the call. The last one ends it."""
        with self._calls.changed:
            self._threads -= 1
            if self._threads == 0:
                self._calls.count -= 1
                self._calls.abandoned.discard(self)
                self._calls.changed.notify_all()

    def abandon(self, why: BaseException) -> None:
        """Stop the call before its next request, or before it starts."""
        with self._calls.changed:
            self._why = self._why or why
            if self._started and self._threads:
                self._calls.abandoned.add(self)
            self._calls.changed.notify_all()
