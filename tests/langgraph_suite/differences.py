"""Tests of LangGraph that end differently with a saver of this package, each with its reason.

`make langgraph-suite` fails on one that is not here, and on one here that does not differ any more.
"""

from __future__ import annotations

from tests.langgraph_suite.judging import Difference

DIFFERENCES = (
    Difference(
        r"test_channels\.py::test_delta_channel_snapshot_version_based",
        "has no attribute 'blobs'",
        "It looks into InMemorySaver: at its attribute `blobs`.",
    ),
    Difference(
        r"test_delta_channel_update_state\.py::test_a?bulk_update_state_replays_updates_in_the_order_given",
        "has no attribute 'writes'",
        "Its own saver sorts what is in the attribute `writes` of InMemorySaver.",
    ),
    Difference(
        r"test_delta_channel_supersteps_bound\.py::test_counter_reset_after_supersteps_snapshot",
        "B should have snapshotted at supersteps >= max_ss",
        "InMemorySaver keeps values by their version, so a snapshot that an earlier checkpoint of "
        "the run was given shows in the newest one too. Here, as with SqliteSaver, a checkpoint "
        "holds what it was given. The value that is rebuilt is the same.",
        savers=("sync",),
    ),
)
