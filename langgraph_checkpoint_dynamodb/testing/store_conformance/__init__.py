"""A conformance test suite for LangGraph stores.

The tests check what LangGraph's own tests of its stores check, the behaviour of `InMemoryStore`,
and bugs found in published stores: numbers that change their type, namespaces that are confused
with each other, filters applied after limits, results that end with the first page.

Subclass it with a name that pytest collects, provide the store, and declare its capabilities:

```python
import pytest
from langgraph.store.memory import InMemoryStore
from langgraph_checkpoint_dynamodb.testing.store_conformance import StoreConformance, vector_index


class TestInMemoryStore(StoreConformance):
    python_values = True
    vectors = True

    @pytest.fixture
    def store(self):
        return InMemoryStore()

    @pytest.fixture
    def vector_store(self):
        return InMemoryStore(index=vector_index())
```

Every test has a new, empty store, and runs on the sync methods and on the `a*` methods. The order
of results is up to the store, as long as pages neither overlap nor leave a gap.
"""

from __future__ import annotations

import langgraph_checkpoint_dynamodb.testing.store_conformance.assert_rewriting  # noqa: F401 - must come first
from langgraph_checkpoint_dynamodb.testing.store_conformance.batches import BatchTests
from langgraph_checkpoint_dynamodb.testing.store_conformance.calls import StoreCalls
from langgraph_checkpoint_dynamodb.testing.store_conformance.embedding import vector_index
from langgraph_checkpoint_dynamodb.testing.store_conformance.expiry import ExpiryTests
from langgraph_checkpoint_dynamodb.testing.store_conformance.items import ItemTests
from langgraph_checkpoint_dynamodb.testing.store_conformance.namespaces import NamespaceTests
from langgraph_checkpoint_dynamodb.testing.store_conformance.searches import SearchTests
from langgraph_checkpoint_dynamodb.testing.store_conformance.vectors import VectorTests

__all__ = ["StoreCalls", "StoreConformance", "vector_index"]


class StoreConformance(
    ItemTests, BatchTests, SearchTests, NamespaceTests, ExpiryTests, VectorTests
):
    """All tests. Override the fixture `store`, and declare the store's capabilities.

    Attributes:
        families: The methods the store has: `"sync"`, `"async"` or both.
        large_values: Whether it stores values of more than 400 KB.
        python_values: Whether values may contain types that JSON lacks, such as times and bytes.
        ttl: Whether items expire: `put` with `ttl` and reads with `refresh_ttl`. `elapse` then
            waits: override it if the store's clock can be set.
        vectors: Whether it has semantic search. If so, override the fixture `vector_store` with a
            store whose index is `vector_index()`.
    """
