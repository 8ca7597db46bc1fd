"""A concierge made by `create_deep_agent`: it remembers guests and caches look-ups.

Files below `/memories/` are stored in the store, shared by all threads of a guest; other files are
stored in the state of the thread. Results of look-ups are cached for all processes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deepagents import create_deep_agent
from deepagents.backends import CompositeBackend, StateBackend, StoreBackend
from langchain_core.tools import tool
from langgraph.func import task
from langgraph.types import CachePolicy

from examples.deepagents_memory.model import ScriptedModel
from examples.engine import ENDPOINT, REGION
from examples.events import Event
from langgraph_checkpoint_dynamodb.cache import DynamoDBCache
from langgraph_checkpoint_dynamodb.store import DynamoDBStore

if TYPE_CHECKING:
    from langgraph.cache.base import BaseCache
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.runtime import Runtime
    from langgraph.store.base import BaseStore

STORE_TABLE = "demo-store"
"""Table of the store and the cache."""
_DAY = 24 * 60 * 60
_PLACES = {"Lisbon": "Mar Azul (fish), Casa Noz (walnut pesto), Horta (vegetables)"}


@dataclass(frozen=True)
class Guest:
    """The guest that a run is for.

    Attributes:
        name: Root label of the guest's memories in the store.
    """

    name: str


@task(cache_policy=CachePolicy(key_func=lambda city: city, ttl=_DAY))
def ask_the_guide(city: str) -> str:
    """Call a service that is slow and charges for every request."""
    print(Event("asks", f"the guide to {city}").to_line(), flush=True)
    return _PLACES[city]


@tool
def find_restaurants(city: str) -> str:
    """Find restaurants in a city."""
    return ask_the_guide(city).result()


def build_agent(saver: BaseCheckpointSaver[str], store: BaseStore, cache: BaseCache[Any]) -> Any:
    """Build the agent.

    Args:
        saver: The checkpointer.
        store: The store for memories across threads.
        cache: The cache for look-ups.
    """
    return create_deep_agent(
        model=ScriptedModel(),
        tools=[find_restaurants],
        backend=CompositeBackend(
            default=StateBackend(), routes={"/memories/": StoreBackend(namespace=_memories)}
        ),
        context_schema=Guest,
        checkpointer=saver,
        store=store,
        cache=cache,
    )


def open_store() -> DynamoDBStore:
    """A store on the example's table."""
    return DynamoDBStore(
        store_table_name=STORE_TABLE, endpoint_url=os.environ[ENDPOINT], region_name=REGION
    )


def open_cache() -> DynamoDBCache[Any]:
    """A cache in the same table."""
    return DynamoDBCache(
        cache_table_name=STORE_TABLE, endpoint_url=os.environ[ENDPOINT], region_name=REGION
    )


def _memories(runtime: Runtime[Guest]) -> tuple[str, ...]:
    return (runtime.context.name, "memories")
