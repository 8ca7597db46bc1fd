"""The saver under test with each of its settings, and LangGraph's limits on older Pythons."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from langgraph_checkpoint_dynamodb.policies import SWEEP_ACTIONS, TTL_EXTENSION_ACTIONS
from tests.incremental.states import INCREMENTAL
from tests.support.effort import everything
from tests.support.tables import with_payloads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.savers import Saver
    from tests.support.tables import Tables

SETTINGS: dict[str, dict[str, Any]] = {"plain": {}, "incremental": INCREMENTAL}

# https://docs.python.org/3/library/asyncio-task.html: `context` of `create_task` is new in 3.11.
# Without it LangGraph cannot pass its config to async nodes: a node cannot interrupt, and a
# subgraph does not know that it is one.
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


@pytest.fixture(params=list(SETTINGS) if everything() else ["plain"])
def saver(request: pytest.FixtureRequest, tables: Tables) -> Iterator[Saver]:
    """A saver on fresh tables; with incremental storage, differences of any size are stored."""
    tables.set_up()
    made = tables.saver(SWEEP_ACTIONS | TTL_EXTENSION_ACTIONS, **SETTINGS[request.param])
    with with_payloads(made, whole_bytes=0) as opened:
        yield opened
