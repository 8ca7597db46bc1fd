"""A store's table on an engine, and both ways to call a store."""

from __future__ import annotations

import itertools
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langgraph_checkpoint_dynamodb import ServiceError
from langgraph_checkpoint_dynamodb.policies import (
    S3_DELETE_ACTIONS,
    S3_RUN_ACTIONS,
    STORE_SETUP_ACTIONS,
    STORE_SWEEP_ACTIONS,
)
from langgraph_checkpoint_dynamodb.store import DynamoDBStore
from langgraph_checkpoint_dynamodb.store.base import StoreBase
from langgraph_checkpoint_dynamodb.testing import store_conformance
from tests.support.savers import native
from tests.support.sessions import Relay, restricted_session, saver_session

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from langgraph.store.base import Item
    from mypy_boto3_dynamodb import DynamoDBClient

    from langgraph_checkpoint_dynamodb.cache.base import CacheBase
    from tests.support.buckets import Bucket
    from tests.support.calls import LoopThread
    from tests.support.engines import Engine

Store: TypeAlias = StoreBase
StoreT = TypeVar("StoreT", bound="StoreBase | CacheBase[Any]")
T = TypeVar("T")

_numbers = itertools.count()

EVERY_ACTION = STORE_SWEEP_ACTIONS | S3_RUN_ACTIONS | S3_DELETE_ACTIONS | STORE_SETUP_ACTIONS


@dataclass(frozen=True)
class StoreTable:
    """A store's table on an engine, not made yet."""

    engine: Engine
    client: DynamoDBClient
    name: str
    relay: Relay = field(default_factory=Relay)

    def store(self, actions: Collection[str] = EVERY_ACTION, **settings: Any) -> Store:
        """A store on this table with a client of its own, which may do nothing but `actions`."""
        settings.setdefault("session", restricted_session(frozenset(actions)))
        return self.on_session(**settings)

    def on_session(self, **settings: Any) -> Store:
        """A store of the kind under test."""
        settings.setdefault("endpoint_url", self.engine.url)
        return _store_class()(store_table_name=self.name, **settings)

    def quick(self, bucket: Bucket | None = None, **settings: Any) -> Store:
        """A store with all rights that is quick to make."""
        return _store_class()(store_table_name=self.name, **self.quick_settings(bucket), **settings)

    def quick_settings(self, bucket: Bucket | None = None) -> dict[str, Any]:
        """Where the clients come from of what is quick to make, and has all rights."""
        if native():
            session = saver_session() if bucket is None else saver_session(bucket.url)
            self.relay.install(session)
            return {"session": session, "endpoint_url": self.engine.url}
        reached = {} if bucket is None else {"s3_client": bucket.client}
        return {"client": self.client, **reached}

    def on(self, event: str, handler: Callable[..., Any]) -> None:
        """Have an event of the clients of every `quick` store handled from now on."""
        if native():
            self.relay.on(event, handler)
        else:
            self.client.meta.events.register(event, handler)

    def set_up(self) -> None:
        """Make the table, with the client that is there: making another one takes longer."""
        with DynamoDBStore(store_table_name=self.name, client=self.client) as store:
            store.setup()

    def items(self) -> list[dict[str, Any]]:
        """Every item of the table."""
        pages = self.client.get_paginator("scan").paginate(TableName=self.name, ConsistentRead=True)
        return [dict(item) for page in pages for item in page["Items"]]

    def heads(self) -> list[dict[str, Any]]:
        """Those that are of namespaces, and neither parts nor of the registry."""
        return [one for one in self.items() if "version" in one]

    def parts(self) -> list[dict[str, Any]]:
        """Those that are parts of values."""
        return [one for one in self.items() if "item_path" in one]

    def registered(self) -> list[tuple[str, ...]]:
        """The namespaces of the registry, those without items too."""
        found = [one["path"]["S"] for one in self.items() if "touched" in one]
        return sorted(tuple(path[:-1].split("\0")) for path in found)

    def replace(self, item: dict[str, Any]) -> None:
        """Store an item as it is."""
        self.client.put_item(TableName=self.name, Item=item)

    def delete(self, items: Iterable[dict[str, Any]]) -> None:
        """Delete items."""
        for item in items:
            key = {name: item[name] for name in ("root", "path")}
            self.client.delete_item(TableName=self.name, Key=key)

    def empty(self) -> None:
        """Delete every item."""
        self.delete(self.items())

    def drop(self) -> None:
        """Delete the table, if it was made."""
        with suppress(self.client.exceptions.ResourceNotFoundException):
            self.client.delete_table(TableName=self.name)


def _store_class() -> Callable[..., Store]:
    """The store under test."""
    if not native():
        return DynamoDBStore
    from langgraph_checkpoint_dynamodb.store.aio import AsyncDynamoDBStore

    return AsyncDynamoDBStore


def new_store_table(engine: Engine, client: DynamoDBClient) -> StoreTable:
    """A name that no other test of any worker uses."""
    return StoreTable(engine, client, f"store-{os.getpid()}-{next(_numbers)}")


def with_payloads(store: StoreT, **changes: Any) -> StoreT:
    """The store or cache with another payload policy, such as `inline_limit` and `chunk_bytes`."""
    settings: Any = store._settings
    store._settings = replace(settings, payloads=replace(settings.payloads, **changes))
    return store


class ThreadNoting(JsonPlusSerializer):
    """A serde that notes the threads that use it."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[int] = set()

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        self.threads.add(threading.get_ident())
        return super().dumps_typed(obj)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        self.threads.add(threading.get_ident())
        return super().loads_typed(data)


def failure(act: Callable[[], object]) -> ServiceError | None:
    """The service's error that a call raises, if any."""
    try:
        act()
    except ServiceError as error:
        return error
    return None


class StoreCalls(store_conformance.StoreCalls):
    """The calls of a store, by its plain methods or, where a loop is given, by its `a*` methods."""

    store: Store

    def __init__(self, store: Store, loop: LoopThread | None = None) -> None:
        super().__init__(store, None if loop is None else loop.run)


def names(found: Iterable[Item]) -> list[tuple[tuple[str, ...], str]]:
    """Namespace and key of each item."""
    return [(one.namespace, one.key) for one in found]
