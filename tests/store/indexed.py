"""A model of DynamoDB's vector index, for the explorer of `tests.simulation`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.format.tables import Attribute, Key
from langgraph_checkpoint_dynamodb.requests.items import SearchVectors
from langgraph_checkpoint_dynamodb.store.similarity import similarities
from langgraph_checkpoint_dynamodb.store.vectors import read_vector
from tests.simulation.world import Universe

if TYPE_CHECKING:
    from tests.simulation.world import Reply, World

_LABELS = (Attribute.VECTOR_ROOT, *Attribute.VECTOR_LABELS)


class IndexedUniverse(Universe):
    """A universe whose store has a vector index.

    Attributes:
        indexed: The world that the index holds, if it lags behind; `None` if it is up to date.
        searches: How often the index was searched.
    """

    indexed: World | None = None
    searches: int = 0

    def after(self, world: World, request: Any, page: int) -> tuple[World, Reply]:
        """The world after a request, and its reply."""
        if isinstance(request, SearchVectors):
            self.searches += 1
            found = _search(self.indexed or world, request)
            return world, self._reply(("vectors", *found), found)
        return super().after(world, request, page)


def _search(world: World, request: SearchVectors) -> tuple[tuple[Key, float], ...]:
    labels = dict(zip(_LABELS, request.labels, strict=False))
    found = {
        Key(place.partition, place.sort): read_vector(entry.item, len(request.vector), "store")
        for place, entry in world.items.items()
        if Attribute.VECTOR in entry.item
        and all(entry.item.get(name) == {"S": label} for name, label in labels.items())
    }
    scores = similarities(request.vector, list(found.values()))
    ranked = sorted(zip(found, scores, strict=True), key=lambda one: (-one[1], one[0]))
    return tuple(ranked[: request.limit])
