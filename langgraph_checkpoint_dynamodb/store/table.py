"""What a store and a cache share: a table that is set up and swept."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.connected import Connected
from langgraph_checkpoint_dynamodb.settings.arguments import SWEEP_AGE_SECONDS, require_sweep
from langgraph_checkpoint_dynamodb.store.ops.sweep import StoreSweepReport, sweep_orphans

if TYPE_CHECKING:
    from datetime import timedelta

    from langgraph_checkpoint_dynamodb.requests.operations import Operation
    from langgraph_checkpoint_dynamodb.store.context import Context


class OnStoreTable(Connected):
    """Has a table of its own kind, be it shared with another."""

    @abstractmethod
    def _context(self) -> Context:
        """How to read and write, for the time of one call."""

    @abstractmethod
    def _set_up(self) -> Operation[None]:
        """Create the table, or verify the one that is there."""

    def setup(self) -> None:
        """Create the table, on-demand, or verify the one that is there. Can be repeated.

        So it does with the vector index, where a store uses one. Needs `dynamodb:DescribeTable`,
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

        Of a table that a store and a cache share, the store sweeps both; so does the cache, where
        the store has no `spread`. Namespaces of a store without items are taken out of the
        registry, too. No reader sees any of that. It scans the table, so run it now and then, not
        often.

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

    def _sweep_orphans(
        self, older_than: timedelta | float, resume_from: str | None, max_pages: int | None
    ) -> Operation[StoreSweepReport]:
        seconds = require_sweep(older_than, resume_from, max_pages)
        return sweep_orphans(self._context(), seconds, resume_from, max_pages)
