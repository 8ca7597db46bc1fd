"""What every store shares: its calls, checked and turned into operations. No runner, no I/O."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from secrets import token_hex
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph.store.base import (
    BaseStore,
    GetOp,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchOp,
)

from langgraph_checkpoint_dynamodb.addressing import require_optional, require_seconds
from langgraph_checkpoint_dynamodb.errors import InvalidInputError, InvalidInputTypeError
from langgraph_checkpoint_dynamodb.items.life import MARGIN, Stamp
from langgraph_checkpoint_dynamodb.ops.tables import set_up
from langgraph_checkpoint_dynamodb.settings import require_number
from langgraph_checkpoint_dynamodb.store.context import Context, Registered
from langgraph_checkpoint_dynamodb.store.filters import require_filter
from langgraph_checkpoint_dynamodb.store.items import expiry, plan_item
from langgraph_checkpoint_dynamodb.store.keys import ItemRef, require_namespace
from langgraph_checkpoint_dynamodb.store.ops.batch import Calls, perform
from langgraph_checkpoint_dynamodb.store.ops.namespaces import Listing
from langgraph_checkpoint_dynamodb.store.ops.put import ItemPut
from langgraph_checkpoint_dynamodb.store.ops.search import Wanted
from langgraph_checkpoint_dynamodb.store.ops.sweep import StoreSweepReport, sweep_orphans
from langgraph_checkpoint_dynamodb.store.settings import require_minutes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta
    from types import TracebackType

    from langgraph.checkpoint.serde.base import SerializerProtocol
    from langgraph.store.base import Op, Result
    from typing_extensions import Self

    from langgraph_checkpoint_dynamodb.effects import Operation
    from langgraph_checkpoint_dynamodb.runners.process import PerProcess
    from langgraph_checkpoint_dynamodb.store.settings import StoreSettings

T = TypeVar("T")

SWEEP_AGE_SECONDS = 24 * 60 * 60
"""What `sweep_orphans` leaves alone where nothing else is said: anything younger than a day."""


class StoreBase(BaseStore):
    """Turns calls into operations. A store adds the runner that performs them."""

    supports_ttl = True

    serde: SerializerProtocol
    _settings: StoreSettings
    _registered: PerProcess[Registered]

    @abstractmethod
    def open(self) -> Self:
        """Make the clients now, and not at the first call. Can be repeated."""

    @abstractmethod
    async def aopen(self) -> Self:
        """Asynchronous version of `open`."""

    @abstractmethod
    def close(self) -> None:
        """Let calls under way finish, then close the store. Can be repeated."""

    @abstractmethod
    async def aclose(self) -> None:
        """Asynchronous version of `close`."""

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return await self.aopen()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    @abstractmethod
    def _run(self, operation: Operation[T], method: str) -> T:
        """Perform an operation in plain code; `method` is what the user has called."""

    @abstractmethod
    async def _await(self, operation: Operation[T]) -> T:
        """Perform an operation without blocking the event loop."""

    def setup(self) -> None:
        """Create the table, on-demand, or verify the one that is there. Can be repeated.

        Needs `dynamodb:DescribeTable`, `dynamodb:CreateTable`, `dynamodb:DescribeTimeToLive` and
        `dynamodb:UpdateTimeToLive`. Nothing else calls it.

        Raises:
            TableMismatchError: The table has other keys, or its items expire by another attribute.
            TableError: The table was not active after two minutes.
        """
        self._run(self._set_up(), "setup")

    async def asetup(self) -> None:
        """Asynchronous version of `setup`."""
        await self._await(self._set_up())

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
        return await self._await(self._sweep_orphans(older_than, resume_from, max_pages))

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

    def _sweep_orphans(
        self, older_than: timedelta | float, resume_from: str | None, max_pages: int | None
    ) -> Operation[StoreSweepReport]:
        require_optional("resume_from", resume_from, str)
        if max_pages is not None:
            require_number("max_pages", max_pages, at_least=1)
        seconds = require_seconds("older_than", older_than)
        if seconds < MARGIN:
            raise InvalidInputError(
                "older_than",
                f"must be at least {MARGIN} seconds, got {seconds}: a call that is under way has "
                "stored parts that look left over, and clocks of writers may differ",
            )
        return sweep_orphans(self._context(), seconds, resume_from, max_pages)

    def _batch(self, ops: Sequence[Op]) -> Operation[list[Result]]:
        """The operation of some calls, everything that is to be stored serialized.

        Raises:
            InvalidInputError: One of them cannot be performed; none of them is.
        """
        context = self._context()
        calls = Calls(len(ops))
        puts: dict[ItemRef, PutOp] = {}
        for position, op in enumerate(ops):
            match op:
                case GetOp():
                    ref = calls.gets[position] = self._ref(op)
                    if ref is not None and op.refresh_ttl:
                        calls.used.append(ref)
                case SearchOp():
                    calls.searches[position] = _wanted(op)
                case ListNamespacesOp():
                    calls.listings[position] = _listing(op)
                case PutOp():
                    ref = self._ref(op)
                    if ref is not None:
                        puts[ref] = op
                case _:
                    raise InvalidInputTypeError("ops", f"unknown operation {type(op).__name__}")
        for ref, op in puts.items():
            if op.value is None:
                calls.deletes.append(ref)
            else:
                calls.puts.append(_put(context, ref, op.value, op.ttl))
        return perform(context, calls)

    def _ref(self, op: GetOp | PutOp) -> ItemRef | None:
        """Which item; `None` for one that there cannot be, and that is not to be stored."""
        namespace = require_namespace("namespace", op.namespace)
        key: object = op.key
        if not isinstance(key, str):
            raise InvalidInputTypeError("key", f"must be a string, got {type(key).__name__}")
        if not namespace and not (isinstance(op, PutOp) and op.value is not None):
            return None
        return ItemRef(namespace, key, self._settings.spread)


def values_of(ops: Iterable[Op]) -> list[Mapping[str, Any]]:
    """The values that are to be serialized."""
    return [op.value for op in ops if isinstance(op, PutOp) and op.value is not None]


def _put(context: Context, ref: ItemRef, value: object, ttl: object) -> ItemPut:
    if not isinstance(value, Mapping):
        raise InvalidInputTypeError("value", f"must be a mapping, got {type(value).__name__}")
    if ttl is None:
        return ItemPut(ref, plan_item(context, ref, value, None))
    minutes = require_minutes("ttl", ttl)
    planned = plan_item(context, ref, value, minutes)
    return ItemPut(ref, planned, expiry(context.moment, minutes))


def _wanted(op: SearchOp) -> Wanted:
    require_number("limit", op.limit, at_least=0)
    require_number("offset", op.offset, at_least=0)
    prefix = require_namespace("namespace_prefix", op.namespace_prefix)
    return Wanted(prefix, require_filter(op.filter), op.limit, op.offset, op.refresh_ttl)


def _listing(op: ListNamespacesOp) -> Listing:
    require_number("limit", op.limit, at_least=0)
    require_number("offset", op.offset, at_least=0)
    if op.max_depth is not None:
        require_number("max_depth", op.max_depth, at_least=0)
    return Listing(
        tuple(map(_condition, op.match_conditions or ())), op.max_depth, op.limit, op.offset
    )


def _condition(condition: MatchCondition) -> MatchCondition:
    if condition.match_type not in ("prefix", "suffix"):
        raise InvalidInputError(
            "match_conditions", f'must be "prefix" or "suffix", got {condition.match_type!r}'
        )
    path = require_namespace("match_conditions", condition.path)
    return MatchCondition(condition.match_type, path)
