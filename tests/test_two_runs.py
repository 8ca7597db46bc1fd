"""Two runs on one thread, with a prune in between: no value is silently shortened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from langgraph_checkpoint_dynamodb import UnreadableItemError
from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from collections.abc import Mapping

    from langchain_core.runnables import RunnableConfig

    from tests.support.calls import Calls


def put(
    calls: Calls, checkpoint_id: str, parent: RunnableConfig | None, *, whole: bool = False
) -> RunnableConfig:
    """A checkpoint of a graph whose channel `log` is a DeltaChannel, with a write to it."""
    held = {"log": _DeltaSnapshot(["all before"])} if whole else {}
    made = checkpoint(checkpoint_id, **held)
    made["channel_versions"] = {"log": checkpoint_id}
    counted: Mapping[str, Any] = {} if whole else {"counters_since_delta_snapshot": {"log": [1, 1]}}
    stored = calls.put(parent or config("t"), made, metadata(**counted), {"log": checkpoint_id})
    calls.put_writes(stored, [("log", checkpoint_id)], "task", "path")
    return stored


def test_the_slower_of_two_runs_is_told_that_a_prune_has_taken_what_it_is_rebuilt_from(
    calls: Calls,
) -> None:
    first = put(calls, "0001", None, whole=True)
    second = put(calls, "0002", first)
    put(calls, "0003", second, whole=True)
    calls.prune(["t"])
    slower = put(calls, "0004", second)
    newest = calls.get_tuple(config("t"))
    assert newest is not None
    assert newest.config == slower
    with pytest.raises(UnreadableItemError, match="'0002'") as raised:
        calls.get_delta_channel_history(config=slower, channels=["log"])
    assert raised.value.attribute == "parent_checkpoint_id"


def test_a_channel_that_no_ancestor_has_written_needs_none_of_them(calls: Calls) -> None:
    first = put(calls, "0001", None, whole=True)
    slower = put(calls, "0002", first)
    put(calls, "0003", first, whole=True)
    calls.prune(["t"])
    after = put(calls, "0004", slower)
    found = calls.get_delta_channel_history(config=after, channels=["other"])
    assert found == {"other": {"writes": []}}
