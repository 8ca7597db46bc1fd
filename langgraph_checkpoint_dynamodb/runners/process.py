"""What belongs to one process: a child made by `os.fork` gets its own.

A fork copies the memory, but of the threads only the one that forks. In the child the other threads
are gone, locks that they held stay locked for ever, and sockets are shared with the parent. So what
a saver was using is left alone there, and it begins with nothing, as in a fresh process.
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
    """One thing for each process, made at its first use there.

    Waits for no lock, which a thread that is gone might hold: where threads come at once, each
    makes one, and the first is everybody's. So making one must do nothing but that.

    Args:
        make: Makes one, from that of the parent where there is a parent.
    """

    def __init__(self, make: Callable[[T | None], T]) -> None:
        self._make = make
        # Those of the ancestors are kept: see `keep_in_children`.
        self._made: dict[int, T] = {os.getpid(): make(None)}

    def get(self) -> T:
        """That of this process."""
        pid = os.getpid()
        found = self._made.get(pid)
        if found is None:
            parents = next(reversed(self._made.values()))
            # Atomic: all threads get the same one.
            found = self._made.setdefault(pid, self._make(parents))
        return found


_living: WeakSet[object] = WeakSet()


def keep_in_children(thing: object) -> None:
    """Never take a thing down in a child that still exists when the child is forked.

    What goes away there would act upon the parent: a connection of an event loop that is collected
    has its socket removed from the loop's epoll instance, and that instance is the parent's too.
    """
    import ctypes  # noqa: F401 - now: a fork might come while a thread that is gone imports it

    _living.add(thing)


def _keep_living() -> None:
    """Take references that nobody gives back, not even the end of the interpreter."""
    if not _living or sys.implementation.name != "cpython":
        return  # Others count no references.
    import ctypes

    for thing in _living:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_keep_living)
