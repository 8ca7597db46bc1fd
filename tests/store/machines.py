"""What the state machines of stores and caches share: how they run, and pages of any length."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.effort import amount

if TYPE_CHECKING:
    from tests.store.faces import StoreTable

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", amount(40, 3)))
STEPS = 25


@dataclass
class Pages:
    """Limits the pages of queries.

    Attributes:
        limit: Maximum number of items on a page; `None` for no limit.
    """

    limit: int | None = None

    def install(self, table: StoreTable) -> None:
        table.on("before-parameter-build.dynamodb.Query", self._cut)

    def _cut(self, params: dict[str, Any], **_: object) -> None:
        if self.limit is not None:
            params["Limit"] = min(self.limit, params.get("Limit", self.limit))


def run_machine(machine: type, world: object) -> None:
    """Run a state machine, which takes where it runs."""
    made: Any = partial(machine, world)
    run_state_machine_as_test(
        made,
        settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None),
    )
