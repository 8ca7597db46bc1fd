"""Operations whose changes are counted, or only told: how dry runs are made.

An operation is a generator of requests, so what it would change can be told from the requests
themselves: a dry run takes every step of the real one, and every read, but no write.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph_checkpoint_dynamodb.format.tables import Table
from langgraph_checkpoint_dynamodb.requests.items import (
    BatchGet,
    BatchWrite,
    Delete,
    DeleteIfOld,
    DeleteUnchanged,
    GetItem,
    Prolong,
    Put,
    PutItem,
    Query,
    QueryRunIndex,
    QueryThreadIndex,
    Scan,
    ScanThreadIndex,
    TransactPut,
    Update,
    UpdateItem,
)
from langgraph_checkpoint_dynamodb.requests.objects import DeleteObjects, GetObject
from langgraph_checkpoint_dynamodb.requests.operations import Backoff, Compute, Request
from langgraph_checkpoint_dynamodb.requests.relaying import relay, together_as
from langgraph_checkpoint_dynamodb.requests.tables import DescribeTable, DescribeTimeToLive

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

R = TypeVar("R")

_READS = (
    Backoff,
    BatchGet,
    Compute,
    DescribeTable,
    DescribeTimeToLive,
    GetItem,
    GetObject,
    Query,
    QueryRunIndex,
    QueryThreadIndex,
    Scan,
    ScanThreadIndex,
)


@dataclass(frozen=True, slots=True)
class Changes:
    """What has been changed, or would be.

    Attributes:
        checkpoints: Items of the checkpoints table that were deleted: checkpoints and bases.
        beside: Items of the writes table that were deleted: pending writes and pieces of values.
        objects: S3 objects that were deleted.
        stored: Items of the checkpoints table that were stored.
    """

    checkpoints: int = 0
    beside: int = 0
    objects: int = 0
    stored: int = 0

    def plus(self, other: Changes) -> Changes:
        """The sum of both."""
        return Changes(
            self.checkpoints + other.checkpoints,
            self.beside + other.beside,
            self.objects + other.objects,
            self.stored + other.stored,
        )


class ChangeCounter:
    """Counts what operations change, whichever threads perform them.

    Args:
        dry: Whether their changes are only counted.

    Attributes:
        changes: What they have changed so far.
    """

    def __init__(self, *, dry: bool = False) -> None:
        self.changes = Changes()
        self._dry = dry
        self._on_change: Callable[[Changes], object] | None = None
        self._lock = threading.Lock()

    def tell(self, on_change: Callable[[Changes], object]) -> None:
        """Have something told after each change."""
        self._on_change = on_change

    def over(self, operation: Generator[Any, Any, R]) -> Generator[Any, Any, R]:
        """An operation or a stream, counted."""
        return relay(operation, self._pass_on, partial(together_as, self.over))

    def _pass_on(self, request: Request[Any]) -> Generator[Any, Any, Any]:
        if isinstance(request, _READS):
            return (yield request)
        reply = _reply(request) if self._dry else (yield request)
        self._count(_changed(request, reply))
        return reply

    def _count(self, changes: Changes) -> None:
        with self._lock:
            self.changes = self.changes.plus(changes)
            if self._on_change is not None:
                self._on_change(self.changes)


def _reply(request: Request[Any]) -> object:
    """What is replied to a change that has not been made.

    Raises:
        TypeError: It is one that no dry run is made of.
    """
    match request:
        case BatchWrite():
            return ()
        case PutItem() | UpdateItem() | TransactPut() | DeleteObjects():
            return None
        case DeleteUnchanged() | DeleteIfOld() | Prolong():
            return True
    raise TypeError(f"no dry run has {type(request).__name__}")


def _changed(request: Request[Any], reply: object) -> Changes:
    match request:
        case BatchWrite(changes):
            left = reply if isinstance(reply, tuple) else ()
            return _of(changes, left)
        case PutItem(put):
            return _stored(put)
        case UpdateItem(update):
            return _stored(update)
        case TransactPut(puts):
            return _sum(map(_stored, puts))
        case DeleteUnchanged(table=table) | DeleteIfOld(table=table) if reply:
            return _deleted(table)
        case DeleteObjects(keys=keys):
            return Changes(objects=len(keys))
    return Changes()


def _of(changes: tuple[Put | Delete, ...], left: tuple[Put | Delete, ...]) -> Changes:
    undone = {(change.table, change.key) for change in left}
    return _sum(
        _deleted(change.table) if isinstance(change, Delete) else _stored(change)
        for change in changes
        if (change.table, change.key) not in undone
    )


def _stored(put: Put | Update) -> Changes:
    return Changes(stored=int(put.table is Table.CHECKPOINTS))


def _deleted(table: Table) -> Changes:
    return Changes(checkpoints=1) if table is Table.CHECKPOINTS else Changes(beside=1)


def _sum(changes: Iterable[Changes]) -> Changes:
    total = Changes()
    for change in changes:
        total = total.plus(change)
    return total
