"""The thread item: one small item per thread, in the same partition as its checkpoints.

`thread_updates` has the requests that write it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.expiry import is_live
from langgraph_checkpoint_dynamodb.format.keys import THREAD_SORT_KEY
from langgraph_checkpoint_dynamodb.format.tables import Attribute
from langgraph_checkpoint_dynamodb.format.thread_index import owner_in_key
from langgraph_checkpoint_dynamodb.items.attributes import (
    binary,
    optional_number,
    optional_text,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langgraph.checkpoint.serde.base import SerializerProtocol

    from langgraph_checkpoint_dynamodb.requests.items import StoredItem

Status: TypeAlias = Literal["idle", "waiting", "failed"]

FAILED = 0
"""Marks a failed task, where other tasks have their number of interrupts."""


@dataclass(frozen=True, slots=True)
class ThreadInfo:
    """A thread in the listing.

    It is updated when a run begins, at interrupts and at errors. It may be one run behind, and does
    not say whether a run is in progress.

    Attributes:
        thread_id: The thread.
        owner: Its owner, from the runs' `configurable` or metadata; `None` for no owner.
        title: The title set by `update_thread`.
        status: `"waiting"` for an answer to an interrupt, `"failed"` if a task raised an error
            that no later run has continued from, else `"idle"`.
        interrupts: Number of interrupts that wait for an answer.
        created: When its first run began, in UTC.
        updated: When its last run began, was interrupted or failed, in UTC.
        checkpoint_id: Its root checkpoint at that time.
        metadata: The metadata set by `update_thread`.
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
    """A thread's title and metadata, as users set them."""

    title: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def merged(self, title: str | None, metadata: Mapping[str, Any]) -> Description:
        """The description after an update.

        Args:
            title: The new title; `None` keeps the old one, an empty one removes it.
            metadata: Metadata to add. A value of `None` removes its key.
        """
        both = {**self.metadata, **metadata}
        kept = {name: value for name, value in both.items() if value is not None}
        return Description(self.title if title is None else title or None, kept)


def is_thread_item(item: StoredItem) -> bool:
    """Whether an item of the checkpoints table is a thread item."""
    return item.get(Attribute.CHECKPOINT_ID) == {"S": THREAD_SORT_KEY}


def moment_text(millis: int) -> str:
    """A time as text that sorts by time.

    Args:
        millis: The time, in milliseconds since the epoch.
    """
    moment = datetime.fromtimestamp(millis / 1000, timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{millis % 1000:03}Z"


def head_of(item: StoredItem | None) -> str | None:
    """The newest root checkpoint in a thread item, `None` if there is none.

    Raises:
        UnreadableItemError: The attribute is not text.
    """
    # A NULL must not be read as missing: a condition `attribute_not_exists` never holds for it.
    if item is None or Attribute.HEAD not in item:
        return None
    return text(item, Attribute.HEAD, _place(item))


def revision_of(item: StoredItem) -> int:
    """The revision of a thread's description; 0 if it has none.

    Raises:
        UnreadableItemError: It is not a number that `description_update` has stored.
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
    """When a thread was last updated, as `moment_text` writes it; `None` if it is not listed."""
    return item.get(Attribute.UPDATED, {}).get("S")


def _read_description(item: StoredItem, serde: SerializerProtocol, place: str) -> Description:
    """The description in a thread item.

    Raises:
        UnreadableItemError: It is damaged, or the serde cannot load it.
    """
    if Attribute.METADATA not in item:
        return Description()
    tag = text(item, Attribute.TYPE, place)
    data = binary(item, Attribute.METADATA, place)
    try:
        loaded = serde.loads_typed((tag, data))
        title, metadata = loaded["title"], loaded["metadata"]
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
    """The thread in a thread item; `None` if it is not listed, or has expired.

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
        owner=owner_in_key(text(item, Attribute.OWNER, place)),
        title=description.title,
        status=status_of(waits),
        interrupts=sum(waits.values()),
        created=begun,
        updated=updated,
        checkpoint_id=optional_text(item, Attribute.HEAD, place),
        metadata=MappingProxyType(dict(description.metadata)),
    )


def status_of(waits: Mapping[str, int]) -> Status:
    """The status of a thread.

    Args:
        waits: By task, the number of interrupts that wait for an answer, or `FAILED`.
    """
    if FAILED in waits.values():
        return "failed"
    return "waiting" if waits else "idle"


def _place(item: StoredItem) -> str:
    """Which thread item it is, for messages."""
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
