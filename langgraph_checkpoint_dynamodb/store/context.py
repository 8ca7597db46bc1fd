"""What each operation of a store or cache needs besides its arguments."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.expiry import GRACE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langgraph.checkpoint.serde.base import SerializerProtocol
    from typing_extensions import Self

    from langgraph_checkpoint_dynamodb.format.expiry import Stamp
    from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy
    from langgraph_checkpoint_dynamodb.store.embedding import Indexing
    from langgraph_checkpoint_dynamodb.store.keys import Namespace
    from langgraph_checkpoint_dynamodb.store.vectors import VectorFormat

REMEMBERED_SECONDS = GRACE_SECONDS
"""How long a process may skip registering a namespace that it has registered itself."""
EMPTY_SECONDS = 3 * GRACE_SECONDS
"""Age of a registration from which an empty namespace may be removed from the registry. By then no
process relies on it, even if its clock is an hour behind and its call takes an hour."""
_MOST_REMEMBERED = 50_000
"""Namespaces that are remembered, about 20 MB."""


class StoreMemory:
    """What a process remembers of a table: registered namespaces and the vector format."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._registered: OrderedDict[Namespace, int] = OrderedDict()
        self._vector_format: tuple[VectorFormat, int] | None = None

    def unregistered(self, namespaces: Iterable[Namespace], now: int) -> list[Namespace]:
        """The namespaces that must be registered (again) before an item is stored in them."""
        with self._lock:
            return [one for one in dict.fromkeys(namespaces) if not self._is_registered(one, now)]

    def remember_namespace(self, namespace: Namespace, now: int) -> None:
        """Remember that a call that began at `now` has registered a namespace."""
        with self._lock:
            self._registered[namespace] = now
            self._registered.move_to_end(namespace)
            while len(self._registered) > _MOST_REMEMBERED:
                self._registered.popitem(last=False)

    def vector_format(self, now: int) -> VectorFormat | None:
        """The table's vector format; `None` if it was not read recently."""
        with self._lock:
            known = self._vector_format
        return known[0] if known is not None and _is_recent(known[1], now) else None

    def remember_vector_format(self, found: VectorFormat, now: int) -> None:
        """Remember the vector format that a call that began at `now` has read."""
        with self._lock:
            self._vector_format = found, now

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._registered.clear()
            self._vector_format = None

    def _is_registered(self, namespace: Namespace, now: int) -> bool:
        registered = self._registered.get(namespace)
        return registered is not None and _is_recent(registered, now)


def _is_recent(then: int, now: int) -> bool:
    # A time in the future means that the clock was set back: the age is unknown.
    return now - REMEMBERED_SECONDS < then <= now


@dataclass(frozen=True, slots=True)
class Context:
    """Settings, time and memory of one call.

    Attributes:
        serde: Serializer of values.
        payloads: Where values are stored, and how they are compressed.
        stamp: Time and token of the call.
        moment: The time of the call, in seconds since the epoch, with its fraction.
        memory: What this process remembers of the table.
        table_name: Name of the table, for messages.
        consistent: Whether reads are strongly consistent.
        omits_expired: Whether reads omit expired items.
        filter_paths: Fields that are copied into the item if its value is stored outside.
        spread: Number of partitions of a root label.
        indexing: How values are embedded; `None` if they are not.
        vector_index: Name of the vector index; `None` for exact searches only.
        exact_search_warning: Number of vectors above which an exact search logs a warning.
    """

    serde: SerializerProtocol
    payloads: PayloadPolicy
    stamp: Stamp
    moment: float
    memory: StoreMemory
    table_name: str
    consistent: bool = True
    omits_expired: bool = True
    filter_paths: tuple[str, ...] = ()
    spread: int = 1
    indexing: Indexing | None = None
    vector_index: str | None = None
    exact_search_warning: int = 10_000

    @property
    def now(self) -> int:
        """The time of the call, in whole seconds since the epoch."""
        return self.stamp.created

    def consistently(self) -> Self:
        """The same with strongly consistent reads."""
        return replace(self, consistent=True)
