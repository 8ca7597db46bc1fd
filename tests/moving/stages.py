"""Runs graphs on a saver that is the source or target of moved threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.graphs import Mode, Stage

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

    from tests.support.calls import LoopThread


def stage(saver: BaseCheckpointSaver[str], loop_thread: LoopThread) -> Stage:
    """Runs graphs with the sync methods of a saver."""
    return Stage(saver, Mode("sync", "sync"), loop_thread)
