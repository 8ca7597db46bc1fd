"""What both stores share: they validate calls and turn them into operations. No I/O."""

from __future__ import annotations

from abc import abstractmethod
from secrets import token_hex
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph.store.base import BaseStore, PutOp

from langgraph_checkpoint_dynamodb.format.expiry import Stamp
from langgraph_checkpoint_dynamodb.ops.tables import set_up
from langgraph_checkpoint_dynamodb.requests.weight import is_large
from langgraph_checkpoint_dynamodb.store.context import Context, StoreMemory
from langgraph_checkpoint_dynamodb.store.embedding import Embedded, aembed, embed
from langgraph_checkpoint_dynamodb.store.ops.batch import Calls, perform
from langgraph_checkpoint_dynamodb.store.parsing import parse_calls
from langgraph_checkpoint_dynamodb.store.table import OnStoreTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from langgraph.checkpoint.serde.base import SerializerProtocol
    from langgraph.store.base import Op, Result

    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.runners.process import PerProcess
    from langgraph_checkpoint_dynamodb.store.settings import StoreSettings

T = TypeVar("T")


class StoreBase(BaseStore, OnStoreTable):
    """Turns calls into operations. Subclasses add the runner that performs them."""

    supports_ttl = True

    serde: SerializerProtocol
    _settings: StoreSettings
    _memories: PerProcess[StoreMemory]

    @abstractmethod
    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Run CPU-bound work in another thread, so that it does not block the event loop."""

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Perform several calls together; see LangGraph's `BaseStore.batch`.

        All reads come before all writes, and of several puts of one key the last one is stored, as
        in `InMemoryStore`. Reads run concurrently, and so do writes. This is not a transaction: if
        one write fails, others may have taken effect. The call can be repeated.

        Texts are embedded first, each once; errors of the embedder are raised.

        Raises:
            InvalidInputError: One of the calls is invalid; none of them is performed.
            TableMismatchError: The table has vectors of other dimensions.
            UnreadableItemError: An item is damaged.
            EventLoopError: An event loop runs in this thread, and the store is
                `AsyncDynamoDBStore`.
        """
        self._require_usable("batch")
        context, calls = self._parse(list(ops))
        texts = calls.texts
        embedded = Embedded() if context.indexing is None else embed(context.indexing, texts)
        return self._run(perform(context, calls, embedded), "batch")

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Asynchronous version of `batch`."""
        listed = list(ops)
        if is_large(_values_of(listed)):
            context, calls = await self._in_thread(lambda: self._parse(listed))
        else:
            context, calls = self._parse(listed)
        texts = calls.texts
        embedded = Embedded() if context.indexing is None else await aembed(context.indexing, texts)
        return await self._await(perform(context, calls, embedded), "batch")

    def _context(self) -> Context:
        settings = self._settings
        moment = settings.clock()
        return Context(
            serde=self.serde,
            payloads=settings.payloads,
            stamp=Stamp(token_hex(8), int(moment)),
            moment=moment,
            memory=self._memories.get(),
            table_name=settings.store_table_name,
            consistent=settings.consistent_reads,
            omits_expired=settings.omits_expired,
            filter_paths=settings.filter_paths,
            spread=settings.spread,
            indexing=settings.indexing,
            vector_index=settings.vector_index,
            exact_search_warning=settings.exact_search_warning,
        )

    def _set_up(self) -> Operation[None]:
        # Any put may have a TTL.
        settings = self._settings
        return set_up(settings.table_names, (), expiring=True, vectors=settings.vectors)

    def _parse(self, ops: Sequence[Op]) -> tuple[Context, Calls]:
        context = self._context()
        return context, parse_calls(context, ops)


def _values_of(ops: Iterable[Op]) -> list[Mapping[str, Any]]:
    """The values that will be serialized."""
    return [op.value for op in ops if isinstance(op, PutOp) and op.value is not None]
