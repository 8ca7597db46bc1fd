"""What a saver remembers of the threads it serves, in one bound.

It knows what it has read and stored: which checkpoint of a thread was the newest, how checkpoints
are linked, which pending writes lie beside them, and the bases that they are differences from. That
saves requests in four ways.

- The newest checkpoint's writes are asked for together with it, by a guess which one it is.
- A checkpoint is stored together with what its parent's writes give to its DeltaChannels, where all
  of these writes are known. Readers need not ask for them then.
- The history of a DeltaChannel is walked without asking for ancestors that are known. A checkpoint
  and what it was made from never change: LangGraph uses no id twice.
- A checkpoint is stored as the difference from the base of its parent, and read without reading
  that base again.

What may change is asked for. That a checkpoint is there is believed for `FRESH_SECONDS`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph_checkpoint_dynamodb.payloads.differences import Progress
from langgraph_checkpoint_dynamodb.payloads.kinds import stored_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from langgraph_checkpoint_dynamodb.format.keys import BaseRef, CheckpointRef
    from langgraph_checkpoint_dynamodb.items.values import Serialized
    from langgraph_checkpoint_dynamodb.items.writes import WriteRecord
    from langgraph_checkpoint_dynamodb.payloads.differences import Base

MEMORY_BYTES = 64 * 1024 * 1024
"""How much is remembered where nothing else is said."""
FRESH_SECONDS = 60
"""A history that is asked for within this time of the checkpoint is that of then: LangGraph asks
for a checkpoint and its history one after the other."""
_ENTRY_BYTES = 400
"""About what an entry takes beside its bytes."""
_SHARE = 8
"""No entry takes more than this part of the bound."""
_BASE_SHARE = 2
"""And no base more than this one: without it the next checkpoint would need another base."""
_MOST_UNSURE = 10_000
"""Checkpoints of which it is remembered that not all writes are known, and threads of which it is
what their tasks wait for. Writes come before their checkpoint by seconds at most, so what matters
is never among the oldest."""


@dataclass(frozen=True, slots=True)
class Link:
    """How a checkpoint hangs together with its parent.

    Attributes:
        parent_id: Id of its parent.
        versions: The versions of its channels.
        held: The channels whose values it holds.
        carried: By DeltaChannel, what the parent's writes give to it, where it carries that.
    """

    parent_id: str | None
    versions: Mapping[str, Any]
    held: frozenset[str]
    carried: Mapping[str, tuple[WriteRecord, ...]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        writes = [write for found in self.carried.values() for write in found]
        return 100 * len(self.versions) + _size_of(writes)


@dataclass(frozen=True, slots=True)
class _Writes:
    """Regular writes of a checkpoint, by task and place.

    Attributes:
        known: Those that were read, or acknowledged to this saver.
        complete: Whether they are all.
        size: About how many bytes they take.
    """

    known: Mapping[tuple[str, int], WriteRecord] = field(default_factory=dict)
    complete: bool = False
    size: int = 0


@dataclass(frozen=True, slots=True)
class ThreadSeen:
    """How far a thread had come when it was last read or run.

    Attributes:
        head: Its newest root checkpoint.
        step: The step of that checkpoint, as its metadata says it.
        listed: Whether its item says so, or that a run is under way that has come to it.
        waits: The tasks that wait or have failed there.
    """

    head: str
    step: object
    listed: bool = False
    waits: frozenset[str] = frozenset()


class _Place(NamedTuple):
    kind: str
    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str = ""


class _Entry(NamedTuple):
    value: Any
    weight: int
    read_at: int


class Memory:
    """What a saver and its clones remember in one process. Safe for any number of threads.

    Args:
        limit: Most bytes; 0 for remembering nothing.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._entries: OrderedDict[_Place, _Entry] = OrderedDict()
        self._of_thread: defaultdict[str, set[_Place]] = defaultdict(set)
        self._bytes = 0
        self._under_way: defaultdict[_Place, int] = defaultdict(int)
        self._doubts = 0
        self._unsure: OrderedDict[_Place, None] = OrderedDict()
        self._waits: OrderedDict[str, dict[tuple[str, str], int]] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Memory: {len(self._entries)} entries, {self._bytes} of {self._limit} bytes>"

    # Which checkpoint is the newest

    def newest(self, thread_id: str, checkpoint_ns: str) -> str | None:
        """The id of the checkpoint that was the newest when last seen."""
        found = self._get(_Place("newest", thread_id, checkpoint_ns))
        return None if found is None else str(found.value)

    def saw_newest(self, ref: CheckpointRef, now: int, *, inline: bool) -> None:
        """A checkpoint was read as the newest one.

        Args:
            ref: The checkpoint.
            now: The time.
            inline: Whether its values are in its item. Else so much lies beside it that asking for
                that by a wrong guess costs more than it saves.
        """
        place = _Place("newest", ref.thread_id, ref.checkpoint_ns)
        if inline:
            self._put(place, ref.checkpoint_id, 0, now)
            return
        with self._lock:
            self._drop(place)

    def stored(self, ref: CheckpointRef, now: int, *, inline: bool) -> None:
        """A checkpoint was stored, maybe in place of another one."""
        newest = self.newest(ref.thread_id, ref.checkpoint_ns)
        if newest is None or newest <= ref.checkpoint_id:
            self.saw_newest(ref, now, inline=inline)
        with self._lock:
            self._drop(_place("value", ref))
            self._drop(_place("link", ref))

    # How checkpoints hang together

    def link(self, ref: CheckpointRef, now: int | None = None) -> Link | None:
        """The link of a checkpoint; with the time, only if it was seen to be there lately."""
        found = self._get(_place("link", ref))
        if found is None or (now is not None and not _is_fresh(found, now)):
            return None
        link: Link = found.value
        return link

    def learn(self, ref: CheckpointRef, link: Link, now: int) -> None:
        """A checkpoint was read or stored."""
        self._put(_place("link", ref), link, link.size, now)

    def value(self, ref: CheckpointRef) -> Serialized | None:
        """A checkpoint that DeltaChannels begin from, serialized."""
        found = self._get(_place("value", ref))
        if found is None:
            return None
        value: Serialized = found.value
        return value

    def keep_value(self, ref: CheckpointRef, value: Serialized, now: int) -> None:
        """A checkpoint was read that DeltaChannels begin from."""
        self._put(_place("value", ref), value, len(value.data), now)

    # What checkpoints are differences from

    def keeps_base(self, size: int) -> bool:
        """Whether a base of so many bytes would be remembered."""
        # As it is, and as it is stored.
        return 2 * size + _ENTRY_BYTES <= self._limit // _BASE_SHARE

    def base(self, ref: BaseRef) -> Base | None:
        """A base that was read or stored. It never changes, but it may have been deleted."""
        found = self._get(_place("base", ref))
        if found is None:
            return None
        base: Base = found.value
        return base

    def progress(self, ref: CheckpointRef) -> Progress | None:
        """How far the differences have come at a checkpoint; `None` where it is stored whole."""
        found = self._get(_place("progress", ref))
        base = None if found is None else self.base(found.value[0])
        return None if found is None or base is None else Progress(base, found.value[1])

    def reached(self, ref: CheckpointRef, progress: Progress | None, now: int) -> None:
        """A checkpoint was read or stored that is a difference, or `None`: that is whole."""
        place = _place("progress", ref)
        if progress is None:
            with self._lock:
                self._drop(place)
            return
        base = progress.base
        if self.base(base.ref) is None:
            weight = len(base.data) + stored_bytes(base.payload)
            self._put(_place("base", base.ref), base, weight, now)
        self._put(place, (base.ref, progress.spent), 0, now)

    # How far threads have come

    def thread(self, thread_id: str) -> ThreadSeen | None:
        """How far a thread had come."""
        found = self._get(_Place("thread", thread_id, ""))
        if found is None:
            return None
        seen: ThreadSeen = found.value
        return seen

    def saw_thread(self, thread_id: str, seen: ThreadSeen, now: int) -> None:
        """A thread was read or run."""
        self._put(_Place("thread", thread_id, ""), seen, 0, now)

    def waiting(self, ref: CheckpointRef, task_id: str, count: int | None) -> None:
        """A task of a root checkpoint is about to say what it waits for; `None` for nothing.

        Remembered whatever the bound is: LangGraph stores a checkpoint, those before it and the
        writes of its tasks side by side, so what is said here may be stored before them.
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
            if len(self._waits) > _MOST_UNSURE:
                self._waits.popitem(last=False)

    def waits_from(self, ref: CheckpointRef) -> dict[tuple[str, str], int]:
        """What tasks of a root checkpoint and of later ones wait for, by checkpoint id and task.

        What those of earlier ones do is forgotten: the thread is past them.
        """
        with self._lock:
            found = self._waits.pop(ref.thread_id, {})
            found = {at: count for at, count in found.items() if at[0] >= ref.checkpoint_id}
            if found:
                self._waits[ref.thread_id] = found
            return dict(found)

    def fork(self, thread_id: str, checkpoint_id: str | None) -> str | None:
        """What a thread had come to when an older checkpoint of it was read by its id."""
        found = self._get(_Place("fork", thread_id, "", checkpoint_id or ""))
        return None if found is None else str(found.value)

    def may_fork(self, thread_id: str, checkpoint_id: str, head: str, now: int) -> None:
        """A checkpoint was read by its id, and what the thread had come to then."""
        self._put(_Place("fork", thread_id, "", checkpoint_id), head, 0, now)

    def forked(self, thread_id: str, checkpoint_id: str | None) -> None:
        """A run has gone on from a checkpoint."""
        with self._lock:
            self._drop(_Place("fork", thread_id, "", checkpoint_id or ""))

    # Which writes lie beside a checkpoint

    @property
    def doubts(self) -> int:
        """How often it has become unsure which writes there are."""
        return self._doubts

    def knows_writes(self, ref: CheckpointRef) -> bool:
        """Whether some writes of a checkpoint are known, or were."""
        place = _place("writes", ref)
        return self._get(place) is not None or place in self._unsure

    def writes(self, ref: CheckpointRef) -> tuple[WriteRecord, ...] | None:
        """All regular writes of a checkpoint, in no order; `None` if they are not all known.

        All that a run knows of when it makes the next checkpoint. Another run may have written
        since, so they are no answer to who asks for them.
        """
        place = _place("writes", ref)
        found = self._get(place)
        if found is None or self._under_way.get(place) or not found.value.complete:
            return None
        return tuple(found.value.known.values())

    def loaded(
        self, ref: CheckpointRef, writes: Iterable[WriteRecord], doubts: int, now: int
    ) -> None:
        """All writes of a checkpoint were read.

        Args:
            ref: The checkpoint.
            writes: They, their values loaded.
            doubts: How many doubts there were before.
            now: The time.
        """
        with self._lock:
            self._add(ref, writes, now, complete=doubts == self._doubts)

    def created(self, ref: CheckpointRef, now: int) -> None:
        """A checkpoint was stored that was not there before: nobody else knows of it yet."""
        with self._lock:
            self._add(ref, (), now, complete=_place("writes", ref) not in self._unsure)

    def release(self, ref: CheckpointRef) -> None:
        """A child of a checkpoint is being stored: its writes have been applied."""
        place = _place("writes", ref)
        with self._lock:
            self._drop(place)
            self._unsure.pop(place, None)

    def begin(self, ref: CheckpointRef) -> None:
        """Writes are about to be stored."""
        if self._limit:
            with self._lock:
                self._under_way[_place("writes", ref)] += 1

    def end(self, ref: CheckpointRef, stored: Iterable[WriteRecord] | None, now: int) -> None:
        """They were stored, or `None`: it is not known which of them count."""
        if not self._limit:
            return
        place = _place("writes", ref)
        with self._lock:
            self._under_way[place] -= 1
            if not self._under_way[place]:
                del self._under_way[place]
            if stored is not None:
                known = self._entries.get(place)
                self._add(ref, stored, now, complete=known is not None and known.value.complete)
                return
            self._doubts += 1
            self._drop(place)
            self._doubt(place)

    # All of it

    def forget(self, thread_id: str) -> None:
        """Forget all of a thread: its checkpoints are being deleted or replaced."""
        with self._lock:
            self._doubts += 1
            self._waits.pop(thread_id, None)
            for place in list(self._of_thread.get(thread_id, ())):
                self._lose(place)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            for place in list(self._entries):
                self._lose(place)

    def _add(
        self, ref: CheckpointRef, writes: Iterable[WriteRecord], now: int, *, complete: bool
    ) -> None:
        place = _place("writes", ref)
        found = self._entries.get(place)
        before: _Writes = _Writes() if found is None else found.value
        known = dict(before.known)
        added = 0
        for write in writes:
            at = (write.task_id, write.idx)
            if write.idx >= 0 and at not in known:
                known[at] = replace(write, source=None)
                added += _size_of([write])
        merged = _Writes(known, complete, before.size + added)
        if complete:
            self._unsure.pop(place, None)
        self._drop(place)
        self._set(place, merged, merged.size, now)

    def _get(self, place: _Place) -> _Entry | None:
        with self._lock:
            found = self._entries.get(place)
            if found is not None:
                self._entries.move_to_end(place)
            return found

    def _put(self, place: _Place, value: object, weight: int, now: int) -> None:
        with self._lock:
            self._drop(place)
            self._set(place, value, weight, now)

    def _set(self, place: _Place, value: object, weight: int, now: int) -> None:
        weight += _ENTRY_BYTES
        self._entries[place] = _Entry(value, weight, now)
        self._of_thread[place.thread_id].add(place)
        self._bytes += weight
        if weight > self._limit // (_BASE_SHARE if place.kind == "base" else _SHARE):
            self._lose(place)
        while self._bytes > self._limit:
            self._lose(next(iter(self._entries)))

    def _lose(self, place: _Place) -> None:
        """Drop an entry for want of room, or whatever it says."""
        found = self._entries.get(place)
        if found is not None and isinstance(found.value, _Writes) and not found.value.complete:
            # Else the checkpoint they came before would seem to have later ones alone.
            self._doubt(place)
        self._drop(place)

    def _doubt(self, place: _Place) -> None:
        if self._limit:
            self._unsure[place] = None
            if len(self._unsure) > _MOST_UNSURE:
                self._unsure.popitem(last=False)

    def _drop(self, place: _Place) -> None:
        found = self._entries.pop(place, None)
        if found is None:
            return
        self._bytes -= found.weight
        places = self._of_thread[place.thread_id]
        places.discard(place)
        if not places:
            del self._of_thread[place.thread_id]


def _place(kind: str, ref: CheckpointRef) -> _Place:
    return _Place(kind, ref.thread_id, ref.checkpoint_ns, ref.checkpoint_id)


def _is_fresh(entry: _Entry, now: int) -> bool:
    return entry.read_at <= now <= entry.read_at + FRESH_SECONDS


def _size_of(writes: Iterable[WriteRecord]) -> int:
    return sum(_ENTRY_BYTES + len(write.value.data) for write in writes)
