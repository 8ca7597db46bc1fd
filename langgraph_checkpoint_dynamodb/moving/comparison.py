"""Whether a checkpoint is the same in two savers, and else by which field it differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph_checkpoint_dynamodb.errors import ThreadMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from langgraph.checkpoint.serde.base import SerializerProtocol

    from langgraph_checkpoint_dynamodb.moving.source import Found


def difference(serde: SerializerProtocol, expected: Found, found: Found | None) -> str | None:
    """The first field that differs, `None` where all is the same.

    Args:
        serde: Compares what does not compare by `==`, by its bytes.
        expected: The checkpoint as it was.
        found: The checkpoint as it is now.
    """
    if found is None:
        return "checkpoint"
    return next(_differences(serde, expected, found), None)


def require_same(serde: SerializerProtocol, expected: Found, found: Found | None) -> None:
    """Check that a checkpoint has arrived.

    Raises:
        ThreadMismatchError: It is missing, or a field of it differs.
    """
    field = difference(serde, expected, found)
    if field is not None:
        place = expected.place
        raise ThreadMismatchError(
            place.thread_id, place.checkpoint_ns, place.checkpoint_id, field, missing=found is None
        )


def _differences(serde: SerializerProtocol, expected: Found, found: Found) -> Iterator[str]:
    if found.place != expected.place:
        yield "parent_config"
    yield from _of_mappings(serde, "checkpoint", expected.checkpoint, found.checkpoint)
    yield from _of_mappings(serde, "metadata", expected.metadata, found.metadata)
    if not _same(serde, expected.pending_writes, found.pending_writes):
        yield "pending_writes"


def _of_mappings(serde: SerializerProtocol, name: str, expected: Any, found: Any) -> Iterator[str]:
    for key in {**expected, **found}:
        if key == "channel_values" and key in expected and key in found:
            yield from _of_mappings(serde, f"{name}.{key}", expected[key], found[key])
        elif not _same_entry(serde, key, expected, found):
            yield f"{name}.{key}"


def _same_entry(
    serde: SerializerProtocol, key: str, expected: Mapping[str, Any], found: Mapping[str, Any]
) -> bool:
    return key in expected and key in found and _same(serde, expected[key], found[key])


def _same(serde: SerializerProtocol, expected: Any, found: Any) -> bool:
    """Equal, or equal once serialized: arrays and NaN do not say that they are equal."""
    try:
        if bool(expected == found):
            return True
    except Exception:  # noqa: S110 - a type of the user's that does not compare: its bytes do
        pass
    return bool(serde.dumps_typed(expected) == serde.dumps_typed(found))
