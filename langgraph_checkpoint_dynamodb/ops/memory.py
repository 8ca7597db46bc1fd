"""What a saver remembers of the threads it serves, within one limit in bytes.

A saver remembers what it has read and stored: which checkpoint of a thread is the newest, how
checkpoints are linked, their pending writes, and the bases that they are differences from. This
saves requests in four ways:

- The writes of the newest checkpoint are requested together with it, on a guess which one it is.
- A checkpoint is stored together with the parent's writes to its DeltaChannels, if all of them are
  known. Readers then need not request them.
- The history of a DeltaChannel is walked without requesting known ancestors. A checkpoint and its
  parent never change: LangGraph does not reuse ids.
- A checkpoint is stored as the difference from its parent's base, and read without reading that
  base again.

What can change is always requested. That a checkpoint exists is assumed for `FRESH_SECONDS`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from langgraph_checkpoint_dynamodb.ops.memory_entries import (
    ENTRY_BYTES,
    Entry,
    EntryCache,
    EntryKey,
    KnownWrites,
    entry_key,
    size_of,
)
from langgraph_checkpoint_dynamodb.payloads.differences import Progress
from langgraph_checkpoint_dynamodb.payloads.kinds import stored_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langgraph_checkpoint_dynamodb.format.keys import BaseRef, CheckpointRef
    from langgraph_checkpoint_dynamodb.items.values import Serialized
    from langgraph_checkpoint_dynamodb.items.writes import WriteRecord
    from langgraph_checkpoint_dynamodb.ops.memory_entries import KnownThread, Link
    from langgraph_checkpoint_dynamodb.payloads.differences import Base

MEMORY_BYTES = 64 * 1024 * 1024
"""The default limit."""
FRESH_SECONDS = 60
"""For this long after a checkpoint was read, its history is taken from memory: LangGraph requests a
checkpoint and then its history."""
_MAX_TRACKED = 10_000
"""Maximum number of checkpoints whose writes are marked as incomplete, and of threads whose waiting
tasks are tracked. Writes come before their checkpoint by seconds at most, so the oldest entries are
never needed."""


class Memory:
    """What a saver and its clones remember in one process. Thread-safe.

    Args:
        limit: Maximum size in bytes; 0 remembers nothing.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._entries = EntryCache(limit, self._on_evict)
        self._writes_under_way: defaultdict[EntryKey, int] = defaultdict(int)
        self._writes_epoch = 0
        self._incomplete: OrderedDict[EntryKey, None] = OrderedDict()
        self._waits: OrderedDict[str, dict[tuple[str, str], int]] = OrderedDict()

    def __repr__(self) -> str:
        entries = self._entries
        return f"<Memory: {len(entries)} entries, {entries.size} of {self._limit} bytes>"

    # The newest checkpoint

    def newest(self, thread_id: str, checkpoint_ns: str) -> str | None:
        """The id of the checkpoint that was the newest when last read or stored."""
        found = self._get(EntryKey("newest", thread_id, checkpoint_ns))
        return None if found is None else str(found.value)

    def remember_newest(self, ref: CheckpointRef, now: int, *, inline: bool) -> None:
        """Remember that a checkpoint is the newest of its namespace.

        Args:
            ref: The checkpoint.
            now: The time, in seconds since the epoch.
            inline: Whether its values are in its item. If not, requesting its large attachments on
                a wrong guess costs more than it saves, so the checkpoint is not remembered.
        """
        key = EntryKey("newest", ref.thread_id, ref.checkpoint_ns)
        if inline:
            self._put(key, ref.checkpoint_id, 0, now)
        else:
            self._drop(key)

    def remember_stored(self, ref: CheckpointRef, now: int, *, inline: bool) -> None:
        """Remember that a checkpoint was stored, possibly in place of another one."""
        newest = self.newest(ref.thread_id, ref.checkpoint_ns)
        if newest is None or newest <= ref.checkpoint_id:
            self.remember_newest(ref, now, inline=inline)
        self._drop(entry_key("seed", ref), entry_key("link", ref))

    # Links between checkpoints

    def link(self, ref: CheckpointRef, now: int | None = None) -> Link | None:
        """The link of a checkpoint; given the time, only if it was read or stored recently."""
        found = self._get(entry_key("link", ref))
        if found is None or (now is not None and not _is_fresh(found, now)):
            return None
        link: Link = found.value
        return link

    def remember_link(self, ref: CheckpointRef, link: Link, now: int) -> None:
        """Remember the link of a checkpoint that was read or stored."""
        self._put(entry_key("link", ref), link, link.size, now)

    def seed_checkpoint(self, ref: CheckpointRef) -> Serialized | None:
        """A serialized checkpoint that stores seeds of DeltaChannels."""
        found = self._get(entry_key("seed", ref))
        if found is None:
            return None
        value: Serialized = found.value
        return value

    def remember_seed_checkpoint(self, ref: CheckpointRef, value: Serialized, now: int) -> None:
        """Remember a checkpoint that stores seeds of DeltaChannels."""
        self._put(entry_key("seed", ref), value, len(value.data), now)

    # Bases of differences

    def can_keep_base(self, size: int) -> bool:
        """Whether a base of so many bytes would be remembered."""
        # Both its bytes and their stored form are kept.
        return 2 * size + ENTRY_BYTES <= self._entries.max_entry_size("base")

    def base(self, ref: BaseRef) -> Base | None:
        """A base that was read or stored. It never changes, but it may have been deleted."""
        found = self._get(entry_key("base", ref))
        if found is None:
            return None
        base: Base = found.value
        return base

    def progress(self, ref: CheckpointRef) -> Progress | None:
        """The progress of the differences at a checkpoint; `None` if it is stored whole."""
        found = self._get(entry_key("progress", ref))
        base = None if found is None else self.base(found.value[0])
        return None if found is None or base is None else Progress(base, found.value[1])

    def remember_progress(self, ref: CheckpointRef, progress: Progress | None, now: int) -> None:
        """Remember the progress at a checkpoint; `None` for one that is stored whole."""
        key = entry_key("progress", ref)
        if progress is None:
            self._drop(key)
            return
        base = progress.base
        if self.base(base.ref) is None:
            size = len(base.data) + stored_bytes(base.payload)
            self._put(entry_key("base", base.ref), base, size, now)
        self._put(key, (base.ref, progress.spent), 0, now)

    # Threads

    def thread(self, thread_id: str) -> KnownThread | None:
        """The last known state of a thread."""
        found = self._get(EntryKey("thread", thread_id, ""))
        if found is None:
            return None
        thread: KnownThread = found.value
        return thread

    def remember_thread(self, thread_id: str, thread: KnownThread, now: int) -> None:
        """Remember the state of a thread that was read or run."""
        self._put(EntryKey("thread", thread_id, ""), thread, 0, now)

    def set_waits(self, ref: CheckpointRef, task_id: str, count: int | None) -> None:
        """Set what a task of a root checkpoint waits for; `None` for nothing.

        Not subject to the limit: LangGraph stores a checkpoint, its ancestors and the writes of its
        tasks concurrently, so the writes may be stored before the checkpoints.
        """
        with self._lock:
            of_thread = self._waits.setdefault(ref.thread_id, {})
            self._waits.move_to_end(ref.thread_id)
            if count is None:
                of_thread.pop((ref.checkpoint_id, task_id), None)
            else:
                of_thread[ref.checkpoint_id, task_id] = count
            if not of_thread:
                del self._waits[ref.thread_id]
            if len(self._waits) > _MAX_TRACKED:
                self._waits.popitem(last=False)

    def discard_waits_before(self, ref: CheckpointRef) -> dict[tuple[str, str], int]:
        """Forget what tasks of checkpoints earlier than a root checkpoint wait for.

        Returns:
            What tasks of that checkpoint and of later ones wait for, by checkpoint id and task id.
        """
        with self._lock:
            found = self._waits.pop(ref.thread_id, {})
            found = {at: count for at, count in found.items() if at[0] >= ref.checkpoint_id}
            if found:
                self._waits[ref.thread_id] = found
            return dict(found)

    def allowed_fork(self, thread_id: str, checkpoint_id: str | None) -> str | None:
        """The thread's head at the time when an older checkpoint was read by its id."""
        found = self._get(EntryKey("fork", thread_id, "", checkpoint_id or ""))
        return None if found is None else str(found.value)

    def allow_fork(self, thread_id: str, checkpoint_id: str, head: str, now: int) -> None:
        """Remember that a checkpoint was read by its id, and the thread's head at that time."""
        self._put(EntryKey("fork", thread_id, "", checkpoint_id), head, 0, now)

    def end_fork(self, thread_id: str, checkpoint_id: str | None) -> None:
        """Forget that a checkpoint was read by its id: a run has stored its child."""
        self._drop(EntryKey("fork", thread_id, "", checkpoint_id or ""))

    # Pending writes

    @property
    def writes_epoch(self) -> int:
        """A counter that grows whenever the writes of some checkpoint become uncertain."""
        return self._writes_epoch

    def knows_writes(self, ref: CheckpointRef) -> bool:
        """Whether some writes of a checkpoint are or were known."""
        key = entry_key("writes", ref)
        return self._get(key) is not None or key in self._incomplete

    def writes(self, ref: CheckpointRef) -> tuple[WriteRecord, ...] | None:
        """All regular writes of a checkpoint in no order; `None` if some may be unknown.

        They are what a run in this process knows when it stores the next checkpoint. Another
        process may have written since, so they must not be returned to callers.
        """
        key = entry_key("writes", ref)
        found = self._get(key)
        if found is None or self._writes_under_way.get(key) or not found.value.complete:
            return None
        return tuple(found.value.known.values())

    def remember_writes(
        self, ref: CheckpointRef, writes: Iterable[WriteRecord], epoch: int, now: int
    ) -> None:
        """Remember all writes of a checkpoint.

        Args:
            ref: The checkpoint.
            writes: Its writes, with their values loaded.
            epoch: `writes_epoch` before they were requested.
            now: The time, in seconds since the epoch.
        """
        with self._lock:
            self._add_writes(ref, writes, now, complete=epoch == self._writes_epoch)

    def remember_created(self, ref: CheckpointRef, now: int) -> None:
        """Remember that a new checkpoint was stored: no other process has written to it yet."""
        with self._lock:
            complete = entry_key("writes", ref) not in self._incomplete
            self._add_writes(ref, (), now, complete=complete)

    def forget_writes(self, ref: CheckpointRef) -> None:
        """Forget the writes of a checkpoint: they have been applied to its child."""
        key = entry_key("writes", ref)
        with self._lock:
            self._entries.drop(key)
            self._incomplete.pop(key, None)

    def begin_writes(self, ref: CheckpointRef) -> None:
        """Note that writes of a checkpoint are about to be stored."""
        if self._limit:
            with self._lock:
                self._writes_under_way[entry_key("writes", ref)] += 1

    def end_writes(
        self, ref: CheckpointRef, stored: Iterable[WriteRecord] | None, now: int
    ) -> None:
        """Remember writes that were stored; `None` if it is unknown which of them were."""
        if not self._limit:
            return
        key = entry_key("writes", ref)
        with self._lock:
            self._writes_under_way[key] -= 1
            if not self._writes_under_way[key]:
                del self._writes_under_way[key]
            if stored is not None:
                known = self._entries.get(key)
                complete = known is not None and known.value.complete
                self._add_writes(ref, stored, now, complete=complete)
                return
            self._writes_epoch += 1
            self._entries.drop(key)
            self._mark_incomplete(key)

    # Forgetting

    def forget_thread(self, thread_id: str) -> None:
        """Forget a thread: its checkpoints are being deleted or replaced."""
        with self._lock:
            self._writes_epoch += 1
            self._waits.pop(thread_id, None)
            self._entries.evict_thread(thread_id)

    def clear(self) -> None:
        """Forget all entries."""
        with self._lock:
            self._entries.clear()

    def _add_writes(
        self, ref: CheckpointRef, writes: Iterable[WriteRecord], now: int, *, complete: bool
    ) -> None:
        key = entry_key("writes", ref)
        found = self._entries.get(key)
        before: KnownWrites = KnownWrites() if found is None else found.value
        known = dict(before.known)
        added = 0
        for write in writes:
            at = (write.task_id, write.idx)
            if write.idx >= 0 and at not in known:
                known[at] = replace(write, source=None)
                added += size_of([write])
        merged = KnownWrites(known, complete, before.size + added)
        if complete:
            self._incomplete.pop(key, None)
        self._entries.put(key, merged, merged.size, now)

    def _on_evict(self, key: EntryKey, value: object) -> None:
        # Writes may be stored before their checkpoint. Without this mark, the writes stored after
        # an eviction would be taken for all writes of the checkpoint.
        if isinstance(value, KnownWrites) and not value.complete:
            self._mark_incomplete(key)

    def _mark_incomplete(self, key: EntryKey) -> None:
        if self._limit:
            self._incomplete[key] = None
            if len(self._incomplete) > _MAX_TRACKED:
                self._incomplete.popitem(last=False)

    def _get(self, key: EntryKey) -> Entry | None:
        with self._lock:
            return self._entries.get(key)

    def _put(self, key: EntryKey, value: object, size: int, now: int) -> None:
        with self._lock:
            self._entries.put(key, value, size, now)

    def _drop(self, *keys: EntryKey) -> None:
        with self._lock:
            for key in keys:
                self._entries.drop(key)


def _is_fresh(entry: Entry, now: int) -> bool:
    return entry.read_at <= now <= entry.read_at + FRESH_SECONDS
