"""The figures in the documentation are the measured ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from langgraph_checkpoint_dynamodb.policies import RUN_ACTIONS, SWEEP_ACTIONS, TTL_EXTENSION_ACTIONS
from tests.docs.pages import DOCS, ROOT, blocks
from tests.support.costs import measure_costs

if TYPE_CHECKING:
    from tests.support.buckets import Bucket
    from tests.support.engines import Engine
    from tests.support.tables import Tables

COSTS = DOCS / "explanation" / "costs.md"


def test_the_published_policy_grants_what_the_saver_is_tested_with() -> None:
    (policy,) = (one for one in blocks(DOCS / "reference" / "iam.md") if one.language == "json")
    run, more = json.loads(policy.text)["Statement"]
    assert {*run["Action"]} == RUN_ACTIONS
    assert {*run["Action"], *more["Action"]} == SWEEP_ACTIONS | TTL_EXTENSION_ACTIONS


def test_the_tables_of_costs_are_what_is_measured(
    tables: Tables, engine: Engine, bucket: Bucket
) -> None:
    text = COSTS.read_text(encoding="utf-8")
    for cost in measure_costs(tables, engine, bucket):
        row = cost.row() if engine.faithful else cost.row().rstrip(" |")
        # moto's pages are smaller, so chunks need more of them.
        if engine.faithful or not ("get_tuple" in cost.call and "in chunks" in cost.call):
            assert row in text, row


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def measured() -> dict[tuple[str, str, str], dict[str, str]]:
    """The results of `make bench`, by workload, stage and contender."""
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    workload = stage = ""
    columns: list[str] = []
    for line in (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            workload, columns = line.removeprefix("## "), []
        elif line.startswith("### "):
            stage = line.removeprefix("### ")
        elif line.startswith("| contender "):
            columns = cells(line)[1:]
        elif line.startswith("| ") and columns and "---" not in line:
            contender, *values = cells(line)
            found[workload, stage, contender] = dict(zip(columns, values, strict=True))
    return found


@pytest.mark.parametrize("heading", ["Figures", "Stores"])
def test_the_table_of_benchmarks_is_what_was_measured(heading: str) -> None:
    text = (DOCS / "explanation" / "benchmarks.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    head, _, *rows = [cells(line) for line in section.splitlines() if line.startswith("|")]
    contenders = head[3:]
    found = measured()
    assert len(rows) >= 8
    for workload, stage, figure, *shown in rows:
        for contender, value in zip(contenders, shown, strict=True):
            row = found.get((workload, stage, contender), {})
            expected = row.get(figure, "")
            # A failure has no figures; a contender that was not measured has no row.
            failed = "failed" if "failed" in row.values() else "-"
            assert value == (expected or failed), (workload, stage, figure, contender)
