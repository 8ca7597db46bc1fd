"""State that belongs to one process: a child created by `os.fork` gets its own.

A fork copies the memory, but only the thread that forks. In the child the other threads do not
exist, locks that they held stay locked, and sockets are shared with the parent. So a saver does not
use the parent's state there, and starts with nothing, as in a new process.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Generic, TypeVar
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class PerProcess(Generic[T]):
    """One object for each process, created at its first use there.

    Takes no lock, as a thread lost in the fork might hold it: threads that race each create an
    object, and all use the first. So `make` must have no side effects.

    Args:
        make: Creates the object, from the parent process's or `None`.
    """

    def __init__(self, make: Callable[[T | None], T]) -> None:
        self._make = make
        # Objects of ancestors are kept: see `keep_in_children`.
        self._made: dict[int, T] = {os.getpid(): make(None)}

    def get(self) -> T:
        """The object of this process."""
        pid = os.getpid()
        found = self._made.get(pid)
        if found is None:
            parents = next(reversed(self._made.values()))
            # Atomic: all threads get the same one.
            found = self._made.setdefault(pid, self._make(parents))
        return found


_living: WeakSet[object] = WeakSet()


def keep_in_children(thing: object) -> None:
    """Never collect an object in a child process if it exists when the child is forked.

    Collecting it would affect the parent: a connection of an event loop removes its socket from the
    loop's epoll instance, which parent and child share.
    """
    import ctypes  # noqa: F401 - now: a fork may happen while another thread imports it

    _living.add(thing)


def _keep_living() -> None:
    """Take references that are never released, not even at interpreter exit."""
    if not _living or sys.implementation.name != "cpython":
        return  # Other interpreters do not count references.
    import ctypes

    for thing in _living:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_keep_living)
