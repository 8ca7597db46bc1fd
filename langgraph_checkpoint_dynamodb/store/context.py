"""What an operation of the store is given besides its arguments."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.format.life import MARGIN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langgraph.checkpoint.serde.base import SerializerProtocol
    from typing_extensions import Self

    from langgraph_checkpoint_dynamodb.format.life import Stamp
    from langgraph_checkpoint_dynamodb.payloads.policy import PayloadPolicy
    from langgraph_checkpoint_dynamodb.store.embedding import Indexing
    from langgraph_checkpoint_dynamodb.store.keys import Namespace
    from langgraph_checkpoint_dynamodb.store.vectors import StoredVectors

REMEMBERED_SECONDS = MARGIN
"""How long a process relies on a namespace that it has entered in the registry."""
EMPTY_SECONDS = 3 * MARGIN
"""How long a namespace must not have been entered anew before it may be taken out as empty. By then
no process relies on it, though its clock be an hour behind and its call take an hour."""
_MOST_REMEMBERED = 50_000
"""Namespaces that are remembered: some 20 MB of them."""


class Registered:
    """What this process knows of the registry, and since when: namespaces it has entered there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entered: OrderedDict[Namespace, int] = OrderedDict()
        self._vectors: tuple[StoredVectors, int] | None = None

    def unknown(self, namespaces: Iterable[Namespace], now: int) -> list[Namespace]:
        """Those that must be entered, or entered anew, before anything is stored in them."""
        with self._lock:
            return [one for one in dict.fromkeys(namespaces) if not self._is_known(one, now)]

    def entered(self, namespace: Namespace, now: int) -> None:
        """It was entered by a call that began at that time."""
        with self._lock:
            self._entered[namespace] = now
            self._entered.move_to_end(namespace)
            while len(self._entered) > _MOST_REMEMBERED:
                self._entered.popitem(last=False)

    def vectors(self, now: int) -> StoredVectors | None:
        """How vectors are stored, if that was read lately."""
        with self._lock:
            known = self._vectors
        return known[0] if known is not None and _is_recent(known[1], now) else None

    def vectors_are(self, stored: StoredVectors, now: int) -> None:
        """They are stored so, as a call has read that began at that time."""
        with self._lock:
            self._vectors = stored, now

    def _is_known(self, namespace: Namespace, now: int) -> bool:
        entered = self._entered.get(namespace)
        return entered is not None and _is_recent(entered, now)

    def clear(self) -> None:
        """Forget it all."""
        with self._lock:
            self._entered.clear()
            self._vectors = None


def _is_recent(then: int, now: int) -> bool:
    # A clock that was put back tells nothing of how long ago it was.
    return now - REMEMBERED_SECONDS < then <= now


@dataclass(frozen=True, slots=True)
class Context:
    """How to read and write, for the time of one call.

    Attributes:
        serde: The store's serde.
        payloads: How values are stored.
        stamp: When and by which call items are stored.
        moment: The time of the call, in seconds since the epoch, with its fraction.
        registered: The namespaces that this process has entered in the registry.
        table_name: Name of the table, for messages.
        consistent: Whether reads are strongly consistent.
        omits_expired: Whether expired items are absent.
        filter_paths: Fields that are copied out of values that lie outside their items.
        spread: Over how many partitions a root label is spread.
        indexing: How values are embedded; `None` for not at all.
        vector_index: Name of the vector index, `None` where none is used.
        exact_search_warning: How many vectors a search compares without a word.
    """

    serde: SerializerProtocol
    payloads: PayloadPolicy
    stamp: Stamp
    moment: float
    registered: Registered
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
