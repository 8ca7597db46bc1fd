"""What a LangGraph store must do, as tests that any store can be run against.

They check what LangGraph's own tests of its stores check, what `InMemoryStore` does call by call,
and what was found wrong in stores that are published: numbers that come back as others, namespaces
that run into one another, filters applied after limits, results that end with the first page.

A subclass whose name pytest collects says what to test, and what the store declares it can:

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

Every test has a fresh store, without items, and runs on the plain methods and on the `a*` methods.
The order of results is the store's own business, as long as pages fit together.
"""

from __future__ import annotations

import langgraph_checkpoint_dynamodb.testing.store_conformance.asserting  # noqa: F401 - it has to be the first
from langgraph_checkpoint_dynamodb.testing.store_conformance.batches import BatchTests
from langgraph_checkpoint_dynamodb.testing.store_conformance.calls import StoreCalls
from langgraph_checkpoint_dynamodb.testing.store_conformance.embedding import vector_index
from langgraph_checkpoint_dynamodb.testing.store_conformance.items import ItemTests
from langgraph_checkpoint_dynamodb.testing.store_conformance.lives import LifeTests
from langgraph_checkpoint_dynamodb.testing.store_conformance.namespaces import NamespaceTests
from langgraph_checkpoint_dynamodb.testing.store_conformance.searches import SearchTests
from langgraph_checkpoint_dynamodb.testing.store_conformance.vectors import VectorTests

__all__ = ["StoreCalls", "StoreConformance", "vector_index"]


class StoreConformance(ItemTests, BatchTests, SearchTests, NamespaceTests, LifeTests, VectorTests):
    """All the tests. Override the fixture `store`, and declare what the store can.

    Attributes:
        families: Which methods there are: `"sync"`, `"async"` or both.
        large_values: Whether values of more than 400 KB can be stored.
        python_values: Whether values may hold what JSON has no word for, such as times and bytes.
        ttl: Whether items expire, `put` with `ttl` and reads with `refresh_ttl`. `elapse` then
            lets time pass: override it where the store's clock can be set.
        vectors: Whether it searches by meaning. Override the fixture `vector_store` then, with a
            store whose index is `vector_index()`.
    """
