"""Whether a checkpoint is the same in two savers, and else by which field it differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from langgraph.checkpoint.serde.base import SerializerProtocol

    from langgraph_checkpoint_dynamodb.moving.source import Found


def difference(
    serde: SerializerProtocol, expected: Found, found: Found | None, *, whole: bool
) -> str | None:
    """The first field that differs, `None` where all is the same.

    Args:
        serde: Compares what does not compare by `==`, by its bytes.
        expected: The checkpoint as it was.
        found: The checkpoint as it is now, `None` where there is none.
        whole: Whether it may have no channel values but these.

    Returns:
        For example `checkpoint`, `metadata.step`, `parent_config`, `pending_writes`.
    """
    if found is None:
        return "checkpoint"
    return next(_differences(serde, expected, found, whole), None)


def _differences(
    serde: SerializerProtocol, expected: Found, found: Found, whole: bool
) -> Iterator[str]:
    if found.place != expected.place:
        yield "parent_config"
    yield from _of_mappings(serde, "checkpoint", *map(_without_values, (expected, found)))
    values = [one.checkpoint.get("channel_values", {}) for one in (expected, found)]
    if not whole:
        values[1] = {name: value for name, value in values[1].items() if name in values[0]}
    yield from _of_mappings(serde, "checkpoint.channel_values", *values)
    yield from _of_mappings(serde, "metadata", {**expected.metadata}, {**found.metadata})
    if not same(serde, expected.pending_writes, found.pending_writes):
        yield "pending_writes"


def _without_values(one: Found) -> Mapping[str, Any]:
    return {key: part for key, part in one.checkpoint.items() if key != "channel_values"}


def _of_mappings(
    serde: SerializerProtocol, name: str, expected: Mapping[str, Any], found: Mapping[str, Any]
) -> Iterator[str]:
    for key in {**expected, **found}:
        if not _same_entry(serde, key, expected, found):
            yield f"{name}.{key}"


def _same_entry(
    serde: SerializerProtocol, key: str, expected: Mapping[str, Any], found: Mapping[str, Any]
) -> bool:
    return key in expected and key in found and same(serde, expected[key], found[key])


def same(serde: SerializerProtocol, expected: Any, found: Any) -> bool:
    """Equal, or equal once serialized: arrays and NaN do not say that they are equal."""
    try:
        if bool(expected == found):
            return True
    except Exception:  # noqa: S110 - a type of the user's that does not compare: its bytes do
        pass
    return bool(serde.dumps_typed(expected) == serde.dumps_typed(found))
