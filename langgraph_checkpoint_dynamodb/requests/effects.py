"""Requests as values, and the contract between operations and runners.

An *operation* is a generator that yields requests and is sent their replies; its return value is
the result of the call. A *stream* may also yield `Emit` between requests, to hand finished values
to the caller while more are to come. Neither does I/O, reads a clock or draws random numbers:

- A runner sends each request's reply into the generator, of the type named in the request.
- An error of the service is thrown into the generator where it waits, as an error of
  `langgraph_checkpoint_dynamodb.errors`. What the operation does not catch reaches the caller.
- A runner always closes the generator, so an abandoned operation unwinds.
- An operation may be abandoned after any request: what it has written by then is readable.

Write `reply = yield from send(GetItem(...))`, which gives `reply` the request's reply type.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, cast

from langgraph_checkpoint_dynamodb.format.ranges import EVERY_KEY, SortRange

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import (
        AttributeValueTypeDef,
        TableDescriptionTypeDef,
        TimeToLiveDescriptionTypeDef,
        UniversalAttributeValueTypeDef,
    )

    from langgraph_checkpoint_dynamodb.format.tables import IndexSpec, Key, Table, VectorIndexSpec

    Item: TypeAlias = Mapping[str, UniversalAttributeValueTypeDef]
    """An item as it is sent: attribute name to typed value."""
    StoredItem: TypeAlias = Mapping[str, AttributeValueTypeDef]
    """An item as it comes back."""
    StartKey: TypeAlias = Mapping[str, AttributeValueTypeDef]
    """Where the next page begins. Opaque: handed back as it came."""
    TableDescription: TypeAlias = TableDescriptionTypeDef
    TimeToLiveDescription: TypeAlias = TimeToLiveDescriptionTypeDef

R = TypeVar("R")
S = TypeVar("S")

LARGE_BYTES = 128 * 1024
"""Work on fewer bytes is done where it comes up: handing it to another thread would take longer."""


@dataclass(frozen=True, slots=True)
class Request(Generic[R]):
    """Something asked of the outside world. `R` is the type of the reply."""


Operation: TypeAlias = Generator[Request[Any], Any, R]
"""A generator of requests that returns an `R`. Replies differ in type from one to the next, so what
is sent in is `Any`; `send` ties each reply to its request."""


@dataclass(frozen=True, slots=True)
class Emit(Generic[R]):
    """Values a stream hands to its caller. The runner sends back `None`."""

    values: list[R]


Stream: TypeAlias = Generator["Request[Any] | Emit[R]", Any, int]
"""A generator of requests and emitted values that returns how many values it has emitted. It may be
closed after any of them."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a Query or Scan.

    Attributes:
        items: The items, in key order. A page may be empty and still not be the last.
        next: Where the next page begins, `None` after the last.
    """

    items: Sequence[StoredItem]
    next: StartKey | None


@dataclass(frozen=True, slots=True)
class GetItem(Request["StoredItem | None"]):
    """Read one item by its key; `None` if there is none."""

    table: Table
    key: Key
    consistent: bool


@dataclass(frozen=True, slots=True)
class Query(Request[Page]):
    """Read one page of a partition, in the order of its sort keys.

    Attributes:
        sort: Range of sort keys; never empty.
        forward: Ascending if true.
        after: Only sort keys above this one.
        limit: Most items to read, `None` for a page of the service's size (1 MB).
        start: Where the page begins, in place of `after`.
        attributes: Attributes to return, empty for all. Saves bytes on the wire, not capacity.
    """

    table: Table
    partition: str
    consistent: bool
    sort: SortRange = EVERY_KEY
    forward: bool = True
    after: str | None = None
    limit: int | None = None
    start: StartKey | None = None
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QueryRunIndex(Request[Page]):
    """Read one page of the run index: the keys of a run's checkpoints. Eventually consistent."""

    index: str
    run_id: str
    start: StartKey | None = None


@dataclass(frozen=True, slots=True)
class SearchVectors(Request["tuple[tuple[Key, float], ...]"]):
    """Find the vectors that are most similar to one, by the vector index; with how similar each is.

    Approximate and eventually consistent. It has one page.

    Attributes:
        index: The name of the index.
        vector: What they are to be similar to.
        labels: What the namespaces of their items begin with, of one label at least. What is beyond
            the filters of the index does not count.
        limit: Most vectors to find, up to 100.
    """

    index: str
    vector: tuple[float, ...]
    labels: tuple[str, ...]
    limit: int


@dataclass(frozen=True, slots=True)
class Scan(Request[Page]):
    """Read one page of a whole table, or of one of `segments` equal parts of it."""

    table: Table
    consistent: bool
    start: StartKey | None = None
    segment: int = 0
    segments: int = 1
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Put:
    """An item to write under its key.

    Attributes:
        unless_exists: The first writer of the key wins.
        now: The time, in seconds since the epoch, by which an item that has expired does not count
            as one that exists.
        over_channels: An item that names one of these channels does not count either.
    """

    table: Table
    key: Key
    item: Item
    unless_exists: bool = False
    now: int = 0
    over_channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """What an attribute of an item must be for an update to take effect.

    Attributes:
        attribute: Its name.
        values: One of these.
        missing: Or that it is not there, and the item need not be.
    """

    attribute: str
    values: tuple[UniversalAttributeValueTypeDef, ...] = ()
    missing: bool = True


@dataclass(frozen=True, slots=True)
class Update:
    """Attributes of an item to set; the others stay, and so does the item if it is there.

    Attributes:
        values: What to set.
        unless_set: What to set where the attribute is missing.
        entries: What to set within an attribute that is a map: attribute, entry and value, or
            `None` to remove the entry. The item must have that map.
        removed: Attributes to remove.
        expected: What must be so; `None` for nothing.
    """

    table: Table
    key: Key
    values: Item
    unless_set: Item = field(default_factory=dict)
    entries: tuple[tuple[str, str, UniversalAttributeValueTypeDef | None], ...] = ()
    removed: tuple[str, ...] = ()
    expected: Expected | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """A key to delete."""

    table: Table
    key: Key


@dataclass(frozen=True, slots=True)
class PutItem(Request["StoredItem | None"]):
    """Write one item; replies with the one it has replaced, `None` if there was none.

    Raises:
        ConditionFailedError: `unless_exists` was asked for and the item exists.
    """

    put: Put


@dataclass(frozen=True, slots=True)
class UpdateItem(Request[None]):
    """Update one item.

    Raises:
        ConditionFailedError: It is not as expected, or lacks the map of an entry.
    """

    update: Update


@dataclass(frozen=True, slots=True)
class DeleteUnchanged(Request[bool]):
    """Delete an item if an attribute still has a value; replies whether it had."""

    table: Table
    key: Key
    attribute: str
    value: UniversalAttributeValueTypeDef


@dataclass(frozen=True, slots=True)
class QueryThreadIndex(Request[Page]):
    """Read one page of the threads of an owner, newest first. Eventually consistent."""

    index: str
    owner: str
    limit: int | None = None
    start: StartKey | None = None


@dataclass(frozen=True, slots=True)
class ScanThreadIndex(Request[Page]):
    """Read one page of all threads, in no order. Eventually consistent."""

    index: str
    limit: int | None = None
    start: StartKey | None = None


@dataclass(frozen=True, slots=True)
class TransactPut(Request[None]):
    """Write up to 100 items, all or none, and at most once: a repeat by the SDK changes nothing.

    DynamoDB keeps the SDK's token of a transaction for ten minutes:
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html

    Raises:
        TransactionCanceledError: With one reason for each item.
    """

    puts: tuple[Put | Update, ...]


@dataclass(frozen=True, slots=True)
class BatchWrite(Request["tuple[Put | Delete, ...]"]):
    """Write and delete up to 25 items in any order; replies with those left undone."""

    changes: tuple[Put | Delete, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of several items.

    Attributes:
        items: Those that are there, in no order.
        left: The keys of those that were not looked at.
    """

    items: tuple[StoredItem, ...]
    left: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchGet(Request[Found]):
    """Read up to 100 items of a table by their keys, each of which is named once."""

    table: Table
    keys: tuple[Key, ...]
    consistent: bool


@dataclass(frozen=True, slots=True)
class DeleteItem(Request["StoredItem | None"]):
    """Delete one item; replies with it, `None` if there was none."""

    table: Table
    key: Key


@dataclass(frozen=True, slots=True)
class DeleteIfOld(Request[bool]):
    """Delete an item that was stored by a certain time; replies whether it was such a one.

    What others have stored anew meanwhile stays.

    Attributes:
        table: Its table.
        key: Its key.
        before: The time, in seconds since the epoch.
    """

    table: Table
    key: Key
    before: int


@dataclass(frozen=True, slots=True)
class Prolong(Request[bool]):
    """Let an item be deleted later; replies whether it was there and would have been earlier.

    Attributes:
        table: Its table.
        key: Its key.
        ttl: When it may be deleted, in seconds since the epoch.
    """

    table: Table
    key: Key
    ttl: int


@dataclass(frozen=True, slots=True)
class PutObject(Request[None]):
    """Store an S3 object."""

    bucket: str
    key: str
    data: bytes


@dataclass(frozen=True, slots=True)
class GetObject(Request["bytes | None"]):
    """Read an S3 object whole; `None` if there is none."""

    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class CopyObject(Request[bool]):
    """Copy an S3 object within its bucket; replies whether it was there.

    A copy onto itself makes it as young as a new one, for the bucket's lifecycle rules.
    """

    bucket: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class DeleteObjects(Request[None]):
    """Delete up to 1,000 S3 objects. Those that are not there count as deleted.

    Raises:
        ObjectsNotDeletedError: Some are still there.
    """

    bucket: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Backoff(Request[None]):
    """Wait for a random time below `ceiling` seconds (full jitter).

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    ceiling: float


@dataclass(frozen=True, slots=True)
class DescribeTable(Request["TableDescription | None"]):
    """Describe a table; `None` if there is none."""

    table: Table


@dataclass(frozen=True, slots=True)
class CreateTable(Request[None]):
    """Create a table by its specification, with the indexes that are named.

    Raises:
        TableInUseError: Somebody else is creating it.
    """

    table: Table
    indexes: tuple[IndexSpec, ...] = ()
    vectors: VectorIndexSpec | None = None


@dataclass(frozen=True, slots=True)
class CreateIndex(Request[None]):
    """Add an index to the checkpoints table.

    Attributes:
        index: The index.
        defined: The names of the keys that the table and its indexes have already.

    Raises:
        TableInUseError: The table is being changed.
    """

    index: IndexSpec
    defined: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CreateVectorIndex(Request[None]):
    """Add the vector index to the store's table.

    Attributes:
        index: The index.
        defined: The names of the keys that the table and its indexes have already.

    Raises:
        TableInUseError: The table is being changed.
    """

    index: VectorIndexSpec
    defined: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DescribeTimeToLive(Request["TimeToLiveDescription"]):
    """Tell whether and by which attribute a table's items expire."""

    table: Table


@dataclass(frozen=True, slots=True)
class EnableTimeToLive(Request[None]):
    """Have DynamoDB delete a table's expired items.

    Raises:
        TableInUseError: Somebody else has just changed it.
    """

    table: Table


@dataclass(frozen=True, slots=True)
class Compute(Request[R]):
    """Do work that keeps the processor busy and touches nothing outside; replies with its result.

    An event loop has it done by another thread. It raises errors of this package alone.
    """

    work: Callable[[], R]


@dataclass(frozen=True, slots=True)
class Concurrently(Request[list[R]]):
    """Perform operations side by side, as far as the runner's limit allows.

    Replies with their results in order. If one fails, those not yet begun are left out and the
    first error in order is thrown.
    """

    operations: tuple[Operation[R], ...]


def send(request: Request[R]) -> Operation[R]:
    """The operation of one request."""
    return cast("R", (yield request))


def done(result: R) -> Operation[R]:
    """The operation that needs no request."""
    yield from ()
    return result


def compute(work: Callable[[], R], size: int) -> Operation[R]:
    """Do work on so many bytes: at once where they are few, else as a request."""
    if size < LARGE_BYTES:
        return work()
    return (yield from send(Compute(work)))


def together(operations: list[Operation[R]]) -> Operation[list[R]]:
    """Perform operations side by side; results in order. One alone makes no group."""
    if len(operations) > 1:
        return (yield from send(Concurrently(tuple(operations))))
    results = []
    for operation in operations:
        result = yield from operation
        results.append(result)
    return results


def both(first: Operation[R], second: Operation[S]) -> Operation[tuple[R, S]]:
    """Perform two operations of different kinds side by side."""
    operations: tuple[Operation[Any], ...] = (first, second)
    left, right = yield from send(Concurrently(operations))
    return left, right
