"""Requests for items: read, searched, written, deleted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from langgraph_checkpoint_dynamodb.format.ranges import EVERY_KEY, SortRange
from langgraph_checkpoint_dynamodb.requests.operations import Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, UniversalAttributeValueTypeDef

    from langgraph_checkpoint_dynamodb.format.tables import Key, Table

    Item: TypeAlias = Mapping[str, UniversalAttributeValueTypeDef]
    """An item as it is sent: attribute name to typed value."""
    StoredItem: TypeAlias = Mapping[str, AttributeValueTypeDef]
    """An item as it comes back."""
    StartKey: TypeAlias = Mapping[str, AttributeValueTypeDef]
    """Where the next page begins. Opaque: handed back as it came."""


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
class QueryThreadIndex(Request[Page]):
    """Read one page of the threads of an owner, newest first. Eventually consistent."""

    index: str
    owner: str
    limit: int | None = None
    start: StartKey | None = None


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
class ScanThreadIndex(Request[Page]):
    """Read one page of all threads, in no order. Eventually consistent."""

    index: str
    limit: int | None = None
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
class DeleteUnchanged(Request[bool]):
    """Delete an item if an attribute still has a value; replies whether it had."""

    table: Table
    key: Key
    attribute: str
    value: UniversalAttributeValueTypeDef


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


ItemRead: TypeAlias = (
    GetItem
    | BatchGet
    | Query
    | QueryRunIndex
    | QueryThreadIndex
    | Scan
    | ScanThreadIndex
    | SearchVectors
)

ItemWrite: TypeAlias = (
    PutItem
    | UpdateItem
    | Prolong
    | DeleteItem
    | DeleteIfOld
    | DeleteUnchanged
    | TransactPut
    | BatchWrite
)
