"""What every store shares: its calls, checked and turned into operations. No runner, no I/O."""

from __future__ import annotations

from abc import abstractmethod
from secrets import token_hex
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph.store.base import BaseStore, PutOp

from langgraph_checkpoint_dynamodb.format.life import Stamp
from langgraph_checkpoint_dynamodb.ops.tables import set_up
from langgraph_checkpoint_dynamodb.requests.weight import is_large
from langgraph_checkpoint_dynamodb.store.asked import read_calls
from langgraph_checkpoint_dynamodb.store.context import Context, Registered
from langgraph_checkpoint_dynamodb.store.embedding import Embedded, aembed, embed
from langgraph_checkpoint_dynamodb.store.ops.batch import Calls, perform
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
    """Turns calls into operations. A store adds the runner that performs them."""

    supports_ttl = True

    serde: SerializerProtocol
    _settings: StoreSettings
    _registered: PerProcess[Registered]

    @abstractmethod
    async def _elsewhere(self, work: Callable[[], T]) -> T:
        """Do work that would keep the event loop busy in another thread."""

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Perform several calls together; see LangGraph's `BaseStore.batch`.

        Everything is read before anything is stored, and of several puts of one key the last
        counts, as in `InMemoryStore`. Reads run side by side, and so do writes. It is no
        transaction: where one write fails, others may have taken effect, and the call can be
        repeated.

        What is embedded is embedded first, each text once; what the embedder raises is raised.

        Raises:
            InvalidInputError: One of the calls cannot be performed; none of them is.
            TableMismatchError: The table has vectors of other dimensions.
            UnreadableItemError: An item is there but cannot be read.
            EventLoopError: An event loop runs in this thread, and the store is
                `AsyncDynamoDBStore`.
        """
        self._require_usable("batch")
        context, calls = self._read(list(ops))
        texts = calls.texts
        embedded = Embedded() if context.indexing is None else embed(context.indexing, texts)
        return self._run(perform(context, calls, embedded), "batch")

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Asynchronous version of `batch`."""
        listed = list(ops)
        if is_large(_values_of(listed)):
            context, calls = await self._elsewhere(lambda: self._read(listed))
        else:
            context, calls = self._read(listed)
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
            registered=self._registered.get(),
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
        # Any put may say when its item expires.
        settings = self._settings
        return set_up(settings.table_names, (), expiring=True, vectors=settings.vectors)

    def _read(self, ops: Sequence[Op]) -> tuple[Context, Calls]:
        context = self._context()
        return context, read_calls(context, ops)


def _values_of(ops: Iterable[Op]) -> list[Mapping[str, Any]]:
    """The values that are to be serialized."""
    return [op.value for op in ops if isinstance(op, PutOp) and op.value is not None]
