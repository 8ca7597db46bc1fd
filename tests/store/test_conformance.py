"""The published suite for stores, run against LangGraph's `InMemoryStore` and the stores here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.memory import InMemoryStore

from langgraph_checkpoint_dynamodb.testing.store_conformance import StoreConformance, vector_index

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.store.faces import Store, StoreTable
    from tests.support.calls import LoopThread


pytestmark = pytest.mark.sample(4)


class TestInMemoryStore(StoreConformance):
    python_values = True
    vectors = True

    @pytest.fixture
    def store(self) -> InMemoryStore:
        return InMemoryStore()

    @pytest.fixture
    def vector_store(self) -> InMemoryStore:
        return InMemoryStore(index=vector_index())


class TestDynamoDBStore(StoreConformance):
    """`AsyncDynamoDBStore` where the tests are about that."""

    python_values = True
    ttl = True
    vectors = True

    @pytest.fixture
    def store(self, table: StoreTable) -> Iterator[Store]:
        self.ahead = 0.0
        with table.quick(clock=lambda: time.time() + self.ahead) as made:
            yield made

    @pytest.fixture
    def vector_store(self, table: StoreTable) -> Iterator[Store]:
        with table.quick(index=vector_index()) as made:
            yield made

    @pytest.fixture
    def run(self, loop_thread: LoopThread) -> Any:
        return loop_thread.run

    def elapse(self, seconds: float) -> None:
        self.ahead += seconds
