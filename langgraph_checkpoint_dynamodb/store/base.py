"""What every store shares: its calls, checked and turned into operations. No runner, no I/O."""

from __future__ import annotations

from abc import abstractmethod
from secrets import token_hex
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph.store.base import BaseStore, PutOp

from langgraph_checkpoint_dynamodb.addressing import SWEEP_AGE_SECONDS, require_sweep
from langgraph_checkpoint_dynamodb.connected import Connected
from langgraph_checkpoint_dynamodb.items.life import Stamp
from langgraph_checkpoint_dynamodb.ops.tables import set_up
from langgraph_checkpoint_dynamodb.store.asked import read_calls
from langgraph_checkpoint_dynamodb.store.context import Context, Registered
from langgraph_checkpoint_dynamodb.store.embedding import Embedded, aembed, embed
from langgraph_checkpoint_dynamodb.store.ops.batch import Calls, perform
from langgraph_checkpoint_dynamodb.store.ops.sweep import StoreSweepReport, sweep_orphans
from langgraph_checkpoint_dynamodb.weight import is_large

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import timedelta

    from langgraph.checkpoint.serde.base import SerializerProtocol
    from langgraph.store.base import Op, Result

    from langgraph_checkpoint_dynamodb.effects import Operation
    from langgraph_checkpoint_dynamodb.runners.process import PerProcess
    from langgraph_checkpoint_dynamodb.store.settings import StoreSettings

T = TypeVar("T")


class StoreBase(BaseStore, Connected):
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

    def setup(self) -> None:
        """Create the table, on-demand, or verify the one that is there. Can be repeated.

        So it does with the vector index, where the store uses one. Needs `dynamodb:DescribeTable`,
        `dynamodb:CreateTable`, `dynamodb:DescribeTimeToLive` and `dynamodb:UpdateTimeToLive`, and
        `dynamodb:UpdateTable` to add that index to a table that is there. Nothing else calls it.

        Raises:
            TableMismatchError: The table has other keys, its items expire by another attribute, or
                its vector index is another one.
            TableError: The table was not active after two minutes.
        """
        self._run(self._set_up(), "setup")

    async def asetup(self) -> None:
        """Asynchronous version of `setup`."""
        await self._await(self._set_up(), "setup")

    def sweep_orphans(
        self,
        *,
        older_than: timedelta | float = SWEEP_AGE_SECONDS,
        resume_from: str | None = None,
        max_pages: int | None = None,
    ) -> StoreSweepReport:
        """Remove what processes that died in the middle of a call left behind.

        It takes namespaces without items out of the registry, too. No reader sees any of that. It
        scans the table, so run it now and then, not often.

        Args:
            older_than: Only parts of values that are at least so old, as `timedelta` or seconds;
                from an hour. It must be longer than any call takes.
            resume_from: `resume_from` of the last sweep's report, to go on there.
            max_pages: Pages of the table to read at most.

        Raises:
            InvalidInputError: An argument cannot be used.
        """
        return self._run(self._sweep_orphans(older_than, resume_from, max_pages), "sweep_orphans")

    async def asweep_orphans(
        self,
        *,
        older_than: timedelta | float = SWEEP_AGE_SECONDS,
        resume_from: str | None = None,
        max_pages: int | None = None,
    ) -> StoreSweepReport:
        """Asynchronous version of `sweep_orphans`."""
        operation = self._sweep_orphans(older_than, resume_from, max_pages)
        return await self._await(operation, "sweep_orphans")

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

    def _sweep_orphans(
        self, older_than: timedelta | float, resume_from: str | None, max_pages: int | None
    ) -> Operation[StoreSweepReport]:
        seconds = require_sweep(older_than, resume_from, max_pages)
        return sweep_orphans(self._context(), seconds, resume_from, max_pages)

    def _read(self, ops: Sequence[Op]) -> tuple[Context, Calls]:
        context = self._context()
        return context, read_calls(context, ops)


def _values_of(ops: Iterable[Op]) -> list[Mapping[str, Any]]:
    """The values that are to be serialized."""
    return [op.value for op in ops if isinstance(op, PutOp) and op.value is not None]
