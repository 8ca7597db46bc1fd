"""A model of the used parts of DynamoDB and S3: tables, conditions and one bucket.

A world is immutable: a request creates another one. Equal worlds are one object, and so are equal
items, so that explorers can compare states by identity.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from zlib import crc32

from langgraph_checkpoint_dynamodb.errors import ConditionFailedError, TransactionCanceledError
from langgraph_checkpoint_dynamodb.format.tables import (
    SPECS,
    THREAD_INDEX_KEYS,
    Attribute,
    Key,
    Table,
)
from langgraph_checkpoint_dynamodb.requests.items import (
    BatchGet,
    BatchWrite,
    Delete,
    DeleteIfOld,
    DeleteItem,
    DeleteUnchanged,
    ExtendTtl,
    Found,
    GetItem,
    Page,
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
from langgraph_checkpoint_dynamodb.requests.objects import (
    CopyObject,
    DeleteObjects,
    GetObject,
    PutObject,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from langgraph_checkpoint_dynamodb.errors import DynamoDBSaverError
    from langgraph_checkpoint_dynamodb.requests.operations import Request

CHANGING = (
    PutItem,
    TransactPut,
    BatchWrite,
    UpdateItem,
    DeleteItem,
    DeleteIfOld,
    DeleteUnchanged,
    ExtendTtl,
    PutObject,
    CopyObject,
    DeleteObjects,
)
"""Requests that change stored data."""


class Entry:
    """An item. Equal items are one entry."""

    __slots__ = ("_projected", "item", "text")

    def __init__(self, item: Mapping[str, Any], text: str) -> None:
        self.item = item
        self.text = text
        self._projected: dict[tuple[str, ...], Entry] = {}

    def __repr__(self) -> str:
        return self.text

    def number(self, attribute: str) -> int | None:
        """A numeric attribute."""
        found = self.item.get(attribute)
        return None if found is None else int(found["N"])


class Place(NamedTuple):
    """The location of an item."""

    table: Table
    partition: str
    sort: str


Items: TypeAlias = "Mapping[Place, Entry]"
Objects: TypeAlias = "Mapping[tuple[str, str], bytes]"


class World:
    """All stored data. Equal worlds of one `Universe` are one object."""

    __slots__ = ("_partitions", "items", "objects")

    def __init__(self, items: Items, objects: Objects) -> None:
        self.items = items
        self.objects = objects
        self._partitions: dict[tuple[Table, str], list[str]] | None = None

    def partition(self, table: Table, partition: str) -> list[str]:
        """The sort keys of a partition, ascending."""
        if self._partitions is None:
            found: dict[tuple[Table, str], list[str]] = {}
            for place in sorted(self.items, key=_by_key):
                found.setdefault((place.table, place.partition), []).append(place.sort)
            self._partitions = found
        return self._partitions.get((table, partition), [])

    def places(self, table: Table) -> list[Place]:
        """The places of a table's items, each partition in order."""
        return sorted((place for place in self.items if place.table is table), key=_by_key)


@dataclass(frozen=True, eq=False)
class Reply:
    """The outcome of a request.

    Attributes:
        value: The returned value.
        error: Creates the raised error, if any.
        mark: Identifies the reply: equal marks mean equal replies.
    """

    value: Any
    mark: object
    error: Callable[[], DynamoDBSaverError] | None = None


class Universe:
    """Creates worlds and items, and keeps equal ones as one object."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._worlds: dict[object, World] = {}
        self._replies: dict[object, Reply] = {}
        self.empty = self._world({}, {})

    def entry(self, item: Mapping[str, Any]) -> Entry:
        """The entry of an item."""
        text = repr(sorted(item.items()))
        found = self._entries.get(text)
        if found is None:
            found = self._entries[text] = Entry(item, text)
        return found

    def after(self, world: World, request: Request[Any], page: int) -> tuple[World, Reply]:
        """The world once a request has taken effect, and its reply.

        Args:
            world: The world before.
            request: The request.
            page: Most items on a page; the service may always return fewer than requested.
        """
        match request:
            case GetItem(table, key):
                found = world.items.get(Place(table, *key))
                return world, self._reply(found, None if found is None else found.item)
            case BatchGet(table, keys):
                entries = [world.items.get(Place(table, *key)) for key in keys]
                items = tuple(entry.item for entry in entries if entry is not None)
                return world, self._reply(("found", *entries), Found(items))
            case DeleteItem(table, key):
                gone = world.items.get(Place(table, *key))
                reply = self._reply(("gone", gone), None if gone is None else gone.item)
                return self.without(world, Place(table, *key)), reply
            case Query():
                return world, self._query(world, request, page)
            case QueryRunIndex():
                return world, self._run_index(world, request, page)
            case QueryThreadIndex() | ScanThreadIndex():
                return world, self._thread_index(world, request, page)
            case Scan():
                return world, self._scan(world, request, page)
            case PutItem(put):
                return self._put(world, put)
            case TransactPut(puts):
                return self._transact(world, puts)
            case BatchWrite(changes):
                return self.changed(world, changes), self._reply((), ())
            case UpdateItem(update):
                return self._update(world, update)
            case DeleteUnchanged():
                return self._delete_unchanged(world, request)
            case DeleteIfOld() | ExtendTtl():
                return self._conditional(world, request)
        return self._object(world, request)

    def changed(self, world: World, changes: Sequence[Put | Delete]) -> World:
        """The world after unconditional changes."""
        items = dict(world.items)
        for change in changes:
            place = Place(change.table, *change.key)
            if isinstance(change, Put):
                items[place] = self.entry(change.item)
            else:
                items.pop(place, None)
        return self._world(items, world.objects)

    def without(self, world: World, place: Place) -> World:
        """The world after the time to live has deleted an item."""
        items = {kept: entry for kept, entry in world.items.items() if kept != place}
        return self._world(items, world.objects)

    def left_over(self, changes: Sequence[Put | Delete]) -> Reply:
        """The reply to a batch with these unprocessed changes."""
        return self._reply(tuple(map(_identity, changes)), tuple(changes))

    def _world(self, items: Items, objects: Objects) -> World:
        key = (frozenset(items.items()), frozenset(objects.items()))
        found = self._worlds.get(key)
        if found is None:
            found = self._worlds[key] = World(items, objects)
        return found

    def _reply(self, mark: object, value: object) -> Reply:
        found = self._replies.get(mark)
        if found is None or found.value != value:
            found = self._replies[mark] = Reply(value, mark)
        return found

    def _query(self, world: World, query: Query, page: int) -> Reply:
        sorts = world.partition(query.table, query.partition)
        low, high = query.sort.low, query.sort.high
        sorts = sorts[
            0 if low is None else bisect_left(sorts, low) : len(sorts)
            if high is None
            else bisect_right(sorts, high)
        ]
        start = query.after
        if query.start is not None:
            start = query.start[SPECS[query.table].sort_key]["S"]
        if not query.forward:
            sorts = sorts[::-1]
        if start is not None:
            sorts = [sort for sort in sorts if (sort > start) == query.forward and sort != start]
        places = [Place(query.table, query.partition, sort) for sort in sorts]
        return self._page(world, places, min(page, query.limit or page), query.attributes)

    def _run_index(self, world: World, query: QueryRunIndex, page: int) -> Reply:
        places = [
            place
            for place in world.places(Table.CHECKPOINTS)
            if world.items[place].item.get(Attribute.RUN_ID) == {"S": query.run_id}
        ]
        spec = SPECS[Table.CHECKPOINTS]
        names = (spec.partition_key, spec.sort_key, Attribute.RUN_ID)
        return self._page(world, _from(places, query.start), page, names)

    def _thread_index(
        self, world: World, request: QueryThreadIndex | ScanThreadIndex, page: int
    ) -> Reply:
        """A page of the index of threads, newest first.

        The index never lags: a read of a lagging index equals a read earlier in the schedule.
        """
        spec = SPECS[Table.CHECKPOINTS]
        owner = request.owner if isinstance(request, QueryThreadIndex) else None
        items = {place: world.items[place].item for place in world.places(Table.CHECKPOINTS)}
        listed = {
            (item[Attribute.UPDATED]["S"], *place[1:]): place
            for place, item in items.items()
            if item.keys() >= set(THREAD_INDEX_KEYS)
            and (owner is None or item[Attribute.OWNER] == {"S": owner})
        }
        names = (Attribute.UPDATED, spec.partition_key, spec.sort_key)
        start = request.start
        below = None if start is None else tuple(start[name]["S"] for name in names)
        places = [
            listed[key] for key in sorted(listed, reverse=True) if below is None or key < below
        ]
        reply = self._page(world, places, min(page, request.limit or page), ())
        if reply.value.next is None:
            return reply
        last = reply.value.items[-1]
        following = {name: last[name] for name in (Attribute.OWNER, *names)}
        return self._reply(("of the index", reply.mark), Page(reply.value.items, following))

    def _scan(self, world: World, scan: Scan, page: int) -> Reply:
        places = [
            place
            for place in world.places(scan.table)
            if crc32(place.partition.encode()) % scan.segments == scan.segment
        ]
        return self._page(world, _from(places, scan.start), page, scan.attributes)

    def _page(
        self, world: World, places: Sequence[Place], limit: int, names: tuple[str, ...]
    ) -> Reply:
        on_it = places[:limit]
        entries = [self._projected(world.items[place], names) for place in on_it]
        # The service returns a last key whenever it stops at the limit.
        last = on_it[-1] if on_it and len(on_it) == limit else None
        following: Mapping[str, Any] | None = None
        if last is not None:
            spec = SPECS[last.table]
            following = {
                spec.partition_key: {"S": last.partition},
                spec.sort_key: {"S": last.sort},
            }
        mark = (tuple(entries), last)
        return self._reply(mark, Page([entry.item for entry in entries], following))

    def _projected(self, entry: Entry, names: tuple[str, ...]) -> Entry:
        if not names:
            return entry
        found = entry._projected.get(names)
        if found is None:
            kept = {name: value for name, value in entry.item.items() if name in names}
            found = entry._projected[names] = self.entry(kept)
        return found

    def _put(self, world: World, put: Put) -> tuple[World, Reply]:
        old = world.items.get(Place(put.table, *put.key))
        if _refuses(world, put):
            return world, _condition_failed(old)
        reply = self._reply(("replaced", old), None if old is None else old.item)
        return self.changed(world, [put]), reply

    def _transact(self, world: World, puts: Sequence[Put | Update]) -> tuple[World, Reply]:
        refused = tuple(
            _refuses(world, put) if isinstance(put, Put) else _refuses_update(world, put)
            for put in puts
        )
        if any(refused):
            return world, _cancelled(refused)
        after = self.changed(world, [put for put in puts if isinstance(put, Put)])
        for put in puts:
            after = self._updated(after, put) if isinstance(put, Update) else after
        return after, self._reply("stored", None)

    def _update(self, world: World, update: Update) -> tuple[World, Reply]:
        if _refuses_update(world, update):
            return world, _condition_failed(None)
        return self._updated(world, update), self._reply("stored", None)

    def _updated(self, world: World, update: Update) -> World:
        place = Place(update.table, *update.key)
        spec = SPECS[update.table]
        there = world.items.get(place)
        keys = {spec.partition_key: {"S": place.partition}, spec.sort_key: {"S": place.sort}}
        old: Mapping[str, Any] = keys if there is None else there.item
        item: dict[str, Any] = {**update.unless_set, **old, **update.values}
        for name, entry, value in update.entries:
            entries = {**item[name]["M"], entry: value}
            kept = {known: found for known, found in entries.items() if found is not None}
            item[name] = {"M": kept}
        for name in update.removed:
            item.pop(name, None)
        return self._world({**world.items, place: self.entry(item)}, world.objects)

    def _delete_unchanged(self, world: World, request: DeleteUnchanged) -> tuple[World, Reply]:
        place = Place(request.table, *request.key)
        entry = world.items.get(place)
        if entry is None or entry.item.get(request.attribute) != request.value:
            return world, self._reply(False, False)
        return self.without(world, place), self._reply(True, True)

    def _conditional(self, world: World, request: DeleteIfOld | ExtendTtl) -> tuple[World, Reply]:
        place = Place(request.table, *request.key)
        entry = world.items.get(place)
        if isinstance(request, DeleteIfOld):
            if not _is_old(entry, request):
                return world, self._reply(False, False)
            return self.without(world, place), self._reply(True, True)
        ttl = None if entry is None else entry.number(Attribute.TTL)
        if entry is None or ttl is None or ttl >= request.ttl or Attribute.DELETED in entry.item:
            return world, self._reply(False, False)
        longer = self.entry({**entry.item, Attribute.TTL: {"N": str(request.ttl)}})
        items = {**world.items, place: longer}
        return self._world(items, world.objects), self._reply(True, True)

    def _object(self, world: World, request: Request[Any]) -> tuple[World, Reply]:
        objects = dict(world.objects)
        match request:
            case PutObject(bucket, key, data):
                objects[bucket, key] = data
                return self._world(world.items, objects), self._reply("stored", None)
            case GetObject(bucket, key):
                found = objects.get((bucket, key))
                return world, self._reply(("object", found), found)
            case CopyObject(bucket, source, target):
                copied = objects.get((bucket, source))
                if copied is None:
                    return world, self._reply(False, False)
                objects[bucket, target] = copied
                return self._world(world.items, objects), self._reply(True, True)
            case DeleteObjects(bucket, keys):
                for key in keys:
                    objects.pop((bucket, key), None)
                return self._world(world.items, objects), self._reply("stored", None)
        raise AssertionError(f"the model does not know {type(request).__name__}")


def _by_key(place: Place) -> tuple[bytes, bytes]:
    # DynamoDB orders text by its UTF-8 bytes, which is the order of its code points.
    return place.partition.encode(), place.sort.encode()


def _from(places: list[Place], start: Mapping[str, Any] | None) -> list[Place]:
    if start is None or not places:
        return places
    spec = SPECS[places[0].table]
    after = (start[spec.partition_key]["S"].encode(), start[spec.sort_key]["S"].encode())
    return [place for place in places if _by_key(place) > after]


def _refuses(world: World, put: Put) -> bool:
    """Whether a put's condition does not hold."""
    if not put.unless_exists:
        return False
    entry = world.items.get(Place(put.table, *put.key))
    if entry is None:
        return False
    if entry.item.get(Attribute.CHANNEL, {}).get("S") in put.over_channels:
        return False
    ttl = entry.number(Attribute.TTL)
    return ttl is None or ttl > put.now


def _refuses_update(world: World, update: Update) -> bool:
    """Whether an update's condition does not hold."""
    entry = world.items.get(Place(update.table, *update.key))
    item: Mapping[str, Any] = {} if entry is None else entry.item
    if any(name not in item for name, _, _ in update.entries):
        return True
    expected = update.expected
    if expected is None:
        return False
    found = item.get(expected.attribute)
    return not (expected.missing if found is None else found in expected.values)


def _is_old(entry: Entry | None, request: DeleteIfOld) -> bool:
    if entry is None:
        return request.table is Table.WRITES
    created = entry.number(Attribute.CREATED)
    if request.table is Table.CHECKPOINTS:
        old = created is not None and created <= request.before
        # A mark of deleted bases is not a tombstone.
        return old and (Attribute.DELETED in entry.item or request.key.sort.startswith("!!"))
    return created is None or created <= request.before


def _identity(change: Put | Delete) -> tuple[bool, Table, Key]:
    return isinstance(change, Put), change.table, change.key


def _condition_failed(there: Entry | None) -> Reply:
    def error() -> DynamoDBSaverError:
        return ConditionFailedError(
            code="ConditionalCheckFailedException",
            operation="PutItem",
            table_name="t",
            message="no",
            item=None if there is None else there.item,
        )

    return Reply(None, ("condition failed", there), error)


def _cancelled(refused: tuple[bool, ...]) -> Reply:
    reasons = ["ConditionalCheckFailed" if no else "None" for no in refused]

    def error() -> DynamoDBSaverError:
        return TransactionCanceledError(
            code="TransactionCanceledException",
            operation="TransactWriteItems",
            table_name="t",
            message="no",
            reasons=reasons,
        )

    return Reply(None, ("cancelled", refused), error)


def expired(world: World, now: int) -> Iterator[Place]:
    """Places of the items that DynamoDB may delete at that time."""
    for place, entry in world.items.items():
        ttl = entry.number(Attribute.TTL)
        if ttl is not None and ttl <= now:
            yield place
