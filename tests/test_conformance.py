"""LangGraph's full conformance suite, on the async methods and on the sync ones."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.support.engines import Engine

from tests.incremental.states import INCREMENTAL
from tests.support.conformance import assert_conforms
from tests.support.tables import new_tables, with_payloads


class SyncMethods(BaseCheckpointSaver[str]):
    """Runs the suite's async calls with a saver's sync methods, in another thread."""

    def __init__(self, saver: BaseCheckpointSaver[str]) -> None:
        super().__init__(serde=saver.serde)
        self._saver = saver

    async def aget_tuple(self, *args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(self._saver.get_tuple, *args, **kwargs)

    async def alist(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        for found in await asyncio.to_thread(self._listed, *args, **kwargs):
            yield found

    def _listed(self, *args: Any, **kwargs: Any) -> list[Any]:
        return list(self._saver.list(*args, **kwargs))

    async def aput(self, *args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(self._saver.put, *args, **kwargs)

    async def aput_writes(self, *args: Any, **kwargs: Any) -> None:
        await asyncio.to_thread(self._saver.put_writes, *args, **kwargs)

    async def adelete_thread(self, *args: Any, **kwargs: Any) -> None:
        await asyncio.to_thread(self._saver.delete_thread, *args, **kwargs)

    async def adelete_for_runs(self, *args: Any, **kwargs: Any) -> None:
        await asyncio.to_thread(self._saver.delete_for_runs, *args, **kwargs)

    async def acopy_thread(self, *args: Any, **kwargs: Any) -> None:
        await asyncio.to_thread(self._saver.copy_thread, *args, **kwargs)

    async def aprune(self, *args: Any, **kwargs: Any) -> None:
        await asyncio.to_thread(self._saver.prune, *args, **kwargs)


@pytest.mark.parametrize("settings", [{}, INCREMENTAL], ids=["plain", "incremental"])
@pytest.mark.parametrize("wrap", [lambda saver: saver, SyncMethods], ids=["async", "sync"])
def test_every_capability_is_there_and_every_test_passes(
    engine: Engine,
    wrap: Callable[[BaseCheckpointSaver[str]], BaseCheckpointSaver[str]],
    settings: dict[str, Any],
) -> None:
    async def fresh() -> AsyncIterator[BaseCheckpointSaver[str]]:
        tables = new_tables(engine)
        async with with_payloads(tables.saver(**settings), whole_bytes=0) as saver:
            await saver.asetup()
            yield wrap(saver)
        tables.drop()
        tables.client.close()

    assert_conforms(fresh)
