"""What is known of a thread as a whole: one small item beside its checkpoints."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, UnreadableItemError
from langgraph_checkpoint_dynamodb.format.keys import (
    THREAD_SORT_KEY,
    owner_key,
    owner_of_key,
    thread_key,
)
from langgraph_checkpoint_dynamodb.format.life import is_live
from langgraph_checkpoint_dynamodb.format.tables import Attribute, Table
from langgraph_checkpoint_dynamodb.items.attributes import (
    binary,
    optional_number,
    optional_text,
    text,
    typed,
)
from langgraph_checkpoint_dynamodb.requests.items import DeleteUnchanged, Expected, Update

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langgraph.checkpoint.serde.base import SerializerProtocol

    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef
    from langgraph_checkpoint_dynamodb.format.life import Stamp
    from langgraph_checkpoint_dynamodb.requests.items import StoredItem

Status: TypeAlias = Literal["idle", "waiting", "failed"]

DESCRIPTION_BYTES = 1024
"""Most bytes of title and metadata, serialized. A page of 20 threads stays within 5 read units."""
FAILED = 0
"""What stands for a task that failed, where others have their number of interrupts."""


@dataclass(frozen=True, slots=True)
class ThreadInfo:
    """What is known of a thread as a whole.

    It is written when a run begins, and at interrupts and errors, so it may be a run behind, and
    says nothing of a run that is under way.

    Attributes:
        thread_id: The thread.
        owner: Whom it belongs to, by the runs' `configurable` or metadata; `None` for nobody.
        title: What `update_thread` has called it.
        status: `"waiting"` for an answer to an interrupt, `"failed"` where a task raised an error
            that nobody has gone on from, else `"idle"`.
        interrupts: How many interrupts wait for an answer.
        created: When its first run began, in UTC.
        updated: When its last run began, waited or failed, in UTC.
        checkpoint_id: The root checkpoint of that moment.
        metadata: What `update_thread` has added.
    """

    thread_id: str
    owner: str | None
    title: str | None
    status: Status
    interrupts: int
    created: datetime
    updated: datetime
    checkpoint_id: str | None
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Description:
    """What users say of a thread.

    Attributes:
        title: Its title.
        metadata: Anything else.
    """

    title: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def merged(self, title: str | None, metadata: Mapping[str, Any]) -> Description:
        """The same with another title, if one is given, and with more metadata.

        A value of `None` removes its key.
        """
        both = {**self.metadata, **metadata}
        kept = {name: value for name, value in both.items() if value is not None}
        return Description(self.title if title is None else title or None, kept)


def is_thread_item(item: StoredItem) -> bool:
    """Whether an item of the checkpoints table is that of a thread as a whole."""
    return item.get(Attribute.CHECKPOINT_ID) == {"S": THREAD_SORT_KEY}


def moment_text(millis: int) -> str:
    """A moment as text that sorts as it does, given in milliseconds since the epoch."""
    moment = datetime.fromtimestamp(millis / 1000, timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{millis % 1000:03}Z"


def turn_update(
    ref: CheckpointRef,
    owner: str | None,
    stamp: Stamp,
    *,
    listed: bool,
    waits: Mapping[str, int] = MappingProxyType({}),
    head: str | None = None,
) -> Update:
    """The request that says that a run has stored a root checkpoint.

    Args:
        ref: The checkpoint.
        owner: The owner of the run; `None` where it has none, which leaves the thread's as it is.
        stamp: When and by which call.
        listed: Whether the thread is to be listed, at the place of this moment.
        waits: By task, what those wait for that have said so already: the number of interrupts, or
            `FAILED`.
        head: The later checkpoint that those tasks are of; `None` for this one.
    """
    values: dict[str, Any] = {Attribute.HEAD: head or ref.checkpoint_id, Attribute.TTL: stamp.ttl}
    first: dict[str, Any] = {}
    if listed:
        now = moment_text(stamp.millis)
        values |= {Attribute.UPDATED: now, Attribute.WAITS: dict(waits)}
        named = values if owner is not None else first
        named[Attribute.OWNER] = owner_key(owner, ref.thread_id)
        first[Attribute.BEGUN] = now
    removed = () if stamp.ttl is not None else (Attribute.TTL,)
    return replace(_update(ref.thread_id, values, first), removed=removed)


def waits_update(
    ref: CheckpointRef, task_id: str, count: int | None, stamp: Stamp, *, moves: bool
) -> Update:
    """The request that says what a task of a root checkpoint waits for.

    Args:
        ref: The checkpoint.
        task_id: The task.
        count: The number of its interrupts, `FAILED`, or `None`: it waits no more.
        stamp: When and by which call.
        moves: Whether the thread is said to have come to that checkpoint.
    """
    values: dict[str, Any] = {Attribute.UPDATED: moment_text(stamp.millis)}
    values |= {Attribute.TTL: stamp.ttl, Attribute.HEAD: ref.checkpoint_id if moves else None}
    entry = None if count is None else {"N": str(count)}
    return Update(
        Table.CHECKPOINTS,
        thread_key(ref.thread_id),
        typed(values),
        entries=((Attribute.WAITS, task_id, entry),),
    )


def description_update(
    thread_id: str, serde: SerializerProtocol, description: Description, revision: int
) -> Update:
    """The request that stores what users say of a thread, if nobody has since `revision`.

    Raises:
        InvalidInputError: It is too large.
    """
    said = {"title": description.title, "metadata": dict(description.metadata)}
    tag, data = serde.dumps_typed(said)
    if len(data) > DESCRIPTION_BYTES:
        raise InvalidInputError(
            "metadata",
            f"title and metadata of thread {thread_id!r} take {len(data):,} bytes, at most "
            f"{DESCRIPTION_BYTES:,}; keep what is larger in the state",
        )
    values = {
        Attribute.TYPE: tag,
        Attribute.METADATA: bytes(data),
        Attribute.REVISION: revision + 1,
    }
    at_first = Expected(Attribute.REVISION)
    later = Expected(Attribute.REVISION, ({"N": str(revision)},), missing=False)
    return _update(thread_id, values, expected=later if revision else at_first)


def copied_update(item: StoredItem, target_id: str, stamp: Stamp) -> Update:
    """The request that gives the copy of a thread what is known of it.

    What users have said of the target already stays.
    """
    moved = (Attribute.HEAD, Attribute.WAITS, Attribute.TTL)
    values: dict[str, Any] = {name: item[name] for name in moved if name in item}
    described = (Attribute.TYPE, Attribute.METADATA, Attribute.REVISION)
    first: dict[str, Any] = {name: item[name] for name in described if name in item}
    if Attribute.OWNER in item:
        owner = owner_of_key(item[Attribute.OWNER].get("S", ""))
        now = moment_text(stamp.millis)
        values |= typed({Attribute.OWNER: owner_key(owner, target_id), Attribute.UPDATED: now})
        first |= typed({Attribute.BEGUN: now})
    return Update(Table.CHECKPOINTS, thread_key(target_id), values, first)


def found_update(
    info: ThreadInfo, waits: Mapping[str, int], head: str | None, ttl: int | None
) -> Update:
    """The request that lists a thread that was found in the table, if it has not run since.

    Args:
        info: What was found.
        waits: By task, the number of its interrupts, or `FAILED`.
        head: The checkpoint that its item said before; `None` for nothing.
        ttl: When the thread's newest checkpoint may be deleted.
    """
    values = {
        Attribute.HEAD: info.checkpoint_id,
        Attribute.WAITS: dict(waits),
        Attribute.UPDATED: moment_text(_millis(info.updated)),
        Attribute.OWNER: owner_key(info.owner, info.thread_id),
        Attribute.TTL: ttl,
    }
    first = {Attribute.BEGUN: moment_text(_millis(info.created))}
    return _update(info.thread_id, values, first, expected=still_at(head))


def set_back_update(
    thread_id: str, before: str, head: str, waits: Mapping[str, int], ttl: int | None
) -> Update:
    """The request that says that a thread has come to an older checkpoint: a later one was deleted.

    Args:
        thread_id: The thread.
        before: The checkpoint that it is said to have come to now.
        head: The older one.
        waits: By task, the number of its interrupts there, or `FAILED`.
        ttl: When that checkpoint may be deleted.
    """
    values = {Attribute.HEAD: head, Attribute.WAITS: dict(waits), Attribute.TTL: ttl}
    update = _update(thread_id, values, expected=still_at(before))
    return replace(update, removed=() if ttl is not None else (Attribute.TTL,))


def still_at(head: str | None) -> Expected:
    """That a thread's item still says that it has come to that checkpoint, or `None`: to none."""
    if head is None:
        return Expected(Attribute.HEAD)
    return Expected(Attribute.HEAD, ({"S": head},), missing=False)


def _update(
    thread_id: str,
    values: Mapping[str, Any],
    first: Mapping[str, Any] = MappingProxyType({}),
    *,
    expected: Expected | None = None,
) -> Update:
    return Update(
        Table.CHECKPOINTS, thread_key(thread_id), typed(values), typed(first), expected=expected
    )


def delete_if_unchanged(item: StoredItem) -> DeleteUnchanged | None:
    """The request that deletes a thread's item unless a run has begun since it was read.

    `None` where the item tells too little.
    """
    head, thread_id = item.get(Attribute.HEAD), item.get(Attribute.THREAD_ID, {}).get("S")
    if head is None or thread_id is None:
        return None
    return DeleteUnchanged(Table.CHECKPOINTS, thread_key(thread_id), Attribute.HEAD, head)


def head_of(item: StoredItem | None) -> str | None:
    """The root checkpoint that a thread's item says it has come to.

    Raises:
        UnreadableItemError: It is no text.
    """
    # NULL is nothing that is missing to a condition: whoever waits for that would wait for ever.
    if item is None or Attribute.HEAD not in item:
        return None
    return text(item, Attribute.HEAD, _place(item))


def revision_of(item: StoredItem) -> int:
    """How often users have described a thread.

    Raises:
        UnreadableItemError: It is no number that `description_update` has stored.
    """
    if Attribute.REVISION not in item:
        return 0
    found = optional_number(item, Attribute.REVISION, _place(item))
    if not found or item[Attribute.REVISION] != {"N": str(found)}:
        raise UnreadableItemError(
            place=_place(item), attribute=Attribute.REVISION, problem="is no count (N) from 1"
        )
    return found


def updated_of(item: StoredItem) -> str | None:
    """When a thread was last active, as `moment_text` says it; `None` where it is not listed."""
    return item.get(Attribute.UPDATED, {}).get("S")


def _read_description(item: StoredItem, serde: SerializerProtocol, place: str) -> Description:
    """What users have said of a thread.

    Raises:
        UnreadableItemError: It is damaged, or the serde cannot load it.
    """
    if Attribute.METADATA not in item:
        return Description()
    tag = text(item, Attribute.TYPE, place)
    data = binary(item, Attribute.METADATA, place)
    try:
        said = serde.loads_typed((tag, data))
        title, metadata = said["title"], said["metadata"]
    except Exception as error:
        raise UnreadableItemError(
            place=place,
            attribute=Attribute.METADATA,
            problem=f"of type {tag!r} cannot be loaded by {type(serde).__name__} "
            f"({type(error).__name__})",
        ) from error
    if not (title is None or isinstance(title, str)) or not isinstance(metadata, dict):
        raise UnreadableItemError(
            place=place, attribute=Attribute.METADATA, problem="is no title and no mapping"
        )
    return Description(title, metadata)


def read_thread_info(item: StoredItem, serde: SerializerProtocol, now: int) -> ThreadInfo | None:
    """What is known of a thread; `None` where that is not listed, or has expired.

    Raises:
        UnreadableItemError: An attribute is damaged.
    """
    place = _place(item)
    thread_id = text(item, Attribute.THREAD_ID, place)
    if Attribute.OWNER not in item or not is_live(optional_number(item, Attribute.TTL, place), now):
        return None
    waits = _read_waits(item, place)
    description = _read_description(item, serde, place)
    updated = _read_moment(item, Attribute.UPDATED, place)
    begun = _read_moment(item, Attribute.BEGUN, place) if Attribute.BEGUN in item else updated
    return ThreadInfo(
        thread_id=thread_id,
        owner=owner_of_key(text(item, Attribute.OWNER, place)),
        title=description.title,
        status=status_of(waits),
        interrupts=sum(waits.values()),
        created=begun,
        updated=updated,
        checkpoint_id=optional_text(item, Attribute.HEAD, place),
        metadata=MappingProxyType(dict(description.metadata)),
    )


def status_of(waits: Mapping[str, int]) -> Status:
    """The status of a thread, by what its tasks wait for."""
    if FAILED in waits.values():
        return "failed"
    return "waiting" if waits else "idle"


def _place(item: StoredItem) -> str:
    """What errors call a thread's item."""
    return f"the item of thread {item.get(Attribute.THREAD_ID, {}).get('S')!r}"


def _read_waits(item: StoredItem, place: str) -> dict[str, int]:
    found: Any = item.get(Attribute.WAITS, {"M": {}})
    try:
        counts = {task: int(count["N"]) for task, count in found["M"].items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        counts = {"": -1}
    if any(count < 0 for count in counts.values()):
        raise UnreadableItemError(
            place=place, attribute=Attribute.WAITS, problem="is not a map (M) of numbers"
        )
    return counts


def _read_moment(item: StoredItem, attribute: str, place: str) -> datetime:
    found = text(item, attribute, place)
    try:
        return datetime.strptime(found, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise UnreadableItemError(
            place=place, attribute=attribute, problem="is no moment like 2026-01-31T12:00:00.000Z"
        ) from None


def _millis(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
