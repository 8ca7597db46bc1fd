"""What stores and caches share: the setup and the sweep of their table."""

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
    """Uses a table of the store's format, which a store and a cache may share."""

    @abstractmethod
    def _context(self) -> Context:
        """Settings, time and memory of one call."""

    @abstractmethod
    def _set_up(self) -> Operation[None]:
        """Create the table, or verify the existing one."""

    def setup(self) -> None:
        """Create the table, on-demand, or verify the existing one. Can be repeated.

        The same holds for the vector index of a store. Needs `dynamodb:DescribeTable`,
        `dynamodb:CreateTable`, `dynamodb:DescribeTimeToLive` and `dynamodb:UpdateTimeToLive`, and
        `dynamodb:UpdateTable` to add the index to an existing table. No other method calls it.

        Raises:
            TableMismatchError: The table has other keys, its items expire by another attribute, or
                its vector index differs.
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
        """Delete what processes that died during a call left behind.

        If a store and a cache share the table, a sweep of the store covers both. So does a sweep
        of the cache, unless the store has a `spread`. The sweep also removes empty namespaces of a
        store from the registry. No reader notices any of this. It scans the table, so run it
        occasionally.

        Args:
            older_than: Minimum age of the parts and vectors to delete, as `timedelta` or seconds;
                at least an hour. It must be longer than any call takes.
            resume_from: `resume_from` of the last sweep's report, to continue there.
            max_pages: Maximum number of pages of the table to read.

        Raises:
            InvalidInputError: An argument is invalid.
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
