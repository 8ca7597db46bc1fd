"""What both caches share: they validate calls and turn them into operations. No I/O."""

from __future__ import annotations

from abc import abstractmethod
from secrets import token_hex
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph.cache.base import BaseCache, FullKey, Namespace, ValueT

from langgraph_checkpoint_dynamodb.cache.entries import plan_entry
from langgraph_checkpoint_dynamodb.cache.ops import Changes, clear, clear_all, get_all, set_all
from langgraph_checkpoint_dynamodb.cache.settings import require_life
from langgraph_checkpoint_dynamodb.errors import InvalidInputTypeError
from langgraph_checkpoint_dynamodb.format.expiry import Stamp
from langgraph_checkpoint_dynamodb.ops.tables import set_up
from langgraph_checkpoint_dynamodb.requests.operations import done
from langgraph_checkpoint_dynamodb.requests.weight import is_large
from langgraph_checkpoint_dynamodb.store.cache_keys import namespace_digest, require_entry
from langgraph_checkpoint_dynamodb.store.context import Context
from langgraph_checkpoint_dynamodb.store.table import OnStoreTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from langgraph_checkpoint_dynamodb.cache.settings import CacheSettings
    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.runners.process import PerProcess
    from langgraph_checkpoint_dynamodb.store.context import StoreMemory

T = TypeVar("T")


class CacheBase(BaseCache[ValueT], OnStoreTable):
    """Turns calls into operations. Subclasses add the runner that performs them."""

    _settings: CacheSettings
    _memories: PerProcess[StoreMemory]

    @abstractmethod
    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Run CPU-bound work in another thread, so that it does not block the event loop."""

    def get(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Return the values of the given keys, without the keys that have no value.

        An unreadable entry, damaged or of another serde, is treated as absent and logged as a
        warning.

        Args:
            keys: Pairs of a namespace and a key.

        Raises:
            InvalidInputError: A namespace or a key is not a string.
            EventLoopError: An event loop runs in this thread, and the cache is
                `AsyncDynamoDBCache`.
        """
        return self._run(self._get(keys), "get")

    async def aget(self, keys: Sequence[FullKey]) -> dict[FullKey, ValueT]:
        """Asynchronous version of `get`."""
        return await self._await(self._get(keys), "get")

    def set(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        """Store values.

        This is not a transaction: if one write fails, others may have taken effect. The call can be
        repeated.

        Args:
            pairs: By key, the value and its time to live in seconds: `None` if it never expires, 0
                or less to delete the entry.

        Raises:
            InvalidInputError: A namespace or a key is not a string, or a time to live is not a
                number of seconds.
            PayloadTooLargeError: A value is over `max_value_bytes`. Nothing was written.
            EventLoopError: As in `get`.
        """
        self._run(self._set(dict(pairs)), "set")

    async def aset(self, pairs: Mapping[FullKey, tuple[ValueT, int | None]]) -> None:
        """Asynchronous version of `set`."""
        given = dict(pairs)
        if is_large([value for value, _ in given.values()]):
            operation = await self._in_thread(lambda: self._set(given))
        else:
            operation = self._set(given)
        await self._await(operation, "set")

    def clear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Delete all entries of some namespaces, or of the whole cache; never items of a store.

        The call can be repeated after a failure. Entries that others store meanwhile may remain.

        Args:
            namespaces: The namespaces, matched exactly, not as prefixes. `None` for all.

        Raises:
            InvalidInputError: A namespace is not a tuple of strings.
            EventLoopError: As in `get`.
        """
        self._run(self._clear(namespaces), "clear")

    async def aclear(self, namespaces: Sequence[Namespace] | None = None) -> None:
        """Asynchronous version of `clear`."""
        await self._await(self._clear(namespaces), "clear")

    def _context(self) -> Context:
        settings = self._settings
        moment = settings.clock()
        return Context(
            serde=self.serde,
            payloads=settings.payloads,
            stamp=Stamp(token_hex(8), int(moment)),
            moment=moment,
            memory=self._memories.get(),
            table_name=settings.cache_table_name,
            consistent=settings.consistent_reads,
        )

    def _set_up(self) -> Operation[None]:
        return set_up(self._settings.table_names, (), expiring=True)

    def _get(self, keys: Sequence[FullKey]) -> Operation[dict[FullKey, Any]]:
        refs = {require_entry(*pair): (tuple(pair[0]), pair[1]) for pair in map(_pair, keys)}
        return self._get_by_key(refs) if refs else done({})

    def _get_by_key(self, refs: dict[Any, FullKey]) -> Operation[dict[FullKey, Any]]:
        values = yield from get_all(self._context(), refs)
        return {key: values[ref] for ref, key in refs.items() if ref in values}

    def _set(self, pairs: Mapping[FullKey, tuple[Any, int | None]]) -> Operation[None]:
        context = self._context()
        puts, deletes = [], []
        for pair, (value, ttl) in pairs.items():
            ref, life = require_entry(*_pair(pair)), require_life(ttl)
            if life is None or life > 0:
                puts.append(plan_entry(context, ref, value, life))
            else:
                deletes.append(ref)
        return set_all(context, Changes(puts, deletes))

    def _clear(self, namespaces: Sequence[Namespace] | None) -> Operation[None]:
        if namespaces is None:
            return clear_all(self._context())
        digests = dict.fromkeys(namespace_digest(one) for one in namespaces)
        return clear(self._context(), tuple(digests))


def _pair(key: object) -> tuple[Any, Any]:
    if not isinstance(key, (tuple, list)) or len(key) != 2:
        raise InvalidInputTypeError(
            "keys", f"must be pairs of a namespace and a key, got {type(key).__name__}"
        )
    return key[0], key[1]
