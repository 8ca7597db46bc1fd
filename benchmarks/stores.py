"""Stores that take part, each made as its README says, on a fresh table, with its own defaults."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from langgraph.store.memory import InMemoryStore

from benchmarks.contenders import REGION, Contender, Place
from benchmarks.faces import Face

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from langgraph.store.base import Item, Op, SearchItem

    from benchmarks.measuring import Bench

_TABLE = "store"
Namespace = tuple[str, ...]


class StoreFace(Face):
    """The calls of a store that workloads make. Each returns when it is done.

    Attributes:
        fresh: Makes another of these stores, on the table of a name.
    """

    def __init__(
        self,
        store: Any,
        loop: asyncio.AbstractEventLoop,
        *,
        awaits: bool,
        fresh: Callable[[str], AbstractContextManager[Any]],
    ) -> None:
        super().__init__(store, loop, awaits=awaits)
        self.fresh = fresh

    def warm(self) -> None:
        """Have clients and connections made."""
        self.get(("nobody",), "nothing")

    def get(self, namespace: Namespace, key: str) -> Item | None:
        """Read an item."""
        found: Item | None = self._call(self.saver, "get", namespace, key)
        return found

    def put_item(self, namespace: Namespace, key: str, value: dict[str, Any]) -> None:
        """Store an item."""
        self._call(self.saver, "put", namespace, key, value)

    def batch(self, ops: Iterable[Op]) -> list[Any]:
        """Do several things together."""
        results: list[Any] = self._call(self.saver, "batch", ops)
        return results

    def search(self, prefix: Namespace, **more: Any) -> list[SearchItem]:
        """Search below a namespace."""
        found: list[SearchItem] = self._call(self.saver, "search", prefix, **more)
        return found

    def list_namespaces(self, **more: Any) -> list[Namespace]:
        """List namespaces."""
        found: list[Namespace] = self._call(self.saver, "list_namespaces", **more)
        return found


def face_of(bench: Bench) -> StoreFace:
    """The store of a bench on which stores are measured."""
    if not isinstance(bench.face, StoreFace):
        raise TypeError("this workload is for stores")
    return bench.face


@dataclass(frozen=True)
class StoreContender(Contender):
    """A column of the comparison of stores. `open` takes the name of a table, too."""

    @contextmanager
    def face(self, place: Place) -> Iterator[Face]:
        """Its store, ready for use."""
        with self.open(place, _TABLE) as store:
            fresh = partial(self.open, place)
            yield StoreFace(store, place.loop, awaits=self.awaits, fresh=fresh)


@contextmanager
def _ours(place: Place, table: str) -> Iterator[Any]:
    from langgraph_checkpoint_dynamodb.store import DynamoDBStore

    with DynamoDBStore(
        store_table_name=table, session=place.session(), endpoint_url=place.url
    ) as store:
        store.setup()
        yield store


@contextmanager
def _ours_async(place: Place, table: str) -> Iterator[Any]:
    from aiobotocore.session import get_session

    from langgraph_checkpoint_dynamodb.store.aio import AsyncDynamoDBStore

    session = get_session()
    place.meter.attach(session, awaits=True)

    async def opened() -> Any:
        store = AsyncDynamoDBStore(
            store_table_name=table, session=session, region_name=REGION, endpoint_url=place.url
        )
        await store.aopen()
        await store.asetup()
        return store

    store = place.loop.run_until_complete(opened())
    try:
        yield store
    finally:
        place.loop.run_until_complete(store.aclose())
        store.close()


@contextmanager
def _aws(place: Place, table: str) -> Iterator[Any]:
    store = _class_of("langgraph_checkpoint_aws")(
        table, boto3_session=place.session(), region_name=REGION, endpoint_url=place.url
    )
    store.setup()
    yield store
    store.client.close()


@contextmanager
def _community(place: Place, table: str) -> Iterator[Any]:
    yield _class_of("langgraph_store_dynamodb")(
        table, boto_session=place.session(), endpoint_url=place.url
    )


@contextmanager
def _memory(place: Place, table: str) -> Iterator[Any]:  # noqa: ARG001 - it needs none
    yield InMemoryStore()


def _class_of(package: str) -> Any:
    """Another package's store. Imported late: no process needs both, and neither is needed here."""
    return import_module(package).DynamoDBStore


STORE_CONTENDERS = (
    StoreContender("store", "this package, sync", _ours),
    StoreContender("store-async", "this package, async", _ours_async, awaits=True),
    StoreContender("store-aws", "langgraph-checkpoint-aws", _aws),
    StoreContender("store-community", "langgraph-store-dynamodb", _community),
    StoreContender("store-memory", "InMemoryStore", _memory),
)
"""In the order of the tables."""
