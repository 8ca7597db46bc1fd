"""Requests that read, search, write and delete items."""

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
    """An item as it is received."""
    StartKey: TypeAlias = Mapping[str, AttributeValueTypeDef]
    """Where the next page begins. Opaque: sent back unchanged."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a Query or Scan.

    Attributes:
        items: The items, in key order. An empty page is not always the last.
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
    """The reply to a BatchGet.

    Attributes:
        items: The items that exist, in no order.
        left: The unprocessed keys.
    """

    items: tuple[StoredItem, ...]
    left: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchGet(Request[Found]):
    """Read up to 100 items of a table by their keys, without duplicates."""

    table: Table
    keys: tuple[Key, ...]
    consistent: bool


@dataclass(frozen=True, slots=True)
class Query(Request[Page]):
    """Read one page of a partition, in the order of its sort keys.

    Attributes:
        sort: Range of sort keys; never empty.
        forward: Whether the order is ascending.
        after: Only sort keys above this one.
        limit: Maximum number of items to read, `None` for a page of DynamoDB's size (1 MB).
        start: Where the page begins, instead of `after`.
        attributes: Attributes to return, empty for all. Saves bandwidth, not read units.
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
    """Find the vectors most similar to a vector, by the vector index; replies with similarities.

    Approximate and eventually consistent. It has one page.

    Attributes:
        index: The name of the index.
        vector: The vector to compare with.
        labels: Prefix of the namespaces of their items, at least one label. Labels beyond the
            filters of the index are ignored.
        limit: Maximum number of vectors to find, up to 100.
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
        now: The time, in seconds since the epoch. An item that expired before counts as absent.
        over_channels: An item of one of these channels counts as absent, too.
    """

    table: Table
    key: Key
    item: Item
    unless_exists: bool = False
    now: int = 0
    over_channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """The condition of an update on one attribute.

    Attributes:
        attribute: Name of the attribute.
        values: The values allowed.
        missing: Whether the attribute, or the item, may also be absent.
    """

    attribute: str
    values: tuple[UniversalAttributeValueTypeDef, ...] = ()
    missing: bool = True


@dataclass(frozen=True, slots=True)
class Update:
    """Attributes of an item to set; its other attributes are kept. Creates a missing item.

    Attributes:
        values: What to set.
        unless_set: What to set where the attribute is missing.
        entries: What to set within an attribute that is a map: attribute, entry and value, or
            `None` to remove the entry. The item must have that map.
        removed: Attributes to remove.
        expected: The condition; `None` for none.
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
    """Write one item; replies with the replaced item, `None` if there was none.

    Raises:
        ConditionFailedError: `unless_exists` is set and the item exists.
    """

    put: Put


@dataclass(frozen=True, slots=True)
class UpdateItem(Request[None]):
    """Update one item.

    Raises:
        ConditionFailedError: The condition failed, or the item lacks the map of an entry.
    """

    update: Update


@dataclass(frozen=True, slots=True)
class ExtendTtl(Request[bool]):
    """Extend the life of an item; replies whether it existed and would have expired earlier.

    Attributes:
        table: Its table.
        key: Its key.
        ttl: When it expires, in seconds since the epoch.
    """

    table: Table
    key: Key
    ttl: int


@dataclass(frozen=True, slots=True)
class DeleteItem(Request["StoredItem | None"]):
    """Delete one item; replies with the item, `None` if there was none."""

    table: Table
    key: Key


@dataclass(frozen=True, slots=True)
class DeleteIfOld(Request[bool]):
    """Delete an item if it was stored by a given time; replies whether it was deleted.

    An item that has been stored again since is kept.

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
    """Write up to 100 items, all or none, and at most once: a retry by the SDK changes nothing.

    DynamoDB keeps the SDK's token of a transaction for ten minutes:
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html

    Raises:
        TransactionCanceledError: With one reason for each item.
    """

    puts: tuple[Put | Update, ...]


@dataclass(frozen=True, slots=True)
class BatchWrite(Request["tuple[Put | Delete, ...]"]):
    """Write and delete up to 25 items in any order; replies with the unprocessed ones."""

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
    | ExtendTtl
    | DeleteItem
    | DeleteIfOld
    | DeleteUnchanged
    | TransactPut
    | BatchWrite
)
