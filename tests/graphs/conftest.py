"""What LangGraph cannot do on some Python, whatever the saver."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# https://docs.python.org/3/library/asyncio-task.html: `context` of `create_task` is new in 3.11. So
# LangGraph cannot hand its config to what an awaited graph runs: a node cannot interrupt there, and
# a subgraph does not know that it is one.
WITHOUT_CONTEXT = (
    "Called get_config outside of a runnable context",
    "checkpointer=True cannot be used for root graphs",
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    try:
        return (yield)
    except RuntimeError as error:
        if sys.version_info >= (3, 11) or not str(error).startswith(WITHOUT_CONTEXT):
            raise
        pytest.skip(f"LangGraph cannot do this before Python 3.11: {error}")
