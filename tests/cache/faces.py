"""A cache on the table of a test, and both ways to call it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from langgraph_checkpoint_dynamodb.cache import DynamoDBCache
from langgraph_checkpoint_dynamodb.cache.base import CacheBase
from tests.store.faces import EVERY_ACTION
from tests.support.savers import native
from tests.support.sessions import restricted_session

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence

    from tests.store.faces import StoreTable
    from tests.support.buckets import Bucket
    from tests.support.calls import LoopThread

Cache: TypeAlias = CacheBase[Any]
Namespace: TypeAlias = tuple[str, ...]
FullKey: TypeAlias = tuple[Namespace, str]
T = TypeVar("T")


def cache_class() -> Callable[..., Cache]:
    """The cache under test."""
    if not native():
        return DynamoDBCache
    from langgraph_checkpoint_dynamodb.cache.aio import AsyncDynamoDBCache

    return AsyncDynamoDBCache


def quick_cache(table: StoreTable, bucket: Bucket | None = None, **settings: Any) -> Cache:
    """A cache with all rights that is quick to make."""
    return cache_class()(cache_table_name=table.name, **table.quick_settings(bucket), **settings)


def cache_on_session(table: StoreTable, **settings: Any) -> Cache:
    """A cache of the kind under test."""
    settings.setdefault("endpoint_url", table.engine.url)
    return cache_class()(cache_table_name=table.name, **settings)


def held_cache(
    table: StoreTable, actions: Collection[str] = EVERY_ACTION, **settings: Any
) -> Cache:
    """A cache with a client of its own, which may do nothing but `actions`."""
    return cache_on_session(table, session=restricted_session(frozenset(actions)), **settings)


class CacheCalls:
    """The calls of a cache, by its plain methods or, where a loop is given, by its `a*` methods."""

    def __init__(self, cache: Cache, loop: LoopThread | None = None) -> None:
        self.cache = cache
        self._loop = loop

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, Any]:
        if self._loop is None:
            return self.cache.get(keys)
        return self._await(self.cache.aget(keys))

    def set(self, pairs: Mapping[FullKey, tuple[Any, int | None]]) -> None:
        if self._loop is None:
            self.cache.set(pairs)
        else:
            self._await(self.cache.aset(pairs))

    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        if self._loop is None:
            self.cache.clear(namespaces)
        else:
            self._await(self.cache.aclear(namespaces))

    def _await(self, coroutine: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None
        return self._loop.run(coroutine)
