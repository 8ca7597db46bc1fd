"""The conformance suite for stores, on the store that `benchmarks.conformance` provides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.testing.store_conformance import StoreConformance

if TYPE_CHECKING:
    from benchmarks.calls import StoreCalls


class TestContender(StoreConformance):
    """`benchmarks.conformance` declares its capabilities."""

    @pytest.fixture
    def store(self, fresh_store: Any) -> Any:
        """The store."""
        return fresh_store

    @pytest.fixture
    def run(self, calls: StoreCalls) -> Any:
        """Runs coroutines on the event loop of the contender."""
        return calls.run
