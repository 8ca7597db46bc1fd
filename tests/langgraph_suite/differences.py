"""Tests of LangGraph that end differently with a saver of this package, each with its reason.

`make langgraph-suite` fails on one that is not here, and on one here that does not differ any more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BOTH = ("sync", "async")


@dataclass(frozen=True)
class Difference:
    """Tests that end otherwise than with `InMemorySaver`.

    Attributes:
        tests: What their ids match, from beginning to end.
        reason: Why that is no wrong answer.
        savers: With which savers.
        always: Whether they always differ; some depend on how fast a saver answers.
    """

    tests: str
    reason: str
    savers: tuple[str, ...] = BOTH
    always: bool = True

    def explains(self, test: str, saver: str) -> bool:
        """Whether it is about that test with that saver."""
        return saver in self.savers and re.fullmatch(self.tests, test) is not None


DIFFERENCES = (
    Difference(
        r"tests/test_channels\.py::test_delta_channel_snapshot_version_based",
        "It looks into InMemorySaver: at its attribute `blobs`.",
    ),
    Difference(
        r"tests/test_delta_channel_supersteps_bound\.py::test_counter_reset_after_supersteps_snapshot",
        "InMemorySaver keeps values by their version, so a snapshot that an earlier checkpoint of "
        "the run was given shows in the newest one too. Here a checkpoint holds what it was given. "
        "The value that is rebuilt is the same, which the test looks at last.",
    ),
    Difference(
        r"tests/test_large_cases\.py::test_root_graph\[memory\]",
        "It counts on what `uuid4` gives from call to call, of which the SDK takes some.",
    ),
    Difference(
        r"tests/test_pregel_async\.py::("
        r"test_stream_buffering_single_node\[memory\]"
        r"|test_checkpoint_put_after_cancellation_stream_events_anext"
        r")",
        "It gives the whole run less time than a saver may take for its first call.",
        always=False,
    ),
)
