"""What the README says is so."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from langgraph_checkpoint_dynamodb.policies import PROLONG_ACTIONS, RUN_ACTIONS, SWEEP_ACTIONS
from tests.support.calls import SyncCalls
from tests.support.costs import measure_costs
from tests.support.values import put_chain

if TYPE_CHECKING:
    from tests.support.buckets import Bucket
    from tests.support.engines import Engine
    from tests.support.savers import Saver
    from tests.support.tables import Tables

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
COSTS = ROOT / "docs" / "explanation" / "costs.md"
BENCHMARKS = ROOT / "docs" / "explanation" / "benchmarks.md"
PAGES_WITH_COSTS = ("constant-cost", "large-states", "threads")
ROW_OF_COSTS = re.compile(r"^\| .+? \|(?: \d+ \|){4}$", re.MULTILINE)


def blocks(language: str) -> list[str]:
    text = README.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def test_the_first_example_runs_as_it_stands(engine: Engine, tables: Tables) -> None:
    example = blocks("python")[0]
    assert len(example.splitlines()) <= 22
    source = example.replace('"checkpoints"', repr(tables.checkpoints))
    source = source.replace('"writes"', repr(tables.writes))
    done = subprocess.run(  # noqa: S603 - our own README
        [sys.executable, "-W", "error", "-c", source],
        env={**os.environ, "AWS_ENDPOINT_URL_DYNAMODB": engine.url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout == "You have written 1 message(s).\n"


def test_every_python_block_compiles() -> None:
    for block in blocks("python"):
        if "await " not in block:
            compile(block, "README.md", "exec")


def test_a_thread_moves_over_from_another_saver(saver: Saver) -> None:
    old = InMemorySaver()
    chain = put_chain(SyncCalls(old), "t", 3)
    nested = put_chain(SyncCalls(old), "t", 2, "child:1")
    old.put_writes(chain[-1], [("a", 1), ("__resume__", "yes"), ("b", 2)], "task")
    names: dict[str, Any] = {}
    (example,) = (block for block in blocks("python") if "def move_threads" in block)
    exec(example, names)  # noqa: S102 - our own README
    names["move_threads"](old, saver, ["t"])
    for stored in (*chain, *nested):
        moved, found = saver.get_tuple(stored), old.get_tuple(stored)
        assert moved is not None
        assert found is not None
        assert moved._replace(config={}) == found._replace(config={})


def test_the_published_policy_grants_what_the_saver_is_tested_with() -> None:
    run, more = json.loads(blocks("json")[0])["Statement"]
    assert set(run["Action"]) == RUN_ACTIONS
    assert set(run["Action"]) | set(more["Action"]) == SWEEP_ACTIONS | PROLONG_ACTIONS


def test_the_tables_of_costs_are_what_is_measured(
    tables: Tables, engine: Engine, bucket: Bucket
) -> None:
    texts = [page.read_text(encoding="utf-8") for page in (README, COSTS)]
    costs = measure_costs(tables, engine, bucket)
    for cost in costs:
        row = cost.row() if engine.faithful else cost.row().rstrip(" |")
        # moto's pages hold less, so chunks take it more of them.
        if engine.faithful or not ("get_tuple" in cost.call and "in chunks" in cost.call):
            assert all(row in text for text in texts), row
    if engine.faithful:
        assert rows_of_how_to_pages() - {cost.row() for cost in costs} == set()


def rows_of_how_to_pages() -> set[str]:
    """The rows of costs that pages repeat for what they are about."""
    pages = [ROOT / "docs" / "how-to" / f"{name}.md" for name in PAGES_WITH_COSTS]
    found = [set(ROW_OF_COSTS.findall(page.read_text(encoding="utf-8"))) for page in pages]
    assert all(found)
    return set().union(*found)


def test_the_test_files_that_the_guarantees_name_exist() -> None:
    text = README.read_text(encoding="utf-8")
    named = re.findall(
        r"`((?:(?:cache|graphs|infra|incremental|simulation|store|threads)/)?(?:test_\w+|conftest)\.py|graphs/)`",
        text,
    )
    assert named
    assert [name for name in set(named) if not (Path(__file__).parent / name).exists()] == []


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def measured() -> dict[tuple[str, str, str], dict[str, str]]:
    """What `make bench` has found, by workload, stage and contender."""
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


@pytest.mark.parametrize(
    ("page", "heading"),
    [(README, "## Benchmarks"), (README, "### Stores"), (BENCHMARKS, "## Figures")],
)
def test_the_table_of_benchmarks_is_what_was_measured(page: Path, heading: str) -> None:
    section = page.read_text(encoding="utf-8").split(f"\n{heading}\n")[1].split("\n##")[0]
    head, _, *rows = [cells(line) for line in section.splitlines() if line.startswith("|")]
    contenders = head[3:]
    found = measured()
    assert len(rows) >= 8
    for workload, stage, figure, *shown in rows:
        for contender, value in zip(contenders, shown, strict=True):
            row = found.get((workload, stage, contender), {})
            expected = row.get(figure, "")
            # A failure has no figures; a contender that was not asked has no row.
            failed = "failed" if "failed" in row.values() else "-"
            assert value == (expected or failed), (workload, stage, figure, contender)


def test_the_pictures_that_the_readme_shows_are_there() -> None:
    shown = re.findall(r"!\[[^]]*\]\(([^)]+\.svg)\)", README.read_text(encoding="utf-8"))
    assert len(shown) == 6
    for path in shown:
        assert (ROOT / path).read_text(encoding="utf-8").startswith(("<?xml", "<svg"))
