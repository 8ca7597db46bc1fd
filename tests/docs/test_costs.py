"""The costs of whole threads in `explanation/costs.md` are those that an engine counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from langgraph_checkpoint_dynamodb.cli.prices import (
    OBJECT_GET_DOLLARS,
    OBJECT_PUT_DOLLARS,
    Prices,
)
from tests.docs.thread_costs import Row, count, counted_rows, prices

if TYPE_CHECKING:
    from tests.support.buckets import Bucket
    from tests.support.engines import Engine
    from tests.support.tables import Tables


@pytest.mark.sample(4)
@pytest.mark.parametrize("row", counted_rows(), ids=str)
def test_a_thread_costs_what_the_page_says(
    row: Row, tables: Tables, bucket: Bucket, engine: Engine
) -> None:
    if not engine.faithful:
        return
    tables.set_up()

    found = count(row, tables, bucket)

    # LangGraph's version strings vary by a byte.
    assert found == pytest.approx(row.counted, rel=0.01, abs=2)
    assert row.calculated == pytest.approx(row.counted, rel=0.1, abs=3)


def test_the_prices_of_the_calculator_are_those_of_the_package() -> None:
    known = Prices()

    assert prices() == {
        "write": known.write,
        "read": known.read,
        "storage": known.storage,
        "objects": known.objects,
        "puts": OBJECT_PUT_DOLLARS,
        "gets": OBJECT_GET_DOLLARS,
    }
