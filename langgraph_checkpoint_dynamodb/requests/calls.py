"""Operations that all others use: all pages of a query, batches, transactions, S3 objects.

Batches are retried until nothing is unprocessed, transactions until they succeed or fail with a
final error. Each wait is a request (`Backoff`), so nothing here sleeps.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from langgraph_checkpoint_dynamodb.errors import (
    ConditionFailedError,
    DynamoDBSaverError,
    ServiceError,
    TransactionCanceledError,
    TransportError,
    UnprocessedItemsError,
)
from langgraph_checkpoint_dynamodb.format.sizes import ITEM_LIMIT, item_size
from langgraph_checkpoint_dynamodb.requests.items import (
    BatchWrite,
    Delete,
    Put,
    PutItem,
    Query,
    TransactPut,
    Update,
    UpdateItem,
)
from langgraph_checkpoint_dynamodb.requests.objects import DeleteObjects, GetObject
from langgraph_checkpoint_dynamodb.requests.operations import Backoff, Request, send, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from langgraph_checkpoint_dynamodb.requests.items import StoredItem
    from langgraph_checkpoint_dynamodb.requests.operations import Operation

T = TypeVar("T")

_log = logging.getLogger("langgraph_checkpoint_dynamodb")

BATCH_ITEMS = 25
"""Maximum number of puts and deletes in a BatchWriteItem."""
BATCH_OBJECTS = 1000
"""Maximum number of keys in a DeleteObjects."""
TRANSACTION_ITEMS = 100
"""Maximum number of items in a TransactWriteItems."""
TRANSACTION_BYTES = 4_000_000
"""Maximum size of a TransactWriteItems: 4 MB. 1 MB is taken as 1,000,000 bytes, to be safe."""

ATTEMPTS = 10
"""Attempts without progress before a call gives up. With the delays below: at most 21 seconds."""
_FIRST_DELAY = 0.05
_LONGEST_DELAY = 5.0
_DOWNLOADS = 3
"""Attempts to read an S3 object, in addition to the SDK's attempts to start the download."""

_BUSY = frozenset(
    {
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    }
)
"""Error codes after which the same request is retried."""


def backoff(attempt: int) -> Backoff:
    """The wait before retry `attempt`, counted from 1: exponential, capped, with jitter."""
    return Backoff(min(_LONGEST_DELAY, _FIRST_DELAY * 2 ** (attempt - 1)))


def query_all(query: Query) -> Operation[list[StoredItem]]:
    """All items of a query, over all its pages."""
    items: list[StoredItem] = []
    while True:
        page = yield from send(query)
        items += page.items
        if page.next is None:
            return items
        query = replace(query, start=page.next)


def write_all(changes: Sequence[Put | Delete]) -> Operation[None]:
    """Perform unconditional changes in concurrent batches, in no order.

    No two changes may have the same key: DynamoDB rejects such a batch.

    Raises:
        UnprocessedItemsError: Part of a batch was unprocessed at every attempt.
    """
    yield from together([_write_batch(batch) for batch in batched(changes, BATCH_ITEMS)])


def write_in_order(changes: Sequence[Put | Delete]) -> Operation[None]:
    """Perform unconditional changes in batches, one after the other."""
    for batch in batched(changes, BATCH_ITEMS):
        yield from _write_batch(batch)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of writing items.

    Attributes:
        lost: The items not written, because an item with their key existed.
        replaced: The items that were replaced, as far as DynamoDB returns them: not by a
            transaction.
        there: The item that existed, as far as DynamoDB returns it: not by a transaction.
        unsure: Whether further items may have been replaced that DynamoDB did not return.
    """

    lost: tuple[Put, ...] = ()
    replaced: tuple[StoredItem, ...] = ()
    there: StoredItem | None = None
    unsure: bool = False


def put_skipping_existing(puts: Sequence[Put], *, once: bool = False) -> Operation[Outcome]:
    """Write items, except those with `unless_exists` that exist already.

    They are written in one transaction, all or none, if they fit: up to 100 items and 4 MB.
    Otherwise in several, one after the other.

    Args:
        puts: The items.
        once: Whether a retry by the SDK, after a lost response, must change nothing. Needed for an
            item that refers to parts: another call may have replaced or deleted the item and its
            parts before the retry. A single item is then written in a transaction, at twice the
            write units.
    """
    lost: list[Put] = []
    replaced: list[StoredItem] = []
    for group in _transactions(puts):
        alone = len(group) == 1 and not once
        outcome = yield from put_one(group[0]) if alone else _put_group(group)
        lost += outcome.lost
        replaced += outcome.replaced
    return Outcome(tuple(lost), tuple(replaced))


def put_unless_any_exists(puts: Sequence[Put], *, once: bool = False) -> Operation[Outcome]:
    """Write items, or none of them if one with `unless_exists` exists already.

    They are written in one transaction if they fit, as in `put_skipping_existing`. Of several, the
    first that writes nothing is the last one.

    Args:
        puts: The items.
        once: See `put_skipping_existing`.
    """
    groups = list(_transactions(puts))
    for position, group in enumerate(groups):
        if len(group) == 1 and not once:
            outcome = yield from put_one(group[0])
        else:
            outcome = yield from _put_group(group, all_of_them=True)
        if outcome.lost or len(groups) == 1:
            rest = [put for later in groups[position + 1 :] for put in later]
            return replace(outcome, lost=(*outcome.lost, *rest) if outcome.lost else ())
    return Outcome()


def transact(
    changes: Sequence[Put | Update], attempts: int = ATTEMPTS
) -> Operation[tuple[Put | Update, ...]]:
    """Write items in one transaction. Returns those whose condition failed.

    If any condition failed, nothing was written.

    Raises:
        TransactionCanceledError: Other writes conflicted at every attempt.
    """
    attempt = 1
    while True:
        try:
            yield from send(TransactPut(tuple(changes)))
        except TransactionCanceledError as error:
            lost = [reason == "ConditionalCheckFailed" for reason in error.reasons]
            busy = not _BUSY.isdisjoint(error.reasons)
            # Any other reason is final: an unknown reason must not be retried endlessly.
            if len(lost) != len(changes) or not (any(lost) or busy):
                raise
            if busy and attempt == attempts:
                raise
            if any(lost):
                if busy:
                    yield from send(backoff(attempt))
                return tuple(one for one, no in zip(changes, lost, strict=True) if no)
        else:
            return ()
        yield from send(backoff(attempt))
        attempt += 1


def put_one(put: Put) -> Operation[Outcome]:
    """Write one item. With `unless_exists`, an existing item stays as it is."""
    try:
        replaced = yield from _send_one(PutItem(put))
    except ConditionFailedError as error:
        return Outcome(lost=(put,), there=error.item)
    return Outcome(replaced=() if replaced is None else (replaced,))


def update_one(update: Update) -> Operation[None]:
    """Update one item.

    Raises:
        ConditionFailedError: The condition failed, or the item lacks the map of an entry.
    """
    yield from _send_one(UpdateItem(update))


def _send_one(request: Request[T]) -> Operation[T]:
    """Send a write of one item, and retry it while transactions conflict with it."""
    attempt = 1
    while True:
        try:
            return (yield from send(request))
        except ConditionFailedError:
            raise
        except ServiceError as error:
            if error.code not in _BUSY or attempt == ATTEMPTS:
                raise
        yield from send(backoff(attempt))
        attempt += 1


def delete_objects(objects: Iterable[tuple[str, str]]) -> Operation[None]:
    """Delete S3 objects, given as bucket and key.

    Raises:
        ObjectsNotDeletedError: Some objects still exist.
    """
    by_bucket: defaultdict[str, list[str]] = defaultdict(list)
    for bucket, key in objects:
        by_bucket[bucket].append(key)
    yield from together(
        [
            send(DeleteObjects(bucket, batch))
            for bucket, keys in by_bucket.items()
            for batch in batched(keys, BATCH_OBJECTS)
        ]
    )


def read_object(bucket: str, key: str) -> Operation[bytes | None]:
    """The bytes of an S3 object, `None` if it does not exist.

    Retries an interrupted download, which the SDK does not.
    """
    attempt = 1
    while True:
        try:
            return (yield from send(GetObject(bucket, key)))
        except TransportError:
            if attempt == _DOWNLOADS:
                raise
        yield from send(backoff(attempt))
        attempt += 1


def if_possible(owner: object, cleaning: Operation[None]) -> Operation[None]:
    """Clean up after a call that has succeeded: a failure is only logged.

    `sweep_orphans` deletes what remains.

    Args:
        owner: The checkpoint or item whose parts are deleted.
        cleaning: The operation that deletes them.
    """
    try:
        yield from cleaning
    except DynamoDBSaverError as error:
        _log.warning("parts of an older value stay behind on %s: %s", owner, error)


def batched(values: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """Consecutive groups of at most `size`."""
    remaining = iter(values)
    while group := tuple(islice(remaining, size)):
        yield group


def _write_batch(batch: tuple[Put | Delete, ...]) -> Operation[None]:
    attempt = 0
    while True:
        try:
            leftover = yield from send(BatchWrite(batch))
        except ServiceError as error:
            if error.code not in _BUSY:
                raise
            leftover = batch
        if not leftover:
            return
        attempt = attempt + 1 if len(leftover) == len(batch) else 1
        if attempt >= ATTEMPTS:
            raise UnprocessedItemsError([_describe(change) for change in leftover], attempt)
        batch = leftover
        yield from send(backoff(attempt))


def _put_group(puts: tuple[Put, ...], *, all_of_them: bool = False) -> Operation[Outcome]:
    """Write items in a transaction without existing ones; with `all_of_them`, all or none."""
    there: list[Put] = []
    while puts:
        lost = [one for one in (yield from transact(puts)) if isinstance(one, Put)]
        if not lost:
            break
        if all_of_them:
            return Outcome(lost=puts)
        there += lost
        known = set(map(id, lost))
        puts = tuple(put for put in puts if id(put) not in known)
    return Outcome(lost=tuple(there))


def _transactions(puts: Sequence[Put]) -> Iterator[tuple[Put, ...]]:
    if 0 < len(puts) <= TRANSACTION_BYTES // ITEM_LIMIT:
        yield tuple(puts)
        return
    group: list[Put] = []
    size = 0
    for put in puts:
        added = item_size(put.item)
        if group and (len(group) == TRANSACTION_ITEMS or size + added > TRANSACTION_BYTES):
            yield tuple(group)
            group, size = [], 0
        group.append(put)
        size += added
    if group:
        yield tuple(group)


def _describe(change: Put | Delete) -> tuple[str, str, str]:
    return (change.table.value, change.key.partition, change.key.sort)
