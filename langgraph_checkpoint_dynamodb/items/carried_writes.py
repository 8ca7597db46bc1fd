"""Carried writes: copies of the parent's writes to DeltaChannels in a checkpoint's own item.

A DeltaChannel is rebuilt from the writes of all ancestors. With these copies, one Query of the
checkpoints table reads them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.bounds import parse_whole_number
from langgraph_checkpoint_dynamodb.format.tables import Attribute
from langgraph_checkpoint_dynamodb.items.values import Serialized
from langgraph_checkpoint_dynamodb.items.writes import MAX_PLACES, WriteRecord, data_size
from langgraph_checkpoint_dynamodb.payloads.kinds import Inline

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CARRIED_BYTES = 8 * 1024
"""Most bytes of writes that are carried for one channel. More are read from the writes table: that
takes the same read units, and storing them twice would cost more than the request it saves."""


def select_carried(
    channels: Iterable[str], writes: Iterable[WriteRecord]
) -> dict[str, tuple[WriteRecord, ...]]:
    """The writes to carry, by channel. Channels with more than `CARRIED_BYTES` are left out.

    Args:
        channels: The DeltaChannels.
        writes: All regular writes of the parent, their values loaded.
    """
    ordered = sorted(writes, key=lambda write: (write.task_path, write.task_id, write.idx))
    by_channel = {
        channel: tuple(write for write in ordered if write.channel == channel)
        for channel in channels
    }
    return {
        channel: found for channel, found in by_channel.items() if data_size(found) <= CARRIED_BYTES
    }


def carried_attribute(carried: Mapping[str, tuple[WriteRecord, ...]]) -> list[Any] | None:
    """The attribute that holds carried writes; `None` if there are none."""
    return [
        [
            channel,
            [
                [write.task_id, write.task_path, write.idx, write.value.type, write.value.data]
                for write in writes
            ],
        ]
        for channel, writes in carried.items()
    ] or None


def read_carried(attribute: object, place: str) -> dict[str, tuple[WriteRecord, ...]]:
    """The carried writes in an item's attribute, by channel.

    Args:
        attribute: The typed attribute as it was read; `None` if the item has none.
        place: Which checkpoint, for messages.

    Raises:
        UnreadableItemError: It is damaged.
    """
    match attribute:
        case None:
            return {}
        case {"L": list(channels)}:
            pairs = [_read_channel(channel, place) for channel in channels]
            if len({channel for channel, _ in pairs}) == len(pairs):
                return dict(pairs)
    raise _damaged(place)


def _read_channel(attribute: object, place: str) -> tuple[str, tuple[WriteRecord, ...]]:
    match attribute:
        case {"L": [{"S": str(channel)}, {"L": list(writes)}]}:
            return channel, tuple(_read_write(write, channel, place) for write in writes)
    raise _damaged(place)


def _read_write(attribute: object, channel: str, place: str) -> WriteRecord:
    match attribute:
        case {
            "L": [
                {"S": str(task_id)},
                {"S": str(task_path)},
                {"N": str(number)},
                {"S": str(kind)},
                {"B": bytes(data)},
            ]
        } if (idx := parse_whole_number(number, MAX_PLACES)) is not None:
            return WriteRecord(task_id, idx, channel, Serialized(kind, Inline(data)), task_path)
    raise _damaged(place)


def _damaged(place: str) -> UnreadableItemError:
    problem = "is not a list of channels with lists of writes"
    return UnreadableItemError(place=place, attribute=Attribute.CARRIED, problem=problem)
