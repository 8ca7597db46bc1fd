"""Converts LangGraph's values to records and back, with the saver's serde.

Every call passes the serde, and no serde is kept: LangGraph clones a saver with `copy.copy` and
gives the clone another serde (`BaseCheckpointSaver.with_allowlist`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    CheckpointTuple,
    writes_sort_key,
)
from langgraph.checkpoint.serde.types import ERROR, INTERRUPT

from langgraph_checkpoint_dynamodb.errors import InvalidInputError, UnreadableItemError
from langgraph_checkpoint_dynamodb.format.addressing import Address, to_config
from langgraph_checkpoint_dynamodb.format.key_text import fits_index_key, require_text
from langgraph_checkpoint_dynamodb.format.tables import Attribute
from langgraph_checkpoint_dynamodb.format.write_keys import require_task_id
from langgraph_checkpoint_dynamodb.items.checkpoints import CheckpointRecord, Outline
from langgraph_checkpoint_dynamodb.items.langgraph_js import (
    JSON_TYPE,
    drop_undefined,
    is_answer_without_task,
    revive_checkpoint,
    revive_write,
)
from langgraph_checkpoint_dynamodb.items.threads import FAILED
from langgraph_checkpoint_dynamodb.items.values import Serialized
from langgraph_checkpoint_dynamodb.items.writes import WriteRecord, without_duplicates
from langgraph_checkpoint_dynamodb.payloads.kinds import Inline

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata, PendingWrite
    from langgraph.checkpoint.serde.base import SerializerProtocol

    from langgraph_checkpoint_dynamodb.format.keys import CheckpointRef


def encode_checkpoint(
    serde: SerializerProtocol,
    address: Address,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
) -> CheckpointRecord:
    """The record of a checkpoint.

    Args:
        serde: The serializer.
        address: Its thread and namespace, and the id of its parent.
        checkpoint: The checkpoint.
        metadata: Its metadata, including the config's (`get_checkpoint_metadata`).
    """
    run_id = metadata.get("run_id")
    return CheckpointRecord(
        ref=address.ref(checkpoint["id"]),
        parent_id=address.parent_id,
        checkpoint=_dump(serde, checkpoint),
        metadata=_dump(serde, metadata),
        run_id=run_id if fits_index_key(run_id) else None,
        outline=outline_of(checkpoint, metadata),
    )


def outline_of(checkpoint: Checkpoint, metadata: CheckpointMetadata) -> Outline:
    """The channels of a checkpoint, in a copy that later changes to it do not affect.

    In the metadata, LangGraph counts the steps of each DeltaChannel since it was stored whole.
    """
    counters: object = metadata.get("counters_since_delta_snapshot")
    versions: object = checkpoint.get("channel_versions")
    values: object = checkpoint.get("channel_values")
    return Outline(
        versions=dict(versions) if isinstance(versions, dict) else {},
        held=frozenset(values) if isinstance(values, dict) else frozenset(),
        delta_channels=(
            tuple(name for name in counters if isinstance(name, str))
            if isinstance(counters, dict)
            else ()
        ),
        snapshot=isinstance(values, dict) and holds_snapshot(checkpoint),
    )


def encode_writes(
    serde: SerializerProtocol, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str
) -> list[WriteRecord]:
    """The records of a task's writes, one for each place.

    A call may write to a special channel more than once; the last value counts.
    """
    require_text("task_path", task_path)
    records = {}
    for position, (channel, value) in enumerate(writes):
        require_text("channel", channel)
        idx = WRITES_IDX_MAP.get(channel, position)
        require_task_id(task_id, idx)
        records[idx] = WriteRecord(task_id, idx, channel, _dump(serde, value), task_path)
    return list(records.values())


def decode_tuple(
    serde: SerializerProtocol, record: CheckpointRecord, writes: Iterable[WriteRecord]
) -> CheckpointTuple:
    """The tuple that LangGraph reads. Values are loaded each time: LangGraph changes them in place.

    Args:
        serde: The serializer.
        record: The checkpoint.
        writes: Its pending writes in the order of `current_writes`.
    """
    ref = record.ref
    return CheckpointTuple(
        config=to_config(ref.thread_id, ref.checkpoint_ns, ref.checkpoint_id),
        checkpoint=decode_checkpoint(serde, record.checkpoint, str(ref)),
        metadata=decode_metadata(serde, record.metadata, str(ref)),
        parent_config=(
            to_config(ref.thread_id, ref.checkpoint_ns, record.parent_id)
            if record.parent_id
            else None
        ),
        pending_writes=decode_writes(serde, ref, writes),
    )


def decode_checkpoint(serde: SerializerProtocol, checkpoint: Serialized, place: str) -> Checkpoint:
    """Load a checkpoint; `place` says which one, for messages."""
    loaded = load_value(serde, checkpoint, place, Attribute.CHECKPOINT)
    found = require_mapping(loaded, place, Attribute.CHECKPOINT)
    if checkpoint.type == JSON_TYPE:
        revive_checkpoint(found)
    return cast("Checkpoint", found)


def decode_metadata(
    serde: SerializerProtocol, metadata: Serialized, place: str
) -> CheckpointMetadata:
    """Load the metadata of a checkpoint; `place` says which one, for messages."""
    loaded = load_value(serde, metadata, place, Attribute.METADATA)
    return cast("CheckpointMetadata", require_mapping(loaded, place, Attribute.METADATA))


def decode_writes(
    serde: SerializerProtocol, ref: CheckpointRef, writes: Iterable[WriteRecord]
) -> list[PendingWrite]:
    """Writes as LangGraph reads them: task id, channel, value."""
    return [(write.task_id, write.channel, _decode_write(serde, ref, write)) for write in writes]


def current_writes(writes: Iterable[WriteRecord]) -> list[WriteRecord]:
    """The writes that count, in the order a superstep applies them: task path, task, place.

    An older writer may have stored a special channel at a regular place of the task. That write is
    superseded once the channel is at its own place.
    """
    found = without_duplicates(writes)
    special = {(write.task_id, write.channel) for write in found if write.idx < 0}
    current = [write for write in found if write.idx < 0 or _is_current(write, special)]
    return sorted(current, key=lambda w: writes_sort_key(w.task_path, w.task_id, w.idx))


def _is_current(write: WriteRecord, special: Collection[tuple[str, str]]) -> bool:
    if (write.task_id, write.channel) in special:
        return False
    return write.value.type != JSON_TYPE or not is_answer_without_task(write.task_id, write.channel)


def waits_of(writes: Iterable[PendingWrite]) -> dict[str, int]:
    """By task, the number of interrupts that wait for an answer, or `FAILED`.

    A task that has stored its output no longer waits: it was answered, or run again.
    """
    waits: dict[str, int] = {}
    finished = set()
    for task_id, channel, value in writes:
        if channel == INTERRUPT:
            waits[task_id] = len(value) if isinstance(value, (list, tuple)) else 1
        elif channel == ERROR:
            waits[task_id] = FAILED
        elif channel not in WRITES_IDX_MAP:
            finished.add(task_id)
    return {task_id: count for task_id, count in waits.items() if task_id not in finished}


def is_output(writes: Iterable[tuple[str, Any]]) -> bool:
    """Whether writes of a task include its output, so that the task has finished."""
    return any(channel not in WRITES_IDX_MAP for channel, _ in writes)


def _dump(serde: SerializerProtocol, value: object) -> Serialized:
    tag, data = serde.dumps_typed(value)
    # A serde may return a bytearray, which could still change. bytes() copies only that.
    return Serialized(require_text("serde type", tag), Inline(bytes(data)))


def _decode_write(serde: SerializerProtocol, ref: CheckpointRef, write: WriteRecord) -> Any:
    value = load_value(serde, write.value, write.place(ref), Attribute.VALUE)
    return revive_write(write.channel, value) if write.value.type == JSON_TYPE else value


def load_value(serde: SerializerProtocol, value: Serialized, place: str, attribute: str) -> Any:
    """Load a value; `place` and `attribute` say which one, for messages.

    Raises:
        UnreadableItemError: The serde cannot load it.
    """
    try:
        data = drop_undefined(value.data) if value.type == JSON_TYPE else value.data
        return serde.loads_typed((value.type, data))
    except Exception as error:
        raise UnreadableItemError(
            place=place,
            attribute=attribute,
            problem=f"of type {value.type!r} cannot be loaded by {type(serde).__name__} "
            f"({type(error).__name__})",
        ) from error


def require_mapping(loaded: object, place: str, attribute: str) -> dict[str, Any]:
    """Check that a loaded value is a mapping, and return it.

    Raises:
        UnreadableItemError: It is not.
    """
    if not isinstance(loaded, dict):
        raise UnreadableItemError(
            place=place, attribute=attribute, problem=f"is a {type(loaded).__name__}, not a mapping"
        )
    return loaded


def holds_snapshot(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint holds a DeltaChannel's value, which later ones are rebuilt from.

    LangGraph wraps such a value in a private type.
    """
    values = checkpoint.get("channel_values", {}).values()
    return any(type(value).__name__ == "_DeltaSnapshot" for value in values)


def require_checkpoint(checkpoint: object) -> None:
    """Check what the saver itself needs: a checkpoint is a mapping with a text `id`.

    Raises:
        InvalidInputError: It is not.
    """
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get("id"), str):
        raise InvalidInputError("checkpoint", "must be a mapping with a string 'id'")
