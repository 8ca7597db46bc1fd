"""Calls a store by its sync or by its async methods, so that every test runs on both."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from langgraph.store.base import BaseStore, Item, Op, Result, SearchItem

T = TypeVar("T")
_THREADS = 8


@dataclass(frozen=True)
class StoreCalls:
    """Calls a store by its sync methods or by its `a*` methods.

    Attributes:
        store: The store.
        run: Runs a coroutine on the event loop of the `a*` methods; `None` for the sync ones.
    """

    store: BaseStore
    run: Callable[[Coroutine[Any, Any, Any]], Any] | None = None

    def get(self, namespace: tuple[str, ...], key: str, **more: Any) -> Item | None:
        """Call `get`."""
        if self.run is None:
            return self.store.get(namespace, key, **more)
        return self._await(self.store.aget(namespace, key, **more))

    def search(self, prefix: tuple[str, ...], **more: Any) -> list[SearchItem]:
        """Call `search`."""
        if self.run is None:
            return self.store.search(prefix, **more)
        return self._await(self.store.asearch(prefix, **more))

    def put(self, namespace: tuple[str, ...], key: str, value: Any, **more: Any) -> None:
        """Call `put`."""
        if self.run is None:
            self.store.put(namespace, key, value, **more)
        else:
            self._await(self.store.aput(namespace, key, value, **more))

    def delete(self, namespace: tuple[str, ...], key: str) -> None:
        """Call `delete`."""
        if self.run is None:
            self.store.delete(namespace, key)
        else:
            self._await(self.store.adelete(namespace, key))

    def list_namespaces(self, **more: Any) -> list[tuple[str, ...]]:
        """Call `list_namespaces`."""
        if self.run is None:
            return self.store.list_namespaces(**more)
        return self._await(self.store.alist_namespaces(**more))

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Call `batch`."""
        if self.run is None:
            return self.store.batch(ops)
        return self._await(self.store.abatch(ops))

    def batch_concurrently(self, ops: Sequence[Op]) -> list[Result]:
        """Call `batch` for each operation, at the same time."""
        if self.run is None:
            with ThreadPoolExecutor(_THREADS) as pool:
                found = list(pool.map(self.store.batch, ([op] for op in ops)))
        else:
            found = self._await(self._gathered(ops))
        return [result for (result,) in found]

    async def _gathered(self, ops: Sequence[Op]) -> list[list[Result]]:
        return list(await asyncio.gather(*(self.store.abatch([op]) for op in ops)))

    def _await(self, coroutine: Coroutine[Any, Any, T]) -> T:
        assert self.run is not None
        result: T = self.run(coroutine)
        return result


def value_of(found: object) -> Any:
    """The value of an item, which must exist."""
    assert found is not None
    value: Any = getattr(found, "value")  # noqa: B009 - an item, or a result that is one
    return value


def places(found: Iterable[Item]) -> list[tuple[tuple[str, ...], str]]:
    """Namespace and key of each item, sorted."""
    return sorted((tuple(one.namespace), one.key) for one in found)
