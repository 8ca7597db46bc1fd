"""The entries of a saver's memory, in a least-recently-used cache with a limit in bytes."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from langgraph_checkpoint_dynamodb.format.keys import BaseRef, CheckpointRef
    from langgraph_checkpoint_dynamodb.items.writes import WriteRecord

ENTRY_BYTES = 400
"""Approximate overhead of an entry in bytes, without its value."""
_SHARE = 8
"""An entry may take at most this fraction of the limit (1/8)."""
_BASE_SHARE = 2
"""A base may take at most this fraction (1/2): without it the next checkpoint needs a new base."""


class EntryKey(NamedTuple):
    """What an entry is about. `kind` says what its value is."""

    kind: str
    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str = ""


class Entry(NamedTuple):
    """A value, its size in bytes with overhead, and when it was read or stored."""

    value: Any
    size: int
    read_at: int


def entry_key(kind: str, ref: CheckpointRef | BaseRef) -> EntryKey:
    """The key of an entry about a checkpoint or a base."""
    return EntryKey(kind, ref.thread_id, ref.checkpoint_ns, ref.checkpoint_id)


@dataclass(frozen=True, slots=True)
class Link:
    """How a checkpoint is linked to its parent.

    Attributes:
        parent_id: Id of its parent.
        versions: The versions of its channels.
        held: The channels whose values it stores.
        carried: By DeltaChannel, the parent's writes to it, if the checkpoint carries them.
    """

    parent_id: str | None
    versions: Mapping[str, Any]
    held: frozenset[str]
    carried: Mapping[str, tuple[WriteRecord, ...]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Approximate size in bytes."""
        writes = [write for found in self.carried.values() for write in found]
        return 100 * len(self.versions) + size_of(writes)


@dataclass(frozen=True, slots=True)
class KnownWrites:
    """Regular writes of a checkpoint.

    Attributes:
        known: The writes that were read, or acknowledged to this saver, by task and index.
        complete: Whether there are no others.
        size: Approximate size in bytes.
    """

    known: Mapping[tuple[str, int], WriteRecord] = field(default_factory=dict)
    complete: bool = False
    size: int = 0


@dataclass(frozen=True, slots=True)
class KnownThread:
    """The state of a thread when it was last read or run.

    Attributes:
        head: Its newest root checkpoint.
        step: The step of that checkpoint, from its metadata.
        listed: Whether the thread item names that checkpoint, or says that its run is running.
        waits: The tasks that wait or have failed at that checkpoint.
    """

    head: str
    step: object
    listed: bool = False
    waits: frozenset[str] = frozenset()


def size_of(writes: Iterable[WriteRecord]) -> int:
    """Approximate size of writes in bytes."""
    return sum(ENTRY_BYTES + len(write.value.data) for write in writes)


class EntryCache:
    """Entries, evicted least recently used first. Not thread-safe: the owner holds a lock.

    Args:
        limit: Maximum size of all entries in bytes; 0 stores nothing.
        on_evict: Called with key and value before an entry is evicted.
    """

    def __init__(self, limit: int, on_evict: Callable[[EntryKey, Any], None]) -> None:
        self.limit = limit
        self.size = 0
        self._on_evict = on_evict
        self._entries: OrderedDict[EntryKey, Entry] = OrderedDict()
        self._by_thread: defaultdict[str, set[EntryKey]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._entries)

    def max_entry_size(self, kind: str) -> int:
        """The size in bytes above which an entry of this kind is not kept."""
        return self.limit // (_BASE_SHARE if kind == "base" else _SHARE)

    def get(self, key: EntryKey) -> Entry | None:
        """An entry, which becomes the most recently used."""
        found = self._entries.get(key)
        if found is not None:
            self._entries.move_to_end(key)
        return found

    def put(self, key: EntryKey, value: object, size: int, now: int) -> None:
        """Add or replace an entry, and evict entries until all fit the limit."""
        self.drop(key)
        size += ENTRY_BYTES
        self._entries[key] = Entry(value, size, now)
        self._by_thread[key.thread_id].add(key)
        self.size += size
        if size > self.max_entry_size(key.kind):
            self._evict(key)
        while self.size > self.limit:
            self._evict(next(iter(self._entries)))

    def drop(self, key: EntryKey) -> None:
        """Remove an entry because its value is no longer valid. Does not call `on_evict`."""
        found = self._entries.pop(key, None)
        if found is None:
            return
        self.size -= found.size
        keys = self._by_thread[key.thread_id]
        keys.discard(key)
        if not keys:
            del self._by_thread[key.thread_id]

    def evict_thread(self, thread_id: str) -> None:
        """Evict every entry of a thread."""
        for key in list(self._by_thread.get(thread_id, ())):
            self._evict(key)

    def clear(self) -> None:
        """Evict every entry."""
        for key in list(self._entries):
            self._evict(key)

    def _evict(self, key: EntryKey) -> None:
        found = self._entries.get(key)
        if found is not None:
            self._on_evict(key, found.value)
        self.drop(key)
