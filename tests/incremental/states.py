"""Growing states."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from tests.support.values import checkpoint, config, metadata

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from tests.support.savers import Saver

INCREMENTAL: dict[str, Any] = {"compression": "incremental"}
PACKED_TO_HALF = 2
"""Characters of text per byte of compressed text."""


def text(size: int, seed: object = 0) -> str:
    """Text that compresses to about half its size."""
    drawn = random.Random(str(seed))  # noqa: S311 - data, not a secret
    return drawn.randbytes(size // PACKED_TO_HALF).hex()


def grown(size: int, step: int) -> list[str]:
    """A state of about `size` characters, of which 100 are new in each step."""
    return [text(size), *(text(100, number) for number in range(step))]


def put_steps(
    saver: Saver,
    count: int,
    thread_id: str = "t",
    *,
    size: int = 20_000,
    first: int = 0,
    parent: str | None = None,
    checkpoint_ns: str = "",
    run_id: str = "run",
) -> RunnableConfig:
    """Put checkpoints of a growing state, each the parent of the next; returns the last one."""
    at = config(thread_id, checkpoint_ns, parent)
    for step in range(first, first + count):
        made = checkpoint(f"{step:04}", state=grown(size, step))
        at = saver.put(at, made, metadata(run_id=run_id), {})
    return at


def state_of(saver: Saver, at: RunnableConfig) -> Any:
    """The state of a checkpoint; `None` if there is no checkpoint."""
    found = saver.get_tuple(at)
    return None if found is None else found.checkpoint["channel_values"]["state"]


def listed(saver: Saver, at: RunnableConfig | None) -> dict[str, Any]:
    """The listed states, by checkpoint id."""
    return {
        one.config["configurable"]["checkpoint_id"]: one.checkpoint["channel_values"]["state"]
        for one in saver.list(at)
    }
