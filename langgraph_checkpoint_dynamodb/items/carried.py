"""What a checkpoint's item carries of its parent's writes: those to its DeltaChannels.

A DeltaChannel is rebuilt from the writes of the ancestors. With these in the items of the
checkpoints, the ancestors are read as one range and nothing beside them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import UnreadableItemError
from langgraph_checkpoint_dynamodb.format.bounds import whole
from langgraph_checkpoint_dynamodb.format.tables import Attribute
from langgraph_checkpoint_dynamodb.items.values import Serialized
from langgraph_checkpoint_dynamodb.items.writes import MOST_PLACES, WriteRecord
from langgraph_checkpoint_dynamodb.payloads.kinds import Inline

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CARRIED_BYTES = 8 * 1024
"""Most bytes of the writes to one channel that are carried. Larger ones are read where they are: it
takes the same read units, and storing them twice would cost more than the request that it saves."""


def carry(
    channels: Iterable[str], writes: Iterable[WriteRecord]
) -> dict[str, tuple[WriteRecord, ...]]:
    """What is carried, by channel; channels with too much are left out.

    Args:
        channels: The DeltaChannels.
        writes: All regular writes of the parent, their values loaded.
    """
    ordered = sorted(writes, key=lambda write: (write.task_path, write.task_id, write.idx))
    found = {
        channel: tuple(write for write in ordered if write.channel == channel)
        for channel in channels
    }
    return {
        channel: some
        for channel, some in found.items()
        if sum(len(write.value.data) for write in some) <= CARRIED_BYTES
    }


def carried_attribute(carried: Mapping[str, tuple[WriteRecord, ...]]) -> list[Any] | None:
    """The attribute that holds it; `None` where nothing is carried."""
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
    """What an item carries, from its attribute.

    Args:
        attribute: The attribute as it comes back; `None` where there is none.
        place: Which checkpoint, for messages.

    Raises:
        UnreadableItemError: It is damaged.
    """
    match attribute:
        case None:
            return {}
        case {"L": list(channels)}:
            pairs = [_read_channel(one, place) for one in channels]
            if len({channel for channel, _ in pairs}) == len(pairs):
                return dict(pairs)
    raise _damaged(place)


def _read_channel(attribute: object, place: str) -> tuple[str, tuple[WriteRecord, ...]]:
    match attribute:
        case {"L": [{"S": str(channel)}, {"L": list(writes)}]}:
            return channel, tuple(_read_write(one, channel, place) for one in writes)
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
        } if (idx := whole(number, MOST_PLACES)) is not None:
            return WriteRecord(task_id, idx, channel, Serialized(kind, Inline(data)), task_path)
    raise _damaged(place)


def _damaged(place: str) -> UnreadableItemError:
    problem = "is not a list of channels with lists of writes"
    return UnreadableItemError(place=place, attribute=Attribute.CARRIED, problem=problem)
