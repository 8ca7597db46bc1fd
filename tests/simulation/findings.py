"""Results of reads as comparable text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from langgraph.checkpoint.base import CheckpointTuple

    from tests.simulation.processes import Ended

_BETWEEN = " | "
_BEFORE_WRITES = 3
"""Parts of a checkpoint's text before the writes: its values, its metadata, its parent."""


def findings(ended: Ended) -> dict[str, str]:
    """The result of a read: a text for each checkpoint."""
    if ended.error is not None:
        return {"": f"{type(ended.error).__name__}: {ended.error}"}
    if ended.value is None:
        return {}
    if isinstance(ended.value, list):
        return {place_of(one): text_of(one) for one in ended.value}
    if hasattr(ended.value, "pending_writes"):
        return {place_of(ended.value): text_of(ended.value)}
    return {"": repr(ended.value)}


def place_of(one: CheckpointTuple) -> str:
    parts = one.config["configurable"]
    return "/".join((parts["thread_id"], parts["checkpoint_ns"], parts["checkpoint_id"]))


def text_of(one: CheckpointTuple) -> str:
    parts = [one.checkpoint["channel_values"], one.metadata, parent_of(one)]
    return _BETWEEN.join(map(repr, [*parts, *(one.pending_writes or ())]))


def has_no_writes(text: str) -> bool:
    return text.count(_BETWEEN) == _BEFORE_WRITES - 1


def is_mixed(text: str, texts: Collection[str]) -> bool:
    """Whether a checkpoint equals others except that it mixes writes of several of them."""
    seen = text.split(_BETWEEN)
    others = [other.split(_BETWEEN) for other in texts]
    like = [set(other) for other in others if other[:_BEFORE_WRITES] == seen[:_BEFORE_WRITES]]
    return bool(like) and set.intersection(*like) <= set(seen) <= set.union(*like)


def ids_of(one: CheckpointTuple) -> tuple[str, str]:
    parts = one.config["configurable"]
    return parts["thread_id"], parts["checkpoint_id"]


def parent_of(one: CheckpointTuple) -> str | None:
    parent = one.parent_config
    return None if parent is None else str(parent["configurable"]["checkpoint_id"])


def was_made_from(text: str, parent_id: str) -> bool:
    """Whether a text describes a checkpoint with this parent."""
    return text.split(_BETWEEN)[_BEFORE_WRITES - 1] == repr(parent_id)
