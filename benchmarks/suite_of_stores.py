"""The conformance suite for stores, on the store that `benchmarks.conforming` hands in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.testing.store_conformance import StoreConformance

if TYPE_CHECKING:
    from benchmarks.stores import StoreFace


class TestContender(StoreConformance):
    """`benchmarks.conforming` sets what it declares."""

    @pytest.fixture
    def store(self, fresh_store: Any) -> Any:
        """The store."""
        return fresh_store

    @pytest.fixture
    def run(self, face: StoreFace) -> Any:
        """On the loop of the cell."""
        return face.run
