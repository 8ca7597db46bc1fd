"""Compares a checkpoint in two savers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from langgraph.checkpoint.serde.base import SerializerProtocol

    from langgraph_checkpoint_dynamodb.moving.source import StoredCheckpoint


def first_difference(
    serde: SerializerProtocol,
    expected: StoredCheckpoint,
    found: StoredCheckpoint | None,
    *,
    no_more_values: bool,
) -> str | None:
    """The first field that differs, `None` if there is none.

    Args:
        serde: Serializes values that `==` does not find equal, to compare their bytes.
        expected: The checkpoint that was stored.
        found: The checkpoint that was read, `None` if it does not exist.
        no_more_values: Whether a channel value that was not expected is a difference.

    Returns:
        For example `checkpoint`, `metadata.step`, `parent_config`, `pending_writes`.
    """
    if found is None:
        return "checkpoint"
    return next(_differences(serde, expected, found, no_more_values), None)


def _differences(
    serde: SerializerProtocol,
    expected: StoredCheckpoint,
    found: StoredCheckpoint,
    no_more_values: bool,
) -> Iterator[str]:
    if found.entry != expected.entry:
        yield "parent_config"
    yield from _mapping_differences(
        serde, "checkpoint", _without_values(expected), _without_values(found)
    )
    expected_values, found_values = _values(expected), _values(found)
    if not no_more_values:
        found_values = {
            name: value for name, value in found_values.items() if name in expected_values
        }
    yield from _mapping_differences(
        serde, "checkpoint.channel_values", expected_values, found_values
    )
    yield from _mapping_differences(serde, "metadata", {**expected.metadata}, {**found.metadata})
    if not same(serde, expected.pending_writes, found.pending_writes):
        yield "pending_writes"


def _values(stored: StoredCheckpoint) -> Mapping[str, Any]:
    return stored.checkpoint.get("channel_values", {})


def _without_values(stored: StoredCheckpoint) -> Mapping[str, Any]:
    return {name: part for name, part in stored.checkpoint.items() if name != "channel_values"}


def _mapping_differences(
    serde: SerializerProtocol, name: str, expected: Mapping[str, Any], found: Mapping[str, Any]
) -> Iterator[str]:
    for key in {**expected, **found}:
        if not (key in expected and key in found and same(serde, expected[key], found[key])):
            yield f"{name}.{key}"


def same(serde: SerializerProtocol, expected: Any, found: Any) -> bool:
    """Whether two values, or their serialized bytes, are equal.

    Arrays and NaN are not equal by `==`.
    """
    try:
        if bool(expected == found):
            return True
    except Exception:  # noqa: S110 - a user's type that does not compare: its bytes do
        pass
    return bool(serde.dumps_typed(expected) == serde.dumps_typed(found))
