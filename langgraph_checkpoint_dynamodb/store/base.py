"""What every store shares: its calls, checked and turned into operations. No runner, no I/O."""

from __future__ import annotations

from abc import abstractmethod
from secrets import token_hex
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph.store.base import BaseStore, PutOp

from langgraph_checkpoint_dynamodb.items.life import Stamp
from langgraph_checkpoint_dynamodb.ops.tables import set_up
from langgraph_checkpoint_dynamodb.store.asked import read_calls
from langgraph_checkpoint_dynamodb.store.context import Context, Registered
from langgraph_checkpoint_dynamodb.store.ops.batch import perform
from langgraph_checkpoint_dynamodb.store.table import OnStoreTable
from langgraph_checkpoint_dynamodb.weight import is_large

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from langgraph.checkpoint.serde.base import SerializerProtocol
    from langgraph.store.base import Op, Result

    from langgraph_checkpoint_dynamodb.effects import Operation
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

        Raises:
            InvalidInputError: One of the calls cannot be performed; none of them is.
            UnreadableItemError: An item is there but cannot be read.
            EventLoopError: An event loop runs in this thread, and the store is
                `AsyncDynamoDBStore`.
        """
        return self._run(self._batch(list(ops)), "batch")

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Asynchronous version of `batch`."""
        listed = list(ops)
        if is_large(_values_of(listed)):
            operation = await self._elsewhere(lambda: self._batch(listed))
        else:
            operation = self._batch(listed)
        return await self._await(operation, "batch")

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
        )

    def _set_up(self) -> Operation[None]:
        # Any put may say when its item expires.
        return set_up(self._settings.table_names, (), expiring=True)

    def _batch(self, ops: Sequence[Op]) -> Operation[list[Result]]:
        context = self._context()
        return perform(context, read_calls(context, ops))


def _values_of(ops: Iterable[Op]) -> list[Mapping[str, Any]]:
    """The values that are to be serialized."""
    return [op.value for op in ops if isinstance(op, PutOp) and op.value is not None]
