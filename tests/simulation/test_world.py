"""The model of the tables and the bucket behaves like a real engine.

Random requests, on few keys so that they overlap, get the same replies from both and leave the same
data.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.errors import ConditionFailedError, TransactionCanceledError
from langgraph_checkpoint_dynamodb.format.ranges import SortRange
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Key, Table
from langgraph_checkpoint_dynamodb.items.attributes import make_item, read_key
from langgraph_checkpoint_dynamodb.requests.items import (
    BatchGet,
    BatchWrite,
    Delete,
    DeleteIfOld,
    DeleteItem,
    DeleteUnchanged,
    Expected,
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
from langgraph_checkpoint_dynamodb.requests.operations import send
from langgraph_checkpoint_dynamodb.settings.saver import ThreadIndex
from tests.simulation.scenarios import ALL
from tests.simulation.world import Universe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from langgraph_checkpoint_dynamodb.requests.items import Item
    from langgraph_checkpoint_dynamodb.requests.operations import Request
    from tests.simulation.world import World
    from tests.support.buckets import Bucket
    from tests.support.savers import Saver
    from tests.support.tables import Tables

SEEDS = range(6)
REQUESTS = 150
INDEX = "runs"
THREADS = ThreadIndex(owner="user_id", index_name="threads")
INDEXES: dict[str, Any] = {"run_id_index": INDEX, "thread_index": THREADS}
PARTITIONS = ("p", "q")
SORTS = ("!1", "1", "2", "task:::0", "é", "\U0001f600", "~deleted")
TIMES = (100, 200, 300)
RUNS = ("r", "s")
OWNERS = ("ann", "bob")
HEADS = ("1", "2")
CHANNELS = ("__error__", "__interrupt__", "log")


class _Draw:
    """Random requests."""

    def __init__(self, seed: int, bucket: str) -> None:
        self._random = Random(seed)  # noqa: S311 - a choice, not a secret
        self._bucket = bucket
        self._kinds: tuple[Callable[[], Request[Any]], ...] = (
            lambda: GetItem(self._table(), self._key(), consistent=True),
            lambda: BatchGet(self._table(), self._keys(), consistent=True),
            lambda: DeleteItem(self._table(), self._key()),
            self._query,
            self._query,
            lambda: Scan(self._table(), consistent=True, attributes=self._attributes()),
            lambda: QueryRunIndex(INDEX, self._random.choice(RUNS)),
            lambda: QueryThreadIndex(THREADS.index_name, self._random.choice(OWNERS)),
            lambda: ScanThreadIndex(THREADS.index_name),
            lambda: PutItem(self._put()),
            lambda: PutItem(self._put()),
            lambda: TransactPut(self._several(self._put, 3)),
            lambda: TransactPut(self._several(self._put_or_update, 3)),
            lambda: UpdateItem(self._update()),
            lambda: UpdateItem(self._update()),
            self._delete_unchanged,
            lambda: BatchWrite(self._several(self._change, 4)),
            lambda: DeleteIfOld(self._table(), self._key(), self._random.choice(TIMES)),
            lambda: ExtendTtl(self._table(), self._key(), self._random.choice(TIMES)),
            lambda: PutObject(self._bucket, self._object(), self._random.choice((b"a", b"b"))),
            lambda: GetObject(self._bucket, self._object()),
            lambda: CopyObject(self._bucket, self._object(), self._object()),
            lambda: DeleteObjects(self._bucket, (self._object(),)),
        )

    def request(self) -> Request[Any]:
        return self._random.choice(self._kinds)()

    def _table(self) -> Table:
        return self._random.choice((Table.CHECKPOINTS, Table.WRITES))

    def _key(self) -> Key:
        return Key(self._random.choice(PARTITIONS), self._random.choice(SORTS))

    def _keys(self) -> tuple[Key, ...]:
        return tuple({self._key() for _ in range(3)})

    def _object(self) -> str:
        return self._random.choice(("x/1", "x/2", "y"))

    def _attributes(self) -> tuple[str, ...]:
        names = (Attribute.THREAD_ID, Attribute.CHECKPOINT_ID, Attribute.CREATED)
        return self._random.choice(((), names))

    def _maybe(self, values: Sequence[Any]) -> Any:
        return self._random.choice((None, *values))

    def _put(self) -> Put:
        table, key = self._table(), self._key()
        attributes: dict[str, Any] = {
            Attribute.CREATED: self._maybe(TIMES),
            Attribute.TTL: self._maybe(TIMES),
            Attribute.DELETED: self._maybe((True,)),
            Attribute.CHANNEL: self._maybe(CHANNELS),
            Attribute.VALUE: bytes([self._random.randrange(3)]),
        }
        if table is Table.CHECKPOINTS:
            attributes[Attribute.RUN_ID] = self._maybe(RUNS)
            attributes[Attribute.OWNER] = self._maybe(OWNERS)
            attributes[Attribute.UPDATED] = self._maybe(("1", "2", "3"))
        item: Item = make_item(table, key, attributes)
        unless_exists = self._random.random() < 0.5
        over = self._random.choice(((), CHANNELS[:1], CHANNELS[:2]))
        return Put(table, key, item, unless_exists, self._random.choice(TIMES), over)

    def _update(self) -> Update:
        """An update of any kind: of an item in an expected state, or of an entry of a map."""
        heads = tuple({"S": head} for head in HEADS)
        count: Any = self._random.choice((None, {"N": "1"}))
        entry = (Attribute.WAITS, self._random.choice(HEADS), count)
        within = self._random.random() < 0.5
        waits: Any = {Attribute.WAITS: {"M": {HEADS[0]: {"N": "2"}}}}
        others: Any = self._random.choice(({}, waits, waits))
        return Update(
            self._table(),
            self._key(),
            {
                Attribute.HEAD: self._random.choice(heads),
                **({} if within else others),
            },
            self._random.choice(({}, {Attribute.BEGUN: self._random.choice(heads)})),
            (entry,) if within else (),
            self._random.choice(((), (Attribute.TTL,))),
            self._random.choice(
                (
                    None,
                    Expected(Attribute.HEAD, heads[:1], missing=self._random.random() < 0.5),
                    Expected(Attribute.HEAD, heads),
                )
            ),
        )

    def _put_or_update(self) -> Put | Update:
        return self._random.choice((self._put, self._update))()

    def _delete_unchanged(self) -> DeleteUnchanged:
        head: Any = {"S": self._random.choice(HEADS)}
        return DeleteUnchanged(self._table(), self._key(), Attribute.HEAD, head)

    def _change(self) -> Put | Delete:
        put = self._put()
        return self._random.choice((put, Delete(put.table, put.key)))

    def _several(self, one: Callable[[], Any], most: int) -> tuple[Any, ...]:
        """Some changes, each of a different item: the service rejects duplicates."""
        changes = [one() for _ in range(self._random.randint(1, most))]
        return tuple({(change.table, change.key): change for change in changes}.values())

    def _query(self) -> Query:
        low, high = sorted(self._random.choices(SORTS, k=2), key=str.encode)
        after = self._random.choice((None, None, self._random.choice(SORTS)))
        sort = self._random.choice((SortRange(), SortRange(low, high), SortRange(low)))
        inside = after is None or (sort.low or "") <= after <= (sort.high or "\U0010ffff")
        return Query(
            self._table(),
            self._random.choice(PARTITIONS),
            consistent=True,
            sort=sort,
            forward=self._random.random() < 0.5,
            after=after if inside else None,
            limit=self._random.choice((None, 1, 2)),
        )


def of_the_engine(saver: Saver, request: Request[Any]) -> object:
    """The engine's reply in a comparable form."""
    try:
        return plain(request, saver._run(send(request), "send"))
    except (ConditionFailedError, TransactionCanceledError) as error:
        return told(error)


def of_the_model(universe: Universe, world: World, request: Request[Any]) -> tuple[World, object]:
    """The model's world and reply in the same form."""
    world, reply = universe.after(world, request, ALL)
    if reply.error is not None:
        return world, told(reply.error())
    return world, plain(request, reply.value)


def told(error: Exception) -> object:
    return (type(error).__name__, getattr(error, "reasons", None))


def plain(request: Request[Any], reply: Any) -> object:
    if isinstance(reply, Page):
        items = [dict(item) for item in reply.items]
        if isinstance(request, QueryThreadIndex):
            times = [item[Attribute.UPDATED]["S"] for item in items]
            assert times == sorted(times, reverse=True)
        ordered = not isinstance(request, (Scan, QueryRunIndex, QueryThreadIndex, ScanThreadIndex))
        return items if ordered else sorted(items, key=_in_order)
    if isinstance(reply, Found):
        assert not reply.left
        return sorted(map(dict, reply.items), key=_in_order)
    return dict(reply) if isinstance(reply, dict) else reply


def _in_order(item: dict[str, Any]) -> str:
    return repr(sorted(item.items()))


def contents(table: Table, items: Iterable[Any]) -> dict[Key, Any]:
    return {read_key(item, table): dict(item) for item in items}


@pytest.mark.sample(2)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_model_answers_as_the_engine_and_keeps_the_same(
    tables: Tables, bucket: Bucket, seed: int
) -> None:
    tables.set_up(**INDEXES)
    universe = Universe()
    world = universe.empty
    draw = _Draw(seed, bucket.name)
    with tables.saver(**INDEXES, **tables.quick(bucket)) as saver:
        for _ in range(REQUESTS):
            request = draw.request()
            world, expected = of_the_model(universe, world, request)
            assert of_the_engine(saver, request) == expected, request
    for table, found in (
        (Table.CHECKPOINTS, tables.checkpoint_items()),
        (Table.WRITES, tables.items_beside()),
    ):
        held = [entry.item for place, entry in world.items.items() if place.table is table]
        assert contents(table, found) == contents(table, held)
    for (_, key), data in world.objects.items():
        got = bucket.client.get_object(Bucket=bucket.name, Key=key)
        assert got["Body"].read() == data


@pytest.mark.parametrize("limit", [1, 2, 3])
@pytest.mark.parametrize("forward", [True, False])
def test_the_model_cuts_pages_where_the_engine_does(
    tables: Tables, limit: int, *, forward: bool
) -> None:
    tables.set_up()
    universe = Universe()
    world = universe.empty
    keys = [Key("p", sort) for sort in SORTS]
    with tables.saver(**tables.quick()) as saver:
        for key in keys:
            put = PutItem(Put(Table.WRITES, key, make_item(Table.WRITES, key, {})))
            saver._run(send(put), "send")
            world, _ = universe.after(world, put, ALL)
        query = Query(Table.WRITES, "p", consistent=True, forward=forward, limit=limit)
        start: Any = None
        for _ in range(len(keys) // limit):
            page = saver._run(send(query), "send")
            _, reply = universe.after(world, query, ALL)
            assert [dict(item) for item in page.items] == [dict(item) for item in reply.value.items]
            assert page.next == reply.value.next or (
                page.next is None and not tables.engine.faithful
            )
            start = reply.value.next
            query = Query(
                Table.WRITES, "p", consistent=True, forward=forward, limit=limit, start=start
            )
