"""Counting the changes that operations make, and dry runs.

An operation is a generator of requests, and each request says what it changes. A dry run sends the
reads of an operation and answers its writes itself, so it takes the same steps as a real run.
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
    ExtendTtl,
    GetItem,
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
    """Numbers of changes that were made, or would be made by a run that is not dry.

    Attributes:
        checkpoints_deleted: Deleted items of the checkpoints table: checkpoints and bases.
        writes_deleted: Deleted items of the writes table: pending writes and chunks of values.
        objects_deleted: Deleted S3 objects.
        checkpoints_stored: Stored items of the checkpoints table.
    """

    checkpoints_deleted: int = 0
    writes_deleted: int = 0
    objects_deleted: int = 0
    checkpoints_stored: int = 0

    def plus(self, other: Changes) -> Changes:
        """Return the sum."""
        return Changes(
            self.checkpoints_deleted + other.checkpoints_deleted,
            self.writes_deleted + other.writes_deleted,
            self.objects_deleted + other.objects_deleted,
            self.checkpoints_stored + other.checkpoints_stored,
        )


class ChangeCounter:
    """Counts the changes of operations. It is thread-safe.

    Args:
        dry_run: Whether writes are counted and not sent.

    Attributes:
        changes: The changes so far.
    """

    def __init__(self, *, dry_run: bool = False) -> None:
        self.changes = Changes()
        self._dry_run = dry_run
        self._on_change: Callable[[Changes], object] | None = None
        self._lock = threading.Lock()

    def on_change(self, callback: Callable[[Changes], object]) -> None:
        """Call a function with the changes so far after each write."""
        self._on_change = callback

    def counted(self, operation: Generator[Any, Any, R]) -> Generator[Any, Any, R]:
        """Wrap an operation or a stream so that its changes are counted."""
        return relay(operation, self._pass_on, partial(together_as, self.counted))

    def _pass_on(self, request: Request[Any]) -> Generator[Any, Any, Any]:
        if isinstance(request, _READS):
            return (yield request)
        reply = _dry_run_reply(request) if self._dry_run else (yield request)
        self._count(_changes_of(request, reply))
        return reply

    def _count(self, changes: Changes) -> None:
        with self._lock:
            self.changes = self.changes.plus(changes)
            if self._on_change is not None:
                self._on_change(self.changes)


def _dry_run_reply(request: Request[Any]) -> object:
    """Return the reply to a write that was not sent.

    Raises:
        TypeError: No command with a dry run makes such a request.
    """
    match request:
        case BatchWrite():
            return ()
        case PutItem() | UpdateItem() | TransactPut() | DeleteObjects():
            return None
        case DeleteUnchanged() | DeleteIfOld() | ExtendTtl():
            return True
    raise TypeError(f"a dry run cannot answer {type(request).__name__}")


def _changes_of(request: Request[Any], reply: object) -> Changes:
    match request:
        case BatchWrite(changes):
            unprocessed = reply if isinstance(reply, tuple) else ()
            return _changes_of_batch(changes, unprocessed)
        case PutItem(put):
            return _stored(put)
        case UpdateItem(update):
            return _stored(update)
        case TransactPut(puts):
            return _sum(map(_stored, puts))
        case DeleteUnchanged(table=table) | DeleteIfOld(table=table) if reply:
            return _deleted(table)
        case DeleteObjects(keys=keys):
            return Changes(objects_deleted=len(keys))
    return Changes()


def _changes_of_batch(
    changes: tuple[Put | Delete, ...], unprocessed: tuple[Put | Delete, ...]
) -> Changes:
    left = {(change.table, change.key) for change in unprocessed}
    return _sum(
        _deleted(change.table) if isinstance(change, Delete) else _stored(change)
        for change in changes
        if (change.table, change.key) not in left
    )


def _stored(put: Put | Update) -> Changes:
    return Changes(checkpoints_stored=int(put.table is Table.CHECKPOINTS))


def _deleted(table: Table) -> Changes:
    if table is Table.CHECKPOINTS:
        return Changes(checkpoints_deleted=1)
    return Changes(writes_deleted=1)


def _sum(changes: Iterable[Changes]) -> Changes:
    total = Changes()
    for change in changes:
        total = total.plus(change)
    return total
