"""The base class of all tests: fixtures to override, and capabilities that a store declares."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import pytest

from langgraph_checkpoint_dynamodb.testing.store_conformance.calls import StoreCalls

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from langgraph.store.base import BaseStore

FunctionT = TypeVar("FunctionT", bound="Callable[..., None]")
NAMESPACE = ("docs",)
"""The namespace of tests that need only one."""
_NEEDED = "needed_capability"


def needs(capability: str) -> Callable[[FunctionT], FunctionT]:
    """Run a test only against stores that declare a capability."""

    def mark(test: FunctionT) -> FunctionT:
        setattr(test, _NEEDED, capability)
        return test

    return mark


class StoreSuite:
    """The fixtures of every test. `StoreConformance` documents the attributes."""

    families: ClassVar[tuple[str, ...]] = ("sync", "async")
    large_values: ClassVar[bool] = True
    python_values: ClassVar[bool] = False
    ttl: ClassVar[bool] = False
    vectors: ClassVar[bool] = False

    @pytest.fixture
    def store(self) -> Any:
        """A store without items. Override it."""
        raise NotImplementedError("override the fixture `store` with a store without items")

    @pytest.fixture
    def vector_store(self) -> Any:
        """A store without items, with the index `vector_index()`. Override it."""
        raise NotImplementedError(
            "override the fixture `vector_store` with a store whose index is vector_index()"
        )

    @pytest.fixture
    def run(self) -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
        """Runs a coroutine on an event loop, the same one throughout a test.

        A fixture `store` that must be created on that loop uses this fixture.
        """
        loop = asyncio.new_event_loop()
        yield loop.run_until_complete
        loop.close()

    @pytest.fixture(params=["sync", "async"])
    def family(self, request: pytest.FixtureRequest) -> str:
        """The methods that a test calls: sync or async."""
        family: str = request.param
        if family not in self.families:
            pytest.skip(f"the store declares no {family} methods")
        return family

    @pytest.fixture
    def calls(self, family: str, store: BaseStore, run: Any) -> StoreCalls:
        """The methods of the store."""
        return StoreCalls(store, run if family == "async" else None)

    @pytest.fixture
    def vector_calls(self, family: str, vector_store: BaseStore, run: Any) -> StoreCalls:
        """The methods of the store with a vector index."""
        return StoreCalls(vector_store, run if family == "async" else None)

    @pytest.fixture(autouse=True)
    def _skip_undeclared(self, request: pytest.FixtureRequest) -> None:
        capability = getattr(request.function, _NEEDED, None)
        if capability is not None and not getattr(self, capability):
            pytest.skip(f"the store does not declare {capability}")

    def elapse(self, seconds: float) -> None:
        """Let time pass for the store."""
        time.sleep(seconds)
